//! Rows of a journal, and the chain of hashes that holds them together.
//!
//! Every row is hashed with the hash of the one before it, so that a row that was altered, exchanged, moved to another
//! run or lost from the middle shows. A tail that is not there does not: that is what a crash leaves.

use sha2::{Digest, Sha256};
use strum::{IntoStaticStr, VariantArray};

/// A SHA-256.
pub(super) type Hash = [u8; 32];

/// What a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub(super) enum RowKind {
    /// A read, or a question to the human, with its outcome.
    Asked,
    /// A change is about to be applied.
    Began,
    /// What came of the change that began last.
    Done,
    /// The entry before it ended the run: it counts no more, and is tried again.
    Again,
}

impl RowKind {
    pub(super) fn name(self) -> &'static str {
        self.into()
    }
}

/// The first link: the run itself.
pub(super) fn of_head(id: &str, head: &str) -> Hash {
    let mut hash = Sha256::new();
    part(&mut hash, b"binlogsh run");
    part(&mut hash, id.as_bytes());
    part(&mut hash, head.as_bytes());
    hash.finalize().into()
}

/// The link after `before`.
pub(super) fn next(before: &Hash, id: &str, seq: u64, kind: RowKind, body: &str) -> Hash {
    let mut hash = Sha256::new();
    hash.update(before);
    part(&mut hash, id.as_bytes());
    hash.update(seq.to_be_bytes());
    part(&mut hash, kind.name().as_bytes());
    part(&mut hash, body.as_bytes());
    hash.finalize().into()
}

/// With its length before it, so that nothing can move from one part to the next unseen.
fn part(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_row_is_in_its_hash() {
        let head = of_head("a", "{}");
        let row = next(&head, "a", 1, RowKind::Asked, "body");
        assert_ne!(row, next(&of_head("b", "{}"), "a", 1, RowKind::Asked, "body"));
        assert_ne!(row, next(&head, "b", 1, RowKind::Asked, "body"));
        assert_ne!(row, next(&head, "a", 2, RowKind::Asked, "body"));
        assert_ne!(row, next(&head, "a", 1, RowKind::Began, "body"));
        assert_ne!(row, next(&head, "a", 1, RowKind::Asked, "bodz"));
        assert_ne!(of_head("a", "b"), of_head("ab", ""));
    }
}
