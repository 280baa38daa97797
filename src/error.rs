//! The one error type: what went wrong, of what kind, and what to do next.
//!
//! The kind decides the exit code, and whether a script may catch the error or must end. Errors are plain data,
//! because they are also outcomes in a journal and are shown as JSON.

use crate::text::on_one_line;
use serde::{Deserialize, Serialize};
use strum::{EnumMessage, IntoStaticStr, VariantArray};

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of thing went wrong. What stands at each of them is what help and `docs/reference.md` say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, EnumMessage, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ErrorKind {
    /// the script's own `fail` or `ensure`, or what it threw
    Failed,
    /// no such node, file, module or run
    NotFound,
    /// bad arguments, a script that does not compile or runs away, an unreadable format
    Invalid,
    /// the node said no (in its HTTP body)
    Rejected,
    /// a guard, the policy or the operator said no
    Refused,
    /// nobody answered; says which endpoints were tried
    Unreachable,
    /// somebody was there and did not answer in time, or a wait was in vain
    Timeout,
    /// somebody else changed it meanwhile; shows what
    Conflict,
    /// somebody else holds the maintenance lock
    Locked,
    /// the maintenance lock was lost; ends the run
    LockLost,
    /// a hold on TiKV's garbage collection was lost; ends the run
    HoldLost,
    /// it may or may not have happened; says how to find out
    InDoubt,
    /// the script no longer does what its journal says; ends the run
    Diverged,
    /// this host: a file, the disk, the store, the terminal
    Local,
    /// a rehearsal of futures found harm
    Harm,
    /// a rehearsal was stopped, since the script does not end; ends the rehearsal
    NoEnd,
    /// a defect of ours; ends the run
    Internal,
    /// a signal (128 + its number), or *quit* at a question; ends the run
    Interrupted,
}

impl ErrorKind {
    /// Every kind, in the order of the table.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The word for it in messages, in JSON and in scripts (`err.kind`).
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it means, as help and the reference say it.
    pub fn means(self) -> &'static str {
        self.get_documentation().unwrap_or_default()
    }

    /// The process exit code when an error of this kind ends a run. For `Interrupted` by a signal see
    /// [`Error::exit_code`].
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed | Self::NotFound => 1,
            Self::Invalid => 2,
            Self::Rejected | Self::Refused => 3,
            Self::Unreachable | Self::Timeout | Self::NoEnd => 4,
            Self::Conflict | Self::Locked | Self::LockLost | Self::HoldLost => 5,
            Self::InDoubt => 6,
            Self::Diverged => 7,
            Self::Local => 8,
            Self::Harm => 9,
            Self::Internal => 70,
            Self::Interrupted => 130,
        }
    }

    /// Whether a run ends with it, whatever the script would like to catch.
    pub fn is_fatal(self) -> bool {
        matches!(
            self,
            Self::Interrupted | Self::Diverged | Self::Internal | Self::LockLost | Self::HoldLost | Self::NoEnd
        )
    }
}

/// A command line of this program that an error advises, without its own name and what names the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
pub enum AdvisedCommand {
    /// Takes the maintenance lock away from whoever holds it.
    #[strum(serialize = "runs unlock --why TEXT")]
    Unlock,
    /// Starts what was killed.
    #[strum(serialize = "run after_crash")]
    AfterCrash,
    /// Looks at the cluster.
    #[strum(serialize = "doctor")]
    Doctor,
}

/// What went wrong, where and why (`message`), and what to do next (`hint`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Error {
    /// What sort of thing went wrong.
    pub kind: ErrorKind,
    /// What, where and why, as one sentence without a full stop.
    pub message: String,
    /// What to do next, as one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The command line of this program that does so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<AdvisedCommand>,
    /// The words of whoever reported it first, where they say more than the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The signal behind an `Interrupted`, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, command: None, source: None, signal: None }
    }

    /// Bad arguments or an unreadable format.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// No such node, file or run.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// A guard, the policy or the operator said no.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    /// Something on this host.
    pub fn local(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Local, message)
    }

    /// A bug of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
            .hint("this is a defect of binlogsh: please report it with the script that led to it")
    }

    /// The process was told to stop by `signal`, or (without one) the operator said *quit*.
    pub fn interrupted(signal: Option<i32>, message: impl Into<String>) -> Self {
        Self { signal, ..Self::new(ErrorKind::Interrupted, message) }
    }

    /// The same error, saying what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error, naming the command line of this program that does what the hint says.
    #[must_use]
    pub fn command(mut self, command: AdvisedCommand) -> Self {
        self.command = Some(command);
        self
    }

    /// What to do next, with the command line that does it; `cluster` are the options that name the cluster.
    pub fn advice(&self, cluster: &str) -> Option<String> {
        let command =
            self.command.map(|command| format!("`binlogsh{cluster} {}`", Into::<&'static str>::into(command)));
        match (&self.hint, command) {
            (Some(hint), Some(command)) => Some(format!("{hint}: {command}")),
            (hint, command) => hint.clone().or(command),
        }
    }

    /// The same error, its command line part of the hint.
    #[must_use]
    pub fn on_cluster(mut self, cluster: &str) -> Self {
        (self.hint, self.command) = (self.advice(cluster), None);
        self
    }

    /// The same error, keeping the words of its cause, on one line: they are somebody else's.
    #[must_use]
    pub fn source(mut self, source: impl std::fmt::Display) -> Self {
        self.source = Some(on_one_line(source.to_string().trim_end()).into_owned());
        self
    }

    /// The process exit code when this error ends a run: 128 plus the signal, if one did.
    pub fn exit_code(&self) -> u8 {
        match self.signal {
            Some(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
            None => self.kind.exit_code(),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match &self.source {
            Some(source) if !self.message.contains(source.as_str()) => write!(f, ": {source}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// Where in a script something went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file, or what stands for it: `<prompt>`, `<-e>`, `<stdin>`, `stdlib:pumps`.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters; `None` where the language does not know.
    pub column: Option<usize>,
    /// The line itself.
    pub text: String,
}

/// An error, and the innermost place in a script that it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScriptError {
    /// What went wrong.
    pub error: Error,
    /// Where, if a script did it.
    pub place: Option<Box<Place>>,
    /// Where the script that was run called what failed, if `place` is in a module of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_from: Option<Box<Place>>,
    /// The step of the script that it ended, the innermost one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Box<str>>,
}

impl ScriptError {
    /// An error at a place, outside of all steps.
    pub fn at(error: Error, place: Option<Box<Place>>) -> Self {
        Self { place, ..error.into() }
    }
}

impl From<Error> for ScriptError {
    fn from(error: Error) -> Self {
        Self { error, place: None, called_from: None, step: None }
    }
}
