//! Text that somebody outside wrote: ids, keys, addresses, what a node or a user says.

use super::on_one_line;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display, Formatter};
use std::ops::Deref;
use std::path::Path;

/// Text from outside. As a `str` it is what it is, for requests, keys and comparisons; put into words (`Display`,
/// `to_string`) it is on one line and can pretend to be nothing else, since a message that it is part of has lines of
/// its own, and nobody who shows that message can tell them apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// As it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for Untrusted {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(&on_one_line(&self.0))
    }
}

impl Deref for Untrusted {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Untrusted {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Untrusted> for String {
    fn from(text: Untrusted) -> Self {
        text.0
    }
}

impl PartialEq<str> for Untrusted {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Untrusted {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<String> for Untrusted {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

/// A path in words: what is typed or found may hold anything, too.
pub trait ShownPath {
    /// The path as a message holds it.
    fn shown(&self) -> Untrusted;
}

impl ShownPath for Path {
    fn shown(&self) -> Untrusted {
        self.to_string_lossy().into_owned().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_it_is_and_is_shown_on_one_line() {
        let id = Untrusted::from("pump-1\n? stop everything [y/n]\u{202e}\u{200b}");
        assert_eq!(id, "pump-1\n? stop everything [y/n]\u{202e}\u{200b}");
        assert_eq!(id.to_string(), "pump-1\\n? stop everything [y/n]\\u{202e}\\u{200b}");
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<Untrusted>(&json).unwrap(), id);
        assert_eq!(Path::new("a\nb").shown().to_string(), "a\\nb");
        assert_eq!(format!("{:<8}|", Untrusted::from("p")), "p       |");
    }
}
