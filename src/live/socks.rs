//! Connections that a SOCKS5 proxy passes on. It looks names up itself: what they are here says nothing of what they are there.

use crate::live::clock::{Deadline, within};
use crate::live::dial::{DialFailure, Dialer};
use crate::proxy_url::ProxyUrl;
use crate::secret::Secret;
use crate::time::show_seconds;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_socks::Error as Socks;
use tokio_socks::tcp::Socks5Stream;

/// What is wrong with a proxy, or what it says of whom we want.
#[derive(Debug)]
pub(super) struct ProxyTrouble {
    /// As it may be shown.
    proxy: String,
    target: String,
    verdict: ProxyVerdict,
}

#[derive(Debug)]
enum ProxyVerdict {
    /// There is no way to the proxy itself.
    Unreachable(String),
    /// It does not get as far in time; whether it said anything yet is not known.
    Silent(Duration),
    /// It ended the connection.
    Closed,
    /// It is none.
    NoSocks,
    /// It wants to know who we are, or in another way.
    WantsLogin { given: bool },
    /// It does not take what it was told of us.
    WrongLogin,
    /// It answered that it cannot, or will not.
    Says(ProxyAnswer),
}

/// What RFC 1928 lets a proxy say.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ProxyAnswer {
    Failure,
    Forbidden,
    NoNetwork,
    NoHost,
    Refused,
    Expired,
    NotSupported,
}

impl ProxyTrouble {
    /// Whether it said that nobody listens there.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.verdict, ProxyVerdict::Says(ProxyAnswer::Refused))
    }

    /// Whether it does not pass by itself.
    pub(super) fn is_lasting(&self) -> bool {
        match &self.verdict {
            ProxyVerdict::Unreachable(_) | ProxyVerdict::Silent(_) | ProxyVerdict::Closed => false,
            ProxyVerdict::NoSocks | ProxyVerdict::WantsLogin { .. } | ProxyVerdict::WrongLogin => true,
            ProxyVerdict::Says(answer) => match answer {
                ProxyAnswer::Forbidden | ProxyAnswer::NotSupported => true,
                ProxyAnswer::Failure
                | ProxyAnswer::NoNetwork
                | ProxyAnswer::NoHost
                | ProxyAnswer::Refused
                | ProxyAnswer::Expired => false,
            },
        }
    }
}

impl std::fmt::Display for ProxyTrouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { proxy, target, verdict } = self;
        match verdict {
            ProxyVerdict::Unreachable(why) => {
                write!(
                    f,
                    "the proxy {proxy} cannot be reached: {why}; start it, or correct --proxy (`proxy` in the profile)"
                )
            }
            ProxyVerdict::Silent(waited) => write!(
                f,
                "the proxy {proxy} let us connect and has not said in {} that it reaches {target}: see whether it is a SOCKS5 \
                 proxy, and whether {target} answers from its host",
                show_seconds(waited.as_secs_f64())
            ),
            ProxyVerdict::Closed => write!(
                f,
                "the proxy {proxy} closed the connection before it had reached {target}, as `ssh -D` does when it cannot: see its \
                 log, and whether {target} resolves and answers from its host"
            ),
            ProxyVerdict::NoSocks => {
                write!(f, "what answers at {proxy} does not speak SOCKS5: correct --proxy (`proxy` in the profile)")
            }
            ProxyVerdict::WantsLogin { given: false } => {
                write!(f, "the proxy {proxy} wants a user and password: write them as socks5://USER:PASSWORD@HOST:PORT")
            }
            ProxyVerdict::WantsLogin { given: true } => {
                write!(
                    f,
                    "the proxy {proxy} accepts neither user and password nor a login without them: allow one of the two there"
                )
            }
            ProxyVerdict::WrongLogin => {
                write!(f, "the proxy {proxy} does not take this user and password: correct them")
            }
            ProxyVerdict::Says(answer) => write!(f, "the proxy {proxy} says {}", answer.words(target)),
        }
    }
}

