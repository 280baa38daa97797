//! What one play of a script leaves.

use crate::error::ScriptError;
use crate::journal::Entry;
use crate::language::Ending;
use crate::rehearsal::story::LagCurve;
use crate::rehearsal::trace::{AskedQuestion, AttemptedChange, SaidNotice};
use crate::sim::{Cluster, Micros};
use crate::world::{Notice, Progress};

/// What one play of a script leaves: what it did and said, and what became of the cluster.
pub struct Played {
    /// The cluster when the script ended.
    pub(crate) at_end: Cluster,
    /// The cluster a minute later, with the log of everything that truly happened.
    pub after: Cluster,
    /// How the script ended.
    pub ending: Result<Ending, ScriptError>,
    /// Whether it ended because it went beyond the bounds of the play.
    pub is_over: bool,
    /// What it was waiting for then, if it said so.
    pub waits_for: Option<Progress>,
    /// What it did, in order.
    pub acts: Vec<AttemptedChange>,
    /// What it said.
    pub said: Vec<SaidNotice>,
    /// How many requests it made.
    pub calls: u64,
    /// What the operator would have been asked.
    pub asked: Vec<AskedQuestion>,
    /// How far behind each Drainer was, where the stage draws curves.
    pub(crate) lags: Vec<LagCurve>,
    /// Its journal: changes, and the listings before them where the stage keeps them.
    pub entries: Vec<Entry>,
}

impl Played {
    /// When the script ended.
    pub fn ended_at(&self) -> Micros {
        self.at_end.now()
    }

    /// The exit code that a real run would have had.
    pub fn exit_code(&self) -> u8 {
        match &self.ending {
            Ok(Ending::Value(_)) => 0,
            Ok(Ending::Exit(code)) => *code,
            Err(error) => error.error.exit_code(),
        }
    }

    /// A word for how it ended: `done`, `exit N`, or the kind of the error.
    pub fn outcome(&self) -> String {
        match &self.ending {
            Ok(Ending::Value(_)) | Ok(Ending::Exit(0)) => "done".into(),
            Ok(Ending::Exit(code)) => format!("exit {code}"),
            Err(_) if self.waits_for.is_some() => "still waiting".into(),
            Err(_) if self.is_over => "no end".into(),
            Err(error) => error.error.kind.name().into(),
        }
    }

    /// Everything by which the result of the run names what it leaves: the error with its step, and what was printed
    /// after `since`.
    pub(crate) fn result_text(&self, since: Micros) -> String {
        let mut text = String::new();
        if let Err(error) = &self.ending {
            let what = &error.error;
            let advice = what.advice("");
            for part in [Some(what.message.as_str()), advice.as_deref(), what.source.as_deref(), error.step.as_deref()]
            {
                text.push_str(part.unwrap_or_default());
                text.push('\n');
            }
        }
        for said in self.said.iter().filter(|said| said.at >= since) {
            if let Notice::Printed(line) = &said.notice {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}
