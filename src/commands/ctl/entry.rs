//! From the command line to a session and back: which cluster the flags mean, and what the process exits with.

use super::flags::{means_something, parse, shown};
use super::{CtlHost, Flags, Usage, execute, host_zone};
use crate::cli::Global;
use crate::commands::compose::{CommandContext, Work, ctl_session, live_settings};
use crate::commands::runs::{Keeping, RunStart};
use crate::commands::whereabouts::yes_names_a_profile;
use crate::config::{self, ProfileSettings, Variables};
use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::journal::store::RunKind;
use crate::language::Ending;
use crate::live::clock;
use crate::operations::{self, Changes};
use crate::output::Output;
use crate::session::Session;
use indexmap::IndexMap;
use std::ffi::OsString;

/// What was asked of `ctl`.
pub(in crate::commands) struct Asked {
    args: Vec<OsString>,
    flags: Result<Flags, Usage>,
}

impl Asked {
    /// Reads the flags, and adds the options of ours among them to those that stand before `ctl`.
    pub(in crate::commands) fn read(args: Vec<OsString>, global: &mut Global) -> Self {
        let flags = parse(&args).and_then(|flags| {
            *global = global.clone().joined(flags.global.clone()).map_err(Usage::Unusable)?;
            global.is_consistent().map_err(Usage::Unusable)?;
            means_something(global)?;
            Ok(flags)
        });
        Self { args, flags }
    }
}

/// Does what binlogctl does with these flags, and returns its exit code.
pub(in crate::commands) fn main(asked: Asked, global: Global, output: &Output, interrupt: Interrupt) -> u8 {
    let mut host = CtlHost {
        now: &clock::unix_ms,
        zone: host_zone(),
        force: None,
        timeout: config::DEFAULT_TIMEOUT,
        cluster: global.cluster_options(),
    };
    let flags = match asked.flags {
        Ok(flags) => flags,
        Err(Usage::Help(text)) => {
            output.remark(&text);
            return 0;
        }
        Err(Usage::Version(text)) => {
            output.line(&text);
            return 0;
        }
        Err(Usage::Wrong(text)) => {
            output.remark(&text);
            return 2;
        }
        Err(Usage::Unusable(error)) => return host.unusable(output, &error),
    };
    let variables = match Variables::of_this_process() {
        Ok(variables) => variables,
        Err(error) => return host.unusable(output, &error),
    };
    host.force = variables.get(config::FORCE);
    let context = settings(&global, &variables, (output, &interrupt))
        .map(|settings| CommandContext::new(global, settings, output.clone(), interrupt));
    if let Ok(context) = &context {
        host.timeout = context.settings.timeout;
    }
    let work = |session: &mut Session| {
        let row = operations::find(&flags.command.replace('-', "_"));
        if row.is_some_and(|row| row.function.changes == Changes::Cluster) {
            session.lock_ahead();
        }
        execute(&flags, session, output, &host)
    };
    match context.and_then(|context| kept(&context, &asked.args, work)) {
        Ok(code) => code,
        Err(error) => host.unusable(output, &error),
    }
}

/// Does `work`, which returns an exit code, as a run.
fn kept(context: &CommandContext, args: &[OsString], work: impl FnOnce(&mut Session) -> u8) -> Result<u8> {
    let (line, parameters, secrets) = (shown(args), &IndexMap::new(), &IndexMap::new());
    let what = RunStart { kind: RunKind::Ctl, script: "ctl", text: &line, parameters, secrets };
    let run = Keeping::begin(context, &what)?;
    let session = ctl_session(context, Work::lines(run.id()), run.lenient_journal(context))?;
    let code = work(&mut session.borrow_mut());
    run.end(context, Ok(&Ending::Exit(code)));
    Ok(code)
}

/// The cluster that options, variables and profile mean. TLS files are read here already, since binlogctl exits with 2 for
/// a bad one.
fn settings(
    global: &Global,
    variables: &Variables,
    (output, interrupt): (&Output, &Interrupt),
) -> Result<ProfileSettings> {
    variables.means_nothing_to("ctl", config::OUTPUT, "it writes binlogctl's lines and no other format")?;
    variables.means_nothing_to("ctl", config::TIMESTAMPS, "it writes binlogctl's lines, where they are text anyhow")?;
    let (settings, unread) = config::load_if_named(&global.overrides(), &|name| variables.get(name))?;
    yes_names_a_profile(global.yes.as_ref(), &settings)?;
    if let Some(error) = unread {
        output.warning(&format!("which clusters are marked production is not known: {error}"));
    }
    // A sandbox needs no cluster that was named and cannot be found.
    if global.sandbox.is_none() || settings.unread.is_none() {
        let live = live_settings(&settings)?;
        live.open_key(output.console(interrupt.clone()).as_mut())?;
        live.check_files()?;
    }
    Ok(settings)
}
