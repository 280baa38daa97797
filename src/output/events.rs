//! What happens while something runs, as lines of JSON for programs.

use crate::world::{Notice, OutputStream, Progress};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// The event of a notice; `None` for values, which are no events, for the line that acts, which only stories
/// tell, and for what is a word to people.
pub(super) fn event(notice: &Notice) -> Option<Json> {
    Some(match notice {
        Notice::Shown(_) | Notice::ShownAsJson(_) | Notice::Acting(_) | Notice::Begun(_) => return None,
        Notice::Warning(text) => warning(text),
        Notice::Progress(progress) => wait(progress),
        Notice::Sleeping(time) => wait(&Progress::of("sleeping").after(Duration::ZERO, *time)),
        Notice::ProgressEnd => json!({ "event": "wait_end" }),
        Notice::Printed(text) => json!({ "event": "print", "text": text }),
        Notice::StepBegan(name) => json!({ "event": "step", "name": name }),
        Notice::Answered { question, by } => json!({ "event": "answered", "question": question, "by": by }),
        Notice::Changed(text) => json!({ "event": "change", "text": text }),
        Notice::Traced { endpoint, what, took, outcome } => {
            let took = took.as_secs_f64();
            json!({ "event": "trace", "endpoint": endpoint, "what": what, "took": took, "outcome": outcome })
        }
        Notice::Said { stream, line } => {
            let stream = match stream {
                OutputStream::Stdout => "stdout",
                OutputStream::Stderr => "stderr",
            };
            json!({ "event": "program", "stream": stream, "line": line })
        }
    })
}

/// Something is odd.
pub(super) fn warning(text: &str) -> Json {
    json!({ "event": "warning", "text": text })
}

/// Something that is neither odd nor wrong.
pub(super) fn remark(text: &str) -> Json {
    json!({ "event": "remark", "text": text })
}

/// Times are seconds.
fn wait(progress: &Progress) -> Json {
    json!({
        "event": "wait",
        "what": progress.what,
        "seen": progress.seen,
        "held_up_by": progress.held_up_by,
        "figures": progress.figures,
        "waited": progress.time.map(|time| time.waited.as_secs_f64()),
        "of": progress.time.map(|time| time.of.as_secs_f64()),
    })
}
