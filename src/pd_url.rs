//! PD's addresses as people write them: with and without a scheme, several with commas, and what is no address and why.
//!
//! A password in one is never shown again: whoever wrote it there is told so without it.

use crate::error::{Error, Result};
use crate::text::on_one_line;
use std::borrow::Cow;
use std::net::Ipv6Addr;

/// binlogctl's own default.
pub const DEFAULT_PD_URL: &str = "http://127.0.0.1:2379";

const HINT: &str = "write it as `http://host:2379`, or `https://host:2379` with TLS; several separated by commas";

/// One address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PdUrl {
    /// Whether it says https; nothing where it has no scheme.
    pub tls: Option<bool>,
    /// `host:port`.
    pub authority: String,
}

impl PdUrl {
    /// The address to ask; without a scheme https `if_tls`.
    pub fn show(&self, if_tls: bool) -> String {
        let scheme = if self.tls.unwrap_or(if_tls) { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }

    /// A list with commas; white space around them, empty entries and a slash at an end do no harm.
    ///
    /// # Errors
    /// `invalid`, naming the address that is none and why.
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        // A password may have a comma in it: this comes before anything is taken apart.
        if let Some((_, behind)) = text.rsplit_once('@') {
            let address = behind_login(behind.split(',').next().unwrap_or_default().trim());
            return Err(Error::invalid(format!(
                "`***@{address}` is no address of PD: it has a user name or a password in it, which PD does not take"
            ))
            .hint("give the address alone; where the cluster asks who you are, give a certificate and its key"));
        }
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let urls: Vec<Self> = entries.map(Self::parse).collect::<Result<_>>()?;
        match urls.is_empty() {
            false => Ok(urls),
            true => Err(Error::invalid("no address of PD is given").hint(HINT)),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let bad = |why: String| Error::invalid(format!("`{}` is no address of PD: {why}", shown(text))).hint(HINT);
        let lower = text.to_ascii_lowercase();
        if text.contains(char::is_whitespace) {
            return Err(bad("there is white space in it, and several are separated by commas".into()));
        }
        if ["http:", "https:"].iter().any(|scheme| {
            lower
                .strip_prefix(scheme)
                .is_some_and(|rest| !rest.starts_with("//") && !rest.starts_with(|c: char| c.is_ascii_digit()))
        }) {
            return Err(bad("`//` is missing behind its scheme".into()));
        }
        let (tls, rest) = match text.split_once("://") {
            None => (None, text),
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "http" => (Some(false), rest),
                "https" => (Some(true), rest),
                _ => return Err(bad("it does not begin with http:// or https://".into())),
            },
        };
        let (address, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        match behind.trim_start_matches('/') {
            "" => {}
            more if more.starts_with('?') => return Err(bad("it has a query behind host and port".into())),
            more if more.starts_with('#') => return Err(bad("it has a fragment behind host and port".into())),
            _ => return Err(bad("it has a path behind host and port".into())),
        }
        Ok(Self { tls, authority: authority(address).map_err(bad)?.to_owned() })
    }
}

/// An address without what may be secret in it: a query or a fragment.
fn shown(text: &str) -> Cow<'_, str> {
    on_one_line(text.split(['?', '#']).next().unwrap_or_default())
}

/// What may be shown of what stands behind an `@`: an address. What is none may be the password, written in its place.
pub(crate) fn behind_login(text: &str) -> &str {
    let address = text.split(['/', '?', '#']).next().unwrap_or_default();
    if authority(address).is_ok() { address } else { "***" }
}

/// Checks that `text` is `host:port` and nothing more.
///
/// # Errors
/// Why it is not.
pub fn authority(text: &str) -> Result<&str, String> {
    let bare_v6 =
        || text.parse::<Ipv6Addr>().is_ok() || text.rsplit_once(':').is_some_and(|(host, _)| host.contains(':'));
    if !text.starts_with('[') && bare_v6() {
        return Err("an IPv6 address stands in brackets, as in `[::1]:2379`".into());
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => return Err("it has no port".into()),
    };
    let digits = !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
    if !digits || !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Err("its port is no number from 1 to 65535".into());
    }
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let fits = match inner {
        Some(v6) => v6.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)),
    };
    match fits {
        true => Ok(text),
        false => Err("its host is no name or address".into()),
    }
}

