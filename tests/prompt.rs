//! The prompt in a real terminal.

use crate::harness::Shell;
use crate::harness::screen::set_size;
use rexpect::reader::Options;
use rexpect::session::{PtySession, spawn_with_options};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

/// The prompt, with how long the last command took if the machine was slow.
const PROMPT: &str = r"sandbox( \[[0-9.]+s\])?> ";

/// A prompt that was opened, and the home it lives in.
struct Prompt {
    pty: PtySession,
    shell: Shell,
}

impl Prompt {
    fn open(shell: Shell) -> Self {
        let options = Options::new().timeout_ms(Some(20_000)).strip_ansi_escape_codes(true);
        let mut pty = spawn_with_options(shell.command(), options).unwrap();
        // So wide that a line with its hint is never wrapped: a new line is then when it is taken.
        set_size(&pty.process().get_file_handle().unwrap(), 300, 50);
        pty.exp_string("> ").unwrap();
        Self { pty, shell }
    }

    fn sandbox(name: &str) -> Self {
        Self::open(Shell::sandbox(name))
    }

    /// Types a line, and returns all that was said until the next prompt.
    fn answer(&mut self, line: &str) -> String {
        self.pty.send_line(line).unwrap();
        // While it is typed the line is drawn again and again; the first new line is when it is taken.
        self.pty.exp_string("\n").unwrap();
        let found = self.pty.exp_regex(PROMPT);
        found.unwrap_or_else(|error| panic!("no prompt after `{line}`: {error}")).0
    }

    /// The same, and `expected` is part of it.
    #[track_caller]
    fn says(&mut self, line: &str, expected: &str) -> &mut Self {
        let answer = self.answer(line);
        assert!(answer.contains(expected), "`{line}` says {answer:?}, which has no {expected:?}");
        self
    }

    /// Answers a question, and `expected` is said before the next prompt. The terminal of a test does not echo.
    #[track_caller]
    fn replies(&mut self, line: &str, expected: &str) -> &mut Self {
        self.pty.send_line(line).unwrap();
        let (answer, _) = self.pty.exp_regex(PROMPT).unwrap();
        assert!(answer.contains(expected), "after `{line}` it says {answer:?}, which has no {expected:?}");
        self
    }

    fn leave(mut self) -> Shell {
        self.pty.send_control('d').unwrap();
        self.pty.exp_eof().unwrap();
        self.shell
    }
}

#[test]
fn variables_functions_imports_and_constants_live_from_line_to_line() {
    let mut prompt = Prompt::sandbox("default");
    prompt
        .says("let a = 20;", "")
        .says("const B = 1;", "")
        .says("fn double(x) { x * 2 }", "")
        .says("double(a) + B", "41")
        .says("import \"pumps\" as stock;", "")
        .says("a += 1; a * 1000", "21000");
    prompt.leave();
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let mut prompt = Prompt::sandbox("default");
    prompt.pty.send("let list = [\n  11, 22,\n];\nlist.len() * 500\n").unwrap();
    prompt.pty.flush().unwrap();
    prompt.pty.exp_string("\n1000").unwrap();
    prompt.pty.exp_regex(PROMPT).unwrap();
    prompt.leave();
}

#[test]
fn results_are_tables_and_errors_have_hints() {
    let mut prompt = Prompt::sandbox("default");
    prompt.says("pumps()", "pump-2").says("pump(\"pmp-1\")", "did you mean").says(".output json", "").says("[1]", "1");
    prompt.leave();
}

#[test]
fn a_change_asks_first_and_a_no_leaves_all_as_it_was() {
    let mut prompt = Prompt::sandbox("default");
    prompt.pty.send_line("pause_pump(\"pump-1\")").unwrap();
    prompt.pty.exp_string("[y/N/d/q/?]").unwrap();
    prompt.replies("n", "refused");
    prompt.says("pump(\"pump-1\").state", "online");
    prompt.pty.send_line("pause_pump(\"pump-1\")").unwrap();
    prompt.pty.exp_string("last_pump: clear").unwrap();
    prompt.pty.exp_string("[y/N/d/q/?]").unwrap();
    prompt.replies("y", "success");
    prompt.says("pump(\"pump-1\").state", "paused");
    prompt.leave();
}

