//! How much memory a script holds, and where that ends.
//!
//! Rhai counts neither closures nor what they carry, and to measure arrays and maps it walks through all of a value at every call. So
//! the bytes themselves are counted, where they are allocated and freed, each thread for itself (`held`): a script runs on one thread from its
//! beginning to its end, and the futures that are rehearsed beside it on others. What is counted is what the thread came to hold while
//! the script ran: values, closures, texts, and also what the session keeps of what the script did.
//!
//! An allocation cannot fail with an error that a script could be told. So the count is looked at before each step of evaluation, and
//! what can take much memory in one step asks first whether there is room (see `bindings::growing`).

use crate::error::{Error, Result};
use crate::held::held_by_thread;
use crate::language::extent::{DEEPEST, Extent, NoRoom};
use rhai::{Dynamic, EvalContext, FnPtr};
use std::cell::Cell;
use std::collections::HashMap;

/// How many bytes come to be held between two looks at how deep the values are nested: an eighth of what is held, but so many at least and
/// at most. 40 of them are a level at least.
const BETWEEN_LOOKS: (isize, isize) = (128 << 10, 512 << 10);

/// What a line of the prompt may take when the variables hold too much already: enough to let go of one.
const TO_LET_GO: isize = 1 << 20;

/// A script cannot go on with less stack than this.
const LEAST_STACK: usize = 2 << 20;

/// The memory of one interpreter's scripts.
pub(crate) struct ScriptMemory {
    limit: usize,
    /// What the thread held that is not the script's.
    others: Cell<isize>,
    /// What the thread may hold while the script runs.
    most: Cell<isize>,
    /// What the variables of the prompt hold between its lines.
    kept: Cell<isize>,
    /// What the thread held when the depth of the values was last looked at, or less since.
    looked_at: Cell<isize>,
    excess: Cell<Option<Excess>>,
}

/// What a script has too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Excess {
    Bytes,
    Depth,
}

impl ScriptMemory {
    pub(crate) fn new(limit: usize) -> Self {
        let unlimited = Cell::new(isize::MAX);
        Self {
            limit,
            others: Cell::new(0),
            most: unlimited,
            kept: Cell::new(0),
            looked_at: Cell::new(0),
            excess: Cell::new(None),
        }
    }

    /// A script begins, which finds nothing and leaves nothing.
    pub(crate) fn script_begins(&self) {
        self.begin(0);
    }

    /// A line of the prompt begins, with the variables of earlier ones.
    pub(crate) fn line_begins(&self) {
        self.begin(self.kept.get());
    }

    /// The line is over.
    pub(crate) fn line_ends(&self) {
        self.kept.set((held_by_thread() - self.others.get()).max(0));
    }

    fn begin(&self, kept: isize) {
        let limit = isize::try_from(self.limit).unwrap_or(isize::MAX);
        let others = held_by_thread() - kept;
        self.others.set(others);
        self.most.set(others.saturating_add(limit.max(kept + TO_LET_GO)));
        self.looked_at.set(others);
        self.excess.set(None);
    }

    /// Whether the script must not take another step. Asked before each.
    pub(crate) fn is_exceeded(&self) -> bool {
        if held_by_thread() > self.most.get() {
            self.found(Excess::Bytes);
        }
        self.excess.get().is_some()
    }

    /// Sees how much stack is left, which comparing values that are nested takes. Looked at before some of the steps.
    pub(crate) fn look_at_stack(&self) {
        if stacker::remaining_stack().is_some_and(|left| left < LEAST_STACK) {
            self.found(Excess::Depth);
        }
    }

    fn found(&self, excess: Excess) {
        if self.excess.get().is_none() {
            self.excess.set(Some(excess));
        }
    }

    /// Whether there is room for so many bytes more.
    ///
    /// # Errors
    /// [`ScriptMemory::error`], and the script cannot go on.
    pub(crate) fn room_for(&self, bytes: usize) -> Result<()> {
        let bytes = isize::try_from(bytes).unwrap_or(isize::MAX);
        if held_by_thread().saturating_add(bytes) > self.most.get() {
            self.found(Excess::Bytes);
        }
        self.error().map_or(Ok(()), Err)
    }

