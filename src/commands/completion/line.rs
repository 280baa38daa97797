//! The line that is being typed: its words as each shell hands them over, and what those before the cursor say.

use super::shells::{Dialect, is_open};
use crate::cli::{self, Cli, CommandLine, Global};
use crate::commands::{ctl, read_text, run, scripts};
use crate::config::{self, ProfileSettings, Variables};
use crate::language::{ParamDoc, Source};
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use clap_complete::engine::CompletionCandidate;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// How long whatever may be silent is waited for: the cluster, a file that is a pipe, a store that somebody writes to.
pub(super) const PATIENCE: Duration = Duration::from_millis(200);

/// The largest script whose parameters are looked for.
const LARGEST: u64 = 1 << 20;

/// A line up to the cursor.
pub(super) struct TypedLine {
    /// The words before the one at the cursor, the program's name first.
    before: Vec<String>,
    /// The word at the cursor, without quotes.
    word: String,
    /// How bash has it.
    in_bash: Option<InBash>,
    /// Whether the shell has to complete it: zsh would quote the `~` of ours.
    is_left_to_the_shell: bool,
    /// The line before the cursor, and what stands behind `ctl`.
    parts: OnceLock<(CommandLine, Option<Vec<OsString>>)>,
    matches: OnceLock<Option<ArgMatches>>,
}

/// The word at the cursor as bash has it.
struct InBash {
    /// The quote that is open.
    quote: Option<char>,
    /// How much of the word, without quotes, stands before what bash replaces.
    kept: usize,
    /// Whether it begins with the name of somebody's home.
    is_of_home: bool,
}

impl TypedLine {
    /// Reads what the shell hands over: bash the line and what it is about to replace, the others words.
    pub(super) fn read(dialect: Dialect, mut args: Vec<String>) -> Self {
        let last = args.pop().unwrap_or_default();
        let is_left_to_the_shell = dialect == Dialect::Zsh && last.starts_with('~');
        let (before, word, in_bash) = match dialect {
            Dialect::Bash => {
                let (mut words, word) = lex(args.first().map_or("", String::as_str), true);
                let assignments = words.iter().take_while(|word| is_assignment(word)).count();
                words.drain(..assignments);
                // Where bash says something else than what stands there, nothing fits.
                let kept = word.raw.strip_suffix(last.as_str()).map_or(usize::MAX, |kept| plain(kept).len());
                let in_bash = InBash { quote: word.quote, kept, is_of_home: word.raw.starts_with('~') };
                (words, word.text, Some(in_bash))
            }
            Dialect::Zsh => (args.iter().map(|word| plain(word)).collect(), plain(&last), None),
            Dialect::Fish => (args, plain(&last), None),
        };
        Self { before, word, in_bash, is_left_to_the_shell, parts: OnceLock::new(), matches: OnceLock::new() }
    }

    /// Whether nothing of ours may stand here.
    pub(super) fn is_left_to_the_shell(&self) -> bool {
        self.is_left_to_the_shell
    }

    /// Whether the word at the cursor is one of `ctl`'s flags, which are Go's.
    pub(super) fn is_ctl(&self) -> bool {
        self.flags_of_ctl().is_some()
    }

    fn flags_of_ctl(&self) -> Option<&[OsString]> {
        self.parts.get_or_init(|| self.split()).1.as_deref()
    }

    fn split(&self) -> (CommandLine, Option<Vec<OsString>>) {
        let words: Vec<OsString> = self.before.iter().map(OsString::from).collect();
        let is_binlogctl = words.first().is_some_and(|program| cli::is_binlogctl(program));
        let (words, behind) = match (is_binlogctl, words) {
            (true, mut words) => (vec!["binlogsh".into()], Some(words.split_off(1))),
            (false, words) => (words, None),
        };
        // To put the definition together takes a while, and few lines have the word at all.
        if behind.is_some() || !words.iter().any(|word| word == "ctl") {
            return (CommandLine { before: words, rest: Vec::new() }, behind);
        }
        let mut line = CommandLine::new(&Cli::command(), words);
        let behind = line.split_off_ctl();
        (line, behind)
    }

    /// The words for clap's engine, that at the cursor last.
    pub(super) fn for_engine(&self, command: &clap::Command) -> Vec<OsString> {
        if let Some(flags) = self.flags_of_ctl() {
            return of_ctl(flags).map(|flag| by_its_name(command, flag)).chain([two_dashes(&self.word)]).collect();
        }
        let line = CommandLine::new(command, self.before.iter().map(OsString::from).collect());
        let mut words: Vec<OsString> = line.words().into_iter().map(|word| by_its_name(command, word)).collect();
        // The engine takes the next word for the value of an option that has one behind `=` only; so do we before the command, of
        // a sandbox alone.
        let sandbox = words.pop_if(|word| line.rest.is_empty() && word == "--sandbox");
        words.retain(|word| !all_args(command).any(|arg| arg.is_require_equals_set() && is_long(word, arg.get_long())));
        words.extend(sandbox);
        words.push(OsString::from(&self.word));
        words
    }

