//! The examples of every rule do what they say; what is shipped and what the documentation shows is clean.

use super::{checked, found, named};
use crate::harness::project;
use binlogsh::check::{Checker, RuleFinding, Severity, rules, rules_markdown};
use binlogsh::language::{Source, functions, stdlib};
use std::path::Path;

#[test]
fn every_rule_catches_its_example_and_leaves_the_other_alone() {
    for rule in rules() {
        let caught = checked(rule.caught);
        let names: Vec<&str> = caught.findings.iter().map(|finding| finding.rule.name).collect();
        assert!(!names.is_empty(), "{} does not catch\n{}", rule.name, rule.caught);
        let its_own = |name: &&str| {
            // What is not silenced is found as well.
            **name == *rule.name
                || matches!(rule.name, "unknown_rule" | "allow_without_reason") && **name == *"act_outside_step"
        };
        assert!(names.iter().all(its_own) && names.contains(&rule.name), "{}: {names:?}", rule.name);
        let alone = checked(rule.left_alone);
        assert!(alone.compiles && alone.findings.is_empty(), "{}: {:#?}", rule.name, alone.findings);
    }
}

#[test]
fn every_rule_that_is_written_is_one_of_its_family() {
    let files = std::fs::read_dir(project("src/check")).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let text: String = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let written = text.split(": Rule = Rule {").skip(1);
    let written: Vec<&str> = written.map(|row| row.split('"').nth(1).unwrap()).collect();
    assert!(written.len() >= 20, "{written:?}");
    for name in written {
        assert!(rules().any(|rule| rule.name == name), "{name} is not in RULES of its family: nobody hears of it");
    }
}

#[test]
fn the_page_of_the_rules_is_made_from_their_rows() {
    let page = std::fs::read_to_string(project("docs/rules.md")).unwrap();
    assert!(page == rules_markdown(), "write it with `binlogsh check --explain > docs/rules.md`");
}

#[test]
fn shipped_scripts_and_the_library_are_clean() {
    let checker = Checker::default();
    let dirs = ["scripts", "stdlib", "examples"].map(project);
    let mut files = Vec::new();
    for dir in &dirs {
        rhai_files(dir, &mut files);
    }
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let root = file.parent().map(Path::to_path_buf);
        let source = Source { root, ..Source::new(file.display().to_string(), text) };
        let checked = checker.check(&source, &dirs);
        assert!(checked.compiles && checked.findings.is_empty(), "{}: {:#?}", file.display(), checked.findings);
    }
    for (name, text) in stdlib() {
        let checked = checker.check(&Source::new(format!("stdlib:{name}"), text), &[]);
        assert!(checked.findings.is_empty(), "{name}: {:#?}", checked.findings);
    }
}

fn rhai_files(dir: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => rhai_files(&path, found),
            false if path.extension().is_some_and(|extension| extension == "rhai") => found.push(path),
            false => {}
        }
    }
}

#[test]
fn no_example_of_a_function_has_an_error() {
    for function in functions() {
        for finding in checked(function.example.code).findings {
            assert_eq!(finding.rule.severity, Severity::Warning, "{}: {finding:?}", function.name);
        }
    }
}

#[test]
fn no_example_of_readme_and_guide_has_an_error() {
    for page in ["README.md", "docs/guide.md", "docs/rules.md"] {
        let text = std::fs::read_to_string(project(page)).unwrap();
        for (line, sample, code) in crate::examples::blocks(&text) {
            let name = if sample == "test" { "procedure_test.rhai" } else { "procedure.rhai" };
            for finding in named(name, &code).findings {
                assert_eq!(finding.rule.severity, Severity::Warning, "{page}:{line}: {finding:?}");
            }
        }
    }
}

