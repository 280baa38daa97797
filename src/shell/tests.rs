use super::*;
use crate::output::{Settings, Streams};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// Evaluates by remembering; a line with more `{` than `}` is incomplete.
#[derive(Default)]
struct Remembers(Vec<String>);

impl PromptHost for Remembers {
    fn is_incomplete(&self, text: &str) -> bool {
        text.matches('{').count() > text.matches('}').count()
    }

    fn vocabulary(&self) -> Rc<PromptVocabulary> {
        Rc::default()
    }

    fn prompt(&mut self) -> PromptLine {
        PromptLine { place: "binlogsh(live)".into(), ..PromptLine::default() }
    }

    fn explain(&self, word: &str, source: bool) -> Result<String> {
        Ok(format!("{word} is explained, {source}"))
    }

    fn secrets(&mut self) -> Vec<String> {
        // What is typed hidden when the last entry asks for it.
        let asks = self.0.last().is_some_and(|last| last == "encrypt()");
        if asks { vec!["Tr0ub4dor3\"plain".to_owned()] } else { Vec::new() }
    }

    fn evaluate(&mut self, text: &str, _file: Option<&str>) -> Next {
        self.0.push(text.to_owned());
        match text {
            "exit(3)" => Next::Leave(3),
            _ => Next::Done,
        }
    }
}

/// Types what it was given, and remembers prompts and history.
#[derive(Default)]
struct Typed {
    inputs: Vec<Input>,
    prompts: Vec<String>,
    kept: Vec<String>,
    disk_is_full: bool,
    /// How often nothing can be taken out.
    locked_for: usize,
}

impl LineSource for Typed {
    fn read(&mut self, prompt: &PromptLine, initial: &str) -> Result<Input> {
        self.prompts.push(format!("{}{initial}", prompt.text()));
        match self.inputs.is_empty() {
            true => Ok(Input::End),
            false => Ok(self.inputs.remove(0)),
        }
    }

    fn keep(&mut self, text: &str) -> Result<()> {
        self.kept.push(text.to_owned());
        match self.disk_is_full {
            true => Err(Error::local("the disk is full")),
            false => Ok(()),
        }
    }

    fn forget(&mut self, is_out: &dyn Fn(&str) -> bool) -> Result<usize> {
        if self.locked_for > 0 {
            self.locked_for -= 1;
            return Err(Error::local("it is locked"));
        }
        let before = self.kept.len();
        self.kept.retain(|line| !is_out(line));
        Ok(before - self.kept.len())
    }

    fn forget_last(&mut self) -> Result<Option<String>> {
        Ok(self.kept.pop())
    }

