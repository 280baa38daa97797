//! What goes wrong with TLS, in words that say what to do about it.

use super::verifier::ShortKey;
use crate::text::on_one_line;
use crate::time::{Time, Zone};
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InconsistentKeys, PeerIncompatible};

/// Why there is no TLS connection.
pub(in crate::live) fn words(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(why) => format!("its certificate is not trusted: {}", certificate(why)),
        Error::AlertReceived(alert) => said(*alert),
        Error::PeerIncompatible(why) => format!("it and we have no way of TLS in common: {}", incompatible(why)),
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } | Error::PeerSentOversizedRecord => {
            "what it answers is not TLS: it speaks plain text there (leave the CA out if the cluster has no TLS), or it is \
             another port"
                .into()
        }
        Error::NoCertificatesPresented => "it shows no certificate: give it one".into(),
        Error::UnsupportedNameType => "its name cannot be in a certificate: use its host name or its IP address".into(),
        Error::DecryptError => "what came was damaged on its way: try again, and look at the network between".into(),
        Error::NoApplicationProtocol => NO_HTTP2.into(),
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => "the key does not belong to the certificate".into(),
        Error::FailedToGetCurrentTime | Error::FailedToGetRandomBytes => {
            "this host gives no time or no random bytes".into()
        }
        _ => "it does not keep to the rules of TLS: see what is behind this port (`openssl s_client -connect HOST:PORT`)"
            .into(),
    }
}

/// A server that has TLS and no HTTP/2, which gRPC needs.
pub(in crate::live) const NO_HTTP2: &str =
    "it has TLS and does not speak HTTP/2: it is not PD's client port, or something between cuts HTTP/2 off";

fn certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("it expired at {}: renew it, and restart the server that shows it", date(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("it is not valid before {}: compare this host's clock with the server's", date(*not_before))
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names = match presented.as_slice() {
                [] => "it has no name (a subjectAltName; the common name does not count)".into(),
                names => {
                    format!("its names are {}", names.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", "))
                }
            };
            let expected = expected.to_str();
            format!("it is not for {expected}: {names}; use one of its names, or have {expected} put into it")
        }
        CertificateError::Other(other) => match other.0.downcast_ref::<ShortKey>() {
            Some(short) => on_one_line(&short.to_string()).into_owned(),
            None => in_general(why).into(),
        },
        other => in_general(other).into(),
    }
}

/// The same, where nothing of the certificate need be named.
fn in_general(why: &CertificateError) -> &'static str {
    match why {
        CertificateError::UnknownIssuer => {
            "no authority in the CA file has signed it: give the CA that the cluster's certificates are signed with (all of \
             them in one file, if there are several)"
        }
        CertificateError::Expired => "it has expired: renew it, and restart the server that shows it",
        CertificateError::NotValidYet => "it is not valid yet: compare this host's clock with the server's",
        CertificateError::NotValidForName => {
            "it is not for this name: use one of its names, or have this one put into it"
        }
        CertificateError::Revoked => "it was revoked: renew it, and restart the server that shows it",
        CertificateError::BadEncoding => {
            "it cannot be read as a certificate: have it made anew (`openssl x509 -in FILE -noout -text` reads a good one)"
        }
        CertificateError::BadSignature => {
            "no authority in the CA file has signed it, though one there has the name of its signer (a CA that was made \
             anew?): give the CA that the cluster's certificates are signed with"
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it is signed in a way that is not taken any more, such as with SHA-1: have it made anew with SHA-256"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not for servers (extendedKeyUsage): have it made anew with serverAuth"
        }
        CertificateError::UnhandledCriticalExtension => {
            "it has a critical extension that is not known here: have it made anew without"
        }
        CertificateError::UnknownRevocationStatus
        | CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. }
        | CertificateError::InvalidOcspResponse => "whether it was revoked cannot be told",
        // An authority's own, and others that the verifier of chains knows no better word for.
        _ => {
            "it is an authority's certificate or of an old version, and not itself in the CA file: put it there as it is, or \
             give the server one that the authority has signed"
        }
    }
}

/// A name in a certificate, as the verifier shows it (`DnsName("a")`, `IpAddress(127.0.0.1)`), without its wrapping.
fn plain(name: &str) -> &str {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(name).trim_matches('"')
}

fn date(time: UnixTime) -> String {
    let ms = i64::try_from(time.as_secs()).unwrap_or(i64::MAX).saturating_mul(1000);
    Time::new(ms, Zone::Utc).to_string()
}

fn incompatible(why: &PeerIncompatible) -> &'static str {
    match why {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::SupportedVersionsExtensionRequired => "it has neither TLS 1.2 nor 1.3: bring it up to date",
        _ => "no cipher, curve or signature that both know: bring it up to date, or allow it today's ciphers",
    }
}

