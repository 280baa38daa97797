//! How fast one core of this machine is just now, as a ratio: 1.0 on the machine where the limits were set.
//!
//! A loop that does nothing but arithmetic, whatever the program becomes: machines differ by three, and so does one machine
//! from hour to hour. A figure without a peer is held over it.

use crate::row::median;
use std::hint::black_box;
use std::time::Instant;

/// What the loop took on the machine where the limits were set, in milliseconds. Found afterwards, by a program of that time:
/// its ten thousand futures took 3.88 s there, and 5.10 s where the loop takes 44 ms.
const REFERENCE_MS: f64 = 35.0;

/// How many words are hashed.
const WORDS: u64 = 40_000_000;

/// The median of three rounds over the reference: 2.0 on a machine that is half as fast.
pub(crate) fn measure() -> f64 {
    let round = |seed: u64| {
        let begin = Instant::now();
        black_box(hash(black_box(seed)));
        begin.elapsed().as_secs_f64() * 1000.0
    };
    median((0..3).map(round).collect()) / REFERENCE_MS
}

/// FNV-1a over `WORDS` words that are made up on the way: each step waits for the one before it.
fn hash(seed: u64) -> u64 {
    (0..WORDS).fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, word| (hash ^ word).wrapping_mul(0x0100_0000_01b3))
}