/// `text` with `***` in the place of every user name and password before an `@` in an address: for words of a command line
/// that are shown because nobody understands them.
pub fn without_passwords(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = behind.find(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`')).unwrap_or(behind.len());
        let (word, after) = behind.split_at(end);
        match word.rsplit_once('@') {
            Some((_, address)) => shown.push_str(&format!("***@{}", behind_login(address))),
            None => shown.push_str(word),
        }
        rest = after;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str) -> Vec<String> {
        PdUrl::parse_list(text).unwrap().iter().map(|url| url.show(false)).collect()
    }

    #[test]
    fn every_form_that_people_give_is_understood() {
        for (text, url) in [
            ("h:2379", "http://h:2379"),
            ("http://h:2379", "http://h:2379"),
            ("HTTP://h:2379", "http://h:2379"),
            ("Https://H:2379/", "https://H:2379"),
            ("http://h:2379//", "http://h:2379"),
            (" h_1.a-b:1 ", "http://h_1.a-b:1"),
            ("http:1", "http://http:1"),
            ("[::1]:2379", "http://[::1]:2379"),
            ("http://[fe80::1]:2379/", "http://[fe80::1]:2379"),
        ] {
            assert_eq!(urls(text), [url], "{text}");
        }
        assert_eq!(urls("a:1, http://b:2 ,,[::1]:3,"), ["http://a:1", "http://b:2", "http://[::1]:3"]);
        assert_eq!(PdUrl::parse_list("h:1").unwrap()[0].show(true), "https://h:1");
    }

    #[test]
    fn what_is_none_is_shown_with_the_true_reason() {
        for (text, why) in [
            ("", "no address of PD is given"),
            (" , ", "no address of PD is given"),
            ("h", "it has no port"),
            ("HTTP://h", "it has no port"),
            ("http://[::1]", "it has no port"),
            ("h:", "its port is no number"),
            ("h:0", "its port is no number"),
            ("h:70000", "its port is no number"),
            ("h:+1", "its port is no number"),
            ("http://h:2379/pd", "it has a path behind host and port"),
            ("h:2379/pd/api/v1", "it has a path"),
            ("http://h:2379?x=1", "it has a query"),
            ("http://h:2379/#x", "it has a fragment"),
            ("http://::1:2379", "an IPv6 address stands in brackets"),
            ("fe80::1", "an IPv6 address stands in brackets"),
            ("[::g]:1", "its host is no name"),
            ("[fe80::1%eth0]:1", "its host is no name"),
            ("http://:2379", "its host is no name"),
            ("tcp://h:1", "it does not begin with http:// or https://"),
            ("http:/h:1", "`//` is missing"),
            ("https:h:1", "`//` is missing"),
            ("http://a:1 http://b:1", "several are separated by commas"),
            ("http://ü:1", "its host is no name"),
        ] {
            let error = PdUrl::parse_list(text).unwrap_err();
            assert!(error.message.contains(why) && error.hint.is_some(), "{text}: {error}");
        }
    }

    #[test]
    fn a_password_is_named_and_not_shown() {
        for text in [
            "http://root:s3cret@h:2379",
            "root:s3cret@h:2379",
            "http://a:1,https://root:s3cret@h:2379/x,http://c:3",
            "http://root:s3,cr@et@h:2379",
            "http://root:s3/cret@h:2379?s3cret",
            "tcp://root:s3 cret@h:2379",
        ] {
            let error = PdUrl::parse_list(text).unwrap_err();
            assert!(error.message.contains("`***@h:2379"), "{error}");
            assert!(error.message.contains("a user name or a password"), "{error}");
            for part in ["s3", "cret", "et@", "root"] {
                assert!(!format!("{error:?}").contains(part), "{part}: {error:?}");
            }
        }
        let error = PdUrl::parse_list("http://h:2379?password=s3cret").unwrap_err();
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        let text = "unexpected 'http://u:p@h:1' and http://v:q@i:2 or http://plain:3";
        assert_eq!(without_passwords(text), "unexpected 'http://***@h:1' and http://***@i:2 or http://plain:3");
    }
}
