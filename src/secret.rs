//! Secrets: text that must never be shown, and the encryption that TiDB-Binlog reads.

use crate::error::{Error, Result};
use aes::cipher::KeyIvInit;
use base64::Engine;
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// The key in binlogctl's public source, used when no other is set. It protects nothing.
pub const PUBLIC_KEY: &str = "a529b7665997f043a30ac8fadcb51d6aa032c226ab5b7750530b12b8c1a16a48";

/// The length of the random start of every encrypted text, in bytes.
pub const IV_LENGTH: usize = 16;

/// Text that is never printed: both its forms hide it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// The text itself.
    Plain(String),
    /// A keyed hash of it, as a journal keeps it.
    Hashed(String),
}

impl Secret {
    /// What a rehearsal or a test takes for one that nobody gave.
    pub const MADE_UP: &str = "made up for a rehearsal";

    /// What a journal keeps: a hash under the journal's own `key`, so that replay can compare and nobody can guess.
    #[must_use]
    pub fn hashed(&self, key: &[u8; 16]) -> Secret {
        match self {
            Self::Hashed(_) => self.clone(),
            Self::Plain(text) => {
                let mut hasher = SipHasher24::new_with_key(key);
                hasher.write(text.as_bytes());
                Self::Hashed(format!("{:032x}", hasher.finish128().as_u128()))
            }
        }
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The password of an encrypted key file: it stands in a file, or somebody types it once. Whoever has a clone of it knows what was
/// typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPassword {
    /// The file whose first line it is.
    pub file: Option<PathBuf>,
    typed: Arc<OnceLock<Secret>>,
}

impl KeyPassword {
    /// The one in `file`; without a file somebody has to type it.
    pub fn of_file(file: Option<PathBuf>) -> Self {
        Self { file, typed: Arc::default() }
    }

    /// What somebody has typed.
    pub fn typed(&self) -> Option<&Secret> {
        self.typed.get()
    }

    /// Keeps what somebody has typed, for as long as this process lives.
    pub fn keep(&self, typed: Secret) {
        // Two that were asked at once both typed what opens the key.
        let _ = self.typed.set(typed);
    }
}

/// `base64(iv + "@" + AES-CFB128(key, iv, text))`, as Drainer decrypts it.
///
/// `key` is hex of 16, 24 or 32 bytes (`BINLOG_SECRET_KEY`); without it the public key.
///
/// # Errors
/// `invalid` when the key is not hex of such a length (the key is not shown), or `text` is only a hash.
pub fn encrypt(key: Option<&str>, iv: [u8; IV_LENGTH], text: &Secret) -> Result<String> {
    let Secret::Plain(text) = text else {
        return Err(Error::internal("a journal keeps no secret that could be encrypted again"));
    };
    let key = decode_hex(key.unwrap_or(PUBLIC_KEY).trim()).ok_or_else(bad_key)?;
    let mut body = text.as_bytes().to_vec();
    match key.len() {
        16 => cfb_mode::Encryptor::<aes::Aes128>::new_from_slices(&key, &iv).map_err(|_| bad_key())?.encrypt(&mut body),
        24 => cfb_mode::Encryptor::<aes::Aes192>::new_from_slices(&key, &iv).map_err(|_| bad_key())?.encrypt(&mut body),
        32 => cfb_mode::Encryptor::<aes::Aes256>::new_from_slices(&key, &iv).map_err(|_| bad_key())?.encrypt(&mut body),
        _ => return Err(bad_key()),
    }
    let whole = [iv.as_slice(), b"@", &body].concat();
    Ok(base64::engine::general_purpose::STANDARD.encode(whole))
}

fn bad_key() -> Error {
    Error::invalid("BINLOG_SECRET_KEY is not hex of 16, 24 or 32 bytes")
        .hint("set it to 32, 48 or 64 hexadecimal digits, such as `openssl rand -hex 32` prints")
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encrypts again with the iv of what the real program made.
    fn matches_the_real_program(key: Option<&str>, text: &str, made: &str) {
        let bytes = base64::engine::general_purpose::STANDARD.decode(made).unwrap();
        let iv = bytes[..IV_LENGTH].try_into().unwrap();
        assert_eq!(encrypt(key, iv, &Secret::Plain(text.into())).unwrap(), made);
    }

    #[test]
    fn encrypts_as_the_real_program_does() {
        matches_the_real_program(None, "secret", "rE3G0jYeyvSH564AiHQV6kCBm+SL50M=");
        matches_the_real_program(
            Some("00112233445566778899aabbccddeeff"),
            "secret",
            "i82nJ9TEqHoxH0E5RoTkIkBu67u2pLQ=",
        );
        matches_the_real_program(
            Some("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
            "pässwörd with spaces and more than sixteen bytes",
            "Vzl6uvFXun8EsTS54ZbaOUAH35KVneV2WNu6tjr17+P5AnUjWiGn1LOhNEtzJQhMvyEcn1HRVKXvBqjzdyv09Oj72g==",
        );
    }

    #[test]
    fn a_bad_key_is_an_error_that_does_not_show_it() {
        for key in ["abc", "xyz", "0011", ""] {
            let error = encrypt(Some(key), [0; IV_LENGTH], &Secret::Plain("text".into())).unwrap_err();
            assert!(error.message.contains("BINLOG_SECRET_KEY"));
            assert!(key.is_empty() || !error.to_string().contains(key));
        }
    }

    #[test]
    fn a_secret_is_hidden_from_debug_and_hashed_under_a_key() {
        let secret = Secret::Plain("pass".into());
        assert!(!format!("{secret:?}{secret}").contains("pass"));
        assert_eq!(secret.hashed(&[1; 16]), Secret::Plain("pass".into()).hashed(&[1; 16]));
        assert_ne!(secret.hashed(&[1; 16]), secret.hashed(&[2; 16]));
    }
}
