//! `systemctl` and `journalctl`: the words and exit statuses of systemd 252.

use super::{ProgramCall, Programs, Said, fails};
use crate::support::fleet::supervisor::UnitState;
use std::os::unix::process::ExitStatusExt;

/// What is asked of `systemctl`.
#[derive(Default)]
struct Asked<'a> {
    of_user: bool,
    quiet: bool,
    bare_values: bool,
    properties: Vec<&'a str>,
    words: Vec<&'a str>,
}

impl<'a> Asked<'a> {
    fn parse(args: &[&'a str]) -> Result<Self, Said> {
        let (mut asked, mut args) = (Self::default(), args.iter().copied());
        while let Some(arg) = args.next() {
            match arg {
                "--user" => asked.of_user = true,
                "-q" | "--quiet" => asked.quiet = true,
                "--value" => asked.bare_values = true,
                "-p" | "--property" => asked.properties.extend(args.next().unwrap_or_default().split(',')),
                "-n" | "--lines" => drop(args.next()),
                "--system" | "--no-pager" | "--no-ask-password" | "-l" | "--full" | "--" => {}
                _ if arg.starts_with("--property=") => asked.properties.extend(arg["--property=".len()..].split(',')),
                _ if arg.starts_with("-p") => asked.properties.extend(arg["-p".len()..].split(',')),
                _ if arg.starts_with("--lines=") || arg.starts_with("-n") => {}
                _ if arg.starts_with('-') => return Err(fails(1, format!("systemctl: unrecognized option '{arg}'"))),
                word => asked.words.push(word),
            }
        }
        Ok(asked)
    }
}

impl Programs {
    pub(super) fn systemctl(&self, call: &ProgramCall<'_>) -> Said {
        let asked = match Asked::parse(&call.args) {
            Ok(asked) => asked,
            Err(said) => return said,
        };
        let Some((verb, names)) = asked.words.split_first() else {
            return fails(1, "systemctl: the double wants a verb");
        };
        let units: Vec<_> =
            names.iter().map(|name| (full(name), self.unit_on(call.host, &full(name), &asked))).collect();
        let may_change = call.is_root || asked.of_user;
        match *verb {
            "daemon-reload" if may_change => Said::default(),
            "daemon-reload" => fails(1, "Failed to reload daemon: Interactive authentication required."),
            "start" | "stop" | "restart" => self.change(verb, &units, may_change),
            "is-active" => self.is_active(&units, &asked),
            "show" => self.show(&units, &asked),
            "status" => self.status(&units),
            other => fails(1, format!("Unknown command verb {other}.")),
        }
    }

    /// The unit of that name which the system's or the user's manager of `host` knows.
    fn unit_on(&self, host: &str, name: &str, asked: &Asked<'_>) -> Option<usize> {
        let is_there = |unit: &super::super::supervisor::Unit| {
            unit.name == name && (host.is_empty() || unit.address.ip().to_string() == host)
        };
        let found = self.nodes.units().position(is_there);
        found.filter(|_| self.knobs().user_units == asked.of_user)
    }

    fn change(&self, verb: &str, units: &[(String, Option<usize>)], may: bool) -> Said {
        let mut found = Vec::new();
        for (name, unit) in units {
            let Some(unit) = unit else {
                let what = if verb == "stop" { "loaded" } else { "found" };
                return fails(5, format!("Failed to {verb} {name}: Unit {name} not {what}."));
            };
            if !may {
                return fails(
                    1,
                    format!(
                        "Failed to {verb} {name}: Interactive authentication required.\nSee system logs and 'systemctl \
                         status {name}' for details."
                    ),
                );
            }
            found.push(*unit);
        }
        if let Some(said) = self.instead(&mut found) {
            return said;
        }
        for unit in found {
            if verb != "start" {
                self.nodes.stop(unit);
            }
            if verb != "stop" {
                self.nodes.start(unit);
            }
        }
        Said::default()
    }

    fn is_active(&self, units: &[(String, Option<usize>)], asked: &Asked<'_>) -> Said {
        let states: Vec<_> =
            units.iter().map(|(_, unit)| unit.map_or(UnitState::Inactive, |at| self.nodes.state(at))).collect();
        let code = if states.contains(&UnitState::Active) { 0 } else { 3 };
        let said = Said::default().exit(code);
        if asked.quiet { said } else { states.iter().fold(said, |said, state| said.out(state.name())) }
    }

