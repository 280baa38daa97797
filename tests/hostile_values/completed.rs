//! What Tab inserts is a call that gives back exactly that id.

use super::*;
use crate::harness::screen::{Screen, key};
use std::process::{Command, Stdio};

#[test]
fn tab_at_the_prompt_inserts_a_call_that_gives_back_the_id() {
    let cluster = HostileCluster::new();
    let mut screen = Screen::open(Shell::live(&cluster.pd.url()), 400, 60);
    screen.until(|text| text.ends_with('>'));
    screen.keys("let ids = pumps().map(|p| p.id); print(\"there \" + \"they are\")\r").shows("there they are");
    let all: Vec<(usize, String)> = values().into_iter().enumerate().filter(|(_, value)| value.len() < 1000).collect();
    for (at, value) in some(all, 12) {
        for quote in ['"', '`'] {
            screen.keys(&format!("pump({quote}v{at:03}")).keys(key::TAB);
            screen.keys(&format!(").id == ids[{at}] && print(\"is \" + \"{at}\") == ()\r"));
            // What Tab had put there is right if the line says so, and nothing of it ran.
            screen.until(|text| text.contains(&format!("\nis {at}\n")) || text.contains("\nerror["));
            let text = screen.text();
            assert!(!text.contains("\nerror["), "{value:?} {quote}: {text}");
            screen.keys("\x0c").until(|text| !text.contains("is "));
        }
    }
}

/// What bash makes of Tab for each line, an array of bytes for each; `None` where nothing was offered.
fn in_bash(lines: &[String], tries: usize) -> Vec<Option<Vec<u8>>> {
    // What the cluster does not say within 200 ms is not offered: on a loaded machine it is asked again.
    let script = "source <(binlogsh docs --completions bash)\n\
                  while IFS= read -r line; do\n\
                    for ((n = 0; n < TRIES; n++)); do\n\
                      COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()\n\
                      _binlogsh binlogctl \"${line##* }\" -node-id\n\
                      [[ ${#COMPREPLY[@]} -eq 1 ]] && break\n\
                    done\n\
                    if [[ ${#COMPREPLY[@]} -eq 1 ]]; then\n\
                      eval \"words=(${COMPREPLY[0]})\"\n\
                      printf 'one\\0%s\\0' \"${words[0]}\"\n\
                    else printf 'none\\0%s\\0' \"${#COMPREPLY[@]}\"; fi\n\
                  done\n";
    let shell = Shell::new(&[]).file("ask", script);
    let bin = shell.dir().join("bin");
    std::fs::create_dir(&bin).unwrap();
    for name in ["binlogsh", "binlogctl"] {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_binlogsh"), bin.join(name)).unwrap();
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "ask"]).current_dir(shell.dir()).env_clear();
    bash.env("PATH", path).env("HOME", shell.dir()).env("LANG", "C.UTF-8").env("TRIES", tries.to_string());
    let mut child = bash.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let text = lines.join("\n") + "\n";
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(!shell.dir().join("owned").exists(), "something of it ran");
    let words: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
    let all = words.chunks_exact(2).map(|pair| (pair[0] == b"one").then(|| pair[1].to_vec())).collect::<Vec<_>>();
    assert_eq!(all.len(), lines.len(), "{}", String::from_utf8_lossy(&output.stderr));
    all
}

#[test]
fn tab_in_bash_inserts_the_id_itself_or_nothing() {
    let cluster = HostileCluster::new();
    let line = |at: &usize| format!("binlogctl -pd-urls {} -cmd pause-pump -node-id v{at:03}", cluster.pd.url());
    let (deceiving, plain): (Vec<_>, Vec<_>) = values()
        .into_iter()
        .enumerate()
        .partition(|(_, value)| value.contains(['\n', '\t']) || value.chars().any(deceives));
    // What a terminal would take for something else is not offered.
    let deceiving = some(deceiving, 6);
    let lines: Vec<String> = deceiving.iter().map(|(at, _)| line(at)).collect();
    let words = in_bash(&lines, 1);
    assert!(words.iter().all(Option::is_none), "{deceiving:?}: {words:?}");
    let plain: Vec<_> = some(plain.into_iter().filter(|(_, value)| value.len() < 1000).collect(), 10);
    let lines: Vec<String> = plain.iter().map(|(at, _)| line(at)).collect();
    for ((at, value), word) in plain.iter().zip(in_bash(&lines, 20)) {
        let word = word.unwrap_or_else(|| panic!("nothing is offered for {value:?}"));
        assert_eq!(String::from_utf8(word).unwrap(), id(*at, value));
    }
}
