//! Entries of the prompt as a script: what was tried out by hand becomes something that can be versioned, checked, rehearsed.

use crate::check::Checker;
use crate::error::{Error, Result};
use crate::language::lexer::{KEYWORDS, Token, TokenKind, all_tokens, tokens as top_tokens};
use crate::language::{Changes, Source, function};
use crate::shell::{Entered, EntryEnd};
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

/// How long a saved script waits for a change that goes on after its call.
const WAIT: &str = "\"5m\"";

/// What stands for an entry that is in no history either.
const PRIVATE: &str =
    "// A private entry is left out here. A secret is taken as param(\"name\", #{ type: \"secret\" }).";

/// What stands before an entry that failed and was chosen all the same.
const FAILED: &str = "// This failed at the prompt, perhaps after it had changed something.";

/// The entries that are to be saved.
#[derive(Debug, PartialEq)]
pub(super) struct Selection<'e> {
    entries: &'e [Entered],
    /// How many stand before them.
    before: usize,
    /// Whether it is one that was named by its number: it is meant, however it ended.
    is_named: bool,
}

/// The entries that `which` names, such as `3-7` or `4`; all of them if it is empty. So many stood `before` them.
///
/// # Errors
/// `invalid`.
pub(super) fn chosen<'e>(entries: &'e [Entered], before: usize, which: &str) -> Result<Selection<'e>> {
    if which.is_empty() {
        return Ok(Selection { entries, before, is_named: false });
    }
    let (from, to) = which.split_once('-').unwrap_or((which, which));
    let range = from.trim().parse::<usize>().ok().zip(to.trim().parse::<usize>().ok());
    let found = range.filter(|(from, _)| *from > before).and_then(|(from, to)| {
        let found = entries.get(from - 1 - before..to.checked_sub(before)?).filter(|found| !found.is_empty())?;
        Some(Selection { entries: found, before: from - 1, is_named: !which.contains('-') })
    });
    found.ok_or_else(|| {
        let all = match entries.len() {
            0 => "nothing was entered yet".to_owned(),
            count => format!("they go from {} to {}", before + 1, before + count),
        };
        Error::invalid(format!("there are no entries `{which}`: {all}"))
            .hint("such as `3-7` or `4`; .history shows them with their numbers")
    })
}

impl Selection<'_> {
    /// Whether an entry has a place in a script.
    fn keeps(&self, entry: &Entered) -> bool {
        match entry.end {
            EntryEnd::Failed => self.is_named || !imports(&entry.text).is_empty(),
            EntryEnd::Command => reaches_further(&entry.text),
            EntryEnd::Done | EntryEnd::Result => true,
        }
    }

    /// The numbers of those that failed and are left out.
    pub(super) fn left_out(&self) -> Vec<usize> {
        let has_failed = |entry: &Entered| entry.end == EntryEnd::Failed && !self.is_named;
        let all = self.entries.iter().enumerate();
        all.filter(|(_, entry)| has_failed(entry)).map(|(at, _)| self.before + at + 1).collect()
    }

    /// Makes sure that there is something to save.
    fn holds_something(&self) -> Result<()> {
        if self.entries.iter().any(|entry| self.keeps(entry)) {
            return Ok(());
        }
        let (which, hint) = match (self.entries, self.left_out().first()) {
            (_, Some(failed)) => {
                ("what was chosen failed", format!("`.save FILE {failed}` keeps that one all the same"))
            }
            ([], None) => ("nothing was entered yet", "what is typed here can be saved".to_owned()),
            (_, None) => ("commands of the prompt are no part of a script", ".history shows all entries".to_owned()),
        };
        Err(Error::invalid(format!("there is nothing to save: {which}")).hint(hint))
    }
}

