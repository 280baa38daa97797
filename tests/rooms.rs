//! The house keeps its walls: which room may use which, and which may open a door to the outside.
//!
//! The table is the one of `docs/architecture.md`. Every `crate::` path in `src/` is read and held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Values that everybody speaks of.
const VALUES: &[&str] = &[
    "address_map",
    "deployment",
    "downstream",
    "error",
    "held",
    "interrupt",
    "nearest",
    "node",
    "pd_url",
    "proxy_url",
    "savepoint",
    "secret",
    "text",
    "time",
    "tso",
    "value",
];

/// What each other room may use beside the values (and itself).
const ROOMS: &[(&str, &[&str])] = &[
    ("files", &[]),
    ("world", &[]),
    ("live", &["files", "node_control", "world"]),
    ("node_control", &["world"]),
    ("sim", &["world"]),
    ("journal", &["world"]),
    ("guards", &["world"]),
    ("policy", &["guards", "world"]),
    ("session", &["guards", "journal", "policy", "world"]),
    ("operations", &["world"]),
    ("language", &["files", "operations", "session", "world"]),
    ("check", &["language"]),
    ("recovery", &["world", "journal", "policy"]),
    ("rehearsal", &["files", "guards", "journal", "language", "operations", "policy", "session", "sim", "world"]),
    ("testing", &["files", "journal", "language", "policy", "rehearsal", "session", "sim", "world"]),
    ("output", &["world"]),
    ("config", &["files", "node_control", "output", "world"]),
    ("cli", &["config", "output"]),
    ("shell", &["files", "language", "output"]),
    ("watch", &["operations", "output", "world"]),
];

/// Rooms that may use everything.
const TOP: &[&str] = &["commands", "lib", "main"];

/// The only file that names both worlds.
const COMPOSE: &str = "src/commands/compose.rs";

/// Who may use clocks, sleeps, files and the terminal directly (`clippy.toml` forbids them to all others).
const DOORS: &[&str] = &[
    "src/files/",
    "src/live/",
    "src/output/",
    "src/config",
    "src/journal/store/",
    "src/rehearsal/",
    "src/testing/files.rs",
    "src/commands/",
    "src/shell/",
];

/// Who may name the crates of the network.
const NETWORK: &[&str] = &["tokio", "tokio_socks", "etcd_client", "tonic", "hyper", "rustls", "prost"];

fn sources() -> BTreeMap<String, String> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => walk(&path, found),
                false => found.push(path),
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root.join("src"), &mut found);
    let rust = found.into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "rs"));
    rust.map(|path| (path.strip_prefix(root).unwrap().display().to_string(), fs::read_to_string(path).unwrap()))
        .collect()
}

fn room_of(path: &str) -> String {
    let inside = path.strip_prefix("src/").unwrap();
    inside.split('/').next().unwrap().trim_end_matches(".rs").to_owned()
}

