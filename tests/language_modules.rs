//! Modules: what can be imported and what cannot, closures across them, and where an error in them is shown.

use crate::language_fixture::Shell;
use binlogsh::error::{ErrorKind, Place, ScriptError};
use binlogsh::language::{Ending, ScriptSettings, Source};
use binlogsh::value::Value;
use std::path::Path;

/// A directory with a script's directory `scripts` in it, and files.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("scripts")).unwrap();
    for (name, text) in files {
        let file = dir.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    dir
}

fn run(dir: &Path, code: &str) -> Result<Ending, ScriptError> {
    let source = Source { name: "main.rhai".into(), text: code.into(), root: Some(dir.join("scripts")) };
    Shell::new().interpreter.run(&source)
}

fn value(dir: &Path, code: &str) -> Value {
    match run(dir, code) {
        Ok(Ending::Value(value)) => value,
        other => panic!("{code}: {other:?}"),
    }
}

fn place(dir: &Path, code: &str) -> Place {
    *run(dir, code).unwrap_err().place.unwrap()
}

#[test]
fn a_module_is_found_beside_the_script_and_beneath() {
    let dir = directory(&[
        ("scripts/near.rhai", "fn one() { 1 }"),
        (
            "scripts/sub/far.rhai",
            "import \"./other\" as o;\nimport \"../near\" as n;\nfn two() { o::two() * n::one() }",
        ),
        ("scripts/sub/other.rhai", "fn two() { 2 }"),
    ]);
    assert_eq!(value(dir.path(), "import \"near\" as n; n::one()"), Value::Int(1));
    assert_eq!(value(dir.path(), "import \"./sub/far.rhai\" as f; f::two()"), Value::Int(2));
}

#[test]
fn nothing_outside_can_be_imported() {
    let dir = directory(&[("secret.rhai", "fn x() { 1 }"), ("scripts/ok.rhai", "")]);
    std::os::unix::fs::symlink(dir.path().join("secret.rhai"), dir.path().join("scripts/link.rhai")).unwrap();
    let absolute = dir.path().join("secret").display().to_string();
    for path in ["../secret", "./../secret", "link", absolute.as_str(), "../scripts/../secret.rhai"] {
        let error = run(dir.path(), &format!("import \"{path}\" as s; s::x()")).unwrap_err().error;
        assert_eq!(error.kind, ErrorKind::Invalid, "{path}");
        assert!(error.message.contains("not beneath"), "{path}: {error}");
    }
}

#[test]
fn a_script_does_not_import_from_where_it_is_called() {
    let dir = directory(&[("near.rhai", "fn one() { 1 }")]);
    let mut shell = Shell::with(ScriptSettings { roots: vec![dir.path().to_owned()], ..ScriptSettings::default() });
    let root = Some(dir.path().join("scripts"));
    for path in ["near", "../near"] {
        let text = format!("import \"{path}\" as n; n::one()");
        assert!(shell.interpreter.run(&Source { name: "main.rhai".into(), text, root: root.clone() }).is_err());
    }
}

#[test]
fn a_missing_module_says_where_it_was_looked_for() {
    let dir = directory(&[]);
    let error = run(dir.path(), "import \"drainer\" as d; d::x()").unwrap_err().error;
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.message.contains("scripts/drainer.rhai"), "{error}");
    assert!(error.hint.unwrap().contains("`drainers`"));
}

#[test]
fn modules_that_import_each_other_are_refused() {
    let dir = directory(&[
        ("scripts/a.rhai", "import \"b\" as b; fn x() { b::x() }"),
        ("scripts/b.rhai", "import \"a\" as a; fn x() { a::x() }"),
    ]);
    let error = run(dir.path(), "import \"a\" as a; a::x()").unwrap_err().error;
    assert!(error.message.contains("imports itself"), "{error}");
}

#[test]
fn the_prompt_imports_from_the_current_directory() {
    let dir = directory(&[("scripts/near.rhai", "fn one() { 1 }")]);
    let mut shell =
        Shell::with(ScriptSettings { roots: vec![dir.path().join("scripts")], ..ScriptSettings::default() });
    shell.line("import \"near\" as n");
    assert_eq!(shell.line("n::one()"), Value::Int(1));
    assert!(shell.interpreter.line("import \"../x\" as x").is_err());
    std::fs::write(dir.path().join("scripts/near.rhai"), "fn one() { 2 }").unwrap();
    shell.line("import \"near\" as n");
    assert_eq!(shell.line("n::one()"), Value::Int(2));
}

#[test]
fn an_error_in_a_module_is_shown_in_the_module() {
    let dir = directory(&[("scripts/m.rhai", "// one\nfn broken() {\n    fail(\"no\")\n}\n")]);
    let place = place(dir.path(), "import \"m\" as m;\nm::broken()");
    assert!(place.file.ends_with("scripts/m.rhai"), "{}", place.file);
    assert_eq!((place.line, place.text.trim()), (3, "fail(\"no\")"));
}

#[test]
fn an_error_in_a_module_also_shows_where_the_script_called_it() {
    let dir = directory(&[("scripts/m.rhai", "fn broken() {\n    deeper()\n}\nfn deeper() { fail(\"no\") }\n")]);
    for call in ["m::broken()", "step(\"look\", || m::broken())", "[1].for_each(|| m::broken())"] {
        let error = run(dir.path(), &format!("import \"m\" as m;\nfn own() {{ 1 }}\n\n{call}")).unwrap_err();
        assert_eq!(error.place.unwrap().line, 4, "{call}");
        let from = error.called_from.unwrap();
        assert_eq!((from.file.as_str(), from.line, from.text.as_str()), ("main.rhai", 4, call));
    }
    let error = run(dir.path(), "import \"m\" as m;\nfn own() { m::broken() }\nown()").unwrap_err();
    assert_eq!(error.called_from.unwrap().line, 2, "the innermost place of the script");
    let error = run(dir.path(), "fail(\"mine\")").unwrap_err();
    assert_eq!(error.called_from, None);
}

