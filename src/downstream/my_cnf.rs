//! A `my.cnf`, as MySQL's own client reads its section `[client]`: how to log in to a database.
//!
//! Comments begin with `#` or `;`, values may stand in quotes, `-` and `_` in names are the same, and `\n`, `\t`, `\r`, `\b`, `\s` and
//! `\\` are escapes. What is not taken is an error that says so, never silently something else: `!include` and `!includedir`,
//! a password for a key. No error quotes what stands there, since any of it may be a password.

use crate::error::{Error, Result};
use crate::secret::Secret;
use std::path::PathBuf;
use strum::{IntoStaticStr, VariantArray};

/// How far TLS is asked for, and what of it is verified; the words are MySQL's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum SslMode {
    /// Without TLS.
    Disabled,
    /// With TLS if the server has it, whoever it is.
    Preferred,
    /// With TLS, whoever it is.
    Required,
    /// With TLS, and a certificate of the CA.
    VerifyCa,
    /// With TLS, and a certificate of the CA for the name that was asked for.
    VerifyIdentity,
}

impl SslMode {
    /// The word in a `my.cnf`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// How to log in to a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientOptions {
    /// Its host.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// Its socket on this host, which stands before host and port.
    pub socket: Option<PathBuf>,
    /// Who logs in.
    pub user: Option<String>,
    /// With which password; `None` where none is said.
    pub password: Option<Secret>,
    /// The certificates to trust (PEM).
    pub ssl_ca: Option<PathBuf>,
    /// Our own certificate (PEM).
    pub ssl_cert: Option<PathBuf>,
    /// Its key (PEM).
    pub ssl_key: Option<PathBuf>,
    /// How far TLS is asked for.
    pub ssl_mode: Option<SslMode>,
}

impl ClientOptions {
    /// Reads the section `[client]` of `text`. Other sections, and what else stands in this one, are for other programs.
    ///
    /// # Errors
    /// `invalid`, with the line, and never with what stands there.
    pub fn parse(text: &str) -> Result<Self> {
        let mut options = Self::default();
        let mut is_ours = false;
        for (at, line) in text.lines().enumerate() {
            let (number, line) = (at + 1, line.trim());
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if line.starts_with('!') {
                return Err(wrong(number, "includes another file, which is not followed here")
                    .hint("name a file that has the section [client] itself"));
            }
            if let Some(section) = line.strip_prefix('[') {
                let Some((name, _)) = section.split_once(']') else {
                    return Err(wrong(number, "begins a section and does not end its name with `]`"));
                };
                is_ours = name.trim() == "client";
                continue;
            }
            if is_ours {
                let (name, value) = line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value)));
                options.set(number, name.trim(), value)?;
            }
        }
        Ok(options)
    }

    fn set(&mut self, line: usize, name: &str, value: Option<&str>) -> Result<()> {
        let name = name.to_ascii_lowercase().replace('_', "-");
        let text =
            || value.map_or_else(|| Err(wrong(line, "has no value behind a `=`")), |value| unquoted(line, value));
        let path = || Ok::<_, Error>(Some(PathBuf::from(text()?)));
        match name.trim_start_matches("loose-") {
            "host" => self.host = Some(text()?).filter(|host| !host.is_empty()),
            "user" => self.user = Some(text()?).filter(|user| !user.is_empty()),
            // Without a value the client asks for it.
            "password" => self.password = value.map(|_| text()).transpose()?.map(Secret::Plain),
            "port" => {
                let port = text()?.parse().map_err(|_| wrong(line, "is no port from 0 to 65535"))?;
                self.port = Some(port).filter(|port| *port > 0);
            }
            "socket" => self.socket = path()?,
            "ssl-ca" => self.ssl_ca = path()?,
            "ssl-cert" => self.ssl_cert = path()?,
            "ssl-key" => self.ssl_key = path()?,
            "ssl-mode" => self.ssl_mode = Some(mode(line, &text()?)?),
            // MariaDB's words for it.
            "ssl" if flag(line, value)? => self.ssl_mode = self.ssl_mode.or(Some(SslMode::Required)),
            "ssl" | "skip-ssl" => self.ssl_mode = Some(SslMode::Disabled),
            "ssl-verify-server-cert" if flag(line, value)? => self.ssl_mode = Some(SslMode::VerifyIdentity),
            _ => {}
        }
        Ok(())
    }

    /// How far TLS is asked for: where a CA is named and nothing is said, the server must have a certificate of it.
    pub fn mode(&self) -> SslMode {
        let unsaid = if self.ssl_ca.is_some() { SslMode::VerifyCa } else { SslMode::Preferred };
        self.ssl_mode.unwrap_or(unsaid)
    }
}

fn wrong(line: usize, what: &str) -> Error {
    Error::invalid(format!("line {line} of it {what}"))
}

