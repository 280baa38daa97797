//! What etcd says instead of doing what it was asked: whether another member would say the same, and what can be done.
//!
//! Whatever it says is told as what it is, never as "nobody answered". The texts are those of etcd's `rpctypes`.

use crate::error::{Error, ErrorKind};
use crate::live::failover::Refusal;
use crate::live::trouble::trouble;
use crate::text::on_one_line;
use crate::world::AlarmKind;
use tonic::{Code, Status};

/// What every text of etcd's begins with.
const ETCD: &str = "etcdserver: ";

/// A server's words, and what can be done about them.
#[derive(Clone, Debug)]
pub struct ServerWords {
    /// The words.
    pub words: String,
    /// What can be done.
    pub advice: &'static str,
}

/// For whom an answer holds.
#[derive(Clone, Copy)]
enum Holds {
    /// For all members: nobody else need be asked.
    Everywhere(ErrorKind),
    /// For this member alone.
    Here,
    /// For now.
    Now,
}

/// An answer of etcd's that is known here.
struct KnownAnswer {
    text: &'static str,
    holds: Holds,
    advice: &'static str,
}

const AUTH: &str = "this etcd asks for a user, which PD's never does: give PD's client URLs, or switch its \
    authentication off (`etcdctl auth disable`)";

const LEADER: &str = "see whether a majority of PD's members runs and can reach each other: \
    `curl URL/pd/api/v1/health`";

const BUSY: &str = "PD's etcd has more to do than it can: look at its disk and at who asks it so much, and try again";

const MOVED: &str = "somebody compacts etcd very often: try again";

const TOO_LARGE: &str =
    "one key holds more than a request or an answer can: `malformed()` names it, or look at what was written";

/// Of a revision that is not there any more.
const COMPACTED: &str = "required revision has been compacted";

const KNOWN: &[KnownAnswer] = &[
    KnownAnswer {
        text: "request is too large",
        holds: Holds::Everywhere(ErrorKind::Rejected),
        advice: "etcd takes 1.5 MiB in one request unless max-request-bytes says otherwise: look at what the key holds",
    },
    KnownAnswer { text: "permission denied", holds: Holds::Everywhere(ErrorKind::Rejected), advice: AUTH },
    KnownAnswer { text: "user name is empty", holds: Holds::Everywhere(ErrorKind::Rejected), advice: AUTH },
    KnownAnswer { text: "invalid auth token", holds: Holds::Everywhere(ErrorKind::Rejected), advice: AUTH },
    KnownAnswer { text: "authentication", holds: Holds::Everywhere(ErrorKind::Rejected), advice: AUTH },
    KnownAnswer { text: "revision of auth store is old", holds: Holds::Everywhere(ErrorKind::Rejected), advice: AUTH },
    KnownAnswer { text: COMPACTED, holds: Holds::Everywhere(ErrorKind::Conflict), advice: MOVED },
    KnownAnswer { text: "too many requests", holds: Holds::Now, advice: BUSY },
    KnownAnswer { text: "request timed out", holds: Holds::Now, advice: BUSY },
    KnownAnswer { text: "no leader", holds: Holds::Now, advice: LEADER },
    KnownAnswer { text: "leader changed", holds: Holds::Now, advice: LEADER },
    KnownAnswer { text: "unhealthy cluster", holds: Holds::Now, advice: LEADER },
    KnownAnswer { text: "not leader", holds: Holds::Now, advice: LEADER },
    KnownAnswer { text: "not supported for learner", holds: Holds::Here, advice: "" },
    KnownAnswer { text: "required revision is a future revision", holds: Holds::Here, advice: "" },
    KnownAnswer { text: "server stopped", holds: Holds::Here, advice: "" },
    KnownAnswer { text: "not capable", holds: Holds::Here, advice: "" },
];

/// Whether etcd says that the revision which it was asked for is compacted away. It has the same code for a revision
/// that a member has not come to.
pub(super) fn is_compacted(status: &Status) -> bool {
    status.message().strip_prefix(ETCD).is_some_and(|said| said.contains(COMPACTED))
}

/// Whether a message was too large for whoever had to read or send it: us, etcd, or a proxy between us.
pub(super) fn is_too_large(status: &Status) -> bool {
    let said = status.message();
    match status.code() {
        // Ours.
        Code::OutOfRange => said.contains("message length too large"),
        // That of gRPC in Go.
        Code::ResourceExhausted => said.contains("message larger than max"),
        _ => false,
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        // They are somebody else's.
        let words = on_one_line(status.message()).into_owned();
        if is_too_large(&status) {
            return Self::Final(Error::new(ErrorKind::Rejected, format!("too large: {words}")).hint(TOO_LARGE));
        }
        // With a cause it is ours; without, the server has said it.
        if let Some(cause) = std::error::Error::source(&status) {
            return trouble(cause).into();
        }
        if let Some(said) = status.message().strip_prefix(ETCD) {
            return etcd_said(said, words.clone(), status.code());
        }
        match status.code() {
            Code::PermissionDenied | Code::Unauthenticated => Self::Final(
                Error::new(ErrorKind::Rejected, format!("the cluster does not let us: {words}"))
                    .hint("give a certificate that the cluster accepts"),
            ),
            Code::Unimplemented => Self::Never(format!("what answers is not PD: {words}")),
            _ if words.contains("grpc-status header missing") => {
                Self::Never("what answers is not PD: it speaks HTTP, and no gRPC".into())
            }
            code if words.is_empty() => {
                Self::Elsewhere(format!("it answers an error without words ({})", code.description()))
            }
            _ => Self::Elsewhere(words),
        }
    }
}

