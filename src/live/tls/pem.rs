//! The certificate files: read as PEM, and when that cannot be, told what is in them instead and what to do.

use crate::error::{Error, Result};
use crate::files::{self, ReadFault};
use crate::secret::KeyPassword;
use crate::text::shell_word;
use base64::Engine;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// No certificate file is larger.
const LARGEST: u64 = 4 << 20;

/// The label of a key that is encrypted by PKCS#8.
pub(super) const LOCKED: &str = "ENCRYPTED PRIVATE KEY";

/// What a file is to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Role {
    Authority,
    Certificate,
    Key,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Authority => "CA",
            Self::Certificate => "certificate",
            Self::Key => "key",
        }
    }
}

/// A file as it was read.
pub(super) struct PemFile {
    role: Role,
    path: PathBuf,
    content: Vec<u8>,
}

impl PemFile {
    /// Reads it.
    ///
    /// # Errors
    /// `local`, naming it, when it cannot be read; `invalid` when it is no file, or empty.
    pub(super) fn read(role: Role, path: &Path) -> Result<Self> {
        let unreadable = |e: std::io::Error| {
            let hint = match e.kind() {
                ErrorKind::PermissionDenied => "let the user who runs this read it (`ls -l`, `id`), but nobody else",
                ErrorKind::NotFound => {
                    "check the path; a relative one counts from the current directory, in a profile from it"
                }
                _ => "check the path and who may read the file",
            };
            Error::local(format!("cannot read the TLS {} {}: {e}", role.name(), path.display())).hint(hint)
        };
        let file = Self { role, path: path.to_owned(), content: Vec::new() };
        let content = files::read(path, LARGEST).map_err(|fault| match fault {
            ReadFault::Refused(fault) => unreadable(fault),
            fault @ (ReadFault::NoFile(_) | ReadFault::TooLarge(_) | ReadFault::Interrupted(_)) => {
                fault.error(format!("cannot read the TLS {} {}", role.name(), path.display()))
            }
        })?;
        if content.iter().all(u8::is_ascii_whitespace) {
            return Err(file.bad("is empty", "see whether what was to write it has failed"));
        }
        Ok(Self { content, ..file })
    }