fn mode(line: usize, word: &str) -> Result<SslMode> {
    let is_it = |mode: &&SslMode| mode.name().eq_ignore_ascii_case(word);
    SslMode::VARIANTS.iter().find(is_it).copied().ok_or_else(|| {
        let all: Vec<&str> = SslMode::VARIANTS.iter().map(|mode| mode.name()).collect();
        wrong(line, "has an ssl-mode that there is not").hint(format!("it may be {}", all.join(", ")))
    })
}

fn flag(line: usize, value: Option<&str>) -> Result<bool> {
    let Some(value) = value else { return Ok(true) };
    match unquoted(line, value)?.to_ascii_lowercase().as_str() {
        "" | "1" | "on" | "true" => Ok(true),
        "0" | "off" | "false" => Ok(false),
        _ => Err(wrong(line, "is neither on nor off")),
    }
}

/// A value without its quotes, its escapes and what is a comment behind it.
fn unquoted(line: usize, value: &str) -> Result<String> {
    let value = value.trim();
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    let mut letters = value[quote.map_or(0, char::len_utf8)..].chars();
    let mut text = String::new();
    loop {
        match letters.next() {
            None if quote.is_some() => return Err(wrong(line, "has a quote that does not end")),
            None => return Ok(text.trim_end().to_owned()),
            Some(letter) if quote == Some(letter) => break,
            // A comment can begin in the middle of a line.
            Some('#') if quote.is_none() => return Ok(text.trim_end().to_owned()),
            Some('\\') => match letters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('b') => text.push('\u{8}'),
                Some('s') => text.push(' '),
                Some('\\') => text.push('\\'),
                Some(quote @ ('"' | '\'')) => text.push(quote),
                // MySQL keeps both signs.
                Some(other) => text.extend(['\\', other]),
                None => text.push('\\'),
            },
            Some(letter) => text.push(letter),
        }
    }
    let rest = letters.as_str().trim();
    match rest.is_empty() || rest.starts_with(['#', ';']) {
        true => Ok(text),
        false => Err(wrong(line, "goes on behind the quote that ends its value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(line: &str) -> Result<Option<Secret>> {
        ClientOptions::parse(&format!("[client]\npassword{line}\n")).map(|options| options.password)
    }

    #[test]
    fn the_section_of_clients_is_read_and_no_other() {
        let text = "# mine\n[mysqld]\nport = 1\nnonsense\n[client]\nhost = db\nPort=3307\nuser= 'a b'\npassword = \"x#y\" ; z\n\
                    ssl_ca = /ca.pem\nssl-mode = verify_identity\ndefault-character-set = utf8mb4\n[mysql]\nuser = other\n";
        let options = ClientOptions::parse(text).unwrap();
        assert_eq!(
            (options.host.as_deref(), options.port, options.user.as_deref()),
            (Some("db"), Some(3307), Some("a b"))
        );
        assert_eq!(options.password, Some(Secret::Plain("x#y".into())));
        assert_eq!((options.mode(), options.ssl_ca), (SslMode::VerifyIdentity, Some("/ca.pem".into())));
    }

    #[test]
    fn passwords_are_read_as_mysql_reads_them() {
        for (line, expected) in [
            (" = a # b", "a"),
            ("=a\\sb", "a b"),
            ("=\"a\\\\b\"", "a\\b"),
            ("='it''", "it"),
            ("=a\"b", "a\"b"),
            ("=a\\qb", "a\\qb"),
            ("=", ""),
            ("=\"\"", ""),
        ] {
            match password(line) {
                Ok(found) => assert_eq!(found, Some(Secret::Plain(expected.into())), "{line}"),
                Err(_) => assert_eq!(line, "='it''"),
            }
        }
        assert_eq!(password("").unwrap(), None);
    }

    #[test]
    fn a_ca_alone_asks_for_its_certificates() {
        assert_eq!(ClientOptions::parse("[client]\nssl-ca=/ca").unwrap().mode(), SslMode::VerifyCa);
        assert_eq!(ClientOptions::parse("").unwrap().mode(), SslMode::Preferred);
        assert_eq!(ClientOptions::parse("[client]\nskip-ssl").unwrap().mode(), SslMode::Disabled);
        assert_eq!(ClientOptions::parse("[client]\nssl").unwrap().mode(), SslMode::Required);
        assert_eq!(
            ClientOptions::parse("[client]\nssl-verify-server-cert=on").unwrap().mode(),
            SslMode::VerifyIdentity
        );
    }

    #[test]
    fn what_is_not_taken_is_an_error_that_quotes_nothing() {
        for text in [
            "!includedir /etc/hunter2",
            "[client",
            "[client]\nport = hunter2",
            "[client]\npassword = \"hunter2",
            "[client]\npassword = \"x\" hunter2",
            "[client]\nssl-mode = hunter2",
            "[client]\nssl = hunter2",
            "[client]\nhost",
        ] {
            let error = ClientOptions::parse(text).unwrap_err();
            assert!(error.message.contains("line "), "{error}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
