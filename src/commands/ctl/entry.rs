//! From the command line to a session and back: which cluster the flags mean, and what the process exits with.

use super::{Flags, Host, Usage, execute, host_zone, parse};
use crate::cli::Global;
use crate::commands::compose::{House, Work, ctl_session};
use crate::commands::runs::{Keeping, What};
use crate::config::{DEFAULT_TIMEOUT, Settings};
use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::journal::store::RunKind;
use crate::language::Ending;
use crate::live::{self, clock};
use crate::operations;
use crate::output::{Format, Output};
use crate::session::Session;
use crate::time::parse_duration;
use indexmap::IndexMap;
use std::ffi::OsString;

/// Does what binlogctl does with these flags, and returns its exit code. Of our own options only `--sandbox`,
/// `--verbose`, `--color` and `--wait-lock` have a meaning here; no profile is read.
pub(in crate::commands) fn main(args: &[OsString], global: Global, output: &Output, interrupt: Interrupt) -> u8 {
    let host = Host { now: &clock::unix_ms, zone: host_zone(), force: std::env::var("BINLOGSH_FORCE").ok() };
    let flags = match parse(args) {
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
    let house = settings(&flags, global.wait_lock.as_deref()).map(|settings| House {
        global,
        settings,
        output: output.clone(),
        interrupt,
        seen: None,
    });
    let work = |session: &mut Session| {
        let row = operations::find(&flags.command.replace('-', "_"));
        match row.filter(|row| row.changes_cluster()).map_or(Ok(()), |_| session.lock_ahead()) {
            Ok(()) => execute(&flags, session, output, &host),
            Err(error) => host.failed(output, &flags.command, &error),
        }
    };
    match house.and_then(|house| kept(&house, args, work)) {
        Ok(code) => code,
        Err(error) => host.unusable(output, &error),
    }
}

/// Does `work`, which returns an exit code, as a run.
fn kept(house: &House, args: &[OsString], work: impl FnOnce(&mut Session) -> u8) -> Result<u8> {
    let line: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    let what = What { kind: RunKind::Ctl, script: "ctl", text: &line.join(" "), parameters: &IndexMap::new() };
    let run = Keeping::begin(house, &what)?;
    let session = ctl_session(house, Work::lines(run.id()), run.lenient_journal(house))?;
    let code = work(&mut session.borrow_mut());
    run.end(house, Ok(&Ending::Exit(code)));
    Ok(code)
}

/// The cluster that the flags mean. TLS files are read here already, since binlogctl exits with 2 for a bad one.
fn settings(flags: &Flags, wait_lock: Option<&str>) -> Result<Settings> {
    let [ca, cert, key] = flags.tls_files();
    let pd_urls = flags.pd_urls()?;
    let tls = live::TlsFiles::new(ca.clone(), cert.clone(), key.clone())?;
    live::Settings::new(&pd_urls, tls)?.check_files()?;
    let (profile, production, output, timeout) = (None, false, Format::Table, DEFAULT_TIMEOUT);
    let wait_lock = wait_lock.map(parse_duration).transpose()?;
    Ok(Settings { pd_urls, ca, cert, key, profile, production, output, timeout, wait_lock })
}
