//! The model does what real processes did; `tests/recorded/README.md` says what a replay must reproduce.

mod cadence;
mod closings;
mod transitions;