fn etcd_said(text: &str, words: String, code: Code) -> Refusal {
    let rejected =
        |kind, advice: &str| Refusal::Final(Error::new(kind, format!("PD's etcd says: {words}")).hint(advice));
    if let Some(alarm) =
        [AlarmKind::NoSpace, AlarmKind::Corrupt].into_iter().find(|alarm| alarm.words().ends_with(text))
    {
        return rejected(ErrorKind::Rejected, alarm.advice());
    }
    match KNOWN.iter().find(|known| text.contains(known.text)) {
        Some(KnownAnswer { holds: Holds::Everywhere(kind), advice, .. }) => rejected(*kind, advice),
        Some(KnownAnswer { holds: Holds::Here, .. }) => Refusal::Never(words),
        Some(KnownAnswer { holds: Holds::Now, advice, .. }) => Refusal::Again(ServerWords { words, advice }),
        None if code == Code::Unavailable => Refusal::Again(ServerWords { words, advice: LEADER }),
        None => rejected(ErrorKind::Rejected, "its log tells more: look at it on PD's hosts"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What etcd 3.4 says (`etcdserver/api/v3rpc/rpctypes/error.go`), and for whom that holds.
    #[test]
    fn every_answer_of_etcds_is_told_as_what_it_is() {
        let everywhere = [
            (Code::ResourceExhausted, "etcdserver: mvcc: database space exceeded", "alarm disarm"),
            (Code::DataLoss, "etcdserver: corrupt cluster", "hashkv"),
            (Code::InvalidArgument, "etcdserver: request is too large", "max-request-bytes"),
            (Code::InvalidArgument, "etcdserver: too many operations in txn request", "log"),
            (Code::PermissionDenied, "etcdserver: permission denied", "auth disable"),
            (Code::InvalidArgument, "etcdserver: user name is empty", "auth disable"),
            (Code::Unauthenticated, "etcdserver: invalid auth token", "auth disable"),
            (Code::FailedPrecondition, "etcdserver: authentication is not enabled", "auth disable"),
            (Code::InvalidArgument, "etcdserver: authentication failed, invalid user ID or password", "auth disable"),
            (Code::OutOfRange, "etcdserver: mvcc: required revision has been compacted", "again"),
        ];
        for (code, text, advice) in everywhere {
            let refusal = Refusal::from(Status::new(code, text));
            let told = |error: &Error| error.message.contains(text) && error.hint.as_ref().unwrap().contains(advice);
            assert!(matches!(&refusal, Refusal::Final(error) if told(error)), "{refusal:?}");
        }
        for (code, text) in [
            (Code::OutOfRange, "Error, decoded message length too large: found 9 bytes, the limit is: 4 bytes"),
            (Code::ResourceExhausted, "grpc: received message larger than max (9 vs. 4)"),
            (Code::ResourceExhausted, "grpc: trying to send message larger than max (9 vs. 4)"),
        ] {
            let status = Status::new(code, text);
            assert!(is_too_large(&status) && !is_compacted(&status), "{text}");
            let refusal = Refusal::from(status);
            assert!(matches!(&refusal, Refusal::Final(error) if error.message.contains(text)), "{refusal:?}");
        }
        let compacted = |text| is_compacted(&Status::new(Code::OutOfRange, text));
        assert!(compacted("etcdserver: mvcc: required revision has been compacted"));
        assert!(!compacted("etcdserver: mvcc: required revision is a future revision"));
        for (code, text) in [
            (Code::ResourceExhausted, "etcdserver: too many requests"),
            (Code::Unavailable, "etcdserver: no leader"),
            (Code::Unavailable, "etcdserver: leader changed"),
            (Code::Unavailable, "etcdserver: unhealthy cluster"),
            (Code::Unavailable, "etcdserver: request timed out, possibly due to previous leader failure"),
            (Code::Unavailable, "etcdserver: something new"),
        ] {
            let refusal = Refusal::from(Status::new(code, text));
            let told = |said: &ServerWords| said.words == text && !said.advice.is_empty();
            assert!(matches!(&refusal, Refusal::Again(said) if told(said)), "{refusal:?}");
        }
        for (code, text) in [
            (Code::Unavailable, "etcdserver: rpc not supported for learner"),
            (Code::Unavailable, "etcdserver: server stopped"),
        ] {
            assert!(matches!(Refusal::from(Status::new(code, text)), Refusal::Never(words) if words == text));
        }
    }
}
