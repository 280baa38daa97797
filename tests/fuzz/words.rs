//! What people type: addresses, proxies, maps of addresses, points in time, durations, zones, commands.

use super::grammar::{Doc, Form, parts};
use super::{Fuzzed, Weight, typed};
use crate::dice::Dice;
use binlogsh::address_map::AddressMap;
use binlogsh::error::{Error, Result};
use binlogsh::node_control::Template;
use binlogsh::pd_url::{PdUrl, authority, without_passwords};
use binlogsh::proxy_url::ProxyUrl;
use binlogsh::time::{Time, Zone, parse_duration, show_seconds};

pub(super) const PARSERS: &[Fuzzed] = &[
    row(
        "pd_url",
        pd_urls,
        &["http://", "https://", "HTTP://", "h", ":", "2379", ",", "/", "[::1]", "@", "?", "#"],
        read_pd_urls,
        8,
    ),
    row("proxy", proxy, &["socks5://", "socks5h://", "u", ":", "p", "@", "h", ":1080", "%40", "/"], read_proxy, 4),
    row(
        "address_map",
        addresses,
        &["{pod}", "{n}", "basic-pump", ".", ":8250", "=", "\n", "127.0.0.1:1825", "[::1]"],
        read_addresses,
        8,
    ),
    row(
        "time",
        time,
        &["2026-11-22", " ", "T", "13:32:53", "Z", "+08:00", "CST", "Europe/Berlin", " m=+0.1", ".5"],
        read_time,
        3,
    ),
    row("duration", duration, &["1", "h", "30", "m", "s", "ms", "d", ".", " "], read_duration, 1),
    row("zone", zone, &["Europe", "/", "Berlin", "UTC", "Local", "CST"], read_zone, 1),
    row("template", template, &["{", "}", "id", "kind", "{host}", "x"], read_template, 2),
];

const fn row(
    name: &'static str,
    valid: fn(&mut Dice) -> Doc,
    tokens: &'static [&'static str],
    read: fn(&[u8]) -> Result<()>,
    errors: usize,
) -> Fuzzed {
    Fuzzed { name, weight: Weight::Pure, form: Form::Parts, valid, tokens, read, errors }
}

fn pd_urls(dice: &mut Dice) -> Doc {
    let mut url = || {
        let scheme = dice.one(&["http://", "https://", "", "HTTP://"]);
        parts([
            scheme,
            dice.one(&["h", "10.0.0.1", "[::1]", "pd-0.pd"]),
            ":",
            dice.one(&["2379", "1"]),
            dice.one(&["", "/"]),
            dice.one(&["", ",", ", "]),
        ])
    };
    let (one, other) = (url(), url());
    Doc::List(vec![one, parts([","]), other])
}

fn read_pd_urls(bytes: &[u8]) -> Result<()> {
    let text = typed(bytes)?;
    for part in text.rsplit_once('@').into_iter().flat_map(|(login, _)| login.split([':', '/', ',', '@'])) {
        // It is shown nowhere.
        let shown = without_passwords(&format!("http://{text}"));
        let is_secret = part.len() > 5
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !text.contains(['\'', '"', '`'])
            && !text.contains(char::is_whitespace);
        assert!(!is_secret || text.matches(part).count() > 1 || !shown.contains(part), "{shown}");
    }
    let urls = PdUrl::parse_list(text)?;
    for tls in [false, true] {
        let shown: Vec<String> = urls.iter().map(|url| url.show(tls)).collect();
        let again = PdUrl::parse_list(&shown.join(","))?;
        assert_eq!(again.iter().map(|url| url.show(!tls)).collect::<Vec<_>>(), shown);
    }
    Ok(())
}

fn proxy(dice: &mut Dice) -> Doc {
    let login = dice.one(&["", "root:s3cret@", "u%3A1:p%40ss@", "u:p@ss@"]);
    parts([
        dice.one(&["socks5", "SOCKS5H"]),
        "://",
        login,
        dice.one(&["h", "[::1]", "10.0.0.1"]),
        ":",
        "1080",
        dice.one(&["", "/"]),
    ])
}

fn read_proxy(bytes: &[u8]) -> Result<()> {
    let text = typed(bytes)?;
    // Elsewhere it is a name: of a host, a user, a scheme.
    let login =
        text.rsplit_once('@').map_or("", |(login, _)| login.split_once("://").map_or(login, |(_, login)| login));
    let is_secret = login.split_once(':').is_some_and(|(_, password)| password.contains("s3cret"))
        && text.matches("s3cret").count() == 1;
    let hides = |said: &str| assert!(!is_secret || !said.contains("s3cret"), "{said}");
    let proxy = ProxyUrl::parse(text).inspect_err(|error| hides(&format!("{error:?}")))?;
    hides(&format!("{proxy:?} {proxy}"));
    assert!(authority(&proxy.authority).is_ok());
    let again = ProxyUrl::parse(&format!("socks5://{}", proxy.authority))?;
    assert_eq!(again, ProxyUrl { user: None, ..proxy });
    Ok(())
}

