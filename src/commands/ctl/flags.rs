//! binlogctl's flags, read as Go's `flag` package reads them.

use crate::config;
use crate::error::{Error, Result};
use std::ffi::OsString;
use std::path::PathBuf;

/// What was asked for, with binlogctl's defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flags {
    /// `-cmd`.
    pub command: String,
    /// `-data-dir`.
    pub data_dir: String,
    /// `-node-id`.
    pub node_id: String,
    /// `-pd-urls`, as written; see [`Flags::pd_urls`].
    pub pd_urls: String,
    /// `-ssl-ca`.
    pub ssl_ca: String,
    /// `-ssl-cert`.
    pub ssl_cert: String,
    /// `-ssl-key`.
    pub ssl_key: String,
    /// `-state`.
    pub state: String,
    /// `-show-offline-nodes`.
    pub show_offline_nodes: bool,
    /// `-text`; `None` when it was not given: then the text is asked for.
    pub text: Option<String>,
    /// `-time-zone`.
    pub time_zone: String,
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
            pd_urls: config::DEFAULT_PD_URL.into(),
            ssl_ca: String::new(),
            ssl_cert: String::new(),
            ssl_key: String::new(),
            state: String::new(),
            show_offline_nodes: false,
            text: None,
            time_zone: String::new(),
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

/// Reads binlogctl's flags: `-cmd x`, `-cmd=x`, `--cmd x`, switches as `-V` or `-V=false`; `--` or the first word
/// without a dash ends them.
///
/// # Errors
/// What to print instead.
pub fn parse(args: &[OsString]) -> Result<Flags, Usage> {
    let mut flags = Flags::default();
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
        let Some((_, takes, _)) = TABLE.iter().find(|(known, ..)| *known == name) else {
            return Err(match name {
                "h" | "help" => Usage::Help(usage()),
                _ => wrong(format!("flag provided but not defined: -{name}")),
            });
        };
        if takes.is_empty() {
            let is_set = value.map_or(Ok(true), |value| switch(name, value))?;
            match name {
                "V" => version = is_set,
                _ => flags.show_offline_nodes = is_set,
            }
            continue;
        }
        let value = match value {
            Some(value) => value,
            None => {
                let next = rest.next().ok_or_else(|| wrong(format!("flag needs an argument: -{name}")))?;
                next.to_str().ok_or_else(|| wrong(format!("invalid value for flag -{name}: not UTF-8")))?
            }
        };
        flags.set(name, value.to_owned());
    }
    if let Some(word) = rest.next() {
        return Err(Usage::Unusable(Error::invalid(format!("'{}' is not a valid flag", word.display()))));
    }
    match version {
        true => Err(Usage::Version(about())),
        false => flags.usable().map_err(Usage::Unusable),
    }
}

/// The name of a flag, and its value if that stands in the same word.
fn split(text: &str) -> Result<(&str, Option<&str>), Usage> {
    let name = text.strip_prefix("--").or_else(|| text.strip_prefix('-')).unwrap_or(text);
    if name.is_empty() || name.starts_with(['-', '=']) {
        return Err(wrong(format!("bad flag syntax: {text}")));
    }
    Ok(name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value))))
}

/// What Go's `strconv.ParseBool` accepts.
fn switch(name: &str, value: &str) -> Result<bool, Usage> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(wrong(format!("invalid boolean value {value:?} for -{name}: parse error"))),
    }
}

impl Flags {
    fn set(&mut self, name: &str, value: String) {
        match name {
            "cmd" => self.command = value,
            "data-dir" => self.data_dir = value,
            "node-id" => self.node_id = value,
            "pd-urls" => self.pd_urls = value,
            "ssl-ca" => self.ssl_ca = value,
            "ssl-cert" => self.ssl_cert = value,
            "ssl-key" => self.ssl_key = value,
            "state" => self.state = value,
            "text" => self.text = Some(value),
            _ => self.time_zone = value,
        }
    }

    /// The same, once its addresses and TLS files can be used.
    fn usable(mut self) -> Result<Self> {
        if self.data_dir.is_empty() {
            self.data_dir = Self::default().data_dir;
        }
        self.pd_urls()?;
        let [ca, cert, key] = self.tls_files();
        config::whole_tls(ca.is_some(), cert.is_some(), key.is_some())?;
        for file in [ca, cert, key].into_iter().flatten() {
            if let Err(fault) = std::fs::metadata(&file) {
                return Err(
                    Error::invalid(format!("tls config error: {} cannot be read", file.display())).source(fault)
                );
            }
        }
        Ok(self)
    }

    /// PD's addresses.
    ///
    /// # Errors
    /// `invalid`; after [`parse`] there is none.
    pub fn pd_urls(&self) -> Result<Vec<String>> {
        config::pd_urls(&self.pd_urls)
    }

    /// The files of `-ssl-ca`, `-ssl-cert` and `-ssl-key`, as far as given.
    pub fn tls_files(&self) -> [Option<PathBuf>; 3] {
        [&self.ssl_ca, &self.ssl_cert, &self.ssl_key].map(|path| (!path.is_empty()).then(|| PathBuf::from(path)))
    }
}

fn wrong(what: String) -> Usage {
    Usage::Wrong(format!("{what}\n{}", usage()))
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
    text + "\n\nA guard that keeps binlog from being lost refuses, unless BINLOGSH_FORCE names it (several separated by \
            commas).\nThis is binlogsh; its own command line: binlogsh --help"
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
    fn without_flags_binlogctl_s_defaults_hold() {
        let flags = read("").unwrap();
        assert_eq!((flags.command.as_str(), flags.data_dir.as_str()), ("pumps", "binlog_position"));
        assert_eq!(flags.pd_urls().unwrap(), ["http://127.0.0.1:2379"]);
        assert!(!flags.show_offline_nodes);
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

    #[test]
    fn addresses_and_tls_files_that_cannot_be_used_are_an_error_and_never_plain() {
        assert!(unusable_because("-pd-urls nowhere").contains("is no address of PD"));
        assert!(unusable_because("-ssl-cert c -ssl-key k").contains("without the certificates to trust (ca)"));
        assert!(unusable_because("-ssl-ca /dev/null -ssl-cert c").contains("without its key"));
        assert!(unusable_because("-ssl-key k").contains("without its certificate"));
        assert!(unusable_because("-ssl-ca /nowhere/ca.pem").contains("/nowhere/ca.pem cannot be read"));
    }
}
