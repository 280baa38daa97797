//! A SOCKS5 proxy as people write it: `socks5://host:port`, with `user:password@` where it asks who we are.
//!
//! The password is never shown again, by no form of it and in no error.

use crate::error::{Error, Result};
use crate::pd_url::{authority, behind_login};
use crate::secret::Secret;
use crate::text::on_one_line;
use percent_encoding::percent_decode_str;

const HINT: &str = "write it as `socks5://HOST:PORT`, or `socks5://USER:PASSWORD@HOST:PORT`, in which `%40` is an @";

/// Whoever passes connections on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyUrl {
    /// `host:port`.
    pub authority: String,
    /// What it is told of us.
    pub user: Option<(String, Secret)>,
}

impl ProxyUrl {
    /// One proxy. `socks5h` is the same: names are looked up by the proxy either way.
    ///
    /// # Errors
    /// `invalid`, without the password.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        // A password may hold an @ that somebody forgot to encode.
        let (login, address) = rest.rsplit_once('@').map_or((None, rest), |(login, at)| (Some(login), at));
        let address = address.trim_end_matches('/');
        // What was not understood may be a password: an @ that is missing or encoded, a scheme that is none.
        let is_scheme = scheme.chars().all(|c| c.is_ascii_alphanumeric());
        let shown = match login {
            _ if !is_scheme => "***".to_owned(),
            Some(_) => format!("{scheme}://***@{}", behind_login(address)),
            None if authority(address).is_err() && address.contains([':', '%']) => format!("{scheme}://***"),
            None => text.to_owned(),
        };
        let bad = |why: &str| Error::invalid(format!("`{}` is no proxy: {why}", on_one_line(&shown))).hint(HINT);
        if !["socks5", "socks5h"].iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
            return Err(bad("it does not begin with socks5://"));
        }
        let authority = authority(address).map_err(|why| bad(&why))?.to_owned();
        let user = match login.map(|login| login.split_once(':')) {
            None => None,
            Some(None) if login == Some("***") => {
                return Err(bad("`***` stands in the place of its user and password: type them"));
            }
            Some(None) => return Err(bad("it has a user and no password")),
            Some(Some((user, password))) => {
                let plain = |text: &str| percent_decode_str(text).decode_utf8().map(String::from).ok();
                let (user, password) = (plain(user), plain(password));
                let fits = |text: &Option<String>| text.as_ref().is_some_and(|text| (1..=255).contains(&text.len()));
                match (user, password) {
                    (user, password) if !fits(&user) || !fits(&password) => {
                        return Err(bad("user and password must have from 1 to 255 bytes of UTF-8 each"));
                    }
                    (user, password) => user.zip(password.map(Secret::Plain)),
                }
            }
        };
        Ok(Self { authority, user })
    }
}

/// With `***` in the place of user and password: as it may stand anywhere.
impl std::fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let user = if self.user.is_some() { "***@" } else { "" };
        write!(f, "socks5://{user}{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        for (text, shown) in [
            ("socks5://h:1080", "socks5://h:1080"),
            ("SOCKS5H://[::1]:1080/", "socks5://[::1]:1080"),
            ("socks5://u:p%40ss@h:1080", "socks5://***@h:1080"),
            ("socks5://u:p@ss@h:1080", "socks5://***@h:1080"),
        ] {
            assert_eq!(ProxyUrl::parse(text).unwrap().to_string(), shown, "{text}");
        }
        let user = ProxyUrl::parse("socks5://u%3A1:p%40ss@h:1080").unwrap().user;
        assert_eq!(user, Some(("u:1".into(), Secret::Plain("p@ss".into()))));
    }

    #[test]
    fn what_is_none_is_refused_without_its_password() {
        for (text, why) in [
            ("", "does not begin with socks5://"),
            ("h:1080", "does not begin with socks5://"),
            ("http://root:s3cret@h:1", "does not begin with socks5://"),
            ("root:s3cret@h:1080", "does not begin with socks5://"),
            ("socks5://h", "it has no port"),
            ("socks5://root:s3cret@h:0", "its port is no number"),
            ("socks5://root:s3cret@h:1/x", "its port is no number"),
            ("socks5://root@h:1", "a user and no password"),
            ("socks5://:s3cret@h:1", "from 1 to 255 bytes"),
            ("socks5://***@h:1", "type them"),
            ("socks5://root:s3cret%40h:1080", "is no proxy"),
            ("socks5://root:s3cret", "is no proxy"),
            ("root:s3cret://x@h:1", "does not begin with socks5://"),
            ("root:s3cret", "does not begin with socks5://"),
        ] {
            let error = ProxyUrl::parse(text).unwrap_err();
            assert!(error.message.contains(why) && error.hint.is_some(), "{text}: {error}");
            let told = format!("{error:?}");
            assert!(!told.contains("s3cret") && !told.contains("root"), "{told}");
        }
        let proxy = ProxyUrl::parse("socks5://root:s3cret@h:1").unwrap();
        assert!(!format!("{proxy:?}").contains("s3cret"));
    }
}
