//! Certificates that are renewed while a session goes on: the files are read again for a new connection once one of them has
//! changed.

use super::Tls;
use crate::error::Result;
use crate::live::settings::TlsFiles;
use crate::world::{Notice, Notices};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// The certificates as they are by now.
pub(in crate::live) struct RenewedTls {
    files: Option<TlsFiles>,
    notices: Notices,
    known: Mutex<KnownTls>,
}

/// What was read last, and how the files were when that was last tried.
struct KnownTls {
    stamps: Vec<Option<FileStamp>>,
    tls: Arc<Tls>,
}

/// When a file was written last, and how long it is.
type FileStamp = (SystemTime, u64);

impl RenewedTls {
    /// Reads the files.
    ///
    /// # Errors
    /// Those of [`Tls::load`].
    pub(in crate::live) fn new(files: Option<TlsFiles>, notices: Notices) -> Result<Self> {
        // Looked at before they are read: what is written meanwhile is read again.
        let stamps = stamps(files.as_ref());
        let tls = Arc::new(Tls::load(files.as_ref())?);
        Ok(Self { files, notices, known: Mutex::new(KnownTls { stamps, tls }) })
    }

    /// Those for a new connection. While what was renewed cannot be used, as half of a pair, those from before are.
    pub(in crate::live) fn now(&self) -> Arc<Tls> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(self.files.as_ref());
        if stamps != known.stamps {
            match Tls::load(self.files.as_ref()) {
                Ok(tls) => *known = KnownTls { stamps, tls: Arc::new(tls) },
                Err(error) => {
                    // Tried once for each state of the files, and not for each of a thousand connections.
                    known.stamps = stamps;
                    let told = format!("the TLS files have changed, those from before are used: {}", error.message);
                    (self.notices)(Notice::Warning(told));
                }
            }
        }
        known.tls.clone()
    }

    /// `https` or `http`.
    pub(in crate::live) fn scheme(&self) -> &'static str {
        if self.files.is_some() { "https" } else { "http" }
    }
}

/// Those of all files; none of one that cannot be looked at.
fn stamps(files: Option<&TlsFiles>) -> Vec<Option<FileStamp>> {
    let stamp = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    let identity = |files: &TlsFiles| files.identity.clone().map(|(cert, key)| [cert, key]);
    let paths = files.map(|files| (files.ca.clone(), identity(files)));
    let Some((ca, identity)) = paths else { return Vec::new() };
    std::iter::once(ca).chain(identity.into_iter().flatten()).map(|path| stamp(&path)).collect()
}
