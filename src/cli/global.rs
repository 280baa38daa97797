//! The options that every command understands, wherever they stand on the line.

use crate::config::Overrides;
use crate::error::{Error, Result};
use crate::nearest::names_of;
use crate::output::{Color, Format, Timestamps};
use crate::pd_url::without_passwords;
use crate::secret::Secret;
use crate::text::shell_word;
use clap::{Arg, CommandFactory, Parser, ValueEnum};
use std::path::PathBuf;

/// What every command understands, before or after its name; listed behind its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[command(next_display_order = 100)]
pub struct Global {
    /// Where PD listens: URLs with commas [default: http://127.0.0.1:2379]
    #[arg(long, alias = "pd", value_name = "URLS", global = true, help_heading = "Cluster")]
    pub pd_urls: Option<String>,

    /// The file with the certificates to trust
    #[arg(long, alias = "ssl-ca", value_name = "FILE", global = true, help_heading = "Cluster")]
    pub ca: Option<PathBuf>,

    /// The file with our certificate
    #[arg(long, alias = "ssl-cert", value_name = "FILE", global = true, help_heading = "Cluster")]
    pub cert: Option<PathBuf>,

    /// The file with its key
    #[arg(long, alias = "ssl-key", value_name = "FILE", global = true, help_heading = "Cluster")]
    pub key: Option<PathBuf>,

    /// The file with the password of an encrypted key
    ///
    /// Its first line. Without it you are asked in a terminal.
    #[arg(long, value_name = "FILE", global = true, help_heading = "Cluster")]
    pub key_pass_file: Option<PathBuf>,

    /// The my.cnf to log in with, to read checkpoints downstream
    ///
    /// Its section [client], as MySQL's own client reads it; the password is never on a command line. Without a password there, you
    /// are asked in a terminal.
    #[arg(long, value_name = "FILE", global = true, help_heading = "Cluster")]
    pub my_cnf: Option<PathBuf>,

    /// The cluster that tiup calls so: PD, TLS files and nodes
    ///
    /// They come from its `meta.yaml`.
    #[arg(long, value_name = "NAME", global = true, help_heading = "Cluster")]
    pub cluster: Option<String>,

    /// A SOCKS5 proxy that leads to the cluster
    ///
    /// socks5://HOST:PORT; user and password, as USER:PASSWORD@, stand before HOST if it asks who we are. It looks up the names of PD and of nodes too. A password is better
    /// given in BINLOGSH_PROXY or in the profile: other users of this host see the command line.
    #[arg(long, value_name = "URL", value_parser = secret(), global = true, help_heading = "Cluster")]
    pub proxy: Option<Secret>,

    /// The profile of config.toml to use
    #[arg(long, value_name = "NAME", global = true, help_heading = "Cluster")]
    pub profile: Option<String>,

    /// The configuration file, instead of the usual one
    #[arg(long, value_name = "FILE", global = true, help_heading = "Cluster")]
    pub config: Option<PathBuf>,

    /// How long to wait for an answer, at most 10s [default: 5s]
    #[arg(long, value_name = "TIME", global = true, help_heading = "Cluster")]
    pub timeout: Option<String>,

    /// How long to wait for the maintenance lock [default: not at all]
    ///
    /// Whoever changes something holds it; somebody else's is waited for.
    #[arg(long, value_name = "TIME", global = true, help_heading = "Changes")]
    pub wait_lock: Option<String>,

