//! What to say to those who type a command line at the prompt.

use crate::cli;

/// Where `text` belongs, if it is a command line such as `run procedure.rhai`. `options` name the cluster.
pub(super) fn command_line(text: &str, options: &str) -> Option<String> {
    let mut words: Vec<&str> = text.trim().trim_end_matches(';').split_whitespace().collect();
    if words.first() == Some(&"binlogsh") {
        words.remove(0);
    } else {
        cli::command_names().find(|name| Some(&name.as_str()) == words.first())?;
    }
    // `run = 3` is code that failed for another reason.
    if words.get(1).is_some_and(|word| !word.starts_with(|c: char| c.is_alphanumeric() || "-./~_".contains(c))) {
        return None;
    }
    if let Some(command) = words.first().filter(|word| matches!(**word, "run" | "rehearse")) {
        return Some(format!(
            "this is a command line, and the prompt takes code: here it is `.{command}{}`",
            joined(&words[1..])
        ));
    }
    let says_where = ["--sandbox", "--pd-urls", "--profile"];
    let options = match words.iter().any(|word| says_where.iter().any(|option| word.starts_with(option))) {
        true => "",
        false => options,
    };
    let rest = joined(&words);
    Some(format!(
        "this is a command line, and the prompt takes code: leave with Ctrl-D, then `binlogsh{options}{rest}`"
    ))
}

fn joined(words: &[&str]) -> String {
    words.iter().map(|word| format!(" {word}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_told_from_code() {
        let typed = |text, options| command_line(text, options).unwrap_or_default();
        assert!(typed("run x.rhai only=1", "").ends_with("`.run x.rhai only=1`"));
        assert!(typed("binlogsh rehearse x.rhai", " --sandbox").ends_with("`.rehearse x.rhai`"));
        assert!(typed("binlogsh doctor", " --sandbox=crashed").ends_with("`binlogsh --sandbox=crashed doctor`"));
        assert!(typed("doctor", " --sandbox").ends_with("`binlogsh --sandbox doctor`"));
        assert!(typed("doctor --sandbox", " --sandbox").ends_with("`binlogsh doctor --sandbox`"));
        assert!(typed("doctor", " --profile main").ends_with("`binlogsh --profile main doctor`"));
        assert!(typed("runs;", "").ends_with("`binlogsh runs`"));
        assert_eq!(command_line("pumps(", ""), None);
        assert_eq!(command_line("running", ""), None);
        assert_eq!(command_line("run = nothing", ""), None);
        assert_eq!(command_line("", ""), None);
    }
}