/// A script that does what the chosen entries did: a parameter for each of the `nodes` that occurs, a step around what changes
/// something, a wait where a change goes on after its call. Commands of the prompt, what failed (unless it was chosen by its
/// number) and what is secret are left out; of what changed something all the same, a comment tells.
///
/// # Errors
/// `invalid` when nothing is left.
pub(super) fn script(selection: &Selection<'_>, nodes: &[String]) -> Result<String> {
    selection.holds_something()?;
    let kept: Vec<&Entered> = selection.entries.iter().filter(|entry| selection.keeps(entry)).collect();
    let mut params = NodeParams::new(&kept, nodes);
    let mut body = Vec::new();
    for (at, entry) in kept.iter().enumerate() {
        if entry.is_private {
            body.push(PRIVATE.to_owned());
            continue;
        }
        if entry.end == EntryEnd::Command {
            body.push(format!("// At the prompt `{}` came here, which is no part of this script.", entry.text.trim()));
            continue;
        }
        if entry.end == EntryEnd::Failed && selection.is_named {
            body.push(FAILED.to_owned());
        }
        // What later entries call `it` is kept under that name, up to the next result.
        let later = &kept[at + 1..];
        let until = later.iter().position(|later| later.end == EntryEnd::Result).map_or(later.len(), |next| next + 1);
        let is_asked_for = entry.end == EntryEnd::Result && later[..until].iter().any(|later| uses_it(&later.text));
        // What an entry had imported before it failed is there all the same.
        let parts = match entry.end {
            EntryEnd::Failed if !selection.is_named => imports(&entry.text),
            _ => statements(&waiting(&entry.text)),
        };
        let last = parts.iter().rposition(|part| !part.starts_with('/'));
        for (n, part) in parts.iter().enumerate() {
            body.push(statement(part, is_asked_for && Some(n) == last, &mut params));
        }
    }
    let mut text = String::from("//! Saved from the prompt: say here what it is for.\n\n");
    for (id, name) in &params.names {
        let _ = writeln!(text, "let {name} = param(\"{name}\", #{{ about: \"the node {id}\", default: \"{id}\" }});");
    }
    if !params.names.is_empty() {
        text.push('\n');
    }
    Ok(without_unused(&format!("{text}{}\n", body.join("\n"))))
}

/// `text` without what was typed to be used by hand: a variable that nothing reads says so by its name, an import of which nothing is
/// used goes.
fn without_unused(text: &str) -> String {
    let checked = Checker::default().check(&Source::new("", text), &[]);
    let mut lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    let words = all_tokens(text);
    for finding in checked.findings.iter().rev() {
        let Some(line) = lines.get_mut(finding.at.line - 1) else { continue };
        let Some((at, _)) = line.char_indices().nth(finding.at.column - 1) else { continue };
        let name = all_tokens(&line[at..]).first().map_or("", |word| word.of(&line[at..])).to_owned();
        let is_alone = words.iter().filter(|word| word.of(text) == name).count() == 1;
        match finding.rule.name {
            "unused_variable" if is_alone => line.insert(at, '_'),
            "unused_import" if is_alone && line.starts_with("import ") => line.clear(),
            _ => {}
        }
    }
    lines.concat()
}

/// The imports of an entry.
fn imports(entry: &str) -> Vec<String> {
    statements(entry).into_iter().filter(|part| part.starts_with("import ")).collect()
}

/// Whether a command of the prompt did what a script would have to do as well.
fn reaches_further(command: &str) -> bool {
    let name = command.split_whitespace().next();
    matches!(name, Some(".load" | ".run"))
}

/// Whether the last result is asked for by its name.
fn uses_it(entry: &str) -> bool {
    let tokens = all_tokens(entry);
    let is_it = |at: usize| tokens[at].kind == TokenKind::Word && tokens[at].of(entry) == "it";
    (0..tokens.len()).any(|at| is_it(at) && (at == 0 || tokens[at - 1].of(entry) != "."))
}

/// What a statement begins with that ends with its block and needs no semicolon.
const BLOCKS: [&str; 10] = ["if", "while", "for", "loop", "switch", "fn", "do", "try", "private", "{"];

