//! The three shells: what each reads once, how it hands over what was typed, and how it takes candidates.
//!
//! clap's own scripts are not used: in bash they lose `NAME=VALUE`, since readline breaks words at `=` and `:`, and hand on
//! candidates for the shell to expand. An id from etcd may hold `$(...)`: here no candidate is ever evaluated, and what bash puts
//! into the line as it is comes quoted.

use super::line::TypedLine;
use crate::text::{deceives, on_one_line, shell_word};
use clap_complete::Shell;
use clap_complete::engine::{CompletionCandidate, complete};
use clap_complete::env::EnvCompleter;
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io::{Result, Write};
use std::path::Path;

const BASH: &str = r#"_binlogsh() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(VARIABLE=bash COMPLETER -- "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 0 && $2 == [~\$]* ]]; then
        compopt -o default 2>/dev/null
    fi
}
complete -o nospace -o nosort -F _binlogsh NAMES 2>/dev/null || complete -o nospace -F _binlogsh NAMES"#;

const ZSH: &str = r#"#compdef NAMES
_binlogsh() {
    local -a found closed open
    local one ret=1
    found=("${(@f)$(VARIABLE=zsh COMPLETER -- "${(@)words[1,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
    for one in $found; do
        if [[ $one == o* ]]; then open+=("${one[2,-1]}"); else closed+=("${one[2,-1]}"); fi
    done
    (( $#closed )) && _describe -V values closed && ret=0
    (( $#open )) && _describe -V values open -S '' && ret=0
    [[ $ret == 1 && $PREFIX == [~\$]* ]] && _files && ret=0
    return ret
}
if [[ $funcstack[1] == _binlogsh ]]; then
    _binlogsh "$@"
else
    compdef _binlogsh NAMES
fi"#;

const FISH: &str = r#"function __binlogsh_complete
    VARIABLE=fish COMPLETER -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token --cut-at-cursor) 2>/dev/null
end
complete NAMES --no-files --keep-order --arguments '(__binlogsh_complete)'
complete NAMES --force-files --condition 'string match --quiet --regex \'^[~$]\' -- (commandline --current-token)'"#;

/// A shell that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Bash,
    Zsh,
    Fish,
}

impl Dialect {
    pub(super) fn named(name: &OsStr) -> Option<Self> {
        [Self::Bash, Self::Zsh, Self::Fish].into_iter().find(|dialect| name == dialect.name())
    }

    pub(super) fn of(shell: Shell) -> Option<Self> {
        match shell {
            Shell::Bash => Some(Self::Bash),
            Shell::Zsh => Some(Self::Zsh),
            Shell::Fish => Some(Self::Fish),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    /// What it reads once: for a program called one of `names`, `completer` is asked.
    pub(super) fn registration(self, completer: &str, names: &[&str]) -> String {
        let (script, names, completer) = match self {
            Self::Bash => (BASH, names.join(" "), shell_word(completer)),
            Self::Zsh => (ZSH, names.join(" "), shell_word(completer)),
            Self::Fish => (FISH, format!("--command {}", names.join(" --command ")), fish_word(completer)),
        };
        // The program's own path last, since it may hold anything.
        let script = script.replace("NAMES", &names).replace("VARIABLE", super::VARIABLE);
        script.replace("COMPLETER", &completer)
    }

    /// A candidate as a line that this shell reads; `None` if it cannot stand where it would be put.
    fn line(self, candidate: &CompletionCandidate, typed: &TypedLine) -> Option<String> {
        let value = candidate.get_value().to_str().filter(|value| !value.contains(is_harmful))?;
        let about = candidate.get_help().map(|help| about(&help.to_string())).unwrap_or_default();
        match self {
            Self::Bash => typed.in_bash(value),
            Self::Zsh => {
                let sort = if is_open(value) { 'o' } else { 'c' };
                let about = if about.is_empty() { about } else { format!(":{}", about.replace('\\', r"\\")) };
                Some(format!("{sort}{}{about}", value.replace('\\', r"\\").replace(':', r"\:")))
            }
            Self::Fish if about.is_empty() => Some(value.to_owned()),
            Self::Fish => Some(format!("{value}\t{about}")),
        }
    }
}

/// Whether more is to be typed in the same word.
pub(super) fn is_open(value: &str) -> bool {
    value.ends_with(['=', '/'])
}

/// What ends a line or a column of what a shell reads, or shows the candidate as another.
fn is_harmful(c: char) -> bool {
    c.is_control() || deceives(c)
}

/// The first sentence, on one line.
fn about(help: &str) -> String {
    on_one_line(help.lines().next().unwrap_or_default()).into_owned()
}

fn fish_word(word: &str) -> Cow<'_, str> {
    match shell_word(word) {
        Cow::Borrowed(plain) => Cow::Borrowed(plain),
        Cow::Owned(_) => Cow::Owned(format!("'{}'", word.replace('\\', r"\\").replace('\'', r"\'"))),
    }
}

/// Speaks with one shell about one line.
pub(super) struct Adapter<'l> {
    pub(super) dialect: Dialect,
    pub(super) typed: &'l TypedLine,
}

impl EnvCompleter for Adapter<'_> {
    fn name(&self) -> &'static str {
        self.dialect.name()
    }

    fn is(&self, name: &str) -> bool {
        name == self.dialect.name()
    }

    fn write_registration(&self, _: &str, _: &str, _: &str, completer: &str, into: &mut dyn Write) -> Result<()> {
        writeln!(into, "{}", self.dialect.registration(completer, &super::names()))
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        _: Vec<OsString>,
        here: Option<&Path>,
        into: &mut dyn Write,
    ) -> Result<()> {
        if self.typed.is_left_to_the_shell() {
            return Ok(());
        }
        let words = self.typed.for_engine(command);
        let last = words.len() - 1;
        for candidate in complete(command, words, last, here)? {
            let candidate = self.typed.as_typed(candidate);
            if let Some(line) = self.dialect.line(&candidate, self.typed) {
                writeln!(into, "{line}")?;
            }
        }
        Ok(())
    }
}