#[test]
fn control_c_ends_an_endless_loop_and_keeps_the_session() {
    let mut prompt = Prompt::sandbox("default");
    prompt.says("let kept = 7;", "");
    prompt.pty.send_line("print(600 + 66); loop { }").unwrap();
    prompt.pty.exp_string("666").unwrap();
    prompt.pty.send_control('c').unwrap();
    prompt.pty.exp_string("interrupted").unwrap();
    prompt.pty.exp_regex(PROMPT).unwrap();
    prompt.says("kept * 1111", "7777");
    prompt.leave();
}

#[test]
fn control_c_cancels_a_network_call_at_once_and_keeps_the_session() {
    // Accepts connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut prompt = Prompt::open(Shell::live(&url).arg("--timeout").arg("10s"));
    prompt.pty.send_line("let kept = 1234; pumps()").unwrap();
    // The first connection is that of the background.
    let _held = [silent.accept().unwrap(), silent.accept().unwrap()];
    let begin = Instant::now();
    prompt.pty.send_control('c').unwrap();
    prompt.pty.exp_string("interrupted").unwrap();
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(2), "Ctrl-C took {took:?}");
    prompt.pty.exp_string("> ").unwrap();
    prompt.pty.send_line("kept + 1").unwrap();
    prompt.pty.exp_string("1235").unwrap();
    prompt.pty.exp_string("> ").unwrap();
    prompt.leave();
}

#[test]
fn it_opens_with_the_cluster_gone_and_the_first_command_says_so() {
    let mut prompt = Prompt::open(Shell::live("127.0.0.1:9"));
    prompt.pty.send_line("pumps()").unwrap();
    prompt.pty.exp_string("unreachable").unwrap();
    prompt.pty.exp_string("127.0.0.1:9").unwrap();
    prompt.pty.exp_string("> ").unwrap();
    prompt.leave();
}

#[test]
fn the_history_is_kept_for_its_owner_and_without_secrets() {
    let mut prompt = Prompt::sandbox("default");
    prompt.says("1000 + 1", "1001").says("encrypt(\"hush\", #{ force: [\"public_key\"] })", "not kept");
    let shell = prompt.leave();
    let path = shell.dir().join(".local/state/binlogsh/history");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("1000 + 1"), "{text}");
    assert!(!text.contains("hush"), "{text}");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn tab_completes_functions() {
    let mut prompt = Prompt::sandbox("default");
    prompt.pty.send("tso_ti\t").unwrap();
    prompt.pty.flush().unwrap();
    prompt.pty.exp_string("tso_time(").unwrap();
    prompt.pty.send_control('c').unwrap();
    prompt.pty.exp_string("\n\rsandbox> ").unwrap();
    prompt.leave();
}

#[test]
fn tab_completes_the_functions_of_an_imported_module() {
    let mut prompt = Prompt::sandbox("default");
    prompt.says("import \"drainers\" as back;", "");
    prompt.pty.send("back::ensure_all_o\t").unwrap();
    prompt.pty.flush().unwrap();
    prompt.pty.exp_string("back::ensure_all_online(").unwrap();
    prompt.pty.send_control('c').unwrap();
    prompt.pty.exp_string("\n\rsandbox> ").unwrap();
    prompt.leave();
}

#[test]
fn a_command_line_is_sent_to_where_it_belongs() {
    let mut prompt = Prompt::sandbox("crashed");
    prompt
        .says("run procedure.rhai", "here it is `.run procedure.rhai`")
        .says("binlogsh doctor", "`binlogsh --sandbox=crashed doctor`")
        .says("let run = 7000; run + 7", "7007");
    prompt.pty.send_line("exit").unwrap();
    prompt.pty.exp_eof().unwrap();
}

#[test]
fn the_prompt_says_where_it_is_before_anybody_is_asked() {
    let options = Options::new().timeout_ms(Some(20_000)).strip_ansi_escape_codes(true);
    let shell = Shell::live("127.0.0.1:9");
    let mut pty = spawn_with_options(shell.command(), options).unwrap();
    let opened = pty.exp_string("> ").unwrap();
    assert!(opened.contains("cluster of PD at http://127.0.0.1:9"), "{opened}");
    pty.send_control('d').unwrap();
    pty.exp_eof().unwrap();
}

#[test]
fn what_is_to_be_done_by_hand_is_done_by_the_sandbox_which_says_so() {
    let mut prompt = Prompt::sandbox("default");
    prompt
        .says("manual(\"Start it\", #{ starts: [\"pump-1\"], takes: \"30s\" })", "for you, in 30s: it starts pump-1)")
        .says("manual(\"Call them\")", "nothing is declared that it would start or stop");
    prompt.leave();
}
