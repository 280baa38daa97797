//! `kubectl`: deletes pods under the operator's start script v1, which hands no SIGTERM on, and whose pods sleep once their
//! node has ended in good order.

use super::{NAMESPACE, ProgramCall, Programs, Said, fails};
use rustix::process::Signal;
use serde_json::json;

impl Programs {
    pub(super) fn kubectl(&self, call: &ProgramCall<'_>) -> Said {
        let mut words = Vec::new();
        let (mut namespace, mut output, mut tail, mut headers) = ("default", "", usize::MAX, true);
        let mut args = call.args.iter().copied();
        while let Some(arg) = args.next() {
            let (name, joined) = arg.split_once('=').map_or((arg, None), |(name, value)| (name, Some(value)));
            let mut value = || joined.or_else(|| args.next()).unwrap_or_default();
            match name {
                "-n" | "--namespace" => namespace = value(),
                "-o" | "--output" => output = value(),
                "--tail" => tail = value().parse().unwrap_or(usize::MAX),
                "--context" | "--kubeconfig" | "--request-timeout" | "--timeout" => drop(value()),
                "--wait" | "--" => {}
                "--no-headers" => headers = false,
                _ if name.starts_with('-') => return fails(1, format!("error: unknown flag: {name}")),
                word => words.push(word),
            }
        }
        let (verb, pod) = match words.as_slice() {
            [verb @ ("delete" | "get"), "pod" | "pods" | "po", pod] => (*verb, *pod),
            [verb @ ("delete" | "get" | "logs"), pod] => (*verb, pod.strip_prefix("pod/").unwrap_or(pod)),
            _ => return fails(1, format!("error: unknown command {:?} for \"kubectl\"", words.join(" "))),
        };
        let found = self.nodes.units().position(|unit| unit.pod == pod).filter(|_| namespace == NAMESPACE);
        let Some(at) = found else {
            return fails(1, format!("Error from server (NotFound): pods \"{pod}\" not found"));
        };
        match verb {
            "delete" => self.delete(pod, at),
            "logs" => self.pod_log(at, tail),
            _ if output == "json" => self.pod(pod, at),
            _ => self.pod_line(pod, at, headers),
        }
    }

    fn delete(&self, pod: &str, at: usize) -> Said {
        let mut units = [at];
        let said = self.instead(&mut units);
        if said.is_none() {
            if self.sleeps(units[0]) {
                std::thread::sleep(self.knobs().grace);
            }
            // The shell is the first process and hands no SIGTERM on; CONT is none that anybody notices.
            self.nodes.end(units[0], Signal::CONT, self.knobs().grace);
            self.nodes.start(units[0]);
        }
        let said = said.unwrap_or_default();
        if said.code == 0 { said.out(format!("pod \"{pod}\" deleted")) } else { said }
    }

    /// The process of a pod that sleeps ended with 0.
    fn sleeps(&self, at: usize) -> bool {
        self.nodes.pid(at).is_none() && self.nodes.ended(at).is_some_and(|ended| ended.success())
    }

    fn pod_log(&self, at: usize, tail: usize) -> Said {
        let unit = self.nodes.unit(at);
        let mut text = std::fs::read_to_string(unit.log()).unwrap_or_default();
        if self.sleeps(at) {
            text += &format!("{} offline, please delete my pod\n", unit.kind);
        }
        let lines: Vec<&str> = text.lines().rev().take(tail).collect();
        lines.iter().rev().fold(Said::default(), |said, line| said.out(line))
    }

    /// Whether its process runs, and what kubectl says of the pod in a word.
    fn status_of_pod(&self, at: usize) -> (bool, &'static str) {
        let ready = self.nodes.pid(at).is_some();
        (ready, if ready || self.sleeps(at) { "Running" } else { "CrashLoopBackOff" })
    }

    fn pod_line(&self, pod: &str, at: usize, headers: bool) -> Said {
        let ((ready, status), restarts) = (self.status_of_pod(at), self.nodes.restarts(at));
        let line = format!("{pod}   {}/1     {status}   {restarts}          6d", u8::from(ready));
        let said = Said::default();
        let said = if headers { said.out("NAME           READY   STATUS    RESTARTS   AGE") } else { said };
        said.out(line)
    }

    fn pod(&self, pod: &str, at: usize) -> Said {
        let ((ready, status), restarts) = (self.status_of_pod(at), self.nodes.restarts(at));
        let running = status == "Running";
        let state = if running { json!({ "running": {} }) } else { json!({ "waiting": { "reason": status } }) };
        let container = json!({ "ready": ready, "restartCount": restarts, "state": state });
        let pod = json!({
            "kind": "Pod",
            "metadata": { "name": pod, "namespace": NAMESPACE },
            "status": { "phase": "Running", "containerStatuses": [container] },
        });
        Said::default().out(serde_json::to_string_pretty(&pod).unwrap())
    }
}