    fn show(&self, units: &[(String, Option<usize>)], asked: &Asked<'_>) -> Said {
        let mut said = Said::default();
        for (at, (name, unit)) in units.iter().enumerate() {
            let all = self.properties(name, *unit);
            let wanted = |name: &str| asked.properties.is_empty() || asked.properties.contains(&name);
            if at > 0 {
                said = said.out("");
            }
            for (property, value) in all.iter().filter(|(property, _)| wanted(property)) {
                said = said.out(if asked.bare_values { value.clone() } else { format!("{property}={value}") });
            }
        }
        said
    }

    fn properties(&self, name: &str, unit: Option<usize>) -> Vec<(&'static str, String)> {
        let state = unit.map_or(UnitState::Inactive, |at| self.nodes.state(at));
        let ended = unit.and_then(|at| self.nodes.ended(at));
        let (sub, result) = match (state, ended) {
            (UnitState::Active, _) => ("running", "success"),
            (UnitState::Deactivating, _) => ("stop-sigterm", "success"),
            (UnitState::Activating, _) => ("auto-restart", failure(ended)),
            (UnitState::Inactive, _) => ("dead", "success"),
            (UnitState::Failed, _) => ("failed", failure(ended)),
        };
        let code = ended.map_or(0, |ended| if ended.code().is_some() { 1 } else { 2 });
        let status = ended.and_then(|ended| ended.code().or(ended.signal())).unwrap_or_default();
        vec![
            ("Id", name.to_owned()),
            ("LoadState", if unit.is_some() { "loaded" } else { "not-found" }.to_owned()),
            ("ActiveState", state.name().to_owned()),
            ("SubState", sub.to_owned()),
            ("Result", result.to_owned()),
            ("MainPID", unit.and_then(|at| self.nodes.pid(at)).unwrap_or_default().to_string()),
            ("ExecMainCode", code.to_string()),
            ("ExecMainStatus", status.to_string()),
            ("NRestarts", unit.map_or(0, |at| self.nodes.restarts(at)).to_string()),
        ]
    }

    fn status(&self, units: &[(String, Option<usize>)]) -> Said {
        let mut said = Said::default();
        for (name, unit) in units {
            let Some(at) = unit else {
                said = said.err(format!("Unit {name} could not be found.")).exit(4);
                continue;
            };
            let all = self.properties(name, *unit);
            let value =
                |name: &str| all.iter().find(|(property, _)| *property == name).map(|(_, value)| value.as_str());
            let (state, sub) = (value("ActiveState").unwrap(), value("SubState").unwrap());
            said = said.out(format!("* {name} - {}", name.trim_end_matches(".service")));
            said = said.out(format!("     Loaded: loaded (/etc/systemd/system/{name}; enabled; preset: enabled)"));
            said = said.out(format!("     Active: {state} ({sub})"));
            said = self.nodes.journal(*at).iter().rev().take(10).rev().fold(said, |said, line| said.out(line));
            if state != "active" {
                said = said.exit(3);
            }
        }
        said
    }

    /// `journalctl -u UNIT -n LINES`.
    pub(super) fn journalctl(&self, call: &ProgramCall<'_>) -> Said {
        let after = |option: &str| call.args.iter().skip_while(|arg| **arg != option).nth(1).copied();
        let name = full(after("-u").or(after("--unit")).unwrap_or_default());
        let asked = Asked { of_user: call.args.contains(&"--user"), ..Asked::default() };
        let Some(at) = self.unit_on(call.host, &name, &asked) else { return Said::default().out("-- No entries --") };
        let (journal, lines) =
            (self.nodes.journal(at), after("-n").and_then(|lines| lines.parse().ok()).unwrap_or(1000));
        journal.iter().rev().take(lines).rev().fold(Said::default(), |said, line| said.out(line))
    }
}

fn failure(ended: Option<std::process::ExitStatus>) -> &'static str {
    match ended.map(|ended| ended.code()) {
        Some(Some(0)) | None => "success",
        Some(Some(_)) => "exit-code",
        Some(None) => "signal",
    }
}

/// A name without its ending is that of a service.
fn full(name: &str) -> String {
    if name.contains(".service") { name.to_owned() } else { format!("{name}.service") }
}
