//! Proxies that fail: each is named, with what it said and what to do, and in time.

use crate::harness::Shell;
use crate::support::free_port;
use crate::support::live::{LiveWorld, pump};
use crate::support::proxies::{FalseProxy, Falsehood, Proxy};
use binlogsh::error::{Error, ErrorKind};
use binlogsh::live::LiveSettings;
use binlogsh::proxy_url::ProxyUrl;
use binlogsh::world::{Action, Change, ProbeFinding, Read, Request};
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(2);

/// A world that is reached by the proxy at `url`.
fn by(url: &str) -> LiveWorld {
    let settings = LiveSettings::new(&["basic-pd:2379"], None).unwrap().timeout(TIMEOUT).unwrap();
    LiveWorld::of(settings.reached_by(Default::default(), Some(ProxyUrl::parse(url).unwrap())))
}

/// What is said of PD, of a node that is told something, and of one that is probed, each within its deadline.
fn said(url: &str) -> [(Error, String); 1] {
    let mut live = by(url);
    let within = |limit: Duration, began: Instant| {
        assert!(began.elapsed() < limit + Duration::from_secs(1), "{:?}", began.elapsed());
    };
    let began = Instant::now();
    let of_pd = live.fails(Request::Read(Read::Nodes));
    within(TIMEOUT, began);
    let node = pump("pump-0", "basic-pump-0.basic-pump:8250");
    let began = Instant::now();
    let of_node = live.fails(Request::Change(Change::Act { node: node.clone(), action: Action::Pause }));
    within(TIMEOUT, began);
    assert_eq!(of_node.kind, ErrorKind::Unreachable, "it was not sent: {of_node}");
    let began = Instant::now();
    let probed = match live.probe(&node) {
        ProbeFinding::Unknown(why) => why.to_string(),
        other => panic!("{other:?}"),
    };
    within(Duration::from_secs(1), began);
    assert!(of_node.message.contains(&probed), "{of_node}\n{probed}");
    [(of_pd, of_node.message)]
}

/// `PD` in `words` is who was wanted.
#[track_caller]
fn says(url: &str, words: &str) {
    let shown = ProxyUrl::parse(url).unwrap().to_string();
    for (of_pd, of_node) in said(url) {
        let expected = |whom: &str| words.replace("PROXY", &shown).replace("WHOM", whom);
        assert!(of_pd.message.contains(&expected("basic-pd:2379")), "{of_pd}");
        assert!(matches!(of_pd.kind, ErrorKind::Unreachable | ErrorKind::Timeout), "{of_pd}");
        assert!(of_node.contains(&expected("basic-pump-0.basic-pump:8250")), "{of_node}");
        assert!(!of_pd.message.contains("s3cret") && !of_node.contains("s3cret"));
    }
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let url = format!("socks5://127.0.0.1:{}", free_port());
    says(&url, "the proxy PROXY cannot be reached: connection refused; start it, or correct --proxy");
    let url = format!("socks5://{}:1080", "x".repeat(64));
    says(&url, "the proxy PROXY cannot be reached: the name xxxx");
}

#[test]
fn a_proxy_that_is_silent_is_named_in_time() {
    for falsehood in [Falsehood::Silent, Falsehood::Says(vec![vec![5, 0]])] {
        let proxy = FalseProxy::start(falsehood);
        let mut live = by(&proxy.url());
        let began = Instant::now();
        let of_pd = live.fails(Request::Read(Read::Nodes));
        assert!(began.elapsed() < TIMEOUT + Duration::from_secs(1), "{:?}", began.elapsed());
        let words =
            format!("the proxy {} let us connect and has not said in 1.0s that it reaches basic-pd:2379", proxy.url());
        assert!(of_pd.message.contains(&words), "{of_pd}");
        let node = pump("pump-0", "basic-pump-0.basic-pump:8250");
        let of_node = live.fails(Request::Change(Change::Act { node, action: Action::Pause }));
        assert!(
            of_node.message.contains("has not said in 0.5s that it reaches basic-pump-0.basic-pump:8250"),
            "{of_node}"
        );
        assert_eq!(of_node.kind, ErrorKind::Unreachable);
        assert!(proxy.connections() > 1);
    }
}

#[test]
fn a_proxy_that_ends_the_handshake_is_named() {
    // With bytes unread it is a reset.
    for bytes in [0, 3] {
        let proxy = FalseProxy::start(Falsehood::Ends(bytes));
        says(
            &proxy.url(),
            "the proxy PROXY closed the connection before it had reached WHOM, as `ssh -D` does when it cannot: see its log",
        );
    }
}

#[test]
fn what_is_no_proxy_is_named() {
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[4, 90, 0, 0, 0, 0, 0, 0]] {
        let proxy = FalseProxy::start(Falsehood::Says(vec![answer.to_vec()]));
        says(&proxy.url(), "what answers at PROXY does not speak SOCKS5");
    }
}

#[test]
fn a_proxy_that_wants_another_login_is_named_without_our_password() {
    let proxy = Proxy::start_for(Some(("op", "s3cret")), &[]);
    says(
        &format!("socks5://{}", proxy.address()),
        "the proxy PROXY wants a user and password: write them as socks5://USER:",
    );
    says(&format!("socks5://op:s3cret2@{}", proxy.address()), "the proxy PROXY does not take this user and password");
    let choosy = FalseProxy::start(Falsehood::Says(vec![vec![5, 0xff]]));
    says(
        &choosy.url().replace("//", "//op:s3cret@"),
        "the proxy PROXY accepts neither user and password nor a login without them",
    );
}

#[test]
fn what_a_proxy_answers_is_told() {
    let answer = |code: u8| vec![vec![5, 0], vec![5, code, 0, 1, 0, 0, 0, 0, 0, 0]];
    for (code, words) in [
        (1, "the proxy PROXY says that it could not connect to WHOM, and not why"),
        (2, "the proxy PROXY says that its rules do not let us connect to WHOM"),
        (3, "the proxy PROXY says that there is no way to the network of WHOM"),
        (4, "the proxy PROXY says that there is no way to the host of WHOM"),
        (6, "the proxy PROXY says that nobody answers at WHOM in time"),
        (8, "the proxy PROXY says that it cannot connect to an address such as WHOM"),
        (99, "the proxy PROXY says that it could not connect to WHOM, and not why"),
    ] {
        let proxy = FalseProxy::start(Falsehood::Says(answer(code)));
        says(&proxy.url(), words);
    }
    let proxy = FalseProxy::start(Falsehood::Says(answer(5)));
    let node = pump("pump-0", "basic-pump-0.basic-pump:8250");
    let mut live = by(&proxy.url());
    assert_eq!(live.probe(&node), ProbeFinding::Refused, "somebody was there who said so");
    let error = live.fails(Request::Change(Change::Act { node, action: Action::Pause }));
    assert!(error.message.contains("says that basic-pump-0.basic-pump:8250 refused the connection"), "{error}");
}

#[test]
fn a_proxy_that_is_none_is_refused_before_anything_is_connected() {
    for (url, why) in [
        ("http://op:s3cret@h:1", "--proxy: `http://***@h:1` is no proxy: it does not begin with socks5://"),
        ("op:s3cret@h:1", "is no proxy: it does not begin with socks5://"),
        ("socks5://op@h:1", "it has a user and no password"),
    ] {
        let ran = Shell::new(&["--proxy", url]).eval("pumps()").fails(ErrorKind::Invalid).stderr_contains(why);
        assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
    }
    Shell::new(&["--proxy", "socks5://h:1", "--sandbox"]).eval("1").exits(2).stderr_contains("--sandbox and --proxy");
}
