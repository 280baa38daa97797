//! A program that a script runs on this host.

use crate::error::Error;
use crate::node::NodeRef;
use crate::text::{on_one_line, shell_word};
use crate::world::NewChangefeed;
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};
use std::time::Duration;

/// A program to run, and what it does to the cluster. No shell reads it: every argument arrives as it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exec {
    /// Its path, or its name to be looked for in `PATH`.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Nodes that it starts (or restarts).
    pub starts: Vec<NodeRef>,
    /// Nodes whose process it stops.
    pub stops: Vec<NodeRef>,
    /// The changefeed that it creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changefeed: Option<NewChangefeed>,
    /// How long it usually takes.
    pub takes: Option<Duration>,
    /// After how long it is killed; `Exec::TIMEOUT` if `None`.
    pub timeout: Option<Duration>,
    /// The names of our own variables (`BINLOG...`) that it gets; the others are no affair of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
}

impl Exec {
    /// What it may take where nothing else is said.
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(600);

    /// After how long it is killed.
    pub fn limit(&self) -> Duration {
        self.timeout.unwrap_or(Self::TIMEOUT)
    }

    /// The error of everybody who must not run programs.
    pub(crate) fn not_allowed(&self) -> Error {
        Error::refused(format!("not done: programs are run only with --allow-exec: {self}"))
            .hint("read what the script runs, and start it with --allow-exec if you agree")
    }
}

/// The command line as one would type it: quoted where a shell would read more into it.
impl Display for Exec {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for (at, word) in std::iter::once(&self.program).chain(&self.args).enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{}", on_one_line(&shell_word(word)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_shown_so_that_a_shell_would_read_the_same() {
        let args = ["-v", "two words", "it's", "$(id)", ""].map(str::to_owned).to_vec();
        let exec = Exec { program: "/bin/echo".into(), args, ..Exec::default() };
        assert_eq!(exec.to_string(), r"/bin/echo -v 'two words' 'it'\''s' '$(id)' ''");
    }
}