impl ProxyAnswer {
    fn words(self, target: &str) -> String {
        match self {
            Self::Failure => {
                format!("that it could not connect to {target}, and not why: see whether the name resolves on its host")
            }
            Self::Forbidden => format!("that its rules do not let us connect to {target}: have them changed"),
            Self::NoNetwork => format!("that there is no way to the network of {target}: see the routes of its host"),
            Self::NoHost => {
                format!("that there is no way to the host of {target}: see whether the name resolves on its host")
            }
            Self::Refused => format!("that {target} refused the connection"),
            Self::Expired => format!("that nobody answers at {target} in time"),
            Self::NotSupported => {
                format!(
                    "that it cannot connect to an address such as {target}: it needs a proxy that takes names, as SOCKS5 has them"
                )
            }
        }
    }
}

/// A connection to `target` (`host:port`) that `proxy` passes on, made within `limit`.
///
/// # Errors
/// What is wrong with the proxy, or what it says.
pub(super) async fn through(
    dialer: &Dialer,
    proxy: &ProxyUrl,
    target: &str,
    limit: Duration,
) -> Result<TcpStream, ProxyTrouble> {
    let trouble = |verdict| ProxyTrouble { proxy: proxy.to_string(), target: target.to_owned(), verdict };
    let deadline = Deadline::after(limit);
    let stream = match within(deadline, dialer.within(limit / 2).port(&proxy.authority)).await {
        Some(Ok(stream)) => stream,
        Some(Err(DialFailure::Name(unresolved))) => {
            return Err(trouble(ProxyVerdict::Unreachable(unresolved.to_string())));
        }
        Some(Err(DialFailure::Port { words, .. } | DialFailure::Map(words))) => {
            return Err(trouble(ProxyVerdict::Unreachable(words)));
        }
        // A proxy is not reached by a proxy.
        Some(Err(DialFailure::Proxy(trouble))) => return Err(trouble),
        None => return Err(trouble(ProxyVerdict::Unreachable("nobody answers at this address in time".into()))),
    };
    let (host, port) = target.rsplit_once(':').unwrap_or((target, ""));
    let target = (host.trim_matches(['[', ']']), port.parse::<u16>().unwrap_or_default());
    let handshake = async {
        match &proxy.user {
            Some((user, Secret::Plain(password))) => {
                Socks5Stream::connect_with_password_and_socket(stream, target, user, password).await
            }
            Some((_, Secret::Hashed(_))) | None => Socks5Stream::connect_with_socket(stream, target).await,
        }
    };
    match within(deadline, handshake).await {
        Some(Ok(stream)) => Ok(stream.into_inner()),
        Some(Err(error)) => Err(trouble(verdict(&error, proxy.user.is_some()))),
        None => Err(trouble(ProxyVerdict::Silent(limit))),
    }
}

/// What an error of the handshake means; `given`: we have a user and password.
fn verdict(error: &Socks, given: bool) -> ProxyVerdict {
    match error {
        Socks::Io(_) => ProxyVerdict::Closed,
        Socks::NoAcceptableAuthMethods | Socks::AuthorizationRequired => ProxyVerdict::WantsLogin { given },
        Socks::PasswordAuthFailure(_)
        | Socks::InvalidAuthValues(_)
        | Socks::IdentdAuthFailure
        | Socks::InvalidUserIdAuthFailure => ProxyVerdict::WrongLogin,
        // The library's name for a number that is none of RFC 1928's, as some proxies have for more causes.
        Socks::GeneralSocksServerFailure | Socks::UnknownAuthMethod | Socks::UnknownError => {
            ProxyVerdict::Says(ProxyAnswer::Failure)
        }
        Socks::ConnectionNotAllowedByRuleset => ProxyVerdict::Says(ProxyAnswer::Forbidden),
        Socks::NetworkUnreachable => ProxyVerdict::Says(ProxyAnswer::NoNetwork),
        Socks::HostUnreachable => ProxyVerdict::Says(ProxyAnswer::NoHost),
        Socks::ConnectionRefused => ProxyVerdict::Says(ProxyAnswer::Refused),
        Socks::TtlExpired => ProxyVerdict::Says(ProxyAnswer::Expired),
        Socks::CommandNotSupported | Socks::AddressTypeNotSupported | Socks::InvalidTargetAddress(_) => {
            ProxyVerdict::Says(ProxyAnswer::NotSupported)
        }
        Socks::ProxyServerUnreachable
        | Socks::InvalidResponseVersion
        | Socks::InvalidReservedByte
        | Socks::UnknownAddressType
        | Socks::ParseError(_) => ProxyVerdict::NoSocks,
    }
}
