//! `tiup cluster start|stop|restart NAME`: waits for ports only, and reports success for nodes that it does not know.

use super::{CLUSTER, ProgramCall, Programs, Said, fails};
use crate::support::eventually;
use std::net::TcpStream;

/// What is asked of `tiup cluster`.
#[derive(Default)]
struct Asked<'a> {
    yes: bool,
    nodes: Vec<&'a str>,
    roles: Vec<&'a str>,
    words: Vec<&'a str>,
}

impl<'a> Asked<'a> {
    fn parse(args: &[&'a str]) -> Result<Self, Said> {
        let (mut asked, mut args) = (Self::default(), args.iter().copied());
        while let Some(arg) = args.next() {
            let (name, joined) = arg.split_once('=').map_or((arg, None), |(name, value)| (name, Some(value)));
            let mut value = || joined.or_else(|| args.next()).unwrap_or_default();
            match name {
                "-y" | "--yes" => asked.yes = true,
                "-N" | "--node" => asked.nodes.extend(value().split(',')),
                "-R" | "--role" => asked.roles.extend(value().split(',')),
                "--wait-timeout" | "--ssh-timeout" | "--format" | "--ssh" => drop(value()),
                _ if name.starts_with("--") => return Err(fails(1, format!("Error: unknown flag: {name}"))),
                word => asked.words.push(word),
            }
        }
        Ok(asked)
    }
}

impl Programs {
    pub(super) fn tiup(&self, call: &ProgramCall<'_>) -> Said {
        let asked = match Asked::parse(&call.args) {
            Ok(asked) => asked,
            Err(said) => return said,
        };
        let ["cluster", verb @ ("start" | "stop" | "restart"), cluster] = asked.words.as_slice() else {
            return fails(1, format!("Error: unknown command {:?} for \"tiup\"", asked.words.join(" ")));
        };
        if *cluster != CLUSTER {
            return fails(1, format!("\nError: cluster {cluster} does not exist"));
        }
        if *verb != "start" && !asked.yes {
            return fails(1, "\nError: Operation aborted by user (with answer '')");
        }
        let is_chosen = |unit: &super::super::supervisor::Unit| {
            let (id, role) = (unit.advertised.as_str(), unit.kind.name());
            (asked.nodes.is_empty() || asked.nodes.contains(&id))
                && (asked.roles.is_empty() || asked.roles.contains(&role))
        };
        let mut chosen: Vec<usize> =
            self.nodes.units().enumerate().filter(|(_, unit)| is_chosen(unit)).map(|(at, _)| at).collect();
        let said = self.instead(&mut chosen).unwrap_or_else(|| self.operate(verb, &chosen));
        let past = if *verb == "stop" { "Stopped".to_owned() } else { format!("{}ed", capital(verb)) };
        if said.code == 0 { said.out(format!("{past} cluster `{cluster}` successfully")) } else { said }
    }

    fn operate(&self, verb: &str, chosen: &[usize]) -> Said {
        let mut said = Said::default();
        if verb != "start" {
            chosen.iter().for_each(|at| self.nodes.stop(*at));
        }
        if verb == "stop" {
            return said;
        }
        for at in chosen {
            let unit = self.nodes.unit(*at);
            said = said.out(format!("\tStarting instance {}", unit.advertised));
            self.nodes.start(*at);
            let waits = self.knobs().tiup_waits;
            if !eventually(waits, || TcpStream::connect(unit.address).is_ok()) {
                let (host, port, log) = (unit.address.ip(), unit.address.port(), unit.deploy_dir.join("log"));
                let text = format!(
                    "\nError: failed to start {}: failed to start: {host} {}, please check the instance's log({}) for more \
                     detail.: timed out waiting for port {port} to be started after {waits:?}",
                    unit.kind,
                    unit.name,
                    log.display()
                );
                return said.err(text).exit(1);
            }
            said = said.out(format!("\tStart instance {} success", unit.advertised));
        }
        said
    }
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}
