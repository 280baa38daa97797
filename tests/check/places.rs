//! Findings stand where a person would look. In these scripts what is found stands between « and ».

use super::checked;

/// Rules, and scripts in which they find what is marked and nothing else is found.
const SCRIPTS: &[(&str, &str)] = &[
    ("undefined_function", "let n = `ü ${ «pmps»().len() } Pumps`;"),
    ("undefined_function", "print([1].«mapp»(|x| x));"),
    ("undefined_function", "import \"pumps\" as p;\nprint(p::«lsit»([]));"),
    ("undefined_function", "import \"pumps\" as p;\nprint(p::«started_after»(1, 2));"),
    ("undefined_function", "print([1].map(Fn(«\"nobody\"»)));"),
    ("undefined_function", "let a = [1, 2];\nfor x in a {\n\tif x > 1 { break «nobody»(x); }\n}"),
    ("undefined_function", "switch 1 { 1 if «nobody»() => 1, _ => «nobody»() }"),
    ("undefined_function", "let a = #{ b: [#{ c: |x| |y| «nobody»(x, y) }] };\nprint(a);"),
    ("undefined_function", "let a = [[1]];\na[0][«nobody»()] = 1;\na[0].«nothing»()[0].«noone»();"),
    ("wrong_argument_count", "print(«pump»(\"a\", \"b\").id);"),
    ("wrong_argument_count", "fn f(a, b) { a + b }\nprint(«f»(1));"),
    ("wrong_argument_count", "import \"drainers\" as d;\nd::«ensure_answering»(1);"),
    ("wrong_argument_count", "print(\"a\".«trim»(1, 2, 3));"),
    ("undefined_variable", "let a = 1;\nlet f = |x| x + «b» + a;\nprint(f.call(1));"),
    ("undefined_variable", "let a = 1;\nfn f() { «a» }\nprint(f());"),
    ("undefined_variable", "fn f() { global::«LIMIT» }\nprint(f());"),
    ("undefined_variable", "print(«later»);\nlet later = 1;\nprint(later);"),
    ("undefined_variable", "for x in [1] { print(x); }\n«x» = 2;"),
    ("undefined_module", "print(«pmups»::chosen(\"\"));"),
    ("unresolved_import", "import «\"../elsewhere\"» as e;\ne::f();"),
    ("shadowed_function", "private fn «wait_for»(x) { x }\nprint(1);"),
    ("unknown_property", "print(pumps().filter(|p| p.«stat» == \"online\").map(|p| p.id));"),
    ("unknown_property", "let found = drainer(\"d\");\nprint(found[«\"lga\"»]);"),
    ("unknown_property", "fn one() { if true { return pump(\"a\"); } pump(\"b\") }\nprint(one().«adress»);"),
    ("unknown_property", "import \"drainers\" as d;\nfor node in d::remaining() { print(node.«max_commit»); }"),
    ("unknown_property", "print(cluster().«leader_name»);"),
    ("unknown_property", "fn show(node) { print(node.«heartbeat_agee») }\nshow(1);"),
    ("unknown_property", "print(now().«unix_sm»);"),
    ("unknown_option", "print(param(\"a\", #{\n    default: 1,\n    «abuot»: \"what\",\n}));"),
    ("undefined_function", "print(`one\ntwo ${1} ${\n  «nobody»(`x ${ «nobody»() }`)} three`);\n«nobody»();"),
    ("undefined_variable", "let a = [\n\t1, `ü\n${ «b» }`,\n\t«c»,\n];\nprint(a);"),
    ("unknown_option", "step(\"a\", || offline_pump(\"p\", #{ wait: \"1m\", force: [«\"last_pmp\"»] }));"),
    ("undeclared_parameter", "for name in [\"a\"] { print(«param»(name)); }"),
    ("pointless_comparison", "print(pumps().filter(|p| p.state == «\"onlne\"»));"),
    ("pointless_comparison", "for n in nodes() { if n.kind != «\"pumps\"» { print(n); } }"),
    ("pointless_comparison", "fn lag(id) { pump(id).lag }\nprint(lag(\"a\") > «\"»30s\");"),
    ("pointless_comparison", "let seen = pump(\"a\").updated;\nprint(«5» < seen);"),
    ("pointless_comparison", "print(now() >= «\"»2026-11-22\");"),
    ("pointless_comparison", "print(pump(\"a\").state == «3»);"),
    ("undeclared_parameter", "fn f() { «param»(\"a\") }\nfn g() { f() }"),
    ("unused_parameter", "let «only» = param(\"only\");"),
    (
        "act_outside_step",
        "fn stop_one(id) {\n    «pause_pump»(id, #{ wait: \"1m\" });\n}\nif pumps().len() > 2 { stop_one(\"a\"); }",
    ),
    ("act_outside_step", "\"pump-1\".«trigger_gc»();"),
    ("sandbox_function", "\"pump-1\".«kill»();"),
    ("unused_variable", "let «before» = 1;\nlet _after = 2;\nconst LIMIT = 3;\nfn f() { global::LIMIT }\nprint(f());"),
    ("unused_variable", "let «n» = 1;\nn = 2;\nprint([1].map(|x| { let n = x; n }));"),
    ("unused_import", "import \"pumps\" as «p»;\nimport \"drainers\" as d;\nprint(`${d::remaining()}`);"),
    ("wrong_argument", "step(\"a\", || update_pump(\"p\", «\"pausd\"»));"),
    ("wrong_argument", "\"pump-1\".wait_for(«\"onlin\"», \"1m\");"),
    ("wrong_argument", "step(\"a\", || pause_pump(\"p\", #{ wait: «\"soon\"» }));"),
    ("wrong_argument", "print(tso_time(1, «\"Mars\"»));"),
    ("act_without_wait", "step(\"a\", || «offline_drainer»(\"d\"));"),
    (
        "act_without_wait",
        "fn stop_one(id) { «pause_pump»(id) }\nstep(\"a\", || { stop_one(\"a\"); exec(\"reboot\"); });",
    ),
    ("act_without_wait", "step(\"a\", || { let ignored = «pause_pump»(\"p\"); });"),
    (
        "loop_without_check",
        "for id in [\"a\"] {\n    step(\"x\", || {\n        ensure(pump(id).lag < 9, \"behind\");\n        \
         pause_pump(id, #{ wait: \"1m\" });\n        «manual»(\"start it\", #{ starts: [id] });\n    });\n}",
    ),
    (
        "loop_without_check",
        "let ids = [];\nids.for_each(|i| step(\"a\", || «manual»(\"do it\", #{ starts: [this] })));",
    ),
    (
        "loop_without_check",
        "fn one(id) { step(\"a\", || manual(\"do it\", #{ starts: [id] })) }\nwhile true { «one»(\"a\"); }",
    ),
    ("update_for_pause", "step(\"a\", || «update_drainer»(\"d\", \"online\"));"),
];

