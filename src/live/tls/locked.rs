//! A key that is encrypted: by PKCS#8 it is opened with the password from a file or from whoever is there.

use super::pem::{LOCKED, PemFile, Role};
use crate::error::{Error, Result};
use crate::files;
use crate::live::settings::TlsFiles;
use crate::secret::{KeyPassword, Secret};
use crate::text::{ShownPath, shell_word};
use crate::world::Console;
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::pbes2::Kdf;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::Path;

/// How often somebody may type the password.
const TRIES: usize = 3;

/// How often a password may be hashed to make a key of it: ten times what is recommended, some seconds.
const MOST_ROUNDS: u32 = 10_000_000;

/// How much memory that may take, in bytes.
const MOST_MEMORY: u64 = 256 << 20;

/// No file with a password is larger.
const LARGEST: u64 = 64 << 10;

/// Why a key was not opened.
enum Unopened {
    /// By this password it is not.
    Password,
    /// By no password here.
    Form,
    /// What is between its first and its last line is not base64.
    Damaged,
}

/// Asks for the password of an encrypted key, unless there is a file with it, it was typed before, or nobody is there who could be
/// asked.
pub(in crate::live) fn ask_for_password(files: &TlsFiles, console: &mut dyn Console) -> Result<()> {
    let Some((_, path)) = &files.identity else { return Ok(()) };
    let password = &files.password;
    if password.file.is_some() || password.typed().is_some() || !console.is_attended() {
        return Ok(());
    }
    let key = PemFile::read(Role::Key, path)?;
    match key.opened_by("") {
        // An encrypted one can have a password without a letter.
        Ok(_) => password.keep(Secret::Plain(String::new())),
        Err(Unopened::Password) => return typed(&key, password, console),
        // It is not encrypted, or whoever reads it tells what is wrong with it.
        Err(Unopened::Form | Unopened::Damaged) => {}
    }
    Ok(())
}

fn typed(key: &PemFile, password: &KeyPassword, console: &mut dyn Console) -> Result<()> {
    for _ in 0..TRIES {
        let typed = console.secret(&format!("password of the key {}: ", key.path().shown()))?;
        if let Secret::Plain(text) = &typed
            && key.opened_by(text).is_ok()
        {
            password.keep(typed);
            return Ok(());
        }
        console.tell("it does not open the key");
    }
    Err(key.bad("is not opened by what was typed", key.how_to_try()))
}

impl PemFile {
    /// The key in it, which is encrypted.
    ///
    /// # Errors
    /// `invalid`: no password is known, it is not the one, or the key is encrypted in another way; `local` when the file with the
    /// password cannot be read.
    pub(super) fn unlocked(&self, password: &KeyPassword) -> Result<PrivateKeyDer<'static>> {
        let (known, from) = match (&password.file, password.typed()) {
            (Some(file), _) => (first_line(file)?, format!("in {}", file.shown())),
            (None, Some(Secret::Plain(typed))) => (typed.clone(), "that was typed".to_owned()),
            (None, Some(Secret::Hashed(_)) | None) if self.section(LOCKED).is_some() => {
                return Err(self.bad(
                    "is encrypted, and its password is not known",
                    "name a file that holds it (--key-pass-file), or work in a terminal, where you are asked for it",
                ));
            }
            // No password helps.
            (None, Some(Secret::Hashed(_)) | None) => (String::new(), String::new()),
        };
        self.opened_by(&known).map_err(|why| match why {
            Unopened::Password => self.bad(
                &format!("is encrypted, and the password {from} does not open it"),
                self.how_to_try(),
            ),
            Unopened::Damaged => self.bad("is damaged", "copy it anew from where it was made"),
            Unopened::Form => {
                let key = self.typed();
                let hint = format!("encrypt it anew, it asks for the password: `openssl pkcs8 -topk8 -v2 aes-256-cbc -in {key} -out {key}.p8`");
                self.bad("is encrypted in a way that is not taken here", hint)
            }
        })
    }

    /// What tries a password without us.
    fn how_to_try(&self) -> String {
        format!("see with `openssl pkey -in {} -noout` which password does", self.typed())
    }

    /// Its path as it is typed.
    fn typed(&self) -> String {
        shell_word(&self.path().display().to_string()).into_owned()
    }

    fn opened_by(&self, password: &str) -> Result<PrivateKeyDer<'static>, Unopened> {
        let der = self.section(LOCKED).ok_or(Unopened::Form)?.ok_or(Unopened::Damaged)?;
        let locked = EncryptedPrivateKeyInfoRef::try_from(der.as_slice()).map_err(|_| Unopened::Form)?;
        let by = locked.encryption_algorithm.pbes2().ok_or(Unopened::Form)?;
        let is_bounded = match &by.kdf {
            Kdf::Pbkdf2(by) => by.iteration_count <= MOST_ROUNDS,
            Kdf::Scrypt(by) => {
                let memory = by.cost_parameter.saturating_mul(u64::from(by.block_size)).saturating_mul(128);
                memory.saturating_mul(u64::from(by.parallelization)) <= MOST_MEMORY
            }
            _ => false,
        };
        if !is_bounded {
            return Err(Unopened::Form);
        }
        match locked.decrypt(password) {
            Ok(key) => Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into()),
            Err(pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::DecryptFailed) | pkcs8::Error::Asn1(_)) => {
                Err(Unopened::Password)
            }
            Err(_) => Err(Unopened::Form),
        }
    }
}

/// The password in `file`: its first line, without its end.
fn first_line(file: &Path) -> Result<String> {
    let cannot = || format!("cannot read the password of the key from {}", file.shown());
    let bytes = files::read(file, LARGEST).map_err(|fault| fault.error(cannot()))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Error::invalid(format!("{}: it is no UTF-8", cannot()))
            .hint("write the password as text into the first line of the file")
    })?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(Error::invalid(format!("{}: its first line is empty", cannot()))
            .hint("write the password into the first line of the file")),
    }
}
