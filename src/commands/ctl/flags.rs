//! binlogctl's flags, read as Go's `flag` package reads them.

use crate::cli::{self, Global, GlobalOption, Takes};
use crate::error::{Error, Result};
use crate::pd_url::without_passwords;
use clap::{Arg, ArgAction, Args};
use indexmap::IndexMap;
use std::ffi::OsString;

/// What was asked for, with binlogctl's defaults.
#[derive(Clone, Debug)]
pub struct Flags {
    /// `-cmd`.
    pub command: String,
    /// `-data-dir`.
    pub data_dir: String,
    /// `-node-id`.
    pub node_id: String,
    /// `-state`.
    pub state: String,
    /// `-show-offline-nodes`.
    pub show_offline_nodes: bool,
    /// `-text`; `None` when it was not given: then the text is asked for.
    pub text: Option<String>,
    /// `-time-zone`.
    pub time_zone: String,
    /// `-pd-urls`, `-ssl-ca`, `-ssl-cert`, `-ssl-key`, which every command of ours has, and what else every command has.
    pub global: Global,
}

/// What to print instead of doing something.
#[derive(Clone, Debug, PartialEq)]
pub enum Usage {
    /// `-h`, `-help`: this text on standard error, exit 0.
    Help(String),
    /// `-V`: this text on standard output, exit 0.
    Version(String),
    /// A flag that cannot be read: this text on standard error, exit 2.
    Wrong(String),
    /// Flags that can be read but not used: a log line with this error on standard output, exit 2.
    Unusable(Error),
}

impl Default for Flags {
    fn default() -> Self {
        Self {
            command: "pumps".into(),
            data_dir: "binlog_position".into(),
            node_id: String::new(),
            state: String::new(),
            show_offline_nodes: false,
            text: None,
            time_zone: String::new(),
            global: Global::default(),
        }
    }
}

/// Name, name of its value (none for a switch), what it is for; in the order of Go's usage text.
const TABLE: [(&str, &str, &str); 12] = [
    ("V", "", "print the version and exit"),
    (
        "cmd",
        "string",
        "generate_meta, pumps, drainers, update-pump, update-drainer, pause-pump, pause-drainer, offline-pump, \
         offline-drainer or encrypt (default \"pumps\")",
    ),
    ("data-dir", "string", "directory of the savepoint that generate_meta writes (default \"binlog_position\")"),
    ("node-id", "string", "the node that update-*, pause-* and offline-* are about"),
    ("pd-urls", "string", "PD's addresses, separated by commas (default \"http://127.0.0.1:2379\")"),
    ("show-offline-nodes", "", "show nodes whose state is offline too"),
    ("ssl-ca", "string", "file with the certificates to trust"),
    ("ssl-cert", "string", "file with our certificate"),
    ("ssl-key", "string", "file with the key of our certificate"),
    ("state", "string", "the state that update-* writes: online, pausing, paused, closing or offline"),
    ("text", "string", "what encrypt encrypts; without it, it is asked for or read from standard input"),
    ("time-zone", "string", "note the time of the savepoint in this zone too, such as Asia/Shanghai or Local"),
];

/// Reads binlogctl's flags, and the options of ours among them: `-cmd x`, `-cmd=x`, `--cmd x`, switches as `-V` or
/// `-V=false`; `--` or the first word without a dash ends them.
///
/// # Errors
/// What to print instead.
pub fn parse(args: &[OsString]) -> Result<Flags, Usage> {
    let mut flags = Flags::default();
    let (ours, mut said) = (GlobalOption::all(), Ours::default());
    let mut version = false;
    let mut rest = args.iter();
    while let Some(arg) = rest.clone().next() {
        let text = arg.to_str().ok_or_else(|| wrong(format!("bad flag syntax: {}", arg.display())))?;
        if text.len() < 2 || !text.starts_with('-') {
            break;
        }
        rest.next();
        if text == "--" {
            break;
        }
        let (name, value) = split(text)?;
        let option = ours.iter().find(|option| option.names.iter().any(|known| known == name));
        let takes = match (option, TABLE.iter().find(|(known, ..)| *known == name)) {
            (Some(option), _) => option.takes,
            (None, Some((_, "", _))) => Takes::Nothing,
            (None, Some(_)) => Takes::Word,
            (None, None) if matches!(name, "h" | "help") => return Err(Usage::Help(usage())),
            (None, None) => return Err(wrong(format!("flag provided but not defined: -{name}"))),
        };
        let value = match (takes, value) {
            (Takes::Word, None) => Some(next_word(name, &mut rest)?),
            (_, value) => value,
        };
        match option {
            Some(option) => said.note(option, value)?,
            None => match (name, value) {
                ("V", value) => version = switch(name, value)?,
                ("show-offline-nodes", value) => flags.show_offline_nodes = switch(name, value)?,
                (_, value) => flags.set(name, value.unwrap_or_default().to_owned()),
            },
        }
    }
    if let Some(word) = rest.next() {
        let word = without_passwords(&word.to_string_lossy());
        return Err(Usage::Unusable(Error::invalid(format!("'{word}' is not a valid flag"))));
    }
    if version {
        return Err(Usage::Version(about()));
    }
    flags.global = said.read()?;
    Ok(flags)
}