/// The statements of an entry, one after the other, each without the semicolon behind it; a comment is one as well.
fn statements(entry: &str) -> Vec<String> {
    let tokens = all_tokens(entry);
    let is_code = |token: &Token| token.kind != TokenKind::Comment;
    let last = tokens.iter().rposition(is_code);
    let (mut found, mut begin, mut depth) = (Vec::new(), None, 0_usize);
    for (at, token) in tokens.iter().enumerate() {
        let word = token.of(entry);
        if !is_code(token) && begin.is_none() {
            found.push(word.to_owned());
            continue;
        }
        let first = *begin.get_or_insert(at);
        match word {
            "(" | "[" | "{" | "#{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        let next = tokens[at + 1..].iter().find(|token| is_code(token)).map_or("", |next| next.of(entry));
        let ends_block = word == "}" && BLOCKS.contains(&tokens[first].of(entry));
        let goes_on = matches!(next, "else" | "catch" | "while" | "until" | ";");
        if Some(at) == last || (depth == 0 && (word == ";" || (ends_block && !goes_on))) {
            let end = if word == ";" { token.range.start } else { token.range.end };
            let text = entry[tokens[first].range.start..end.max(tokens[first].range.start)].trim();
            if !text.is_empty() {
                found.push(text.to_owned());
            }
            begin = None;
        }
    }
    found
}

/// A statement as it stands in a script, with parameters in the place of ids; its value is `it`, if that is asked for.
fn statement(part: &str, is_it: bool, params: &mut NodeParams<'_>) -> String {
    let tokens = all_tokens(part);
    let first = tokens.first().map_or("", |first| first.of(part));
    let name = tokens.iter().enumerate().find_map(|(at, _)| acting(part, &tokens, at));
    // A function sees no variable of the script.
    let text = if matches!(first, "fn" | "private") { part.to_owned() } else { params.put_into(part, &tokens) };
    let is_comment = tokens.first().is_some_and(|first| first.kind == TokenKind::Comment);
    let declares = matches!(first, "fn" | "private" | "import" | "step" | "const" | "export");
    let is_block = text.ends_with('}') && BLOCKS.contains(&first) && !is_it;
    let ended = |text: &str| if is_block { text.to_owned() } else { format!("{text};") };
    let keeps = if is_it { "let it = " } else { "" };
    match (name, text.strip_prefix("let ").and_then(|rest| rest.split_once('='))) {
        _ if is_comment => text,
        (None, _) => format!("{keeps}{}", ended(&text)),
        (Some(_), _) if declares => ended(&text),
        // What a closure does is done where it is called.
        (Some(_), Some((_, value))) if value.trim_start().starts_with('|') => ended(&text),
        // A variable has to live on behind the step.
        (Some(name), Some((variable, value))) => format!("let {variable}= step(\"{name}\", || {});", value.trim()),
        (Some(name), None) if is_it => format!("{keeps}step(\"{name}\", || {});", text),
        (Some(name), None) => format!("step(\"{name}\", || {{\n    {}\n}});", ended(&text).replace('\n', "\n    ")),
    }
}

/// The name of the function that is called at `at`, if it changes something.
fn acting<'e>(entry: &'e str, tokens: &[Token], at: usize) -> Option<&'e str> {
    let name = tokens[at].of(entry);
    let is_call = tokens[at].kind == TokenKind::Word && tokens.get(at + 1).is_some_and(|next| next.of(entry) == "(");
    (is_call && function(name).is_some_and(|known| known.changes != Changes::Nothing)).then_some(name)
}

/// `entry`, in which every call that can wait for its change and was not told to does so.
fn waiting(entry: &str) -> String {
    let tokens = all_tokens(entry);
    let mut inserts: Vec<(usize, &str)> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let known = acting(entry, &tokens, at).and(function(token.of(entry)));
        let Some(known) = known.filter(|known| known.option("wait").is_some()) else { continue };
        let Some((written, end)) = arguments(entry, &tokens[at + 1..]) else { continue };
        // What stands before the dot is the first argument.
        let is_method = at > 0 && tokens[at - 1].of(entry) == ".";
        if written + usize::from(is_method) == known.params.len() {
            inserts.push((end, if written == 0 { "" } else { ", " }));
        }
    }
    let mut text = entry.to_owned();
    for (at, comma) in inserts.into_iter().rev() {
        text.insert_str(at, &format!("{comma}#{{ wait: {WAIT} }}"));
    }
    text
}

/// How many arguments are written in the parentheses with which `tokens` begin, and where those are closed.
fn arguments(entry: &str, tokens: &[Token]) -> Option<(usize, usize)> {
    let (mut depth, mut commas) = (0, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token.of(entry) {
            "(" | "[" | "{" | "#{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            "," if depth == 1 => commas += 1,
            _ => {}
        }
        if depth == 0 {
            return Some((if at == 1 { 0 } else { commas + 1 }, token.range.start));
        }
    }
    None
}

/// The parameters that take the place of ids.
struct NodeParams<'n> {
    nodes: &'n [String],
    /// The names that mean something else.
    taken: HashSet<String>,
    /// The name for each id that occurs.
    names: BTreeMap<String, String>,
}

