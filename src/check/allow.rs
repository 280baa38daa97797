//! Comments that silence a rule: `// check: allow RULE: reason`, on the line or above it.

use crate::check::finding::RuleFinding;
use crate::check::names;
use crate::check::rule::{Rule, Severity};
use crate::check::script::Script;
use crate::language::tree::{Comment, Spot};

pub(super) const RULES: &[Rule] = &[UNKNOWN_RULE, ALLOW_WITHOUT_REASON, UNUSED_ALLOW];

const UNKNOWN_RULE: Rule = Rule {
    name: "unknown_rule",
    severity: Severity::Warning,
    about: "A comment silences a rule that does not exist.",
    why: "It silences nothing. The rules are those of this page.",
    caught: "//! Stops a Drainer.\n// check: allow act_outside_stop: one change needs no step\npause_drainer(\"drainer-0\", #{ wait: \"1m\" });\n",
    left_alone: "//! Stops a Drainer.\n// check: allow act_outside_step: one change needs no step\npause_drainer(\"drainer-0\", #{ wait: \"1m\" });\n",
};

const ALLOW_WITHOUT_REASON: Rule = Rule {
    name: "allow_without_reason",
    severity: Severity::Warning,
    about: "A comment silences a rule and does not say why.",
    why: "The next reader has to know whether the reason still holds. Without one nothing is silenced.",
    caught: "//! Stops a Drainer.\n// check: allow act_outside_step\npause_drainer(\"drainer-0\", #{ wait: \"1m\" });\n",
    left_alone: "//! Stops a Drainer.\n// check: allow act_outside_step: one change needs no step\npause_drainer(\"drainer-0\", #{ wait: \"1m\" });\n",
};

const UNUSED_ALLOW: Rule = Rule {
    name: "unused_allow",
    severity: Severity::Warning,
    about: "A comment silences a rule that finds nothing there.",
    why: "What it was for has been fixed or has moved, and it would hide the next finding.",
    caught: "//! Stops a Drainer.\n// check: allow act_outside_step: one change needs no step\nstep(\"pause\", || pause_drainer(\"drainer-0\", #{ wait: \"1m\" }));\n",
    left_alone: "//! Stops a Drainer.\n// check: allow act_outside_step: one change needs no step\npause_drainer(\"drainer-0\", #{ wait: \"1m\" });\n",
};

/// What a comment begins with that silences a rule.
const LEADER: &str = "check: allow ";

/// A rule that is silenced.
struct Allowed {
    name: String,
    at: Spot,
    has_reason: bool,
    /// The lines for which it is silenced.
    lines: (usize, usize),
    is_used: bool,
}

/// Takes what is silenced out of `found`, and adds what is wrong with the silencing.
pub(super) fn silence(script: &Script, found: &mut Vec<RuleFinding>) {
    let comments = &script.parsed.words.comments;
    let mut allowed: Vec<Allowed> = comments.iter().flat_map(|comment| allowed_by(comment, comments)).collect();
    found.retain(|finding| {
        let silences = |allowed: &&mut Allowed| {
            let lines = allowed.lines.0..=allowed.lines.1;
            let can_be = allowed.has_reason && !names::is_refused(finding.rule);
            can_be && allowed.name == finding.rule.name && lines.contains(&finding.at.line)
        };
        let mut is_silenced = false;
        for allowed in allowed.iter_mut().filter(silences) {
            (allowed.is_used, is_silenced) = (true, true);
        }
        !is_silenced
    });
    found.extend(allowed.iter().filter_map(wrong_with));
}

fn wrong_with(allowed: &Allowed) -> Option<RuleFinding> {
    let name = &allowed.name;
    let Some(rule) = crate::check::rules().find(|rule| rule.name == name) else {
        let known = crate::check::rules().map(|rule| rule.name);
        let finding = RuleFinding::new(&UNKNOWN_RULE, allowed.at, name, format!("there is no rule `{name}`"));
        return Some(finding.meant(name, known, "`binlogsh check --explain` shows all rules"));
    };
    if !allowed.has_reason {
        let message = format!("`{name}` is not silenced without a reason");
        let finding = RuleFinding::new(&ALLOW_WITHOUT_REASON, allowed.at, name, message);
        return Some(finding.hint(format!("write `// {LEADER}{name}: why it is right here`")));
    }
    let message = match names::is_refused(rule) {
        true => format!("`{name}` cannot be silenced: the script would not begin"),
        false => format!("`{name}` finds nothing here"),
    };
    (!allowed.is_used).then(|| RuleFinding::new(&UNUSED_ALLOW, allowed.at, name, message).hint("take the comment away"))
}

/// The rules that `comment` silences.
fn allowed_by(comment: &Comment, all: &[Comment]) -> Vec<Allowed> {
    let text = comment.text.trim_start_matches('/');
    let text = text.trim_start();
    let Some(rest) = text.strip_prefix(LEADER) else { return Vec::new() };
    let (names, reason) = rest.split_once(':').unwrap_or((rest, ""));
    let mut column = comment.at.column + comment.text.chars().count() - rest.chars().count();
    let lines = (comment.at.line, if comment.is_alone { next_line(comment, all) } else { comment.at.line });
    let mut allowed = Vec::new();
    for name in names.split(',') {
        let blanks = name.chars().take_while(|letter| letter.is_whitespace()).count();
        allowed.push(Allowed {
            name: name.trim().to_owned(),
            at: Spot { line: comment.at.line, column: column + blanks },
            has_reason: !reason.trim().is_empty(),
            lines,
            is_used: false,
        });
        column += name.chars().count() + 1;
    }
    allowed
}

/// The first line beneath `comment` that is no comment.
fn next_line(comment: &Comment, all: &[Comment]) -> usize {
    let below = all.iter().filter(|other| other.is_alone && other.at.line > comment.at.line);
    below.fold(comment.at.line + 1, |line, other| if other.at.line == line { line + 1 } else { line })
}