    /// A simulated cluster instead: a sample's name, or a scenario file
    ///
    /// The default sample has three Pumps and two Drainers. The name may also stand apart: `--sandbox paused-drainer`.
    /// A file that is called like a command needs the `=`.
    #[arg(
        long,
        value_name = "NAME|FILE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "default",
        global = true,
        help_heading = "Cluster"
    )]
    pub sandbox: Option<String>,

    /// Format
    ///
    /// Of results. `openmetrics` is for `doctor` alone: what it finds, as gauges for Prometheus.
    #[arg(short, long, value_name = "FORMAT", value_parser = output(), global = true, help_heading = "Output")]
    pub output: Option<OutputChoice>,

    /// Timestamps in JSON [default: number]
    ///
    /// As numbers they are beyond 2^53, which programs that know floating point only (`jq` 1.6) round in silence. With `text` the
    /// `max_commit_ts` of a node is text, and so is every whole number beyond 2^53.
    #[arg(long, value_name = "HOW", value_parser = timestamps(), global = true, help_heading = "Output")]
    pub timestamps: Option<Timestamps>,

    /// When to use colours [default: auto]
    #[arg(long, value_name = "WHEN", global = true, help_heading = "Output")]
    pub color: Option<When>,

    /// Show every exchange with the cluster and its time on standard error
    #[arg(short, long, global = true, help_heading = "Output")]
    pub verbose: bool,

    /// Refuse every change
    #[arg(long, conflicts_with = "yes", global = true, help_heading = "Changes")]
    pub read_only: bool,

    /// Answer every question with yes; guards still refuse
    ///
    /// In a profile marked `production` it must name it: --yes=PROFILE.
    #[arg(long, value_name = "PROFILE", num_args = 0..=1, require_equals = true, global = true, help_heading = "Changes")]
    pub yes: Option<Option<String>>,

    /// Let scripts run programs with exec(); read them first
    ///
    /// In a sandbox nothing is ever run.
    #[arg(long, global = true, help_heading = "Changes")]
    pub allow_exec: bool,

    /// Let nodes be started and stopped without a question, as the profile says
    ///
    /// With it `--yes` covers that, and `manual` has it done without a human. In a terminal, without `--yes`, you are asked.
    #[arg(long, global = true, help_heading = "Changes")]
    pub allow_node_control: bool,
}