impl<'n> NodeParams<'n> {
    /// None yet, for what these entries hold.
    fn new(entries: &[&Entered], nodes: &'n [String]) -> Self {
        let words = entries.iter().flat_map(|entry| {
            let words = all_tokens(&entry.text).into_iter().filter(|token| token.kind == TokenKind::Word);
            words.map(|word| word.of(&entry.text).to_owned()).collect::<Vec<_>>()
        });
        Self { nodes, taken: words.chain(KEYWORDS.map(str::to_owned)).collect(), names: BTreeMap::new() }
    }

    /// `part` with a parameter for every id of a node that stands in a text, alone or as a word of it. The keys of maps and
    /// the cases of a `switch` are constants, and stay.
    fn put_into(&mut self, part: &str, tokens: &[Token]) -> String {
        let templates: Vec<Token> =
            top_tokens(part).into_iter().filter(|token| token.of(part).starts_with('`')).collect();
        let mut text = part.to_owned();
        for token in tokens.iter().rev() {
            let behind = part[token.range.end..].trim_start();
            let is_constant = behind.starts_with([':', '|']) && !behind.starts_with("||") || behind.starts_with("=>");
            if token.kind != TokenKind::Text || token.is_open {
                continue;
            }
            let of_template = templates.iter().any(|template| is_letters_of(template, token, part));
            let written = token.of(part);
            let with = match of_template {
                true => self.in_template(written),
                false if is_constant => None,
                false => self.in_quotes(written),
            };
            if let Some(with) = with {
                text.replace_range(token.range.clone(), &with);
            }
        }
        text
    }

    /// Letters of a template with parameters for the ids among its words; `None` if there are none.
    fn in_template(&mut self, written: &str) -> Option<String> {
        let pieces = self.pieces(written, false);
        let put = |piece: TextPiece<'_>| match piece {
            TextPiece::Letters(letters) => letters.to_owned(),
            TextPiece::Node(id) => format!("${{{}}}", self.name(id)),
        };
        (pieces.len() > 1).then(|| pieces.into_iter().map(put).collect())
    }

    /// A text in quotes with parameters for the ids among its words: a template, or a sum where one would read its letters in
    /// another way; `None` if there are none.
    fn in_quotes(&mut self, written: &str) -> Option<String> {
        let marks = &written[..=written.find('"')?];
        let end: String = marks.chars().rev().collect();
        let inner = written.strip_prefix(marks)?.strip_suffix(&end)?;
        if self.nodes.iter().any(|node| node == inner) {
            return Some(self.name(inner));
        }
        let pieces = self.pieces(inner, marks == "\"");
        if !pieces.iter().any(|piece| matches!(piece, TextPiece::Node(_))) {
            return None;
        }
        if !inner.contains(['\\', '`']) && !inner.contains("${") {
            return self.in_template(&format!("`{inner}`"));
        }
        let put = |piece: TextPiece<'_>| match piece {
            TextPiece::Letters(letters) => format!("{marks}{letters}{end}"),
            TextPiece::Node(id) => self.name(id),
        };
        Some(format!("({})", pieces.into_iter().map(put).collect::<Vec<_>>().join(" + ")))
    }

    /// `text` taken apart at the ids that are words of it; the longest id counts. With `escapes` a backslash and the letter
    /// behind it are no part of a word.
    fn pieces<'t>(&self, text: &'t str, escapes: bool) -> Vec<TextPiece<'t>> {
        let (mut found, mut begin, mut at) = (Vec::new(), 0, 0);
        let mut is_inside = false;
        while let Some(letter) = text[at..].chars().next() {
            let rest = &text[at..];
            let fits = |node: &&String| rest.starts_with(node.as_str()) && ends_word(&rest[node.len()..]);
            let node = self
                .nodes
                .iter()
                .filter(|node| !is_inside && !node.is_empty())
                .filter(fits)
                .max_by_key(|node| node.len());
            if let Some(node) = node {
                if begin < at {
                    found.push(TextPiece::Letters(&text[begin..at]));
                }
                begin = at + node.len();
                found.push(TextPiece::Node(&text[at..begin]));
                at = begin;
            } else if escapes && letter == '\\' {
                at += rest.chars().take(2).map(char::len_utf8).sum::<usize>();
                is_inside = false;
            } else {
                at += letter.len_utf8();
                is_inside = letter.is_alphanumeric() || "_-.:/@".contains(letter);
            }
        }
        if begin < text.len() {
            found.push(TextPiece::Letters(&text[begin..]));
        }
        found
    }

    fn name(&mut self, id: &str) -> String {
        if let Some(name) = self.names.get(id) {
            return name.clone();
        }
        let first = variable(id);
        let more = (2_u32..).map(|n| format!("{first}_{n}"));
        let name = std::iter::once(first.clone()).chain(more).find(|name| !self.taken.contains(name)).unwrap_or(first);
        self.taken.insert(name.clone());
        self.names.insert(id.to_owned(), name.clone());
        name
    }
}