    /// A candidate of the engine as it is typed.
    pub(super) fn as_typed(&self, candidate: CompletionCandidate) -> CompletionCandidate {
        let value = candidate.get_value().to_str().and_then(|value| value.strip_prefix('-'));
        match value {
            Some(value) if value.starts_with('-') && self.is_ctl() && !self.word.starts_with("--") => {
                CompletionCandidate::new(value).help(candidate.get_help().cloned())
            }
            _ => candidate,
        }
    }

    /// A candidate as bash puts it into the line: from where it begins to replace, in quotes.
    pub(super) fn in_bash(&self, value: &str) -> Option<String> {
        let bash = self.in_bash.as_ref()?;
        let put = value.get(bash.kept..)?;
        let escaped = |special: &dyn Fn(char) -> bool| {
            put.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect::<String>()
        };
        match bash.quote {
            // Between double quotes an exclamation mark cannot be quoted.
            Some('"') if value.contains('!') => None,
            Some('"') => Some(escaped(&|c| "$`\"\\".contains(c))),
            Some('\'') => Some(put.replace('\'', r"'\''")),
            Some(_) => None,
            None => {
                let mut text = escaped(&|c| c.is_ascii() && !c.is_ascii_alphanumeric() && !"-_./:,=@%+".contains(c));
                if bash.is_of_home && bash.kept == 0 && text.starts_with("\\~") {
                    text.remove(0);
                }
                Some(if is_open(value) { text } else { text + " " })
            }
        }
    }

    /// What the words before the cursor say, as far as they can be understood.
    pub(super) fn matches(&self) -> Option<&ArgMatches> {
        let read = || {
            let (command, words) = match self.flags_of_ctl() {
                Some(flags) => (ctl::definition(), of_ctl(flags).collect()),
                None => {
                    let command = Cli::command();
                    let line = CommandLine::new(&command, self.before.iter().map(OsString::from).collect());
                    (command, line.words())
                }
            };
            command.ignore_errors(true).try_get_matches_from(words).ok()
        };
        self.matches.get_or_init(read).as_ref()
    }

    /// The same, of the command that is named.
    pub(super) fn command(&self) -> Option<&ArgMatches> {
        self.matches()?.subcommand().map(|(_, matches)| matches)
    }

    /// The options that every command has.
    pub(super) fn global(&self) -> Option<Global> {
        let own = Global::from_arg_matches(self.matches()?).ok()?;
        match self.parts.get_or_init(|| self.split()) {
            (line, Some(_)) => cli::global(line.before.iter().skip(1).cloned()).ok()?.joined(own).ok(),
            (_, None) => Some(own),
        }
    }

    /// What they come to.
    pub(super) fn settings(&self) -> Option<ProfileSettings> {
        let (global, is_ctl) = (self.global()?, self.is_ctl());
        in_time(move || {
            let variables = Variables::of_this_process().ok()?;
            let (flags, env) = (global.overrides(), |name: &str| variables.get(name));
            match is_ctl {
                true => config::load_if_named(&flags, &env).ok().map(|(settings, _)| settings),
                false => config::load(&flags, &env).ok(),
            }
        })
    }

    /// The parameters of the script that is named.
    pub(super) fn params(&self) -> Vec<ParamDoc> {
        let script = self.command().and_then(|matches| matches.try_get_one::<PathBuf>("script").ok().flatten());
        let Some(script) = script.filter(|script| *script != Path::new("-")).cloned() else { return Vec::new() };
        in_time(move || source(&script).map(|source| run::params_of(&source))).unwrap_or_default()
    }
}

fn source(script: &Path) -> Option<Source> {
    if let Some(shipped) = scripts::named(script).ok()? {
        return Some(shipped);
    }
    let found = script.metadata().ok()?;
    let is_readable = found.is_file() && found.len() <= LARGEST;
    is_readable.then(|| read_text(script).ok())?.map(|text| Source::new(script.display().to_string(), text))
}

/// What `work` finds out, if it does within [`PATIENCE`]. The thread of one that does not ends with the process.
pub(super) fn in_time<T: Send + 'static>(work: impl FnOnce() -> Option<T> + Send + 'static) -> Option<T> {
    let (tell, told) = sync_channel(1);
    let begun = std::thread::Builder::new().name("completion".into()).spawn(move || {
        let _ = tell.send(work()); // nobody waits any more
    });
    begun.ok()?;
    told.recv_timeout(PATIENCE).ok().flatten()
}

/// A word of a line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Word {
    /// As it is typed.
    raw: String,
    /// Without its quotes.
    text: String,
    /// The quote that is open at its end.
    quote: Option<char>,
}