    /// Whether there is room to write `values` out `times` times.
    ///
    /// # Errors
    /// As [`ScriptMemory::room_for`]; also when one is nested too deep.
    pub(crate) fn room_to_write<'a>(&self, values: impl Iterator<Item = &'a Dynamic>, times: usize) -> Result<()> {
        self.room_in(Extent::to_write(self.left() / times.max(1)), values)
    }

    /// Whether there is room for `times` copies of `value`.
    ///
    /// # Errors
    /// As [`ScriptMemory::room_to_write`].
    pub(crate) fn room_to_copy(&self, value: &Dynamic, times: usize) -> Result<()> {
        self.room_in(Extent::to_copy(self.left() / times.max(1)), std::iter::once(value))
    }

    fn left(&self) -> usize {
        usize::try_from(self.most.get().saturating_sub(held_by_thread())).unwrap_or(0)
    }

    fn room_in<'a>(&self, mut extent: Extent, mut values: impl Iterator<Item = &'a Dynamic>) -> Result<()> {
        match values.try_for_each(|value| extent.take(value)) {
            Ok(()) => {}
            Err(NoRoom::TooLong) => self.found(Excess::Bytes),
            Err(NoRoom::TooDeep) => self.found(Excess::Depth),
        }
        self.error().map_or(Ok(()), Err)
    }

    /// Looks at how deep the values are nested that the code at `context` can get at, if enough has been added to them.
    pub(crate) fn look_at_depth(&self, context: &EvalContext<'_, '_, '_, '_, '_, '_>) {
        let held = held_by_thread();
        if held < self.looked_at.get() {
            self.looked_at.set(held);
        }
        let (least, most) = BETWEEN_LOOKS;
        if held - self.looked_at.get() < ((held - self.others.get()) / 8).clamp(least, most) {
            return;
        }
        self.looked_at.set(held);
        let mut depths = Depths::default();
        let mut seen = context.scope().iter_raw().map(|(_, _, value)| value).chain(context.this_ptr());
        if seen.any(|value| depths.of(value, DEEPEST).is_none()) {
            self.found(Excess::Depth);
        }
    }

    /// What the script has too much of, if it has.
    pub(crate) fn error(&self) -> Option<Error> {
        Some(match self.excess.get()? {
            Excess::Bytes => Error::invalid(format!("the script holds more than {} MiB of memory", self.limit >> 20)).hint(
                "does a loop add to a value without end, or a closure take itself along? Keep of each thing only what is needed of \
                 it, and at the prompt let go of a variable (`x = ()`); if it needs that much, raise BINLOGSH_MAX_MEMORY",
            ),
            Excess::Depth => Error::invalid(format!("a value is nested more than {DEEPEST} deep"))
                .hint("does a loop put a value into itself again and again? Put its parts side by side, into one array"),
        })
    }
}

/// How deep values are nested, by the address of each that several share: closures share what they use, and can make a circle of it.
#[derive(Default)]
struct Depths(HashMap<usize, usize>);

impl Depths {
    /// The levels of `value`; none if they are more than `levels`.
    fn of(&mut self, value: &Dynamic, levels: usize) -> Option<usize> {
        if value.is_shared() {
            // Borrowed by whoever is just changing it: then that one looks.
            let Some(shared) = value.read_lock::<Dynamic>() else { return Some(0) };
            let address = std::ptr::from_ref::<Dynamic>(&shared).addr();
            if let Some(known) = self.0.get(&address) {
                return (*known <= levels).then_some(*known);
            }
            self.0.insert(address, 0);
            let found = self.within(&shared, levels)?;
            self.0.insert(address, found);
            return Some(found);
        }
        self.within(value, levels)
    }

    fn within(&mut self, value: &Dynamic, levels: usize) -> Option<usize> {
        if let Ok(items) = value.as_array_ref() {
            self.deepest(items.iter(), levels)
        } else if let Ok(fields) = value.as_map_ref() {
            self.deepest(fields.values(), levels)
        } else if let Some(closure) = value.read_lock::<FnPtr>() {
            self.deepest(closure.iter_curry(), levels)
        } else {
            Some(0)
        }
    }

    fn deepest<'a>(&mut self, mut parts: impl Iterator<Item = &'a Dynamic>, levels: usize) -> Option<usize> {
        let levels = levels.checked_sub(1)?;
        parts.try_fold(1, |deepest: usize, part| Some(deepest.max(self.of(part, levels)? + 1)))
    }
}
