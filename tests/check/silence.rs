//! Rules are silenced at a line, by name and with a reason.

use super::checked;

const ACT: &str = "pause_pump(\"pump-1\", #{ wait: \"1m\" });";

fn found(code: &str) -> Vec<(usize, &'static str)> {
    checked(&format!("//! A script.\n{code}\n")).findings.iter().map(|f| (f.at.line, f.rule.name)).collect()
}

#[test]
fn a_comment_on_the_line_or_above_it_silences_a_rule() {
    assert_eq!(found(ACT), [(2, "act_outside_step")]);
    assert_eq!(found(&format!("{ACT} // check: allow act_outside_step: it is one change")), []);
    assert_eq!(found(&format!("// check: allow act_outside_step: it is one change\n{ACT}")), []);
    let two = "step(\"a\", || pause_pump(\"a\")); pause_pump(\"b\");";
    let both = format!("// check: allow act_outside_step, act_without_wait: others look\n{two}");
    assert_eq!(found(&both), []);
    let stacked = "// check: allow act_outside_step: one\n// why it is so\n// check: allow act_without_wait: two\n";
    assert_eq!(found(&format!("{stacked}{two}")), []);
}

#[test]
fn a_comment_silences_no_other_line_and_no_other_rule() {
    let far = format!("// check: allow act_outside_step: it is one change\n\n{ACT}");
    assert_eq!(found(&far), [(2, "unused_allow"), (4, "act_outside_step")]);
    let behind = format!("print(1); // check: allow act_outside_step: it is one change\n{ACT}");
    assert_eq!(found(&behind), [(2, "unused_allow"), (3, "act_outside_step")]);
    let other = format!("{ACT} // check: allow act_without_wait: it is one change");
    assert_eq!(found(&other), [(2, "act_outside_step"), (2, "unused_allow")]);
    let text = format!("print(\"// check: allow act_outside_step: no comment\"); {ACT}");
    assert_eq!(found(&text), [(2, "act_outside_step")]);
}

#[test]
fn a_comment_without_a_reason_or_with_an_unknown_rule_is_a_finding() {
    assert_eq!(
        found(&format!("{ACT} // check: allow act_outside_step")),
        [(2, "act_outside_step"), (2, "allow_without_reason")]
    );
    assert_eq!(
        found(&format!("{ACT} // check: allow act_outside_step:  ")),
        [(2, "act_outside_step"), (2, "allow_without_reason")]
    );
    let checked = checked(&format!("//! A script.\n{ACT} // check: allow act_outside_stpe: one change\n"));
    let unknown = checked.findings.iter().find(|finding| finding.rule.name == "unknown_rule").unwrap();
    assert_eq!(unknown.hint.as_deref(), Some("did you mean `act_outside_step`?"));
    assert_eq!(unknown.at.column, ACT.len() + 1 + "// check: allow ".len() + 1);
}

#[test]
fn what_the_compiler_refuses_is_not_silenced() {
    let code = "// check: allow undefined_variable: it is there on Tuesdays\nprint(nobody);";
    assert_eq!(found(code), [(2, "unused_allow"), (3, "undefined_variable")]);
}

#[test]
fn the_condition_of_a_do_loop_comes_after_its_body() {
    let waits = |head: &str, tail: &str| format!("step(\"a\", || {{ {head} {{ pause_pump(\"p\"); }} {tail} }});");
    assert_eq!(found(&waits("do", "while wait_for(\"p\", \"paused\") > 60;")), []);
    assert_eq!(found(&waits("while wait_for(\"p\", \"online\") > 60", "")), [(2, "act_without_wait")]);
}