/// Scripts that look as if something were wrong with them.
#[test]
fn what_is_right_is_left_alone() {
    let right = [
        // Names.
        "let f = |x| x + 1; print(f.call(2));",
        "fn twice(x) { x * 2 } print([1, 2].map(twice)); print([1, 2].map(Fn(\"twice\")));",
        "const LIMIT = 3; fn is_over(n) { n > global::LIMIT } print(is_over(4));",
        "fn half() { this / 2 } print(4.half());",
        "let job = #{ run: |x| x }; print(job.run(3));",
        "let tried = 0; while tried < 3 { tried += 1; } print(tried);",
        "for (p, at) in pumps() { print(`${at} ${p.id}`); }",
        "switch pumps().len() { 0 => print(\"none\"), 1..3 => print(\"few\"), _ => print(\"many\") }",
        "try { pump(\"x\"); } catch (err) { print(err.kind + err.hint); throw err; }",
        "import \"pumps\" as pumps; print(pumps::list(pumps::drainers::online()));",
        "let a = 1; { let b = a; print(b); } let g = |x| { let y = x + a; |z| y + z }; print(g.call(1).call(2));",
        "print(\"abc\".len + [1].len() + \"abc\".to_upper().len());",
        "print(is_def_var(\"x\")); print(type_of(1)); debug(1); print();",
        // Properties.
        "let map = #{ a: 1 }; map.b = 2; print(map.b); map[\"c\"] = 3; print(map.c);",
        "let r = probe([pump(\"pump-1\")]); for answer in r { print(answer.detail); }",
        "let node = pump(\"pump-1\"); node = #{ what: 1 }; print(node.what);",
        "print(status(\"drainer-0\").pump_positions[\"pump-1\"]);",
        "print(metrics(\"pump-0\")[\"process_start_time_seconds\"]); print(now().unix_ms);",
        "let all = if pumps().is_empty() { [] } else { pumps() }; for p in all { print(p.state); }",
        "let p = pump(\"a\"); print(p.lag == () || p.lag > 30 && p.state != \"paused\" && \"pump\" == p.kind);",
        "let last = (); for d in drainers() { if last == () || d.max_commit_ts > last { last = d.max_commit_ts; } } print(last);",
        "let least = pump(\"a\").lag; least = \"none\"; print(least == \"none\"); print(now() - 30 > pump(\"a\").updated);",
        // Changes.
        "step(\"a\", || pause_pump(\"p\")); step(\"b\", || wait_until(\"it stands\", || pump(\"p\").state == \"paused\", \"1m\"));",
        "step(\"a\", || pause_drainer(\"a\")); step(\"b\", || pause_drainer(\"b\")); step(\"c\", || wait_for(\"a\", \"paused\"));",
        "let done = step(\"a\", || pause_pump(\"p\")); ensure(done.after == \"paused\", \"it did not stop\");",
        "let options = #{ wait: \"1m\" }; step(\"a\", || pause_pump(\"p\", options));",
        "fn stop_one(id) { pause_pump(id) } step(\"a\", || { let r = stop_one(\"p\"); if r.after != \"paused\" { fail(\"no\"); } });",
        "for d in drainers() { step(\"a\", || pause_drainer(d)); if drainer(d).state != \"paused\" { break; } } step(\"b\", || wait_for(\"d\", \"paused\"));",
        "let work = || pause_pump(\"p\", #{ wait: \"1m\" }); step(\"a\", work);",
        "step(\"all\", || { for d in drainers() { if d.state == \"paused\" { continue; } pause_drainer(d, #{ wait: \"1m\" }); } });",
        "for p in pumps() { if probe(p) == \"refused\" { step(\"fix\", || update_pump(p, \"paused\")); } }",
        "for p in pumps() { if p.state == \"offline\" { step(\"forget\", || forget_pump(p)); } }",
        "import \"pumps\" as pumps; for id in pumps::chosen(\"\") { step(\"a\", || manual(\"Replace it\", #{ starts: [id] })); pumps::ensure_online(id); }",
        "let of = \"pumps\"; import of as m; m::look(); step(\"a\", || update_pump(\"p\", \"paused\")); for p in [1] { step(\"b\", || pause_pump(p)); m::look(p); }",
        // Parameters.
        "let only = param(\"only\", #{ default: \"\" }); let f = |x| x == only; print(f.call(1));",
        "print(param(\"only\", #{ about: \"which\", choices: [\"a\", \"b\"] }));",
        "fn timeout() { param(\"timeout\", #{ default: \"5m\" }) } print(timeout());",
    ];
    for code in right {
        assert_eq!(found(code), [""; 0], "{code}");
    }
}

#[test]
fn a_function_that_acts_is_right_if_all_that_call_it_are_in_steps() {
    let act =
        "fn stop_one(id) { pause_pump(id, #{ wait: \"1m\" }) } fn stop_both() { stop_one(\"a\"); stop_one(\"b\"); }";
    assert_eq!(found(&format!("{act} step(\"a\", || stop_both());")), [""; 0]);
    assert_eq!(found(&format!("{act} step(\"a\", || stop_one(\"a\")); stop_both();")), ["act_outside_step"]);
    assert_eq!(found(act), [""; 0], "nobody calls it here: it is for others");
}

