//! What the guide says of profiles is read by the program, and its forwarded ports are those of its map.

use crate::harness::project;
use binlogsh::config::{Overrides, ProfileSettings, load};

/// The blocks of a page in this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let parts = page.split("\n```").skip(1).step_by(2);
    parts.filter_map(|part| part.strip_prefix(&format!("{language}\n")).map(|text| format!("{text}\n"))).collect()
}

/// What the configuration `text` says of `profile`.
fn read(text: &str, profile: &str) -> ProfileSettings {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    let flags = Overrides { config: Some(path), profile: Some(profile.to_owned()), ..Overrides::default() };
    load(&flags, &|name| (name == "TIUP_HOME").then(|| dir.path().display().to_string()))
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn every_profile_of_the_guide_is_one() {
    let guide = std::fs::read_to_string(project("docs/guide.md")).unwrap();
    let mut seen = 0;
    for text in blocks(&guide, "toml") {
        let names = text.lines().filter_map(|line| line.strip_prefix("[profiles.")?.strip_suffix(']'));
        // What stands behind a dot is a table of the profile.
        for name in names.filter(|name| !name.contains('.')) {
            let settings = read(&text, name);
            assert_eq!(settings.profile.as_deref(), Some(name));
            let controls = text.contains(&format!("[profiles.{name}.node-control]"));
            assert_eq!(settings.node_control.is_some(), controls, "{name}");
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen}");
}

#[test]
fn the_forwarded_ports_of_the_guide_are_those_of_its_map() {
    let guide = std::fs::read_to_string(project("docs/guide.md")).unwrap();
    let text = blocks(&guide, "toml").into_iter().find(|text| text.contains("[profiles.pods]")).unwrap();
    let map = read(&text, "pods").addresses;
    let forwards = guide.lines().filter_map(|line| line.strip_prefix("kubectl port-forward -n tidb ")).take(5);
    let mut seen = 0;
    for forward in forwards {
        let words: Vec<&str> = forward.split_whitespace().collect();
        let (what, (local, remote)) = (words[0], words[1].split_once(':').unwrap());
        // A pod is known by its name in its service, which is that of its StatefulSet.
        let name = match what.split_once('/').unwrap() {
            ("pod", pod) => format!("{pod}.{}", pod.rsplit_once('-').unwrap().0),
            (_, service) => service.to_owned(),
        };
        assert_eq!(map.lead(&format!("{name}:{remote}")), Ok(Some(format!("127.0.0.1:{local}"))), "{forward}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}
