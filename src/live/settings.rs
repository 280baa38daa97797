//! Which cluster, how to reach it, and how long to wait: checked before anything is connected.

use crate::address_map::AddressMap;
use crate::error::{Error, ErrorKind, Result};
use crate::pd_url::PdUrl;
use crate::proxy_url::ProxyUrl;
use crate::secret::KeyPassword;
use crate::world::Console;
use std::path::PathBuf;
use std::time::Duration;

/// How long the maintenance lock of a process lives that is not heard of any more.
pub(crate) const LOCK_TTL: Duration = Duration::from_secs(30);

/// Where the certificates are. All or nothing but the pair of certificate and key, which a cluster may not ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority that signed the cluster's certificates (PEM).
    pub ca: PathBuf,
    /// Our own certificate and its key (PEM), where the cluster asks for one.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
    /// The key's password, if it is encrypted.
    pub(super) password: KeyPassword,
}

impl TlsFiles {
    /// Puts together what was given; nothing at all means no TLS.
    ///
    /// # Errors
    /// `invalid` when a part is missing: a half-configured TLS is never silently plain.
    pub fn new(ca: Option<PathBuf>, cert: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<Self>> {
        let hint = "give the CA, and certificate and key together, or none of them";
        let identity = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            (Some(_), None) => return Err(Error::invalid("a TLS certificate is given without its key").hint(hint)),
            (None, Some(_)) => return Err(Error::invalid("a TLS key is given without its certificate").hint(hint)),
        };
        match (ca, identity) {
            (Some(ca), identity) => Ok(Some(Self { ca, identity, password: KeyPassword::default() })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Error::invalid("a TLS certificate and key are given without a CA").hint(hint)),
        }
    }
}

impl TlsFiles {
    /// The same, with what opens its key.
    #[must_use]
    pub fn opened_by(self, password: KeyPassword) -> Self {
        Self { password, ..self }
    }
}

/// The settings of a live world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSettings {
    pub(super) pd_urls: Vec<String>,
    pub(super) tls: Option<TlsFiles>,
    pub(super) timeout: Duration,
    pub(super) probe_timeout: Duration,
    pub(super) lock_ttl: Duration,
    pub(super) addresses: AddressMap,
    pub(super) proxy: Option<ProxyUrl>,
}