/// Lines `NAME=ADDRESS`.
fn addresses(dice: &mut Dice) -> Doc {
    let lines = [
        ["{pod}.basic-pump", ":8250", "=", "127.0.0.1", ":1825{n}", "\n"],
        ["basic-pd", ":2379", "=", "127.0.0.1", ":2379", "\n"],
        ["basic-pd", "", "=", "10.0.0.1", "", "\n"],
        ["[fd00::1]", ":8250", "=", "pump-1.example", ":8250", "\n"],
        ["drainer-{n}", ":8249", "=", "10.0.1.{n}", ":8249", "\n"],
    ];
    Doc::List((0..=dice.below(2)).map(|_| parts(dice.one(&lines))).collect())
}

fn read_addresses(bytes: &[u8]) -> Result<()> {
    let text = typed(bytes)?;
    let mut map = AddressMap::default();
    for line in text.lines() {
        let (from, to) = line.split_once('=').ok_or_else(|| Error::invalid("there is no address for it"))?;
        map.add(from, to)?;
        assert!(map.clone().add(from, to).is_err(), "a line that stands there twice is an error");
    }
    for address in [
        "basic-pump-0.basic-pump:8250",
        "basic-pd:2379",
        "x",
        "[fd00::1]:8250",
        "drainer-99999999999999999999:8249",
        text,
    ] {
        if let Ok(Some(target)) = map.lead(address) {
            assert!(authority(&target).is_ok(), "{address} is led to {target:?}");
        }
    }
    Ok(())
}

fn time(dice: &mut Dice) -> Doc {
    let fraction = dice.one(&["", ".5", ".000000001", ",25"]);
    let zone = dice.one(&["", "Z", " +0800 CST", " +08:00", " Europe/Berlin", "-0330", " UTC"]);
    let clock = dice.one(&["13:32:53", "00:00:00", "23:59:60", "13:32"]);
    let date = dice.one(&["2026-11-22", "1970-01-01", "2018/12/25", "0001-01-01", "9999-12-31"]);
    parts([
        date,
        dice.one(&[" ", "T"]),
        clock,
        if clock.len() > 5 { fraction } else { "" },
        zone,
        dice.one(&["", "", " m=+0.1"]),
    ])
}

fn read_time(bytes: &[u8]) -> Result<()> {
    let text = typed(bytes)?;
    let berlin = Zone::from_name("Europe/Berlin")?;
    for zone in [Zone::Utc, berlin] {
        let time = Time::parse(text, zone)?;
        // Before there were zones their offsets had seconds, which RFC 3339 has no place for.
        if zone != Zone::Utc && time.unix_ms < 0 {
            continue;
        }
        let shown = time.to_string();
        let again =
            Time::parse(&shown, zone).unwrap_or_else(|error| panic!("{shown:?}, as it is shown, is not read: {error}"));
        assert_eq!(again.unix_ms, time.unix_ms, "{shown}");
    }
    Ok(())
}

fn duration(dice: &mut Dice) -> Doc {
    parts(dice.one(&[
        ["1", "h", "30", "m", ""],
        ["1.5", "s", "", "", ""],
        ["90", "", "", "", ""],
        ["7", "d", "1", "ms", ""],
        [" ", "0.25", " ", "h", " "],
    ]))
}

fn read_duration(bytes: &[u8]) -> Result<()> {
    let time = parse_duration(typed(bytes)?)?;
    assert!(!show_seconds(time.as_secs_f64()).is_empty());
    let again = parse_duration(&format!("{}", time.as_secs_f64()))?;
    let differ = again.abs_diff(time);
    assert!(differ.as_nanos() <= 1, "{time:?} {again:?}");
    Ok(())
}

fn zone(dice: &mut Dice) -> Doc {
    parts(dice.one(&[
        ["Europe", "/", "Berlin"],
        ["UTC", "", ""],
        ["Lo", "cal", ""],
        ["asia", "/", "shanghai"],
        ["Etc", "/GMT", "+8"],
    ]))
}

fn read_zone(bytes: &[u8]) -> Result<()> {
    let zone = Zone::from_name(typed(bytes)?)?;
    assert_eq!(Zone::from_name(zone.name())?, zone);
    Ok(())
}

fn template(dice: &mut Dice) -> Doc {
    let place = |dice: &mut Dice| dice.one(&["{id}", "{kind}", "{host}", "{port}", "{unit}", "{deploy_dir}"]);
    parts(["/", place(dice), dice.one(&["-", "/log/", ""]), place(dice)])
}

fn read_template(bytes: &[u8]) -> Result<()> {
    let text = typed(bytes)?;
    let template = Template::parse(text)?;
    assert_eq!(template.to_string(), text);
    assert_eq!(Template::parse(&template.to_string())?, template);
    Ok(())
}