/// A piece of a text.
enum TextPiece<'t> {
    Letters(&'t str),
    /// The id of a node.
    Node(&'t str),
}

/// Whether a word ends before `rest`; a sign that stands before a letter is part of it, as in a file's name.
fn ends_word(rest: &str) -> bool {
    let mut letters = rest.chars();
    match letters.next() {
        Some('.' | ':') => !letters.next().is_some_and(char::is_alphanumeric),
        Some(letter) => !(letter.is_alphanumeric() || "_-/@".contains(letter)),
        None => true,
    }
}

/// Whether `token` is letters of `template`, not a text in one of its expressions.
fn is_letters_of(template: &Token, token: &Token, part: &str) -> bool {
    let is_first = token.range.start == template.range.start;
    is_first || (template.range.contains(&token.range.start) && part[..token.range.start].ends_with('}'))
}

/// A name for the parameter that holds the id of a node.
fn variable(id: &str) -> String {
    let name: String = id.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    match name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        true => name.to_ascii_lowercase(),
        false => format!("node_{name}"),
    }
}

/// What a saved script still lacks, in a few words, if anything: what was typed by hand may not hold in a script.
pub(super) fn doubts(name: &str, text: &str) -> Option<String> {
    let checked = Checker::default().check(&Source::new(name, text), &[]);
    let first = checked.findings.first()?;
    let more = match checked.findings.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    Some(format!("line {}: {}{more}", first.at.line, first.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entered(text: &str) -> Entered {
        let end = match text {
            text if text == "help" || text.starts_with('.') || text.ends_with('?') => EntryEnd::Command,
            text if text.ends_with(';') || text.starts_with("let ") => EntryEnd::Done,
            _ => EntryEnd::Result,
        };
        Entered { text: text.to_owned(), end, is_private: false }
    }

    fn saved(entries: &[Entered]) -> String {
        of(&chosen(entries, 0, "").unwrap())
    }

    fn of(selection: &Selection<'_>) -> String {
        script(selection, &["pump-1".into(), "drainer-0".into()]).unwrap()
    }

    fn has_no_findings(text: &str) {
        assert_eq!(doubts("saved.rhai", text), None, "{text}");
    }

    #[test]
    fn what_was_tried_by_hand_is_a_script_that_check_has_nothing_to_say_about() {
        let text = saved(
            &[
                "pumps()",
                ".output json",
                "pumps?",
                "let who = pump(\"pump-1\")",
                "let done = pause_pump(\"pump-1\")",
                "if done.after == \"paused\" {\n  pause_drainer(\"drainer-0\", #{ wait: \"1m\" })\n}",
                "let i = 0; while i < 3 { i += 1; } pause_pump(\"pump-1\", #{ wait: \"1m\" }) // once more",
                "drainers()",
                "let options = #{ wait: \"1m\" };",
                "it.len()",
                "pause_drainer(\"drainer-0\", #{ wait: \"1m\" })",
                "help",
                ".run rolling_restart",
                ".history",
                "print(it.after);",
            ]
            .map(entered),
        );
        insta::assert_snapshot!(text);
        has_no_findings(&text);
    }

    #[test]
    fn an_id_is_a_parameter_only_where_a_variable_can_stand() {
        let text = saved(
            &[
                "let pump_1 = 1;",
                "fn first() { pause_pump(\"pump-1\") }",
                "let later = |p| pause_pump(p);",
                "let known = #{ \"pump-1\": 1 };",
                "let n = switch pump(\"pump-1\").state { \"drainer-0\" | \"pump-1\" => 1, _ => pump_1 };",
                "let is_first = n == 1 && it == \"pump-1\" || pump_1 == 1;",
                "\"pump-1\".pause_pump();",
                "print(`${n} ${known.len()} ${is_first}`);",
                "later.call(\"pump-1\");",
                "first();",
            ]
            .map(entered),
        );
        insta::assert_snapshot!(text);
        let doubt = doubts("saved.rhai", "//! x\npuase_pump(\"pump-1\");\n").unwrap();
        assert!(doubt.starts_with("line 2: "), "{doubt}");
    }

    #[test]
    fn an_id_in_a_sentence_is_the_parameter_too() {
        let text = saved(
            &[
                "manual(\"Start pump-1, then pump-1.\", #{ starts: [\"pump-1\"] });",
                "print(`pump-1 of ${pumps().len()}, not ${pump(\"pump-1\").id} but pump-1`);",
                "print(\"say \\\"pump-1\\\"\\npump-1\");",
                "print(\"pump-10 my-pump-1 pump-1.json pump-1_x\");",
                "step(\"pump-1: pause\", || pause_pump(\"pump-1\"));",
            ]
            .map(entered),
        );
        insta::assert_snapshot!(text, @r#"
        //! Saved from the prompt: say here what it is for.

        let pump_1 = param("pump_1", #{ about: "the node pump-1", default: "pump-1" });

        step("manual", || {
            manual(`Start ${pump_1}, then ${pump_1}.`, #{ starts: [pump_1] });
        });
        print(`${pump_1} of ${pumps().len()}, not ${pump(pump_1).id} but ${pump_1}`);
        print(("say \"" + pump_1 + "\"\n" + pump_1));
        print("pump-10 my-pump-1 pump-1.json pump-1_x");
        step(`${pump_1}: pause`, || pause_pump(pump_1, #{ wait: "5m" }));
        "#);
        has_no_findings(&text);
    }

    #[test]
    fn entries_are_chosen_by_their_numbers() {
        let all = ["a", "b", "c"].map(entered);
        assert_eq!(chosen(&all, 0, "2-3").unwrap().entries, &all[1..]);
        assert_eq!(chosen(&all, 0, "1").unwrap().entries, &all[..1]);
        for wrong in ["0", "4", "3-2", "x"] {
            assert!(chosen(&all, 0, wrong).is_err(), "{wrong}");
        }
        assert_eq!(chosen(&all, 5, "7-8").unwrap().entries, &all[1..]);
        let error = chosen(&all, 5, "5-6").unwrap_err();
        assert_eq!(error.message, "there are no entries `5-6`: they go from 6 to 8");
    }

    #[test]
    fn what_failed_is_kept_if_it_is_chosen_by_its_number_and_is_named_if_not() {
        let failed = Entered { end: EntryEnd::Failed, ..entered("pause_pump(\"pump-1\");") };
        let all = [entered("pumps()"), failed, entered("help")];
        let one = of(&chosen(&all, 0, "2").unwrap());
        assert!(one.contains("// This failed at the prompt") && one.contains("pause_pump(pump_1"), "{one}");
        assert_eq!(chosen(&all, 0, "1-2").unwrap().left_out(), [2]);
        let nothing = |which| script(&chosen(&all, 0, which).unwrap(), &[]).unwrap_err();
        assert_eq!(nothing("3").message, "there is nothing to save: commands of the prompt are no part of a script");
        assert_eq!(nothing("2-3").hint.unwrap(), "`.save FILE 2` keeps that one all the same");
    }

    #[test]
    fn neither_a_secret_nor_what_failed_is_saved() {
        let secret = Entered { is_private: true, ..entered("let pw = \"hush\";") };
        let failed =
            Entered { end: EntryEnd::Failed, ..entered("import \"pumps\" as p; import \"gc\" as g; nonsense(") };
        let text = saved(&[secret, failed, entered("pumps()"), entered("p::chosen(\"\")"), entered("let seen = 1")]);
        assert!(!text.contains("hush") && !text.contains("nonsense") && text.contains("pumps();"), "{text}");
        assert!(text.contains("import \"pumps\" as p;") && !text.contains("gc"), "{text}");
        assert!(text.contains("let _seen = 1;"), "{text}");
        has_no_findings(&text);
    }
}
