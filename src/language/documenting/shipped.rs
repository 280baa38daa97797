//! The scripts that come with the program: one for each procedure that operators really run.

use crate::language::reading::describe::{about_module, describe};
use crate::language::reading::dialect;
use crate::language::reading::parameter::ParamDoc;
use crate::language::reading::sources::Source;

/// A script that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// The procedure's letter, in the order of docs/procedures.md.
    pub letter: char,
    /// Its name: `rolling_restart`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
    /// The sample cluster in which it has something to do.
    pub sample: &'static str,
    /// The parameters with which it does it there.
    pub params: &'static [(&'static str, &'static str)],
}

macro_rules! shipped {
    ($($letter:literal $name:ident in $sample:literal ($($param:ident = $value:literal),*);)+) => {
        [$(Shipped {
            letter: $letter,
            name: stringify!($name),
            text: include_str!(concat!("../../../scripts/", stringify!($name), ".rhai")),
            sample: $sample,
            params: &[$((stringify!($param), $value)),*],
        }),+]
    };
}

/// All of them, in the order of docs/procedures.md.
const SHIPPED: [Shipped; 13] = shipped! {
    'A' rolling_restart in "default" ();
    'B' decommission_pump in "default" (pump = "pump-1");
    'C' scale_in_to_zero in "default" ();
    'D' scale_out in "default" (pump = "pump-3", address = "10.0.1.14:8250");
    'E' first_drainer in "no-drainer" (drainer = "drainer-0", address = "10.0.1.21:8249", ts = "now", data_dir = "meta");
    'F' move_drainer in "default" (drainer = "drainer-1", to = "drainer-2", address = "10.0.1.23:8249");
    'G' after_crash in "crashed" ();
    'H' pump_lost in "lost-pump" (pump = "pump-2");
    'I' disk_full in "full-disk" (pump = "pump-1");
    'J' stuck_drainer in "hung-drainer" ();
    'K' clean_up in "old-records" ();
    'L' health in "default" ();
    'M' to_ticdc in "ticdc" (drainer = "10.0.1.21:8249", changefeed = "copy", sink = "mysql://10.0.2.7:3306/");
};

/// The scripts that come with the program, in the order of docs/procedures.md.
pub fn shipped() -> impl Iterator<Item = Shipped> {
    SHIPPED.into_iter()
}

impl Shipped {
    /// What it says of itself: its `//!` text.
    pub fn about(&self) -> String {
        about_module(self.text)
    }

    /// The first sentence of what it says of itself.
    pub fn summary(&self) -> String {
        let about = self.about();
        let first = about.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let end = first.find(". ").unwrap_or(first.len());
        first[..end].trim_end_matches('.').to_owned()
    }

    /// Its parameters, in the order in which they stand; none where it does not compile, which a test forbids.
    pub fn params_declared(&self) -> Vec<ParamDoc> {
        let source = self.source();
        let compiled = dialect::reading(false).compile(source.code());
        compiled.ok().and_then(|ast| describe(&ast, self.text).ok()).map_or_else(Vec::new, |doc| doc.params)
    }

    /// The script, to run it. What it imports is in the library that comes with the program.
    pub fn source(&self) -> Source {
        Source::new(self.name, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_script_says_when_it_is_for_what_it_needs_and_what_it_asks() {
        for script in shipped().filter(|script| script.name != "health") {
            let about = script.about();
            for heading in ["When:", "Needs:", "Asks:"] {
                assert!(about.contains(&format!("\n\n{heading} ")), "{} has no {heading}", script.name);
            }
            assert!(script.summary().len() < 100, "{}: {}", script.name, script.summary());
        }
    }

    #[test]
    fn every_shipped_script_declares_the_parameters_that_it_is_tried_with() {
        for script in shipped() {
            let declared = script.params_declared();
            assert!(!declared.is_empty(), "{} has no parameters", script.name);
            for (name, _) in script.params {
                assert!(declared.iter().any(|param| param.name == *name), "{} has no parameter {name}", script.name);
            }
            for param in declared {
                let given = script.params.iter().any(|(name, _)| *name == param.name);
                assert!(given || param.default.is_some(), "{} is tried without {}", script.name, param.name);
                assert!(param.about.is_some(), "{} does not say what {} is for", script.name, param.name);
            }
        }
    }

    #[test]
    fn every_file_of_the_directory_is_shipped() {
        let names: Vec<&str> = shipped().map(|script| script.name).collect();
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if path.extension().is_some_and(|ending| ending == "rhai") && !name.ends_with("_test") {
                assert!(names.contains(&name.as_str()), "{name}");
            }
        }
    }
}
