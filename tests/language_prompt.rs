//! The prompt: what lives from line to line, and when a line is whole.

use crate::language_fixture::Shell;
use binlogsh::error::ErrorKind;
use binlogsh::language::{Completeness, Ending};
use binlogsh::value::Value;

#[test]
fn variables_functions_imports_and_constants_live_from_line_to_line() {
    let mut shell = Shell::new();
    shell.line("let a = 40");
    shell.line("const B = 2");
    shell.line("fn add(x, y) { x + y }");
    shell.line("import \"pumps\" as p");
    shell.line("let f = |x| x + 1");
    assert_eq!(shell.line("add(a, B)"), Value::Int(42));
    assert_eq!(shell.line("f.call(add(a, B))"), Value::Int(43));
    shell.line("a = 41; fn add(x, y) { x - y }");
    assert_eq!(shell.line("add(a, B)"), Value::Int(39));
    assert_eq!(shell.line("let a = \"new\"; a"), "new".into());
    shell.line("p::list([`a`])");
    assert_eq!(shell.line("[1, 2].map(|x| add(x, 1))"), Value::List(vec![0.into(), 1.into()]));
}

#[test]
fn a_failure_leaves_what_was_there_and_what_it_had_made() {
    let mut shell = Shell::new();
    shell.line("let a = 1");
    let error = shell.interpreter.line("let b = 2; fail(\"no\")").unwrap_err();
    assert_eq!(error.error.kind, ErrorKind::Failed);
    let place = error.place.unwrap();
    assert_eq!((place.file.as_str(), place.line), ("<prompt>", 1));
    assert_eq!(shell.line("a + b"), Value::Int(3));
}

#[test]
fn an_interrupt_ends_the_line_and_not_the_session() {
    let mut shell = Shell::new();
    shell.line("let a = 1");
    shell.asked.borrow_mut().stops_in_sleep = true;
    assert_eq!(shell.interpreter.line("sleep(5)").unwrap_err().error.kind, ErrorKind::Interrupted);
    shell.asked.borrow_mut().stops_in_sleep = false;
    assert_eq!(shell.line("sleep(1); a + 1"), Value::Int(2));
}

#[test]
fn a_function_of_an_earlier_line_is_shown_where_it_stands() {
    let mut shell = Shell::new();
    shell.line("\nfn broken() {\n  fail(\"no\")\n}");
    shell.line("1");
    let place = shell.interpreter.line("broken()").unwrap_err().place.unwrap();
    assert_eq!((place.line, place.text.trim()), (3, "fail(\"no\")"));
}

#[test]
fn exit_ends_the_prompt_with_its_code() {
    let mut shell = Shell::new();
    assert_eq!(shell.interpreter.line("exit(4)").unwrap(), Ending::Exit(4));
    assert_eq!(shell.line("1 + 1"), Value::Int(2));
}

#[test]
fn a_line_that_is_not_whole_goes_on() {
    let shell = Shell::new();
    for text in
        ["if true {", "let x =", "pumps(", "step(\"x\", ||", "1 +", "fn f()", "`one", "/* so", "if pumps().len() > 1"]
    {
        assert_eq!(shell.interpreter.completeness(text), Completeness::Incomplete, "{text}");
    }
    for text in ["pumps()", "let x = 1", "x + undefined", "", "p::list([`a`])", "\"(\"", "fn f() { 1 }", "// what"] {
        assert_eq!(shell.interpreter.completeness(text), Completeness::Complete, "{text}");
    }
    for text in [")", "let = 3", "\"open", "1 2"] {
        assert_eq!(shell.interpreter.completeness(text), Completeness::Invalid, "{text}");
    }
}

#[test]
fn names_to_complete_are_those_that_are_there() {
    let mut shell = Shell::new();
    shell.line("let mine = 1; fn own() { 1 }");
    shell.line("import \"pumps\" as p");
    let names = shell.interpreter.names();
    assert!(names.variables.contains_key("mine"));
    assert!(names.functions.contains(&"own".into()) && names.functions.contains(&"pause_pump".into()));
    assert!(names.modules.contains(&"drainers".into()));
    let [imported] = names.imported.as_slice() else { panic!("{:?}", names.imported) };
    assert_eq!(imported.name, "p");
    let drain = imported.functions.iter().find(|function| function.name == "drain").unwrap();
    assert_eq!(drain.params, ["pump", "options"]);
    assert!(
        !imported.functions.iter().any(|function| function.name == "others_answering"),
        "private functions are not called"
    );
}

#[test]
fn what_a_function_returned_keeps_the_order_of_its_fields() {
    let mut shell = Shell::new();
    let Value::Map(fields) = shell.line("pause_pump(\"pump-1\")") else { panic!() };
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["id", "before", "answer", "after", "waited"]);
    let Value::Map(fields) = shell.line("#{ name: 1, age: 2, color: 3 }") else { panic!() };
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["name", "age", "color"]);
}

#[test]
fn a_constant_that_is_called_as_the_last_result_ends_no_prompt() {
    let mut shell = Shell::new();
    shell.line("const it = 1");
    assert_eq!(shell.line("it"), Value::Int(1));
    assert_eq!(shell.line("40 + 2"), Value::Int(42));
    assert_eq!(shell.line("it + 1"), Value::Int(2));
    shell.interpreter.line("it = 9").unwrap_err();
    assert_eq!(shell.line("let it = 5; it"), Value::Int(5));
    shell.line("40 + 2");
    assert_eq!(shell.line("it"), Value::Int(42));
}