/// The words of a line but for the last, and the last one, which is empty behind a blank. What does not `split` is one word.
fn lex(line: &str, split: bool) -> (Vec<String>, Word) {
    let (mut words, mut word) = (Vec::new(), Word::default());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match (word.quote, letter) {
            (None, blank) if split && blank.is_whitespace() => {
                let ended = std::mem::take(&mut word);
                words.extend((!ended.raw.is_empty()).then_some(ended.text));
                continue;
            }
            (None, '\'' | '"') => word.quote = Some(letter),
            (Some(quote), _) if quote == letter => word.quote = None,
            (None, '\\') => word.text.extend(letters.peek()),
            (Some('"'), '\\') if letters.peek().is_some_and(|next| "$`\"\\".contains(*next)) => {
                word.text.extend(letters.peek());
            }
            _ => word.text.push(letter),
        }
        word.raw.push(letter);
        let is_escape = letter == '\\' && word.quote != Some('\'');
        let is_taken = word.quote.is_none() || letters.peek().is_some_and(|next| "$`\"\\".contains(*next));
        if is_escape && is_taken {
            word.raw.extend(letters.next());
        }
    }
    (words, word)
}

fn plain(word: &str) -> String {
    lex(word, false).1.text
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(is_letter) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// The arguments of a command and of those right beneath it.
fn all_args(command: &clap::Command) -> impl Iterator<Item = &clap::Arg> {
    std::iter::once(command).chain(command.get_subcommands()).flat_map(clap::Command::get_arguments)
}

fn is_long(word: &OsStr, name: Option<&str>) -> bool {
    word.to_str().and_then(|word| word.strip_prefix("--")).is_some_and(|word| Some(word) == name)
}

/// An option by the name that the help gives it, which alone the engine knows.
fn by_its_name(command: &clap::Command, word: OsString) -> OsString {
    let is_it =
        |arg: &&clap::Arg| arg.get_all_aliases().unwrap_or_default().iter().any(|name| is_long(&word, Some(name)));
    match all_args(command).find(is_it).and_then(clap::Arg::get_long) {
        Some(name) => format!("--{name}").into(),
        None => word,
    }
}

/// Flags of `ctl` as clap takes them, its name first.
fn of_ctl(flags: &[OsString]) -> impl Iterator<Item = OsString> {
    std::iter::once("ctl".into()).chain(flags.iter().map(|flag| two_dashes(&flag.to_string_lossy())))
}

/// A flag of Go's as clap takes it.
fn two_dashes(word: &str) -> OsString {
    let has_one = word.starts_with('-') && !word.starts_with("--");
    if has_one { format!("-{word}").into() } else { word.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_bash(line: &str, replaced: &str, value: &str) -> Option<String> {
        TypedLine::read(Dialect::Bash, vec![line.into(), replaced.into()]).in_bash(value)
    }

    #[test]
    fn a_line_of_bash_is_read_as_bash_reads_it() {
        let (words, word) = lex(r#"A=1 binlogsh  run 'a b'\ c "x\"y\z" --p "o"#, true);
        assert_eq!(words, ["A=1", "binlogsh", "run", "a b c", r#"x"y\z"#, "--p"]);
        assert_eq!(word, Word { raw: "\"o".into(), text: "o".into(), quote: Some('"') });
        assert_eq!(lex("run ", true).1, Word::default());
        let typed = TypedLine::read(Dialect::Bash, vec!["A=1 binlogsh run x=1".into(), "1".into()]);
        assert_eq!((typed.before, typed.word.as_str()), (vec!["binlogsh".to_owned(), "run".into()], "x=1"));
    }

    #[test]
    fn bash_gets_what_it_replaces_and_nothing_to_evaluate() {
        assert_eq!(in_bash("b --param only=pu", "pu", "only=pump-0").as_deref(), Some("pump-0 "));
        assert_eq!(in_bash("b --param on", "on", "only=").as_deref(), Some("only="));
        assert_eq!(in_bash("b x=", "", "x=$(touch y);`z`!'\"").as_deref(), Some(r#"\$\(touch\ y\)\;\`z\`\!\'\" "#));
        assert_eq!(in_bash("b \"x=", "x=", "x=$(a)`b`\\\"").as_deref(), Some(r#"x=\$(a)\`b\`\\\""#));
        assert_eq!(in_bash("b \"x=", "x=", "x=!a"), None);
        assert_eq!(in_bash("b 'x=", "x=", "x='a").as_deref(), Some(r"x='\''a"));
        assert_eq!(in_bash("b ~/s", "~/s", "~/s ~").as_deref(), Some(r"~/s\ \~ "));
        assert_eq!(in_bash(r"b x=a\ ", r"a\ ", "x=a b").as_deref(), Some(r"a\ b "));
    }
}