/// The value of a flag that stands in the word after it.
fn next_word<'a>(name: &str, rest: &mut std::slice::Iter<'a, OsString>) -> Result<&'a str, Usage> {
    let next = rest.next().ok_or_else(|| wrong(format!("flag needs an argument: -{name}")))?;
    next.to_str().ok_or_else(|| wrong(format!("invalid value for flag -{name}: not UTF-8")))
}

/// The options of ours, by name, as our own command line takes them. As with all of Go's flags the last one counts.
#[derive(Default)]
struct Ours(IndexMap<String, OsString>);

impl Ours {
    fn note(&mut self, option: &GlobalOption, value: Option<&str>) -> Result<(), Usage> {
        let name = option.name.clone();
        let word = match (option.takes, value) {
            (Takes::Nothing, value) => switch(&name, value)?.then(|| format!("--{name}")),
            (Takes::Attached, None) => Some(format!("--{name}")),
            // binlogctl takes an empty name of a file for none.
            (_, Some("")) if matches!(name.as_str(), "ca" | "cert" | "key") => None,
            (_, value) => Some(format!("--{name}={}", value.unwrap_or_default())),
        };
        match word {
            Some(word) => self.0.insert(name, word.into()),
            None => self.0.shift_remove(&name),
        };
        Ok(())
    }

    fn read(self) -> Result<Global, Usage> {
        if self.0.is_empty() {
            return Ok(Global::default());
        }
        cli::global(self.0.into_values()).map_err(|instead| Usage::Wrong(instead.text))
    }
}

/// The flags as they may be kept and shown: without what is to be encrypted, and a proxy's password.
pub fn shown(args: &[OsString]) -> String {
    let mut words = Vec::new();
    let mut rest = args.iter().map(|arg| arg.to_string_lossy());
    while let Some(arg) = rest.next() {
        let (flag, value) = arg.split_once('=').map_or((&*arg, None), |(flag, value)| (flag, Some(value)));
        let is_text = flag.trim_start_matches('-').eq_ignore_ascii_case("text") && flag.starts_with('-');
        words.push(match (is_text, value) {
            (true, Some(_)) => format!("{flag}=***"),
            _ => without_passwords(&arg),
        });
        if is_text && value.is_none() {
            words.extend(rest.next().map(|_| "***".to_owned()));
        }
    }
    words.join(" ")
}

/// The name of a flag, and its value if that stands in the same word.
fn split(text: &str) -> Result<(&str, Option<&str>), Usage> {
    let name = text.strip_prefix("--").or_else(|| text.strip_prefix('-')).unwrap_or(text);
    if name.is_empty() || name.starts_with(['-', '=']) {
        return Err(wrong(format!("bad flag syntax: {text}")));
    }
    Ok(name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value))))
}

/// What a switch says, with what Go's `strconv.ParseBool` accepts.
fn switch(name: &str, value: Option<&str>) -> Result<bool, Usage> {
    match value {
        None | Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        Some(other) => Err(wrong(format!("invalid boolean value {other:?} for -{name}: parse error"))),
    }
}

impl Flags {
    fn set(&mut self, name: &str, value: String) {
        match name {
            "cmd" => self.command = value,
            "data-dir" if value.is_empty() => self.data_dir = Self::default().data_dir,
            "data-dir" => self.data_dir = value,
            "node-id" => self.node_id = value,
            "state" => self.state = value,
            "text" => self.text = Some(value),
            _ => self.time_zone = value,
        }
    }
}

fn wrong(what: String) -> Usage {
    Usage::Wrong(format!("{}\n{}", without_passwords(&what), usage()))
}