    /// The certificates in it.
    ///
    /// # Errors
    /// `invalid`, saying what it holds instead.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.content).collect();
        match found {
            Ok(found) if found.is_empty() => Err(self.instead()),
            Ok(found) => Ok(found),
            Err(why) => Err(self.damaged(&why)),
        }
    }

    /// The first key in it; one that is encrypted is opened by `password`.
    ///
    /// # Errors
    /// `invalid`, saying what it holds instead, or that the password does not open it.
    pub(super) fn key(&self, password: &KeyPassword) -> Result<PrivateKeyDer<'static>> {
        if self.is_locked() {
            return self.unlocked(password);
        }
        PrivateKeyDer::from_pem_slice(&self.content).map_err(|why| match why {
            pem::Error::NoItemsFound => self.instead(),
            why => self.damaged(&why),
        })
    }

    /// The error that this file `what` ("is empty"), and what to do about it.
    pub(super) fn bad(&self, what: &str, hint: impl Into<String>) -> Error {
        Error::invalid(format!("the TLS {} {} {what}", self.role.name(), self.path.display())).hint(hint)
    }

    fn damaged(&self, why: &pem::Error) -> Error {
        let what = match why {
            pem::Error::MissingSectionEnd { .. } => "ends before its last line (-----END ...)",
            pem::Error::IllegalSectionStart { .. } => "has a first line (-----BEGIN ...) that is damaged",
            pem::Error::Base64Decode(_) => "is damaged: what is between its first and its last line is not base64",
            _ => "cannot be read as PEM",
        };
        self.bad(what, "copy it anew from where it was made")
    }

    /// What is in its first section with this label, if there is one; `None` if that is damaged.
    pub(super) fn section(&self, label: &str) -> Option<Option<Vec<u8>>> {
        let text = String::from_utf8_lossy(&self.content);
        let (_, section) = text.split_once(&format!("-----BEGIN {label}-----"))?;
        let body = section.split_once(&format!("-----END {label}-----")).map(|(body, _)| body);
        let body = body.map(|body| body.split_ascii_whitespace().collect::<String>());
        Some(body.and_then(|body| base64::engine::general_purpose::STANDARD.decode(body).ok()))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The labels of its PEM sections.
    fn labels(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.content);
        let label = |line: &str| Some(line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----")?.to_owned());
        text.lines().filter_map(label).collect()
    }

    /// Whether its key needs a password: in PKCS#8 by its label, in the older forms by a line of its own.
    pub(super) fn is_locked(&self) -> bool {
        let text = String::from_utf8_lossy(&self.content);
        let old = |line: &str| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED");
        self.labels().iter().any(|label| label == LOCKED) || text.lines().any(old)
    }

    /// There is nothing of its role in it: what is?
    fn instead(&self) -> Error {
        let labels = self.labels();
        let has = |part: &str| labels.iter().any(|label| label.contains(part));
        let file = self.path.display().to_string();
        let file = shell_word(&file);
        if labels.is_empty() {
            return self.no_pem(&file);
        }
        if self.role == Role::Key {
            return match () {
                () if has("OPENSSH") => self
                    .bad("is an OpenSSH key, which TLS does not take", "give the key that belongs to the certificate"),
                () if has("REQUEST") => self.bad("holds a request for a certificate, and no key", KEY_BESIDE),
                () if has("PUBLIC KEY") => self.bad("holds a public key, and no private one", KEY_BESIDE),
                () if has("PRIVATE KEY") => self.bad("holds a key of a kind that TLS does not take", KINDS),
                () if has("CERTIFICATE") => self.bad(
                    "holds a certificate, and no key",
                    "give --cert the certificate and --key its key: they may be swapped",
                ),
                () if has("PARAMETERS") => self.bad("holds parameters only, and no key", KEY_BESIDE),
                () => self.bad(&format!("holds no key, but {}", labels.join(", ")), KEY_BESIDE),
            };
        }
        match () {
            () if has("REQUEST") => {
                self.bad("holds a request for a certificate, and no certificate", "give what the authority made of it")
            }
            () if has("PRIVATE KEY") => self.bad(
                "holds a key, and no certificate",
                "give --cert the certificate and --key its key: they may be swapped",
            ),
            () if has("PUBLIC KEY") => self.bad("holds a public key, and no certificate", "give the certificate"),
            () if has("PKCS7") => self.bad(
                "holds PKCS#7, and no certificate alone",
                format!("convert it: `openssl pkcs7 -print_certs -in {file} -out {file}.pem`"),
            ),
            () if has("CERTIFICATE") => self.bad(
                "holds a certificate in OpenSSL's own form",
                format!("convert it: `openssl x509 -in {file} -out {file}.pem`"),
            ),
            () => self.bad(&format!("holds no certificate, but {}", labels.join(", ")), "give the certificate, as PEM"),
        }
    }

    fn no_pem(&self, file: &str) -> Error {
        // All of DER's begins with a sequence; PKCS#12's goes on with version 3.
        let pkcs12 = self.content.first() == Some(&0x30)
            && self.content.get(..12).is_some_and(|head| head.windows(3).any(|part| part == [2, 1, 3]));
        match self.content.as_slice() {
            [0x30, ..] if pkcs12 => {
                let part = if self.role == Role::Key { "-nocerts -nodes" } else { "-nokeys" };
                self.bad(
                    "is PKCS#12 (.p12, .pfx), not PEM",
                    format!("convert it: `(umask 077; openssl pkcs12 -in {file} {part} -out {file}.pem)`"),
                )
            }
            [0x30, ..] => {
                let command = if self.role == Role::Key { "pkey" } else { "x509" };
                self.bad(
                    "is DER (binary), not PEM",
                    format!("convert it: `(umask 077; openssl {command} -inform der -in {file} -out {file}.pem)`"),
                )
            }
            [0xfe, 0xed, 0xfe, 0xed, ..] => {
                self.bad("is a Java key store, not PEM", "export what is in it with `keytool`")
            }
            _ => self.bad(
                "is not PEM",
                "it must begin with a line such as -----BEGIN CERTIFICATE----- or -----BEGIN PRIVATE KEY-----",
            ),
        }
    }
}

const KEY_BESIDE: &str = "give the private key that was made with it";

/// Which keys are taken.
pub(super) const KINDS: &str =
    "RSA of 2048 bits and more, ECDSA on P-256 or P-384, and Ed25519 are taken: have a new key and certificate made";
