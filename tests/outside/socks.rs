//! Through a real SOCKS5 proxy, which alone knows the names.

use super::{Outside, SERVICE, serves_an_operator, shell};
use crate::harness::Shell;
use crate::support::eventually;
use crate::support::proxies::Proxy;
use binlogsh::error::ErrorKind;
use binlogsh::sim::Signal;
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn a_cluster_is_operated_through_a_proxy() {
    let outside = Outside::in_its_network(false);
    let proxy = Proxy::start(&outside.hosts());
    serves_an_operator(&outside, &outside.profile(&format!("proxy = \"{}\"\n", proxy.url())));
}

#[test]
fn a_cluster_is_operated_through_a_proxy_that_asks_who_we_are_with_tls() {
    let outside = Outside::in_its_network(true);
    let proxy = Proxy::start_for(Some(("op", "s3cret")), &outside.hosts());
    serves_an_operator(&outside, &outside.profile(&format!("proxy = \"{}\"\n", proxy.url())));
}

#[test]
fn a_map_leads_to_names_that_only_the_proxy_knows() {
    let outside = Outside::in_its_network(false);
    let hosts: Vec<_> = outside.hosts().into_iter().map(|(ip, name)| (ip, format!("{name}.tidb.svc"))).collect();
    let proxy = Proxy::start(&hosts);
    let map = "[profiles.pods.addresses]\n\"basic-pd\" = \"basic-pd.tidb.svc\"\n\"{pod}.basic-pump\" = \"{pod}.basic-pump.tidb.svc\"\n";
    let profile = outside.profile(&format!("proxy = \"{}\"\n{map}", proxy.url()));
    let ran = shell(&profile).arg("-v").eval(r#"print(probe("basic-pump-2:8250"))"#).succeeds().stdout("online");
    let words = format!("(at basic-pump-2.basic-pump.tidb.svc:8250 by {})", proxy.url());
    ran.stderr_contains(&words);
}

#[test]
fn a_proxy_is_named_on_the_line_or_in_a_variable_and_its_password_is_shown_and_kept_nowhere() {
    let outside = Outside::in_its_network(false);
    let proxy = Proxy::start_for(Some(("op", "s3cret")), &outside.hosts());
    let asked = |shell: Shell| shell.arg("-v").eval(r#"tso() > 0"#).succeeds().stdout("true");
    let shown = format!("(by socks5://***@{})", proxy.address());
    asked(Shell::live(SERVICE).env("BINLOGSH_PROXY", &proxy.url())).stderr_contains(&shown);
    let ran = asked(Shell::live(SERVICE).arg("--proxy").arg(proxy.url())).stderr_contains(&shown);
    assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);

    // A change is kept with its line; so is advice about it.
    let line = ["ctl", "-cmd", "pause-pump", "-node-id", "basic-pump-0:8250", "-pd-urls", SERVICE, "--proxy"];
    let ran = Shell::new(&line).arg(proxy.url()).go().succeeds();
    for word in ["s3cret", "op:"] {
        assert!(!contains(ran.dir(), word), "{word} is kept");
    }
    let ran = Shell::live(SERVICE)
        .arg("--proxy")
        .arg(proxy.url())
        .file("s.rhai", "manual(\"do it\");")
        .arg("run")
        .arg("s.rhai")
        .go();
    assert!(!ran.stdout.contains("s3cret") && !ran.stderr.contains("s3cret"), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(&format!("--proxy 'socks5://***@{}'", proxy.address())), "{}", ran.stderr);
    assert!(!contains(ran.dir(), "s3cret"));
    // What was shown is not what is typed.
    let shown = format!("socks5://***@{}", proxy.address());
    let ran = Shell::live(SERVICE).arg("--proxy").arg(shown).eval("1").fails(ErrorKind::Invalid);
    ran.stderr_contains("`***` stands in the place of its user and password: type them");
}

/// Whether some file below `dir` has this text in it.
fn contains(dir: &std::path::Path, text: &str) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => contains(&path, text),
            false => std::fs::read(&path).unwrap().windows(text.len()).any(|bytes| bytes == text.as_bytes()),
        }
    })
}

#[test]
fn what_the_proxy_says_of_a_node_is_told() {
    let outside = Outside::in_its_network(false);
    let hosts: Vec<_> = outside.hosts().into_iter().filter(|(_, name)| !name.starts_with("basic-pump-2")).collect();
    let proxy = Proxy::start(&hosts);
    let profile = outside.profile(&format!("proxy = \"{}\"\n", proxy.url()));
    // A process that is gone is told from a name that the proxy does not know.
    let pump = outside.cluster.who(binlogsh::node::Kind::Pump, "basic-pump-1:8250");
    outside.cluster.with(|model| model.signal(pump, Signal::Kill));
    let place = &outside.places["basic-pump-1.basic-pump:8250"];
    assert!(eventually(Duration::from_secs(5), || TcpStream::connect(place).is_err()));
    let code = r#"print(probe("basic-pump-1:8250")); print(probe(["basic-pump-2:8250"])[0].detail)"#;
    let ran = shell(&profile).eval(code).succeeds();
    let mut lines = ran.stdout.lines();
    assert_eq!(lines.next(), Some("refused"), "{}", ran.stdout);
    let unknown = lines.next().unwrap();
    assert!(
        unknown.contains(&format!("the proxy {} says that", proxy.url()))
            && unknown.contains("basic-pump-2.basic-pump:8250"),
        "{unknown}"
    );
}