#[test]
fn what_a_module_does_is_found_where_the_script_calls_it() {
    let dir = tempfile::tempdir().unwrap();
    let module = "//! Stops nodes.\nfn stop(id) { pause_pump(id) }\nfn timeout() { param(\"timeout\") }\n";
    std::fs::write(dir.path().join("stopping.rhai"), module).unwrap();
    let code =
        "//! A script.\nimport \"stopping\" as s;\nfor id in [\"a\", \"b\"] {\n    s::stop(id);\n}\ns::stopp(1);\n";
    let source = Source { root: Some(dir.path().to_owned()), ..Source::new("script.rhai", code) };
    let found = Checker::default().check(&source, &[]).findings;
    let found: Vec<_> = found.iter().map(|f| (f.at.line, f.at.column, f.rule.name, f.message.as_str())).collect();
    let at = dir.path().join("stopping.rhai").canonicalize().unwrap();
    let param =
        format!("this module reads the parameter `timeout` ({}:3), which the script does not declare", at.display());
    assert_eq!(
        found,
        [
            (2, 8, "undeclared_parameter", param.as_str()),
            (4, 8, "act_outside_step", "`s::stop` changes something outside a step: it calls `pause_pump`"),
            (4, 8, "loop_without_check", "`pause_pump` (through `s::stop`) in a loop that looks at nothing in between"),
            (6, 4, "undefined_function", "the module `s` has no function `stopp`"),
        ]
    );
}

#[test]
fn modules_that_import_each_other_are_found_and_end() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.rhai"), "//! A.\nimport \"b\" as b;\nfn f() { b::g() }\n").unwrap();
    std::fs::write(dir.path().join("b.rhai"), "//! B.\nimport \"a\" as a;\nfn g() { a::f() }\n").unwrap();
    let name = dir.path().join("a.rhai").display().to_string();
    let text = std::fs::read_to_string(&name).unwrap();
    let source = Source { root: Some(dir.path().to_owned()), ..Source::new(name, text) };
    let found = Checker::default().check(&source, &[]).findings;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].rule.name, found[0].at.line), ("unresolved_import", 2));
    assert!(found[0].message.contains("imports itself"), "{}", found[0].message);
}

/// What is found in a file of tests that has this test, by whoever knows what tests are given.
fn found_in_test(body: &str) -> Vec<(&'static str, usize, String)> {
    let code = format!("fn test_waits(t) {{\n    {body}\n}}\nfn ran(t) {{ t.run(1, 2, 3).storry() }}");
    let checker = Checker::default().knowing_tests(binlogsh::testing::functions().map(|(signature, _)| signature));
    let checked = checker.check(&Source::new("waits_test.rhai", code), &[]);
    let told = |finding: &RuleFinding| format!("{}; {}", finding.message, finding.hint.clone().unwrap_or_default());
    checked.findings.iter().map(|finding| (finding.rule.name, finding.at.line, told(finding))).collect()
}

#[test]
fn a_file_of_tests_needs_no_header_and_its_helpers_may_be_given_anything() {
    assert_eq!(found_in_test("t.scenario(\"empty\"); ran(t).story(); [1].some(|t| t.nothing());"), []);
    let every = "t.fault(\"pd_gone\", #{ after: 3 }); t.fault(\"crash\", \"p\", #{ after: 3, lasts: 4 }); t.run(\"a.rhai\"); \
                 t.run(\"a.rhai\", #{ a: 1 }); t.expect_effects([\"a\", \"b\"]); t.expect_ok(); t.states(); t.limit(\"1m\");";
    assert_eq!(found_in_test(every), []);
    let code = "fn test_waits(t) { t.expect_eror(\"refused\"); }";
    assert_eq!(named("waits_test.rhai", code).findings, [], "nobody said what tests are given");
    assert!(!named("waits.rhai", code).findings.is_empty());
}

#[test]
fn what_a_test_is_given_can_do_what_it_can_and_nothing_else() {
    let found = found_in_test("t.expect_efects([]);");
    let told = "there is no function `expect_efects` of what a test is given; did you mean `expect_effects`?";
    assert_eq!(found, [("undefined_function", 2, told.to_owned())]);
    let [(rule, _, told)] = found_in_test("if true { [1].map(|x| t.frobnicate(x)); }").try_into().unwrap();
    assert!(rule == "undefined_function" && told.contains("it has asked, effects, expect_asked"), "{told}");
    let [(rule, line, told)] = found_in_test("t.expect_error();").try_into().unwrap();
    assert_eq!((rule, line), ("wrong_argument_count", 2));
    assert!(told.contains("`.expect_error` takes 1 or 2 argument(s), and gets none"), "{told}");
}