impl LiveSettings {
    /// Checks what was given, and opens nothing.
    ///
    /// A PD URL is `http://host:port`, `https://host:port` or `host:port`; one text may hold several, separated by
    /// commas. With TLS every URL is spoken to over https, whatever it says. The time-out of an exchange is 5 s
    /// (binlogctl's) until [`LiveSettings::timeout`] says otherwise.
    ///
    /// # Errors
    /// `invalid`: no URL, a URL that is none, or `https` without a CA.
    pub fn new<U: AsRef<str>>(pd_urls: &[U], tls: Option<TlsFiles>) -> Result<Self> {
        let text = pd_urls.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(",");
        let mut urls = Vec::new();
        for url in PdUrl::parse_list(&text)? {
            if url.tls == Some(true) && tls.is_none() {
                return Err(Error::invalid(format!("`{}` needs TLS, and no CA is given", url.show(true)))
                    .hint("give the CA with --ca (under ctl: -ssl-ca), or in the profile"));
            }
            let scheme = if tls.is_some() { "https" } else { "http" };
            let url = format!("{scheme}://{}", url.authority);
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        let (timeout, probe_timeout) = (Duration::from_secs(5), Duration::from_secs(1));
        let (addresses, proxy) = Default::default();
        Ok(Self { pd_urls: urls, tls, timeout, probe_timeout, lock_ttl: LOCK_TTL, addresses, proxy })
    }

    /// The same, with another time-out for each exchange.
    ///
    /// # Errors
    /// `invalid` below 10 ms, which nothing answers.
    pub fn timeout(mut self, timeout: Duration) -> Result<Self> {
        if timeout < Duration::from_millis(10) {
            return Err(Error::new(ErrorKind::Invalid, "the time-out of an exchange is below 10 ms"));
        }
        self.timeout = timeout;
        self.probe_timeout = self.probe_timeout.min(timeout);
        Ok(self)
    }

    /// The same, where names are reached elsewhere by `addresses`, and by a proxy if there is one.
    #[must_use]
    pub fn reached_by(mut self, addresses: AddressMap, proxy: Option<ProxyUrl>) -> Self {
        (self.addresses, self.proxy) = (addresses, proxy);
        self
    }

    /// The same, with a maintenance lock that lives for another time than 30 s (whole seconds), so that a test of
    /// it need not wait for half a minute. Below twice the time-out no request is sent to a node under the lock.
    #[must_use]
    pub fn lock_ttl(mut self, ttl: Duration) -> Self {
        self.lock_ttl = ttl;
        self
    }

    /// PD's URLs as they will be asked.
    pub fn pd_urls(&self) -> &[String] {
        &self.pd_urls
    }

    /// Asks for the password of a key that is encrypted, where none is known and somebody is there who knows it.
    ///
    /// # Errors
    /// `invalid` when what is typed does not open it, `interrupted`.
    pub fn open_key(&self, console: &mut dyn Console) -> Result<()> {
        self.tls.as_ref().map_or(Ok(()), |files| super::tls::ask_for_password(files, console))
    }

    /// Reads the certificates now rather than at first use, so that a bad file is found before anything else.
    ///
    /// # Errors
    /// `local` for a file that cannot be read, `invalid` for one that is not PEM; both name it.
    pub fn check_files(&self) -> Result<()> {
        super::tls::Tls::load(self.tls.as_ref()).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ca() -> Option<TlsFiles> {
        TlsFiles::new(Some("ca.pem".into()), None, None).unwrap()
    }

    #[test]
    fn urls_come_in_three_forms_and_separated_by_commas() {
        let settings = LiveSettings::new(&["http://a:1, b:2,", "c-d.e:3/", "[::1]:4", "a:1"], None).unwrap();
        assert_eq!(settings.pd_urls(), ["http://a:1", "http://b:2", "http://c-d.e:3", "http://[::1]:4"]);
    }

    #[test]
    fn with_tls_nothing_is_spoken_to_in_plain_text() {
        let settings = LiveSettings::new(&["http://a:1,https://b:2,c:3"], ca()).unwrap();
        assert_eq!(settings.pd_urls(), ["https://a:1", "https://b:2", "https://c:3"]);
    }

    #[test]
    fn a_url_that_is_none_is_invalid_and_shown() {
        for bad in ["", "a", "a:", "a:0", "a:70000", "ftp://a:1", "http://a:1/x", ":1", "[x]:1", "a b:1"] {
            let error = LiveSettings::new(&[bad], None).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Invalid, "{bad}");
            assert!(error.message.contains(bad) && error.hint.is_some(), "{error}");
        }
    }

    #[test]
    fn https_without_a_ca_is_an_error() {
        let error = LiveSettings::new(&["https://a:1"], None).unwrap_err();
        assert!(error.message.contains("no CA"), "{error}");
    }

    #[test]
    fn half_a_tls_configuration_is_never_silently_plain() {
        let path = || Some(PathBuf::from("x.pem"));
        for (ca, cert, key) in [
            (None, path(), path()),
            (path(), path(), None),
            (path(), None, path()),
            (None, path(), None),
            (None, None, path()),
        ] {
            assert_eq!(TlsFiles::new(ca, cert, key).unwrap_err().kind, ErrorKind::Invalid);
        }
        assert_eq!(TlsFiles::new(None, None, None).unwrap(), None);
        assert!(TlsFiles::new(path(), None, None).unwrap().is_some());
        assert!(TlsFiles::new(path(), path(), path()).unwrap().is_some());
    }

    #[test]
    fn a_missing_certificate_file_is_named() {
        let settings = LiveSettings::new(&["a:1"], ca()).unwrap();
        let error = settings.check_files().unwrap_err();
        assert!(error.message.contains("ca.pem"), "{error}");
    }
}
