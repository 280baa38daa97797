//! Every example runs: those of the functions in the sample cluster that each names, and those of the library.

use crate::language_fixture::Shell;
use binlogsh::language::tree::Parser;
use binlogsh::language::{Ending, ParamDoc, ScriptSettings, Source, functions};
use binlogsh::secret::Secret;

#[test]
fn every_function_has_an_example_that_runs_in_its_sample() {
    let mut broken = Vec::new();
    for function in functions() {
        let mut shell = Shell::simulated(function.example.scenario, ScriptSettings::default());
        if let Err(error) = shell.run(function.example.code) {
            broken.push(format!("{} in {}: {}", function.name, function.example.scenario, error.error));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn an_example_that_is_a_comparison_is_true() {
    for function in functions() {
        let mut shell = Shell::simulated(function.example.scenario, ScriptSettings::default());
        if let Ok(Ending::Value(binlogsh::value::Value::Bool(held))) = shell.run(function.example.code) {
            assert!(held, "{}: {}", function.name, function.example.code);
        }
    }
}

#[test]
fn every_function_of_the_library_has_an_example_that_runs_in_its_sample_and_is_true() {
    let functions = binlogsh::language::library_functions();
    let imports = binlogsh::language::stdlib().map(|(module, _)| {
        let alias = module.rsplit('/').next().unwrap();
        format!("import \"{module}\" as {alias};\n")
    });
    let imports: String = imports.collect();
    let mut broken = Vec::new();
    for function in functions {
        let mut shell = Shell::simulated(&function.scenario, ScriptSettings::default());
        match shell.run(&format!("{imports}{}", function.example)) {
            Ok(Ending::Value(binlogsh::value::Value::Bool(false))) => {
                broken.push(format!("{}: false", function.signature))
            }
            Ok(_) => {}
            Err(error) => broken.push(format!("{} in {}: {}", function.signature, function.scenario, error.error)),
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The code blocks marked `rhai` of a page, with the line they begin at and the sample they name.
pub(crate) fn blocks(page: &str) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String, String)> = None;
    for (at, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) if info.split_whitespace().next() == Some("rhai") => {
                let sample = info.split_whitespace().nth(1).unwrap_or("default");
                open = Some((at + 1, sample.to_owned(), String::new()));
            }
            (Some((_, _, code)), None) => *code += &format!("{line}\n"),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, _) => {}
        }
    }
    found
}

#[test]
fn every_example_of_readme_and_guide_runs() {
    for page in ["README.md", "docs/guide.md", "docs/from-binlogctl.md", "docs/doctor.md"] {
        let text = std::fs::read_to_string(crate::harness::project(page)).unwrap();
        let blocks = blocks(&text);
        assert!(!blocks.is_empty(), "{page} has no example");
        // What is marked `test` is run by `testing`.
        for (line, sample, code) in blocks.into_iter().filter(|(_, sample, _)| sample != "test") {
            let doc = Parser::default().parse(&Source::new(page, code.clone())).unwrap().doc.unwrap();
            let made_up = |secret: &ParamDoc| (secret.name.clone(), Secret::Plain(Secret::MADE_UP.into()));
            let secrets = doc.secrets().map(made_up).collect();
            let mut shell = Shell::simulated(&sample, ScriptSettings { secrets, ..ScriptSettings::default() });
            if let Err(error) = shell.run(&code) {
                panic!("{page}:{line} in {sample}: {} {:?}\n{code}", error.error, error.place);
            }
        }
    }
}

#[test]
fn the_guide_names_every_guard_every_sample_and_every_harm() {
    let guide = std::fs::read_to_string(crate::harness::project("docs/guide.md")).unwrap();
    for guard in binlogsh::world::GuardName::ALL {
        assert!(guide.contains(&format!("`{guard}`")), "the guide does not name the guard {guard}");
    }
    for harm in binlogsh::rehearsal::HarmKind::ALL {
        assert!(guide.contains(&format!("`{}`", harm.name())), "the guide does not name the harm {}", harm.name());
    }
    for (sample, about) in binlogsh::sim::scenario_names() {
        assert!(guide.contains(&format!("| `{sample}` | {about} |")), "the guide does not say what {sample} is");
    }
}

#[test]
fn the_page_for_those_who_come_from_binlogctl_has_every_command_and_flag() {
    let page = std::fs::read_to_string(crate::harness::project("docs/from-binlogctl.md")).unwrap();
    for command in [
        "pumps",
        "drainers",
        "pause-pump",
        "pause-drainer",
        "offline-pump",
        "offline-drainer",
        "update-pump",
        "update-drainer",
        "generate_meta",
        "encrypt",
    ] {
        assert!(page.contains(&format!("`-cmd {command}")), "{command}");
    }
    let usage = crate::harness::Shell::new(&["ctl", "-help"]).go();
    let flags = usage.stderr.lines().filter_map(|line| line.trim_start().strip_prefix('-')?.split_whitespace().next());
    let flags: Vec<&str> = flags.collect();
    assert!(flags.len() >= 12, "{}", usage.stderr);
    for flag in flags {
        assert!(page.contains(&format!("`-{flag}")), "-{flag}");
    }
}
