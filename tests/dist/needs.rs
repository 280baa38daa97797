//! What a program needs of the system that runs it: libraries, and the versions of their symbols.

use object::elf::{DT_NEEDED, FileHeader64, VER_FLG_WEAK};
use object::read::elf::{Dyn, FileHeader};
use object::{Endianness, read};
use std::collections::BTreeSet;

/// The libraries that every system with glibc has; older ones have threads and the loader apart.
const ALWAYS_THERE: [&str; 8] = [
    "libc.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
];

/// What a program needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    libraries: BTreeSet<String>,
    /// As in `GLIBC_2.29`. One that the linker marked as weak is none: the loader does without. A weak symbol alone does not do.
    versions: BTreeSet<String>,
}

impl Needs {
    /// Reads them from the file of a program.
    pub(crate) fn of(program: &[u8]) -> read::Result<Self> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let header = FileHeader64::<Endianness>::parse(program)?;
        let endian = header.endian()?;
        let sections = header.sections(endian, program)?;
        let mut needs = Self::default();
        if let Some((entries, link)) = sections.dynamic(endian, program)? {
            let strings = sections.strings(endian, program, link)?;
            for entry in entries.iter().filter(|entry| entry.d_tag(endian) == DT_NEEDED) {
                needs.libraries.insert(text(entry.string(endian, strings)?));
            }
        }
        if let Some((mut files, link)) = sections.gnu_verneed(endian, program)? {
            let strings = sections.strings(endian, program, link)?;
            while let Some((_, mut versions)) = files.next()? {
                while let Some(version) = versions.next()? {
                    if version.vna_flags.get(endian) & VER_FLG_WEAK == 0 {
                        needs.versions.insert(text(version.name(endian, strings)?));
                    }
                }
            }
        }
        Ok(needs)
    }

    /// The libraries that a system may lack.
    pub(crate) fn unusual_libraries(&self) -> Vec<&str> {
        self.libraries.iter().map(String::as_str).filter(|name| !ALWAYS_THERE.contains(name)).collect()
    }

    /// The oldest glibc that has all versions, as `(2, 29)`.
    ///
    /// # Errors
    /// The name of a version that has no number.
    pub(crate) fn glibc(&self) -> Result<(u32, u32), String> {
        let of_glibc = self.versions.iter().filter_map(|name| Some((name, name.strip_prefix("GLIBC_")?)));
        let numbers = of_glibc.map(|(name, number)| number_of(number).ok_or_else(|| name.clone()));
        Ok(numbers.collect::<Result<Vec<_>, _>>()?.into_iter().max().unwrap_or_default())
    }
}

/// The first two numbers of a version.
fn number_of(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Every glibc that a page names, as in `glibc 2.29`.
pub(crate) fn named_in(page: &str) -> BTreeSet<(u32, u32)> {
    let behind = page.split("glibc ").skip(1);
    let versions = behind.map(|text| text.split(|c: char| c != '.' && !c.is_ascii_digit()).next().unwrap_or_default());
    versions.filter_map(number_of).collect()
}