/// `marked` without its marks, and where they were: line, column and width.
fn unmarked(marked: &str) -> (String, Vec<(usize, usize, usize)>) {
    let (mut text, mut places) = (String::new(), Vec::new());
    let (mut line, mut column, mut open) = (1, 1, 1);
    for letter in marked.chars() {
        match letter {
            '«' => open = column,
            '»' => places.push((line, open, column - open)),
            _ => {
                text.push(letter);
                (line, column) = if letter == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
        }
    }
    (text, places)
}

#[test]
fn a_finding_stands_at_the_name_that_it_is_about() {
    for (rule, marked) in SCRIPTS {
        let (text, places) = unmarked(&format!("//! A script.\n{marked}\n"));
        let mut findings = checked(&text).findings;
        // What the others declare is there for one thing only.
        findings.retain(|finding| finding.rule.name == *rule || finding.rule.name != "unused_variable");
        let found: Vec<_> = findings.iter().map(|f| (f.at.line, f.at.column, f.width)).collect();
        assert_eq!(found, places, "{marked}\n{findings:#?}");
        assert!(findings.iter().all(|finding| finding.rule.name == *rule), "{marked}\n{findings:#?}");
    }
}

#[test]
fn a_script_that_does_not_compile_has_one_finding_and_where() {
    let scripts = [
        ("//! A script.\nlet a = (1;\n", (2, 11)),
        ("//! A script.\nprint(1); /* open\n", (2, 11)),
        ("#!/usr/bin/env binlogsh\n//! A script.\neval(\"1\");\n", (3, 1)),
        ("let x = 1 +", (1, 12)),
    ];
    for (text, place) in scripts {
        let checked = checked(text);
        assert!(!checked.compiles);
        let [finding] = checked.findings.as_slice() else { panic!("{checked:#?}") };
        assert_eq!((finding.rule.name, (finding.at.line, finding.at.column)), ("does_not_compile", place), "{text}");
    }
}

#[test]
fn a_misspelt_name_is_named_and_mended_only_where_one_can_be_meant() {
    let hint = |code: &str| {
        let checked = checked(&format!("//! A script.\n{code}\n"));
        let [finding] = checked.findings.as_slice() else { panic!("{checked:#?}") };
        (finding.hint.clone().unwrap_or_default(), finding.fix.as_ref().map(|fix| fix.to.clone()))
    };
    let meant = |name: &str| (format!("did you mean `{name}`?"), Some(name.to_owned()));
    assert_eq!(hint("print(drianers().len());"), meant("drainers"));
    assert_eq!(hint("let timeout = 1; print(timoeut);"), meant("timeout"));
    assert_eq!(hint("print(pump(\"a\").sate);"), meant("state"));
    let (said, fix) = hint("step(\"a\", || trigger_cg(\"a\"));");
    assert_eq!((said.as_str(), fix), ("did you mean `trigger_gc`?", None), "a change is written by a person");
}

#[test]
fn a_function_that_wants_what_stands_outside_it_is_told_how() {
    let hint = |code: &str| {
        let checked = checked(&format!("//! A script.\n{code}\n"));
        let [finding] = checked.findings.as_slice() else { panic!("{checked:#?}") };
        finding.hint.clone().unwrap_or_default()
    };
    assert!(hint("const A = 1;\nfn f() { A }\nprint(f() + A);").contains("write `global::A`"));
    assert!(hint("let a = 1;\nfn f() { a }\nprint(f() + a);").contains("give it `a` as an argument"));
}
