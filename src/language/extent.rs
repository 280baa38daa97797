//! How much a value takes when it is copied or written out.

use rhai::{Dynamic, FnPtr};

/// How deep a value may be nested: to copy, compare or drop it takes stack for each level.
pub(crate) const DEEPEST: usize = 1000;

/// About what an array or a map takes beside what is in it.
const COLLECTION: usize = 40;

/// About what a map takes that is not empty.
const BRANCH: usize = 480;

/// About what a field takes beside its name and value.
const FIELD: usize = 48;

/// Why there is no room for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoom {
    TooLong,
    TooDeep,
}

/// What is left of the room for values.
pub(crate) struct Extent {
    left: usize,
    /// What a text takes of it, by its length.
    text: fn(usize) -> usize,
}

impl Extent {
    /// Room for so many bytes of values that are written out: each text for itself, though many may be the same one.
    pub(crate) fn to_write(bytes: usize) -> Self {
        Self { left: bytes, text: |length| length }
    }

    /// Room for so many bytes of copies within the script, which share their texts.
    pub(crate) fn to_copy(bytes: usize) -> Self {
        Self { left: bytes, text: |_| 0 }
    }

    /// Whether there is room for `value`, which is less afterwards.
    ///
    /// # Errors
    /// When it is longer than what is left, or nested too deep.
    pub(crate) fn take(&mut self, value: &Dynamic) -> Result<(), NoRoom> {
        self.take_within(value, DEEPEST)
    }

    fn take_within(&mut self, value: &Dynamic, levels: usize) -> Result<(), NoRoom> {
        let levels = levels.checked_sub(1).ok_or(NoRoom::TooDeep)?;
        self.take_bytes(size_of::<Dynamic>())?;
        if let Ok(items) = value.as_array_ref() {
            self.take_bytes(COLLECTION)?;
            return items.iter().try_for_each(|item| self.take_within(item, levels));
        }
        if let Ok(fields) = value.as_map_ref() {
            self.take_bytes(if fields.is_empty() { COLLECTION } else { BRANCH })?;
            return fields.iter().try_for_each(|(name, field)| {
                self.take_bytes(FIELD + name.len())?;
                self.take_within(field, levels)
            });
        }
        if let Some(closure) = value.read_lock::<FnPtr>() {
            return closure.iter_curry().try_for_each(|carried| self.take_within(carried, levels));
        }
        match value.as_immutable_string_ref() {
            Ok(text) => self.take_bytes((self.text)(text.len())),
            Err(_) => self.take_bytes(value.as_blob_ref().map_or(0, |bytes| bytes.len())),
        }
    }

    fn take_bytes(&mut self, bytes: usize) -> Result<(), NoRoom> {
        self.left = self.left.checked_sub(bytes).ok_or(NoRoom::TooLong)?;
        Ok(())
    }
}