/// What the server says before it ends the connection.
fn said(alert: AlertDescription) -> String {
    let ours = |what: &str| format!("it does not take our certificate: {what}");
    match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "it asks for a certificate of ours: give one with its key (--cert and --key; under ctl: -ssl-cert and -ssl-key)"
                .into()
        }
        AlertDescription::UnknownCA => ours("it does not know the authority that signed it: give one of the cluster's CA"),
        AlertDescription::CertificateExpired => ours("it has expired: renew it"),
        AlertDescription::CertificateRevoked => ours("it was revoked: renew it"),
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown => {
            ours("see that it is of the cluster's CA, for clients (clientAuth), and that its name is allowed; or none was given \
                  and it asks for one")
        }
        AlertDescription::AccessDenied => ours("its name is not allowed there (cert-allowed-cn)"),
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "it ends the handshake: no cipher or signature that both know, or it asks for a certificate of ours (--cert and \
             --key)"
                .into()
        }
        AlertDescription::ProtocolVersion => {
            "it has no version of TLS that we have (1.2 and 1.3): bring it up to date".into()
        }
        AlertDescription::UnrecognisedName => "it does not know the name that it was called by: use another of its names".into(),
        AlertDescription::NoApplicationProtocol => NO_HTTP2.into(),
        AlertDescription::DecryptError => {
            ours("its signature does not hold: see that the cluster's present CA has signed it")
        }
        AlertDescription::InternalError => "it has a fault of its own with TLS: look at its log".into(),
        AlertDescription::CloseNotify | AlertDescription::UserCanceled => "it ends the connection without a word".into(),
        other => format!("it ends the connection with TLS alert {}: look at its log", u8::from(other)),
    }
}

/// Whether a server says so to whom it does not let in.
pub(in crate::live) fn keeps_out(alert: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        alert,
        Alert::CertificateRequired
            | Alert::NoCertificate
            | Alert::UnknownCA
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateUnknown
            | Alert::AccessDenied
            | Alert::DecryptError
            | Alert::HandshakeFailure
            | Alert::ProtocolVersion
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::ServerName;
    use rustls::{InvalidMessage, OtherError, PeerMisbehaved};

    fn certificates() -> Vec<CertificateError> {
        let (time, other) = (UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_700_000_000)), fmt_error());
        vec![
            CertificateError::UnknownIssuer,
            CertificateError::Expired,
            CertificateError::ExpiredContext { time, not_after: time },
            CertificateError::NotValidYet,
            CertificateError::NotValidYetContext { time, not_before: time },
            CertificateError::NotValidForName,
            CertificateError::NotValidForNameContext {
                expected: ServerName::try_from("pd-1").unwrap(),
                presented: vec!["DnsName(\"pd-0\")".into(), "IpAddress(10.0.0.1)".into()],
            },
            CertificateError::Revoked,
            CertificateError::BadEncoding,
            CertificateError::BadSignature,
            CertificateError::InvalidPurpose,
            CertificateError::UnhandledCriticalExtension,
            CertificateError::UnknownRevocationStatus,
            CertificateError::ApplicationVerificationFailure,
            CertificateError::Other(other),
        ]
    }

    fn fmt_error() -> OtherError {
        OtherError(std::sync::Arc::new(std::fmt::Error))
    }

    #[test]
    fn no_text_of_rust_is_in_any_message() {
        let alerts = (0..=u8::MAX).map(AlertDescription::from);
        let errors = certificates().into_iter().map(Error::InvalidCertificate).chain(alerts.map(Error::AlertReceived));
        let others = [
            Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
            Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
            Error::PeerMisbehaved(PeerMisbehaved::MissingKeyShare),
            Error::InvalidMessage(InvalidMessage::InvalidContentType),
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch),
            Error::NoCertificatesPresented,
            Error::General("whatever".into()),
            Error::Other(fmt_error()),
        ];
        for error in errors.chain(others) {
            let said = words(&error);
            let rust = said.contains("::") || said.contains("Context") || said.contains('"') || said.contains('{');
            assert!(!rust && said.len() > 20, "{error:?}: {said}");
            let kind = format!("{error:?}");
            assert!(
                kind.split(|c: char| !c.is_alphanumeric())
                    .filter(|word| word.len() > 13)
                    .all(|word| !said.contains(word))
            );
        }
        let names = certificate(&certificates()[6]);
        assert!(names.contains("its names are pd-0, 10.0.0.1;") && names.contains("not for pd-1"), "{names}");
        assert!(certificate(&certificates()[2]).contains("expired at 2023-11-14T22:13:20Z"));
    }
}
