//! Why there is no connection or no answer, in words, whichever library says so first.

use crate::live::connect::NoHttp2;
use crate::live::dial::NoConnection;
use crate::live::tls::{keeps_out, words};
use std::error::Error;
use std::io;

/// What went wrong between us and somebody.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) words: String,
    /// It does not pass by itself, as a restart does.
    pub(super) lasting: bool,
    /// We were not let in, so that nothing of ours was heard, even if it was sent.
    pub(super) unheard: bool,
}

/// What `error` and its causes mean.
pub(super) fn trouble(error: &(dyn Error + 'static)) -> Trouble {
    let lasting = |words| Trouble { words, lasting: true, unheard: false };
    if let Some(trouble) = tls_trouble(error) {
        return trouble;
    }
    if let Some(none) = find::<NoConnection>(error) {
        return Trouble { words: none.to_string(), lasting: none.why.is_lasting(), unheard: false };
    }
    if let Some(no_http2) = find::<NoHttp2>(error) {
        return lasting(no_http2.to_string());
    }
    let texts: Vec<String> = causes(error).map(ToString::to_string).collect();
    let has = |part: &str| texts.iter().any(|text| text.contains(part));
    if has("frame with invalid size") || has("protocol error") {
        let words = "what it answers is not HTTP/2: it is not PD's client port, or it asks for TLS (give the CA with --ca; \
                     under ctl: -ssl-ca)";
        return lasting(words.into());
    }
    let known = find::<io::Error>(error).and_then(|io| io_words(io.kind()));
    Trouble { words: known.map_or_else(|| root(error), str::to_owned), lasting: false, unheard: false }
}

/// What `error` says of TLS, if it does.
pub(super) fn tls_trouble(error: &(dyn Error + 'static)) -> Option<Trouble> {
    let tls = find::<rustls::Error>(error)?;
    let unheard = matches!(tls, rustls::Error::AlertReceived(alert) if keeps_out(*alert));
    Some(Trouble { words: words(tls), lasting: true, unheard })
}

/// What the system says, in words; `None` for what it says better itself.
pub(super) fn io_words(kind: io::ErrorKind) -> Option<&'static str> {
    use io::ErrorKind as Io;
    Some(match kind {
        Io::ConnectionRefused => "connection refused",
        Io::ConnectionReset | Io::ConnectionAborted => "the connection was reset",
        Io::BrokenPipe | Io::UnexpectedEof => "the connection was closed without an answer",
        Io::TimedOut => "nobody answers at this address",
        Io::HostUnreachable => "no way to this host",
        Io::NetworkUnreachable => "no way to this network",
        Io::PermissionDenied => "this host does not let us connect (a firewall of its own?)",
        _ => return None,
    })
}

/// An error and its causes.
pub(super) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The words of the innermost cause, which is the one that says something.
pub(super) fn root(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// The first cause that is a `T`, one within an I/O error included.
pub(super) fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|error| {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        // An I/O error gives its inner error's source for its own.
        let inner = error.downcast_ref::<io::Error>()?.get_ref()?;
        find::<T>(inner)
    })
}