#[test]
fn a_module_that_does_not_compile_is_shown_where() {
    let dir = directory(&[("scripts/m.rhai", "fn x() {\n  let = 3\n}\n")]);
    let error = run(dir.path(), "import \"m\" as m; m::x()").unwrap_err();
    assert_eq!(error.error.kind, ErrorKind::Invalid);
    let place = error.place.unwrap();
    assert_eq!((place.line, place.text.trim()), (2, "let = 3"));
}

const APPLY: &str =
    "\n\n\n\n\n\n\n\n\n\nfn apply(f) {\n    step(\"inside\", || f.call())\n}\nfn plain(f) { f.call() }\n";

#[test]
fn a_closure_of_the_script_that_fails_inside_a_module_is_shown_in_the_script() {
    let dir = directory(&[("scripts/m.rhai", APPLY)]);
    for call in ["m::plain(f)", "m::apply(f)", "m::plain(|| f.call())"] {
        let code = format!("import \"m\" as m;\nlet f = || {{\n  fail(\"mine\")\n}};\n{call}");
        let place = place(dir.path(), &code);
        assert_eq!((place.file.as_str(), place.line, place.text.trim()), ("main.rhai", 3, "fail(\"mine\")"), "{call}");
    }
    let place = place(dir.path(), "import \"m\" as m;\nfn h() {\n  fail(\"mine\")\n}\nm::plain(Fn(\"h\"))");
    assert_eq!((place.file.as_str(), place.line), ("main.rhai", 3));
}

#[test]
fn a_closure_passed_to_a_module_sees_the_scripts_own_imports_and_functions() {
    let dir = directory(&[("scripts/m.rhai", APPLY), ("scripts/other.rhai", "fn five() { 5 }")]);
    let code = "import \"other\" as o; import \"m\" as m; fn own() { 6 } let a = 1; m::apply(|| a + o::five() + own())";
    assert_eq!(value(dir.path(), code), Value::Int(12));
}

#[test]
fn a_place_in_nested_closures_is_the_innermost() {
    let dir = directory(&[]);
    let code = "step(\"one\", || {\n  step(\"two\", || {\n    pumps().map(|p|\n      p.nope)\n  })\n})";
    let place = place(dir.path(), code);
    assert_eq!((place.line, place.text.trim()), (4, "p.nope)"));
}

#[test]
fn what_a_module_wraps_is_still_fatal() {
    let dir = directory(&[("scripts/m.rhai", "sleep(1);\nfn x() { 1 }")]);
    let mut shell = Shell::new();
    shell.asked.borrow_mut().stops_in_sleep = true;
    let source = Source {
        name: "main.rhai".into(),
        text: "try { import \"m\" as m; } catch { } print(\"went on\")".into(),
        root: Some(dir.path().join("scripts")),
    };
    assert_eq!(shell.interpreter.run(&source).unwrap_err().error.kind, ErrorKind::Interrupted);
    assert!(shell.printed().is_empty());
}

#[test]
fn the_embedded_library_imports_no_files() {
    for (name, text) in binlogsh::language::stdlib() {
        let source = Source::new(name, text);
        Shell::new().interpreter.describe(&source).unwrap();
        assert!(text.starts_with("//!"), "{name} says what it is for");
    }
}

#[test]
fn a_pinned_script_runs_with_its_modules_as_they_were() {
    let dir = directory(&[
        ("scripts/near.rhai", "import \"sub/far\" as f;\nfn three() { f::two() + 1 }"),
        ("scripts/sub/far.rhai", "fn two() { 2 }"),
    ]);
    let code = "import \"near\" as n;\nimport \"pumps\" as pumps;\nif false { import \"sub/far\" as f; }\nn::three()";
    let source = Source { name: "main.rhai".into(), text: code.into(), root: Some(dir.path().join("scripts")) };
    let mut shell = Shell::new();
    let prepared = shell.interpreter.prepare(&source).unwrap();
    let pinned = shell.interpreter.pin(&prepared).unwrap();
    let mut paths: Vec<&str> = pinned.iter().map(|module| module.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(
        paths,
        ["drainers", "gc", "near", "pumps", "steps", "sub/far"],
        "also what is imported by others, or never"
    );

    std::fs::write(dir.path().join("scripts/near.rhai"), "fn three() { 4 }").unwrap();
    std::fs::remove_file(dir.path().join("scripts/sub/far.rhai")).unwrap();
    let settings = ScriptSettings { pinned: Some(pinned), ..ScriptSettings::default() };
    let elsewhere = Source { root: None, ..source };
    let ending = Shell::with(settings).interpreter.run(&elsewhere);
    assert_eq!(ending.unwrap(), Ending::Value(Value::Int(3)));
}

#[test]
fn a_pinned_script_imports_nothing_else() {
    let settings = ScriptSettings { pinned: Some(Vec::new()), ..ScriptSettings::default() };
    let error = Shell::with(settings).error("import \"pumps\" as p;").error;
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.message.contains("\"pumps\"") && error.message.contains("script.rhai"), "{error}");
}