/// Laid out as Go does it.
fn usage() -> String {
    let mut text = "Usage of binlogctl:".to_owned();
    for (name, takes, about) in TABLE {
        text += &match (name.len(), takes) {
            (1, "") => format!("\n  -{name}\t{about}"),
            (_, "") => format!("\n  -{name}\n    \t{about}"),
            _ => format!("\n  -{name} {takes}\n    \t{about}"),
        };
    }
    text += &format!("\n\nOptions of binlogsh that it takes as well: {}.", of_ours().join(", "));
    text + "\nVariables of the environment: BINLOGSH_PD_URLS, _CA, _CERT, _KEY, _PROFILE, _CONFIG, _TIMEOUT, _WAIT_LOCK. A \
            flag\ncomes before them. The configuration file is read only if an option or a variable names it, or a profile.\n\n\
            A guard that keeps binlog from being lost refuses, unless BINLOGSH_FORCE names it (several separated by \
            commas).\nThis is binlogsh; its own command line: binlogsh --help"
}

/// Our own options that mean something here, beside those of binlogctl.
fn of_ours() -> Vec<String> {
    let all = GlobalOption::all().into_iter();
    let is_other = |name: &str| !MEANINGLESS.iter().any(|(meaningless, _)| *meaningless == name);
    let is_new = |option: &GlobalOption| !option.names.iter().any(|name| TABLE.iter().any(|(known, ..)| known == name));
    all.filter(|option| is_new(option) && is_other(&option.name)).map(|option| format!("-{}", option.name)).collect()
}

/// Our own options that can mean nothing here, and why: whoever gives one expects something else.
const MEANINGLESS: [(&str, &str); 4] = [
    ("output", "ctl writes binlogctl's lines and no other format"),
    ("timestamps", "ctl writes binlogctl's lines, where they are text anyhow"),
    ("allow-exec", "ctl runs no programs"),
    ("allow-node-control", "ctl starts and stops no nodes"),
];

/// The flags as clap knows options, each with two dashes: for completion, whose engine reads no flags of Go's.
pub(in crate::commands) fn definition() -> clap::Command {
    let ours = GlobalOption::all();
    let is_ours = |name: &str| ours.iter().any(|option| option.names.iter().any(|known| known == name));
    let own = TABLE.iter().filter(|(name, ..)| !is_ours(name)).map(|(name, takes, about)| {
        let action = if takes.is_empty() { ArgAction::SetTrue } else { ArgAction::Set };
        Arg::new(*name).long(*name).help(*about).action(action)
    });
    Global::augment_args(clap::Command::new("ctl").disable_help_flag(true).args(own)).mut_args(|arg| {
        let name = arg.get_long().unwrap_or_default();
        let is_meaningless = MEANINGLESS.iter().any(|(meaningless, _)| *meaningless == name);
        let of_binlogctl = TABLE.iter().filter_map(|(known, ..)| Some((*known, known.strip_prefix("ssl-")?)));
        let of_binlogctl = of_binlogctl.into_iter().find(|(_, own)| *own == name);
        let arg = arg.short(None).hide(is_meaningless);
        match of_binlogctl {
            Some((known, own)) => arg.long(known).alias(own),
            None => arg,
        }
    })
}

/// Refuses the options of ours that can mean nothing here, wherever they stand.
///
/// # Errors
/// The text to print.
pub(super) fn means_something(global: &Global) -> Result<(), Usage> {
    let given = [global.output.is_some(), global.timestamps.is_some(), global.allow_exec, global.allow_node_control];
    match MEANINGLESS.iter().zip(given).find(|(_, given)| *given) {
        Some(((name, why), _)) => Err(wrong(format!("-{name} means nothing to ctl: {why}"))),
        None => Ok(()),
    }
}

