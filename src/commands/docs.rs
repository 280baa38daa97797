//! `docs`: the documentation of every function, from the same rows that bind them.

use crate::commands::compose::House;
use crate::error::Result;
use crate::language::{overview, page, reference_markdown};

/// Prints one function's page, the whole reference, or the list of all functions.
pub(super) fn main(house: &House, reference: bool, name: Option<&str>) -> Result<u8> {
    let text = match name {
        Some(name) => page(name)?,
        None if reference => reference_markdown(),
        None => overview(),
    };
    house.output.line(text.trim_end());
    Ok(0)
}
