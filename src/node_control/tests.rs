use super::*;
use crate::node::Kind;
use std::path::Path;

fn node(id: &str, address: &str) -> NodeRef {
    NodeRef { kind: Kind::Pump, id: id.into(), address: address.into() }
}

fn deployment() -> Deployment {
    let text = "user: tidb\ntopology:\n  pd_servers: [{host: 10.0.0.1}]\n  pump_servers:\n  - {host: 10.0.0.5, manage_host: jump, \
                ssh_port: 2222, port: 8250, deploy_dir: /deploy/pump-8250}\n";
    let meta = Deployment::parse("prod", Path::new("/tiup/meta.yaml"), text).unwrap();
    Deployment { ssh_key: Some("/tiup/ssh/id_rsa".into()), ..meta }
}

fn typed(control: &NodeControl, verb: ProcessVerb, node: &NodeRef) -> String {
    control.command(verb, node).unwrap().to_string()
}

fn why_not(control: &NodeControl, verb: ProcessVerb, node: &NodeRef) -> String {
    control.command(verb, node).unwrap_err()
}

#[test]
fn ssh_never_asks_and_takes_no_key_of_a_host_by_itself() {
    let control = NodeControl::new(Preset::SystemdSsh);
    let command = typed(&control, ProcessVerb::Restart, &node("pump-0", "10.0.1.11:8250"));
    assert_eq!(
        command,
        "ssh -o BatchMode=yes -o ConnectTimeout=10 -o StrictHostKeyChecking=yes -o UpdateHostKeys=no \
         -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -- 10.0.1.11 'sudo -n systemctl restart -- pump-8250.service'"
    );
    let own = NodeControl {
        user: Some("ops".into()),
        port: Some(2200),
        identity: Some("/keys/id".into()),
        known_hosts: Some("/keys/known".into()),
        host: Some(Template::parse("{id}.internal").unwrap()),
        unit: Some(Template::parse("binlog-{kind}@{port}").unwrap()),
        systemd_mode: Some(SystemdMode::User),
        ..control
    };
    let command = typed(&own, ProcessVerb::Start, &node("pump-0", "10.0.1.11:8250"));
    let rest = command.split_once("ServerAliveCountMax=3 ").unwrap().1;
    assert_eq!(
        rest,
        "-o UserKnownHostsFile=/keys/known -o IdentitiesOnly=yes -i /keys/id -p 2200 -l ops -- pump-0.internal \
         'systemctl --user start -- binlog-pump@8250'"
    );
}

#[test]
fn what_tiup_knows_says_where_to_go() {
    let control = NodeControl::new(Preset::SystemdSsh).of_cluster(Some(deployment()), false).unwrap();
    // Its id may be another one, as that of a cluster that was imported.
    for id in ["10.0.0.5:8250", "pump-host:8250"] {
        let command = typed(&control, ProcessVerb::Stop, &node(id, "10.0.0.5:8250"));
        let rest = command.split_once("ServerAliveCountMax=3 ").unwrap().1;
        let to = "-o IdentitiesOnly=yes -i /tiup/ssh/id_rsa -p 2222 -l tidb -- jump";
        assert_eq!(rest, format!("{to} 'sudo -n systemctl stop -- pump-8250.service'"));
    }
    let inquiries = control.inquiries(&node("10.0.0.5:8250", "10.0.0.5:8250"));
    let said: Vec<String> = inquiries.iter().map(|inquiry| inquiry.exec.to_string()).collect();
    assert!(
        said[0].contains("systemctl show --property=ActiveState,SubState,Result,ExecMainStatus -- pump-8250.service")
    );
    assert!(!said[0].contains("sudo"), "looking takes no rights: {}", said[0]);
    assert!(said[1].contains("tail -n 400 -- /deploy/pump-8250/log/pump.log"), "{}", said[1]);
    let stranger = why_not(&control, ProcessVerb::Start, &node("10.0.0.6:8250", "10.0.0.6:8250"));
    assert_eq!(stranger, "the cluster prod of tiup has no pump 10.0.0.6:8250");
}

#[test]
fn tiup_is_asked_only_about_what_it_knows_since_it_reports_success_for_anything() {
    assert!(NodeControl::new(Preset::Tiup).of_cluster(None, false).unwrap_err().message.contains("names no cluster"));
    let control = NodeControl::new(Preset::Tiup).of_cluster(Some(deployment()), false).unwrap();
    let known = node("pump-host:8250", "10.0.0.5:8250");
    assert_eq!(typed(&control, ProcessVerb::Restart, &known), "tiup cluster restart prod -N 10.0.0.5:8250 --yes");
    let why = why_not(&control, ProcessVerb::Start, &node("10.0.0.6:8250", "10.0.0.6:8250"));
    assert!(why.contains("has no pump 10.0.0.6:8250"), "{why}");
}