impl Global {
    /// What was said here of what the configuration can say too.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            pd_urls: self.pd_urls.clone(),
            ca: self.ca.clone(),
            cert: self.cert.clone(),
            key: self.key.clone(),
            key_pass_file: self.key_pass_file.clone(),
            my_cnf: self.my_cnf.clone(),
            cluster: self.cluster.clone(),
            proxy: self.proxy.clone(),
            profile: self.profile.clone(),
            config: self.config.clone(),
            timeout: self.timeout.clone(),
            output: self.output.map(OutputChoice::format),
            timestamps: self.timestamps,
            wait_lock: self.wait_lock.clone(),
        }
    }

    /// These options, and `behind`: those that stand on the same line in another place.
    ///
    /// # Errors
    /// `invalid` where both say the same thing in two ways: whoever typed it meant one of them, and nobody knows which.
    pub fn joined(self, behind: Self) -> Result<Self> {
        // Every field is named, so that a new option cannot be forgotten here.
        let Self {
            pd_urls,
            ca,
            cert,
            key,
            key_pass_file,
            my_cnf,
            cluster,
            proxy,
            profile,
            config,
            timeout,
            wait_lock,
            sandbox,
            ..
        } = self;
        let Self { output, timestamps, color, verbose, read_only, yes, allow_exec, allow_node_control, .. } = self;
        Ok(Self {
            pd_urls: once("--pd-urls", pd_urls, behind.pd_urls)?,
            ca: once("--ca", ca, behind.ca)?,
            cert: once("--cert", cert, behind.cert)?,
            key: once("--key", key, behind.key)?,
            key_pass_file: once("--key-pass-file", key_pass_file, behind.key_pass_file)?,
            my_cnf: once("--my-cnf", my_cnf, behind.my_cnf)?,
            cluster: once("--cluster", cluster, behind.cluster)?,
            proxy: once("--proxy", proxy, behind.proxy)?,
            profile: once("--profile", profile, behind.profile)?,
            config: once("--config", config, behind.config)?,
            timeout: once("--timeout", timeout, behind.timeout)?,
            wait_lock: once("--wait-lock", wait_lock, behind.wait_lock)?,
            sandbox: once("--sandbox", sandbox, behind.sandbox)?,
            output: once("--output", output, behind.output)?,
            timestamps: once("--timestamps", timestamps, behind.timestamps)?,
            color: once("--color", color, behind.color)?,
            verbose: verbose || behind.verbose,
            read_only: read_only || behind.read_only,
            yes: once("--yes", yes, behind.yes)?,
            allow_exec: allow_exec || behind.allow_exec,
            allow_node_control: allow_node_control || behind.allow_node_control,
        })
    }

    /// These options for another profile: nothing of the cluster holds any more that they named, nor a yes that was meant for it.
    #[must_use]
    pub fn on_profile(self, profile: String) -> Self {
        // Every field is named, so that a new option cannot be forgotten here.
        Self {
            profile: Some(profile),
            pd_urls: None,
            ca: None,
            cert: None,
            key: None,
            key_pass_file: None,
            my_cnf: None,
            cluster: None,
            proxy: None,
            sandbox: None,
            yes: None,
            config: self.config,
            timeout: self.timeout,
            wait_lock: self.wait_lock,
            output: self.output,
            timestamps: self.timestamps,
            color: self.color,
            verbose: self.verbose,
            read_only: self.read_only,
            allow_exec: self.allow_exec,
            allow_node_control: self.allow_node_control,
        }
    }

    /// What these options say against each other, wherever each of them stands.
    ///
    /// # Errors
    /// `invalid`, naming both.
    pub fn is_consistent(&self) -> Result<()> {
        let cluster = [
            ("--pd-urls", self.pd_urls.is_some()),
            ("--ca", self.ca.is_some()),
            ("--cert", self.cert.is_some()),
            ("--key", self.key.is_some()),
            ("--key-pass-file", self.key_pass_file.is_some()),
            ("--my-cnf", self.my_cnf.is_some()),
            ("--cluster", self.cluster.is_some()),
            ("--proxy", self.proxy.is_some()),
        ];
        let other = cluster.into_iter().find(|(_, given)| *given).filter(|_| self.sandbox.is_some());
        match other {
            Some((name, _)) => {
                Err(Error::invalid(format!("--sandbox and {name} are two clusters")).hint("leave one of them out"))
            }
            None if self.read_only && self.yes.is_some() => {
                Err(Error::invalid("--read-only and --yes cannot stand together").hint("leave one of them out"))
            }
            None => Ok(()),
        }
    }

    /// The options that say which cluster it is, as they are typed, with a space before each: whatever else is to be typed
    /// about the same cluster needs them as well, `***` in the place of a password. Those of the environment are there anyhow.
    pub fn cluster_options(&self) -> String {
        let file = |name, path: &Option<PathBuf>| (name, path.as_ref().map(|path| path.display().to_string()));
        let options = [
            file("--config", &self.config),
            ("--profile", self.profile.clone()),
            ("--cluster", self.cluster.clone()),
            ("--pd-urls", self.pd_urls.clone()),
            file("--ca", &self.ca),
            file("--cert", &self.cert),
            file("--key", &self.key),
            file("--key-pass-file", &self.key_pass_file),
            file("--my-cnf", &self.my_cnf),
            ("--proxy", self.proxy.as_ref().map(proxy_without_password)),
        ];
        let typed =
            |(name, value): (&str, Option<String>)| value.map(|value| format!(" {name} {}", shell_word(&value)));
        let sandbox = match self.sandbox.as_deref() {
            None => None,
            Some("default") => Some(" --sandbox".to_owned()),
            Some(name) => Some(format!(" --sandbox={}", shell_word(name))),
        };
        options.into_iter().filter_map(typed).chain(sandbox).collect()
    }
}

/// What `--output` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputChoice {
    /// Results, in this format.
    Results(Format),
    /// What one look of `doctor` finds, as gauges for Prometheus.
    OpenMetrics,
}