    fn edit(&mut self, text: &str) -> Result<String> {
        match text {
            "no editor" => Err(Error::local("the editor failed")),
            text => Ok(format!("{text} edited")),
        }
    }
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Session {
    code: u8,
    typed: Typed,
    evaluated: Vec<String>,
    shown: String,
}

fn session_with(mut typed: Typed, lines: &[&str]) -> Session {
    typed.inputs = lines
        .iter()
        .map(|line| match *line {
            "^C" => Input::Cancelled,
            "SIGTERM" => Input::Stopped(15),
            line if line.starts_with("^X^E") => Input::ToEditor(line["^X^E".len()..].to_owned()),
            line => Input::Line(line.to_owned()),
        })
        .collect();
    let shown = Kept::default();
    let streams = Streams {
        out: Box::new(shown.clone()),
        err: Box::new(shown.clone()),
        out_is_terminal: false,
        columns: None,
        err_is_terminal: false,
        out_colors: false,
        err_colors: false,
    };
    let output = Output::on(streams, Settings::default());
    let format = DotCommand {
        name: ".output",
        takes: "FORMAT",
        about: "write results in another format",
        completes: Box::new(|_| Vec::new()),
        run: Box::new(|name, _| crate::output::Format::from_name(name).map(|_| Next::Prompt)),
    };
    let host = Rc::new(RefCell::new(Remembers::default()));
    let dynamic: Rc<RefCell<dyn PromptHost>> = host.clone();
    let code = Shell::new(vec![format], output).run(&mut typed, &dynamic, String::new()).unwrap();
    let shown = String::from_utf8(shown.0.lock().unwrap().clone()).unwrap();
    let evaluated = host.borrow().0.clone();
    Session { code, typed, evaluated, shown }
}

fn session(lines: &[&str]) -> Session {
    session_with(Typed::default(), lines)
}

#[test]
fn what_was_entered_is_evaluated_and_kept_afterwards() {
    let seen = session(&["if true {\n1\n}", "2"]);
    assert_eq!(seen.evaluated, ["if true {\n1\n}", "2"]);
    assert_eq!(seen.typed.prompts[0], "binlogsh(live)> ");
    assert_eq!(seen.typed.kept, ["if true {\n1\n}", "2"]);
}

#[test]
fn a_question_mark_explains_and_redact_takes_out() {
    let seen = session(&["pumps?", "?Node", "pumps::drain??", "3 ? 4", ".redact", ".history pumps"]);
    assert_eq!(seen.evaluated, ["3 ? 4"]);
    for page in ["pumps is explained, false", "Node is explained, false", "pumps::drain is explained, true"] {
        assert!(seen.shown.contains(page), "{}", seen.shown);
    }
    assert_eq!(seen.typed.kept, ["pumps?", "?Node", "pumps::drain??", ".history pumps"]);
    assert!(seen.shown.contains("   1  pumps?\n   3  pumps::drain??"), "{}", seen.shown);
}

#[test]
fn redact_takes_out_what_was_entered_here_and_the_others_keep_their_numbers() {
    let typed = Typed { kept: vec!["another prompt's".into()], ..Typed::default() };
    let seen = session_with(typed, &["1", "oops", " private", ".redact", ".history", ".redact", ".redact", ".redact"]);
    assert!(seen.shown.contains("   1  1\n   4  .redact\n") && !seen.shown.contains("oops"), "{}", seen.shown);
    // `.history` went next, then `1`, and at last what is nobody's here.
    assert!(seen.typed.kept.is_empty(), "{:?}", seen.typed.kept);
}

#[test]
fn what_is_typed_survives_an_editor_that_fails() {
    let seen = session(&["^X^Eno editor", "^X^E1", "2", ".output json", ".edit"]);
    assert_eq!(seen.typed.prompts[1..3], ["binlogsh(live)> no editor", "binlogsh(live)> 1 edited"]);
    assert!(seen.shown.contains("error[local]: the editor failed"), "{}", seen.shown);
    // What is edited is the last code, and no command of the prompt.
    assert_eq!(seen.typed.prompts[5], "binlogsh(live)> 2 edited");
}

#[test]
fn ctrl_c_clears_what_was_begun_and_ctrl_d_leaves() {
    let seen = session(&["^C", "2"]);
    assert_eq!((seen.evaluated, seen.code), (vec!["2".to_owned()], 0));
}

#[test]
fn exit_leaves_with_its_code() {
    assert_eq!(session(&["exit(3)", "4"]).code, 3);
    for word in [".quit", "quit", "exit"] {
        assert_eq!(session(&[word, "4"]).evaluated.len(), 0, "{word}");
    }
}

#[test]
fn help_alone_is_the_prompt_s_help() {
    for word in ["help", "?", ".help"] {
        let seen = session(&[word]);
        assert!(
            seen.evaluated.is_empty() && seen.shown.contains("help() lists the functions"),
            "{word}: {}",
            seen.shown
        );
    }
}

#[test]
fn a_signal_leaves_with_its_code() {
    let seen = session(&["1", "SIGTERM", "2"]);
    assert_eq!((seen.evaluated, seen.code), (vec!["1".to_owned()], 143));
}

#[test]
fn a_secret_is_not_kept_and_the_operator_is_told() {
    let seen = session(&["encrypt(\"pass\")", "   "]);
    assert_eq!(seen.evaluated.len(), 1);
    assert!(seen.typed.kept.is_empty());
    assert!(seen.shown.contains("not kept in the history") && !seen.shown.contains("pass\""), "{}", seen.shown);
}

#[test]
fn a_line_that_proves_to_hold_a_secret_later_is_taken_out_again() {
    let seen = session(&["let pw = \"pass\";", "let id = \"pump-1\";", "encrypt(pw)", "1"]);
    assert_eq!(seen.typed.kept, ["let id = \"pump-1\";", "encrypt(pw)", "1"]);
    assert!(seen.shown.contains("taken out of the history"), "{}", seen.shown);
}

#[test]
fn a_secret_that_was_used_is_one_in_every_later_entry() {
    let uses = r#"print("Tr0ub4dor3\"plain")"#;
    let seen = session(&[uses, "encrypt()", "1", uses, "print(`Tr0ub4dor3\"plain`)", ".history", "2"]);
    assert_eq!(seen.typed.kept, ["encrypt()", "1", ".history", "2"]);
    assert_eq!(seen.shown.matches("not kept in the history").count(), 2, "{}", seen.shown);
    assert!(!seen.shown.contains("Tr0ub4dor3"), "{}", seen.shown);
}

#[test]
fn what_a_secret_was_put_together_from_is_secret_in_every_entry() {
    let earlier = r#"print("so: hush\x347110815")"#;
    let seen = session(&[
        earlier,
        "let pw = \"hush47110815\";",
        "let other = pw + \"x\"; encrypt(other)",
        "print(\"hush47110815\")",
        "print(\"x\")",
    ]);
    assert_eq!(seen.typed.kept, ["print(\"x\")"]);
}

#[test]
fn a_secret_that_cannot_be_taken_out_of_the_history_now_is_taken_out_later() {
    let typed = Typed { kept: vec!["let another = \"hush-hush\";".into()], locked_for: 1, ..Typed::default() };
    let seen = session_with(typed, &["let pw = \"hush-hush\";", "encrypt(pw)", "1"]);
    assert!(seen.shown.contains("stays in the history: it is locked"), "{}", seen.shown);
    assert_eq!(seen.typed.kept, ["encrypt(pw)", "1"]);
}

#[test]
fn a_private_entry_is_handed_to_no_editor() {
    let seen = session(&["1", "encrypt(\"hush-hush\")", " 2", ".edit"]);
    assert_eq!(seen.typed.prompts[4], "binlogsh(live)> 1 edited");
    assert!(seen.shown.contains("the last line is private, and is handed to no editor"), "{}", seen.shown);
    assert_eq!(session(&[" 2", ".edit"]).typed.prompts[2], "binlogsh(live)>  edited");
}

#[test]
fn of_very_many_entries_the_newest_are_kept_under_their_numbers() {
    let mut lines: Vec<String> = (1..=2_500).map(|n| format!("{n};")).collect();
    lines.extend([".history 7;".to_owned(), "let pw = \"pass\";".into()]);
    lines.extend((1..=100).map(|n| format!("-{n};")));
    lines.extend(["encrypt(pw)".to_owned(), ".history pw".into()]);
    let seen = session(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(seen.evaluated.len(), 2_500 + 1 + 100 + 1);
    assert!(seen.shown.contains(" 507  507;\n") && seen.shown.contains("\n2497  2497;\n"), "{}", seen.shown);
    assert!(!seen.shown.contains(" 497;"), "{}", seen.shown);
    assert!(seen.shown.ends_with("2603  encrypt(pw)\n"), "{}", seen.shown);
}

#[test]
fn a_name_that_was_a_secret_s_is_one_when_its_entry_is_long_forgotten() {
    let mut lines = vec!["let pw = \"pass\"; encrypt(pw)".to_owned()];
    lines.extend((1..=2_100).map(|n| format!("{n};")));
    lines.push("pw = \"another\";".to_owned());
    let seen = session(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(!seen.typed.kept.iter().any(|entry| entry.contains("pw")), "{:?}", seen.typed.kept.last());
}

#[test]
fn a_history_that_cannot_be_written_is_told_once() {
    let seen = session_with(Typed { disk_is_full: true, ..Typed::default() }, &["1", "2"]);
    assert_eq!(seen.evaluated, ["1", "2"]);
    assert_eq!(seen.shown.matches("warning: the history is kept for this prompt only: the disk is full").count(), 1);
    // The keys find them all the same.
    assert_eq!(seen.typed.kept, ["1", "2"]);
}

#[test]
fn dot_commands_are_the_prompt_s_own() {
    let seen = session(&[".output json", ".output jsn", ".ouput json", ".help"]);
    assert!(seen.evaluated.is_empty());
    insta::assert_snapshot!(seen.shown, @r#"
    error[invalid]: `jsn` is no output format
    hint: did you mean `json` or `jsonl`?
    error[invalid]: there is no command `.ouput`
    hint: did you mean `.output`?
    .output FORMAT   write results in another format
    .help [COMMAND]  this list, or more about one of them
    .edit            the last entry in $VISUAL or $EDITOR; Ctrl-X Ctrl-E does so with what is being typed
    .history [TEXT]  the entries of this prompt with their numbers, those with the text
    .redact          takes the last entry of this prompt out of the history; at its beginning the newest of all
    .exit            leave, as Ctrl-D does
    .quit            leave

    help() lists the functions, `NAME?` explains one, `NAME??` shows the source of a module's function or a script.
    `it` is the last result.
    Tab completes; Up looks for what was begun, Ctrl-R anywhere; Right takes the grey rest of an earlier entry.
    Enter in the middle of an entry of several lines adds one; Ctrl-X Ctrl-E opens it in $VISUAL or $EDITOR.
    Ctrl-C cancels what is typed or runs, Ctrl-D leaves; an entry that begins with a space is not kept in the history
    "#);
}