#[test]
fn in_kubernetes_a_pod_is_deleted_and_nothing_is_stopped() {
    let control = NodeControl {
        namespace: Some("tidb".into()),
        context: Some("prod".into()),
        ..NodeControl::new(Preset::Kubernetes)
    };
    let pod = node("basic-pump-0:8250", "basic-pump-0.basic-pump:8250");
    let delete = "kubectl --context=prod --namespace=tidb delete pod -- basic-pump-0";
    assert_eq!(typed(&control, ProcessVerb::Start, &pod), delete);
    assert_eq!(typed(&control, ProcessVerb::Restart, &pod), delete);
    assert!(why_not(&control, ProcessVerb::Stop, &pod).contains("StatefulSet would start the pod again"));
    let v1 = control.supervision(&pod);
    assert_eq!((v1.ends_by, v1.restarts), (EndsBy::Sigkill, Some(Restarts::OnFailure)));
    let v2 = NodeControl { start_script: StartScript::V2, ..control }.supervision(&pod);
    assert_eq!((v2.ends_by, v2.restarts), (EndsBy::Sigterm, Some(Restarts::Always)));
}

#[test]
fn what_a_record_says_is_never_taken_for_an_option_nor_read_by_a_shell() {
    let ssh = NodeControl::new(Preset::SystemdSsh);
    for (id, address) in [
        ("-oProxyCommand=sh", "10.0.1.11:8250"),
        ("p", "-oProxyCommand=sh:8250"),
        ("p\nq", "10.0.1.11:8250"),
        ("p", "host"),
        ("p", "host:port"),
        ("", "10.0.1.11:8250"),
        // ssh reads a user, a port or another host out of these, and a shell of its configuration more.
        ("p", "root@10.0.1.11:8250"),
        ("p", "ssh://root@10.0.1.11:2200:8250"),
        ("p", "`touch${IFS}x`:8250"),
        ("p", "h%h:8250"),
    ] {
        for verb in ProcessVerb::ALL {
            why_not(&ssh, *verb, &node(id, address));
        }
    }
    let unit = Some(Template::parse("{id}.service").unwrap());
    let command =
        NodeControl { unit, ..ssh }.command(ProcessVerb::Start, &node("$(reboot);'x", "10.0.1.11:8250")).unwrap();
    assert_eq!(command.args.last().unwrap(), r"sudo -n systemctl start -- '$(reboot);'\''x.service'");
    // systemctl names many units by a pattern, whatever quotes it.
    for id in ["*", "p?", "[a-z]"] {
        let unit = Some(Template::parse("{id}.service").unwrap());
        let ssh = NodeControl { unit, ..NodeControl::new(Preset::SystemdSsh) };
        assert!(why_not(&ssh, ProcessVerb::Stop, &node(id, "10.0.1.11:8250")).contains("would be a pattern"), "{id}");
    }
    let kubernetes = NodeControl::new(Preset::Kubernetes);
    for id in ["-n:8250", "a b:8250", "../x:8250", "pump", "Pump-0:8250"] {
        why_not(&kubernetes, ProcessVerb::Start, &node(id, "10.0.1.11:8250"));
    }
    let own = [(OwnCommand::Start, vec![Template::parse("tool").unwrap(), Template::parse("{host}").unwrap()])];
    let own = NodeControl { commands: own.into(), ..NodeControl::new(Preset::Commands) };
    why_not(&own, ProcessVerb::Start, &node("p", "--force:8250"));
    assert_eq!(typed(&own, ProcessVerb::Start, &node("p", "[::1]:8250")), "tool ::1");
    assert_eq!(why_not(&own, ProcessVerb::Stop, &node("p", "h:8250")), "the profile has no command `stop`");
}

#[test]
fn on_this_host_only_its_own_nodes_are_meant() {
    let control = NodeControl { sudo: false, ..NodeControl::new(Preset::Systemd) };
    let here = node("pump-0", "127.0.0.1:8250");
    assert_eq!(typed(&control, ProcessVerb::Start, &here), "systemctl start -- pump-8250.service");
    assert_eq!(control.host_of_this(&here).as_deref(), Some("127.0.0.1"));
    assert_eq!(NodeControl::new(Preset::SystemdSsh).host_of_this(&here), None);
}