impl OutputChoice {
    /// The word for gauges.
    const OPEN_METRICS: &'static str = "openmetrics";

    /// The format of whatever else is written: gauges are one document on standard output, as JSON is.
    fn format(self) -> Format {
        match self {
            Self::Results(format) => format,
            Self::OpenMetrics => Format::Json,
        }
    }

    fn from_name(name: &str) -> Result<Self> {
        match name {
            Self::OPEN_METRICS => Ok(Self::OpenMetrics),
            name => Format::from_name(name).map(Self::Results),
        }
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl From<When> for Color {
    fn from(when: When) -> Self {
        match when {
            When::Auto => Self::Auto,
            When::Always => Self::Always,
            When::Never => Self::Never,
        }
    }
}

/// How an option of ours takes its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// It takes none.
    Nothing,
    /// The word after it, or what stands behind `=`.
    Word,
    /// What stands behind `=`, if anything does.
    Attached,
}

impl Takes {
    pub(super) fn of(arg: &Arg) -> Self {
        match (arg.get_action().takes_values(), arg.is_require_equals_set()) {
            (false, _) => Self::Nothing,
            (true, false) => Self::Word,
            (true, true) => Self::Attached,
        }
    }
}

/// An option of ours, for those who read a command line in their own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalOption {
    /// The name that the help gives it, without dashes.
    pub name: String,
    /// All its names.
    pub names: Vec<String>,
    /// How it takes its value.
    pub takes: Takes,
}

/// These options alone.
#[derive(Debug, Parser)]
#[command(name = "binlogsh", disable_help_flag = true)]
pub(super) struct Alone {
    #[command(flatten)]
    pub(super) global: Global,
}

impl GlobalOption {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let command = Alone::command();
        let option = |arg: &Arg| {
            let names = names(arg).map(str::to_owned).collect();
            arg.get_long().map(|name| Self { name: name.to_owned(), names, takes: Takes::of(arg) })
        };
        command.get_arguments().filter_map(option).collect()
    }
}

/// The long names of an option.
pub(super) fn names(arg: &Arg) -> impl Iterator<Item = &str> {
    arg.get_long().into_iter().chain(arg.get_all_aliases().unwrap_or_default())
}

/// What an option says that may stand in two places.
fn once<T: PartialEq>(name: &str, before: Option<T>, behind: Option<T>) -> Result<Option<T>> {
    match (before, behind) {
        (Some(before), Some(behind)) if before != behind => {
            Err(Error::invalid(format!("{name} is given twice, before the command and behind it, and not the same"))
                .hint("leave one of them out"))
        }
        (before, behind) => Ok(behind.or(before)),
    }
}

/// A proxy as it may be shown.
fn proxy_without_password(proxy: &Secret) -> String {
    match proxy {
        Secret::Plain(text) => without_passwords(text),
        Secret::Hashed(_) => proxy.to_string(),
    }
}

/// Text that may have a password in it.
fn secret() -> impl clap::builder::TypedValueParser<Value = Secret> {
    use clap::builder::TypedValueParser;
    clap::builder::StringValueParser::new().map(Secret::Plain)
}

fn timestamps() -> impl clap::builder::TypedValueParser<Value = Timestamps> {
    use clap::builder::TypedValueParser;
    clap::builder::PossibleValuesParser::new(names_of::<Timestamps>())
        .try_map(|name| Timestamps::from_name(&name).map_err(|error| error.message))
}

fn output() -> impl clap::builder::TypedValueParser<Value = OutputChoice> {
    use clap::builder::{PossibleValue, TypedValueParser};
    let gauges = PossibleValue::new(OutputChoice::OPEN_METRICS);
    let formats = names_of::<Format>().into_iter().map(PossibleValue::new);
    clap::builder::PossibleValuesParser::new(formats.chain([gauges]))
        .try_map(|name| OutputChoice::from_name(&name).map_err(|error| error.message))
}