fn about() -> String {
    format!(
        "Release Version: {version} (binlogsh)\nOS/Arch: {os}/{arch}",
        version = env!("CARGO_PKG_VERSION"),
        os = std::env::consts::OS,
        arch = std::env::consts::ARCH
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Flags, Usage> {
        parse(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    fn wrong_because(line: &str) -> String {
        match read(line) {
            Err(Usage::Wrong(text)) => {
                assert!(text.contains("Usage of binlogctl:"), "{text}");
                text.lines().next().unwrap_or_default().to_owned()
            }
            other => format!("{other:?}"),
        }
    }

    fn unusable_because(line: &str) -> String {
        match read(line) {
            Err(Usage::Unusable(error)) => error.message,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_is_to_be_encrypted_is_not_among_the_flags_that_are_kept() {
        for line in
            ["-cmd encrypt -text hush", "-text=hush -cmd encrypt", "--text hush", "--text=a=hush", "-text -text -cmd=x"]
        {
            let args: Vec<_> = line.split_whitespace().map(OsString::from).collect();
            let shown = shown(&args);
            assert!(!shown.contains("hush") && shown.contains("***"), "{shown}");
        }
        assert_eq!(shown(&["-cmd".into(), "pumps".into()]), "-cmd pumps");
    }

    #[test]
    fn without_flags_binlogctl_s_defaults_hold() {
        let flags = read("").unwrap();
        assert_eq!((flags.command.as_str(), flags.data_dir.as_str()), ("pumps", "binlog_position"));
        assert!(flags.global.pd_urls.is_none() && !flags.show_offline_nodes);
    }

    #[test]
    fn every_form_of_a_flag_that_go_takes_means_the_same() {
        for line in ["-cmd drainers", "-cmd=drainers", "--cmd drainers", "--cmd=drainers", "-cmd x -cmd drainers"] {
            assert_eq!(read(line).unwrap().command, "drainers", "{line}");
        }
        for (line, shown) in [
            ("-show-offline-nodes", true),
            ("--show-offline-nodes=T", true),
            ("-show-offline-nodes=1 -show-offline-nodes=false", false),
            ("-show-offline-nodes=0", false),
        ] {
            assert_eq!(read(line).unwrap().show_offline_nodes, shown, "{line}");
        }
        let flags = read("-text=a=b -node-id -x -state= -data-dir= --").unwrap();
        assert_eq!((flags.text.as_deref(), flags.node_id.as_str()), (Some("a=b"), "-x"));
        assert_eq!((flags.state.as_str(), flags.data_dir.as_str()), ("", "binlog_position"));
    }

    #[test]
    fn options_of_ours_are_read_in_every_form_too() {
        for line in ["-pd-urls a:1", "--pd-urls=a:1", "-pd a:1", "-pd-urls=b:1 --pd-urls a:1"] {
            assert_eq!(read(line).unwrap().global.pd_urls.as_deref(), Some("a:1"), "{line}");
        }
        for line in ["-ssl-ca x -ca=y", "--ca y", "-ssl-ca=y"] {
            assert_eq!(read(line).unwrap().global.ca, Some("y".into()), "{line}");
        }
        assert_eq!(read("-ssl-ca x -ssl-ca=").unwrap().global.ca, None);
        for (line, is_set) in [("-read-only", true), ("--read-only=t", true), ("-read-only --read-only=false", false)] {
            assert_eq!(read(line).unwrap().global.read_only, is_set, "{line}");
        }
        assert_eq!(read("-yes=live").unwrap().global.yes, Some(Some("live".into())));
        assert_eq!(read("--sandbox").unwrap().global.sandbox.as_deref(), Some("default"));
        assert_eq!(wrong_because("-timeout"), "flag needs an argument: -timeout");
        assert!(matches!(read("-color blue"), Err(Usage::Wrong(text)) if text.contains("'blue'")));
    }

    #[test]
    fn no_flag_of_binlogctl_is_another_option_of_ours() {
        let shared = ["pd-urls", "ssl-ca", "ssl-cert", "ssl-key"];
        for option in GlobalOption::all() {
            let own = |name: &String| TABLE.iter().any(|(known, ..)| known == name);
            assert!(option.names.iter().all(|name| !own(name) || shared.contains(&name.as_str())), "{option:?}");
        }
    }

    #[test]
    fn a_bad_flag_is_told_in_go_s_words_with_the_usage() {
        assert_eq!(wrong_because("-frob x"), "flag provided but not defined: -frob");
        assert_eq!(wrong_because("--frob=x"), "flag provided but not defined: -frob");
        assert_eq!(wrong_because("-node-id"), "flag needs an argument: -node-id");
        assert_eq!(wrong_because("---cmd x"), "bad flag syntax: ---cmd");
        assert_eq!(wrong_because("-=x"), "bad flag syntax: -=x");
        assert_eq!(wrong_because("-V=maybe"), "invalid boolean value \"maybe\" for -V: parse error");
    }

    #[test]
    fn flags_end_at_the_first_word_that_is_none() {
        assert_eq!(unusable_because("-cmd pumps drainers -frob"), "'drainers' is not a valid flag");
        assert_eq!(unusable_because("-show-offline-nodes true"), "'true' is not a valid flag");
        assert_eq!(unusable_because("-- -cmd"), "'-cmd' is not a valid flag");
        assert_eq!(unusable_because("-"), "'-' is not a valid flag");
    }

    #[test]
    fn help_and_version_are_asked_for() {
        for line in ["-h", "-help", "--help", "-cmd pumps -h"] {
            assert!(matches!(read(line), Err(Usage::Help(_))), "{line}");
        }
        let version = read("-V").unwrap_err();
        assert!(matches!(&version, Usage::Version(text) if text.starts_with("Release Version: ")), "{version:?}");
    }
}