/// The rooms that a source names: `crate::room` and `crate::{room, ...}`, comments left out.
fn rooms_named(text: &str) -> Vec<String> {
    let code: String = text.lines().map(|line| line.split("//").next().unwrap_or("").to_owned() + "\n").collect();
    let mut named = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let word = |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        match rest.strip_prefix('{') {
            None => named.push(word(rest)),
            Some(group) => {
                let (mut depth, mut start) = (0, 0);
                for (i, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => {
                            named.push(word(&group[start..i]));
                            break;
                        }
                        '}' => depth -= 1,
                        ',' if depth == 0 => {
                            named.push(word(&group[start..i]));
                            start = i + 1;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    named.retain(|name: &String| name.chars().next().is_some_and(char::is_lowercase));
    named
}

#[test]
fn every_room_uses_only_what_it_may() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let room = room_of(&path);
        if TOP.contains(&room.as_str()) {
            continue;
        }
        let allowed = match ROOMS.iter().find(|(name, _)| *name == room) {
            Some((_, allowed)) => *allowed,
            None if VALUES.contains(&room.as_str()) => &[],
            None => {
                wrong.push(format!("{path}: the room `{room}` is not in the table"));
                continue;
            }
        };
        for used in rooms_named(&text) {
            let fine = used == room || VALUES.contains(&used.as_str()) || allowed.contains(&used.as_str());
            if !fine {
                wrong.push(format!("{path} uses crate::{used}, which `{room}` must not know"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The part of `language/` that a path names, `reading::masking` of `crate::language::reading::masking::Masking`; a folder
/// and its files are one.
fn language_parts(text: &str) -> Vec<String> {
    let code: String =
        text.split("#[cfg(test)]").next().unwrap_or("").lines().filter(|l| !l.trim().starts_with("//")).collect();
    let after = code.split("crate::language::").skip(1);
    let words = |path: &str| {
        path.split("::")
            .take(2)
            .map(first_word)
            .take_while(|w| w.starts_with(char::is_lowercase))
            .collect::<Vec<_>>()
            .join("::")
    };
    after.map(words).collect()
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn the_language_has_no_circle() {
    let sources = sources();
    let inside = sources.iter().filter_map(|(path, text)| Some((path.strip_prefix("src/language/")?, text)));
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in inside.filter(|(path, _)| !path.ends_with("mod.rs") || path.matches('/').count() > 1) {
        let part = path.trim_end_matches(".rs").split('/').take(2).collect::<Vec<_>>().join("::");
        arrows.entry(part).or_default().extend(language_parts(text));
    }
    for (part, named) in &mut arrows {
        named.remove(part);
    }
    assert!(arrows.len() > 30 && arrows["running::interpreter"].contains("running::host"), "{arrows:?}");
    // Whatever names nothing that is left is no part of a circle.
    while let Some(done) = arrows.iter().find(|(_, named)| named.iter().all(|name| !arrows.contains_key(name))) {
        let done = done.0.clone();
        arrows.remove(&done);
    }
    assert!(arrows.is_empty(), "these are in a circle, or lead into one: {arrows:#?}");
}

#[test]
fn the_parts_of_the_language_stand_one_upon_the_other() {
    for (path, text) in sources() {
        let above: &[&str] = match path.strip_prefix("src/language/").and_then(|path| path.split('/').next()) {
            Some("reading") => &["documenting", "running"],
            Some("documenting") => &["running"],
            _ => continue,
        };
        let named = language_parts(&text);
        let wrong = named.iter().find(|part| above.iter().any(|above| part.split("::").next() == Some(above)));
        assert!(wrong.is_none(), "{path} names {wrong:?}");
    }
}

#[test]
fn one_file_names_both_worlds() {
    for (path, text) in sources() {
        let named = rooms_named(&text);
        let both = ["live", "sim"].iter().all(|world| named.iter().any(|room| room == world));
        assert!(!both || path == COMPOSE, "{path} names both worlds");
    }
}

#[test]
fn doors_to_the_outside_are_opened_only_where_they_belong() {
    for (path, text) in sources() {
        let opens = text.contains("clippy::disallowed_methods") || text.contains("clippy::print_std");
        let owns = DOORS.iter().any(|door| path.starts_with(door));
        assert!(!opens || owns, "{path} opens a door to the outside that is not its own");
    }
}

#[test]
fn the_network_is_known_to_live_alone() {
    for (path, text) in sources() {
        for name in NETWORK {
            let named = text.contains(&format!("{name}::"));
            assert!(!named || path.starts_with("src/live/"), "{path} names {name}");
        }
    }
}

#[test]
fn the_database_is_known_to_the_store_alone() {
    for (path, text) in sources() {
        assert!(!text.contains("rusqlite") || path.starts_with("src/journal/store/"), "{path} names rusqlite");
    }
}

/// The name of the type that a line of the program defines, if it does. What a trait or its implementation names (`type Reply`)
/// is indented, and belongs to it.
fn type_defined(line: &str) -> Option<&str> {
    let words = match (line.strip_prefix("pub "), line.strip_prefix("pub(")) {
        (Some(rest), _) => rest,
        (_, Some(rest)) => rest.split_once(") ")?.1,
        _ => line,
    };
    let (sort, name) = words.split_once(' ')?;
    ["struct", "enum", "trait", "type"].contains(&sort).then(|| name.split(|c: char| !c.is_alphanumeric()).next())?
}

#[test]
fn a_type_name_means_one_thing() {
    let mut defined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| !path.ends_with("/tests.rs")) {
        let program = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("");
        for name in program.lines().filter_map(type_defined) {
            defined.entry(name.to_owned()).or_default().push(path.clone());
        }
    }
    assert!(defined.len() > 500 && defined.contains_key("Request") && defined.contains_key("Session"), "{defined:#?}");
    defined.retain(|_, paths| paths.len() > 1);
    assert!(defined.is_empty(), "these names have several meanings: {defined:#?}");
}

#[test]
fn a_lint_gives_way_only_with_a_reason() {
    for (path, text) in sources() {
        assert!(!text.contains("#[allow(") && !text.contains("#![allow("), "{path} allows a lint without `expect`");
    }
}
