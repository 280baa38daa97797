//! What can stand at the cursor.

use super::DotCommand;
use super::vocabulary::{Callable, PromptVocabulary};
use crate::language::lexer::{KEYWORDS, Token, TokenKind, open_expression, opening, tokens};
use crate::language::{Opt, Type, ValueType};
use crate::nearest::names_of;
use crate::node::{Kind as NodeKind, State};
use crate::text::{deceives, on_one_line, script_literal};
use unicode_width::UnicodeWidthStr;

/// Something that can stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// As the list shows it.
    pub(super) shown: String,
    /// As it is put in.
    pub(super) text: String,
}

impl Candidate {
    fn plain(text: &str) -> Self {
        // Of what is shown in a list nothing drives the terminal.
        Self { shown: on_one_line(text).into_owned(), text: text.to_owned() }
    }

    fn member(name: String, is_called: bool) -> Self {
        let call = if is_called { "(" } else { "" };
        Self { text: format!("{name}{call}"), shown: name }
    }

    fn call(function: &Callable) -> Self {
        Self { shown: function.signature.clone(), text: format!("{}(", function.name) }
    }
}

/// A bracket that is open at the cursor.
struct Open<'t> {
    /// `(`, `[`, `{` or `#{`.
    bracket: &'t str,
    /// Its place among the tokens.
    at: usize,
    /// The word before it: the function that is called, or the key whose value it is.
    word: Option<&'t str>,
    /// The module before that word, if `::` stands between them.
    module: Option<&'t str>,
    /// Commas within it so far.
    commas: usize,
}

/// What stands before the cursor.
struct Before<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    open: Vec<Open<'t>>,
}

impl<'t> Before<'t> {
    fn new(text: &'t str) -> Self {
        let tokens = tokens(text);
        let mut open: Vec<Open<'t>> = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            if token.kind != TokenKind::Punctuation {
                continue;
            }
            match token.of(text) {
                bracket @ ("(" | "[" | "{" | "#{") => {
                    let is_colon = |token: &&Token| token.of(text) == ":";
                    let colons = tokens[..at].iter().rev().take_while(is_colon).count();
                    let word = at.checked_sub(colons + 1).filter(|at| tokens[*at].kind == TokenKind::Word);
                    open.push(Open {
                        bracket,
                        at,
                        word: word.map(|word| tokens[word].of(text)),
                        module: word.and_then(|word| module(text, &tokens[..word])),
                        commas: 0,
                    });
                }
                ")" | "]" | "}" => drop(open.pop()),
                "," => open.last_mut().into_iter().for_each(|open| open.commas += 1),
                _ => {}
            }
        }
        Self { text, tokens, open }
    }

    /// The `n`th token from the end, from 0.
    fn last(&self, n: usize) -> Option<(TokenKind, &'t str)> {
        let at = self.tokens.len().checked_sub(n + 1)?;
        let token = &self.tokens[at];
        Some((token.kind, token.of(self.text)))
    }

    /// The key of a map whose value is typed, if that is what is open: `wait` of `#{ wait: "`, `force` of `force: ["`.
    fn key(&self) -> Option<&'t str> {
        let innermost = self.open.last()?;
        match innermost.bracket {
            "[" => innermost.word,
            "#{" => {
                let colon = self.tokens.len().checked_sub(2)?;
                let key = self.tokens.get(colon.checked_sub(1)?)?;
                (self.tokens[colon].of(self.text) == ":").then(|| key.of(self.text))
            }
            _ => None,
        }
    }

    /// Whether the innermost bracket has this text in it already: a key, or an element.
    fn has(&self, text: &str) -> bool {
        let first = self.open.last().map_or(0, |open| open.at);
        self.tokens[first..].iter().any(|token| token.of(self.text) == text)
    }

    /// Whether what is typed is compared with what stands before: `x.state == "`.
    fn is_compared(&self) -> bool {
        let sign = |n| self.last(n).map_or("", |(_, text)| text);
        sign(1) == "=" && matches!(sign(2), "=" | "!")
    }

    /// Whether the cursor stands among the parameters of a closure.
    fn is_in_parameters(&self) -> bool {
        let before = self.tokens.iter().rev().skip(1).map(|token| token.of(self.text)).find(|word| *word != ",");
        before.is_some_and(|word| matches!(word, "(" | "," | "=" | "{" | ";"))
    }

    /// Where the expression begins that is typed within a text in backquotes.
    fn inner(&self) -> Option<usize> {
        let last = self.tokens.last().filter(|last| last.is_open && last.of(self.text).starts_with('`'))?;
        open_expression(last.of(self.text)).map(|inner| last.range.start + inner)
    }

    /// The innermost call that is open.
    fn call(&self) -> Option<(&'t str, &Open<'t>)> {
        self.open.iter().rev().find_map(|open| match open.bracket {
            "(" => open.word.map(|word| (word, open)),
            _ => None,
        })
    }
}

/// The module at the end of `tokens`, if what follows is one of its functions.
fn module<'t>(text: &'t str, tokens: &[Token]) -> Option<&'t str> {
    let [.., module, first, second] = tokens else { return None };
    let is_path = first.of(text) == ":" && second.of(text) == ":" && first.range.end == second.range.start;
    (is_path && module.kind == TokenKind::Word).then(|| module.of(text))
}

/// Where the word at the end of `before` begins, and what can stand there.
pub(super) fn candidates(
    before: &str,
    vocabulary: &PromptVocabulary,
    commands: &[DotCommand],
) -> (usize, Vec<Candidate>) {
    let blanks = before.len() - before.trim_start().len();
    if before[blanks..].starts_with('.') {
        return dot_command(before, blanks, commands);
    }
    let seen = Before::new(before);
    let Some(last) = seen.tokens.last() else {
        return (before.len(), names("", vocabulary));
    };
    if let Some(inner) = seen.inner() {
        let (start, found) = candidates(&before[inner..], vocabulary, commands);
        return (inner + start, found);
    }
    if last.kind == TokenKind::Text && last.is_open {
        return within_quotes(before, &seen, last.range.start, vocabulary);
    }
    if last.kind == TokenKind::Comment {
        return (before.len(), Vec::new());
    }
    // A question about something is complete.
    if last.of(before) == "?" {
        return (before.len(), Vec::new());
    }
    let is_word = matches!(last.kind, TokenKind::Word | TokenKind::Keyword) && last.range.end == before.len();
    let (start, behind) = if is_word { (last.range.start, 1) } else { (before.len(), 0) };
    let word = &before[start..];
    let previous = seen.last(behind).map_or("", |(_, text)| text);
    let is_range = previous == "." && seen.last(behind + 1).is_some_and(|(_, text)| text == ".");
    if previous == "." && !is_range {
        let dot = seen.tokens.len() - behind - 1;
        let members = Types { seen: &seen, vocabulary }.before(dot).members();
        return (
            start,
            beginning_with(word, members.into_iter().map(|(name, is_called)| Candidate::member(name, is_called))),
        );
    }
    if let Some(module) = module(before, &seen.tokens[..seen.tokens.len() - behind]) {
        return (start, beginning_with(word, vocabulary.functions(Some(module)).iter().map(Candidate::call)));
    }
    if let Some(options) = options(&seen, vocabulary, previous) {
        let key = |option: &&Opt| Candidate { shown: option.name.to_owned(), text: format!("{}: ", option.name) };
        return (start, beginning_with(word, options.iter().map(key)));
    }
    // A name is made up here, not chosen.
    if matches!(previous, "let" | "const" | "fn" | "as" | "for") || (previous == "|" && seen.is_in_parameters()) {
        return (start, Vec::new());
    }
    match word {
        "" => (start, quoted(before, previous, vocabulary).unwrap_or_else(|| names(word, vocabulary))),
        _ => (start, names(word, vocabulary)),
    }
}

/// Where some texts are meant, those: they are offered before there is a quote.
fn quoted(before: &str, previous: &str, vocabulary: &PromptVocabulary) -> Option<Vec<Candidate>> {
    if !matches!(previous, "(" | "," | ":" | "[") {
        return None;
    }
    let meant = texts(&Before::new(&format!("{before}\"")), vocabulary);
    let quote = |word: Candidate| Candidate { shown: word.shown, text: script_literal(&word.text) };
    (!meant.is_empty()).then(|| meant.into_iter().map(quote).collect())
}

/// A dot command, or what it takes.
fn dot_command(before: &str, blanks: usize, commands: &[DotCommand]) -> (usize, Vec<Candidate>) {
    let typed = &before[blanks..];
    let Some((name, _)) = typed.split_once(char::is_whitespace) else {
        return (blanks, beginning_with(typed, commands.iter().map(|command| Candidate::plain(command.name))));
    };
    let start = before.trim_end_matches(|letter: char| !letter.is_whitespace()).len();
    let takes = match name {
        ".help" => Some(commands.iter().map(|command| command.name.to_owned()).collect()),
        _ => {
            let command = commands.iter().find(|command| command.name == name);
            command.map(|command| (command.completes)(&typed[name.len()..]))
        }
    };
    (start, beginning_with(&before[start..], takes.unwrap_or_default().iter().map(|word| Candidate::plain(word))))
}

/// Within the text whose quote is at `quote`: what is chosen is closed by the same quote.
fn within_quotes(
    before: &str,
    seen: &Before<'_>,
    quote: usize,
    vocabulary: &PromptVocabulary,
) -> (usize, Vec<Candidate>) {
    let start = quote + 1;
    let mark = &before[quote..start];
    // Single quotes hold one letter, and no text.
    if mark == "'" {
        return (start, Vec::new());
    }
    let word = &before[start..];
    let closed = |found: Candidate| {
        let text = in_quotes(&found.text, mark);
        text.starts_with(word).then(|| Candidate { text: format!("{text}{mark}"), ..found })
    };
    // In the order of their source: durations by length, states as they follow each other.
    (start, texts(seen, vocabulary).into_iter().filter_map(closed).collect())
}

/// `text` as it is written within quotes that begin with `mark`: what stands there then is that text, whatever it has in it.
fn in_quotes(text: &str, mark: &str) -> String {
    if mark != "`" {
        let literal = script_literal(text);
        return literal[1..literal.len() - 1].to_owned();
    }
    // Between these nothing is escaped: what means something there becomes an expression.
    let mut written = String::new();
    for letter in text.chars() {
        match matches!(letter, '`' | '$' | '\n' | '\t') || deceives(letter) {
            true => written += &format!("${{{}}}", script_literal(&letter.to_string())),
            false => written.push(letter),
        }
    }
    written
}

/// The keys of the map that is open, if a key can stand here.
fn options(seen: &Before<'_>, vocabulary: &PromptVocabulary, previous: &str) -> Option<Vec<&'static Opt>> {
    let innermost = seen.open.last().filter(|open| open.bracket == "#{")?;
    if innermost.word.is_some() || !matches!(previous, "#{" | ",") {
        return None;
    }
    let (name, call) = seen.call()?;
    let function = vocabulary.function(call.module, name)?;
    if function.options().is_empty() {
        return None;
    }
    Some(function.options().iter().filter(|option| !seen.has(option.name)).collect())
}

/// What can stand within quotes, by what is meant there.
fn texts(seen: &Before<'_>, vocabulary: &PromptVocabulary) -> Vec<Candidate> {
    let plain = |words: &[&str]| words.iter().map(|word| Candidate::plain(word)).collect();
    if seen.last(1) == Some((TokenKind::Keyword, "import")) {
        return vocabulary.modules.iter().map(|name| Candidate::plain(name)).collect();
    }
    let call = seen.call();
    let function = call.and_then(|(name, open)| vocabulary.function(open.module, name));
    if call.is_some_and(|(name, _)| name == "help") {
        return pages(vocabulary);
    }
    match seen.last(3) {
        Some((_, "state")) if seen.is_compared() => return plain(&names_of::<State>()),
        Some((_, "id")) if seen.is_compared() => return of_type(Type::Nodes, vocabulary),
        Some((_, "kind")) if seen.is_compared() => return plain(&names_of::<NodeKind>()),
        _ => {}
    }
    let takes = match seen.key() {
        Some(option) => function.and_then(|known| known.row?.option(option)).map(|option| option.takes),
        None => call.zip(function).and_then(|((_, open), known)| known.param(open.commas)).map(|param| param.takes),
    };
    match (takes, function) {
        (Some(Type::Guards), Some(known)) => {
            known.guards().filter(|guard| !seen.has(&format!("\"{guard}\""))).map(Candidate::plain).collect()
        }
        (Some(takes), _) => of_type(takes, vocabulary),
        // A function of a script: most of what it takes are nodes.
        (None, Some(known)) if known.row.is_none() => of_type(Type::Nodes, vocabulary),
        (None, _) => Vec::new(),
    }
}

/// The texts that something of this type takes.
fn of_type(takes: Type, vocabulary: &PromptVocabulary) -> Vec<Candidate> {
    let plain = |words: &[&str]| words.iter().map(|word| Candidate::plain(word)).collect();
    match takes {
        Type::Node(kind) => {
            let fits = |node: &&(NodeKind, String)| kind.is_none_or(|kind| node.0 == kind);
            vocabulary.nodes.iter().filter(fits).map(|(_, id)| Candidate::plain(id)).collect()
        }
        Type::Nodes => vocabulary.nodes.iter().map(|(_, id)| Candidate::plain(id)).collect(),
        takes => plain(&takes.words()),
    }
}

/// What `help` has a page of, as far as the prompt knows.
fn pages(vocabulary: &PromptVocabulary) -> Vec<Candidate> {
    let functions = vocabulary.functions.iter().map(|function| Candidate::plain(&function.name));
    let of_modules = vocabulary.namespaces.iter().flat_map(|namespace| {
        namespace.functions.iter().map(|function| Candidate::plain(&format!("{}::{}", namespace.name, function.name)))
    });
    let guards = vocabulary.functions.iter().flat_map(Callable::guards).map(Candidate::plain);
    beginning_with("", functions.chain(of_modules).chain(guards))
}

/// Functions, variables, modules and words of the language.
fn names(word: &str, vocabulary: &PromptVocabulary) -> Vec<Candidate> {
    let variables = vocabulary.variables.keys().map(|name| Candidate::plain(name));
    let imported = vocabulary.namespaces.iter().filter(|namespace| namespace.is_imported);
    let modules = imported.map(|namespace| Candidate::plain(&format!("{}::", namespace.name)));
    let functions = vocabulary.functions.iter().map(Candidate::call);
    let keywords = KEYWORDS.iter().filter(|_| !word.is_empty()).map(|name| Candidate::plain(name));
    beginning_with(word, variables.chain(functions).chain(modules).chain(keywords))
}

fn beginning_with(word: &str, all: impl IntoIterator<Item = Candidate>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = all.into_iter().filter(|candidate| candidate.text.starts_with(word)).collect();
    found.sort_by(|a, b| a.text.cmp(&b.text));
    found.dedup_by(|a, b| a.text == b.text);
    found
}

/// The columns between two candidates of a list.
const BETWEEN: usize = 2;

/// As many of `all` as fit into so many rows and columns, with a word about the others. What all of them begin with is put in
/// first, so that no list is needed for that.
pub(super) fn that_fit(word: &str, all: Vec<Candidate>, (rows, columns): (usize, usize)) -> Vec<Candidate> {
    let widest = all.iter().map(|one| one.shown.width()).max().unwrap_or_default();
    let fit = |width: usize| (columns / (width + BETWEEN)).max(1) * rows;
    if all.len() <= fit(widest) {
        return all;
    }
    let common = all.iter().skip(1).fold(all[0].text.clone(), |common, next| {
        let alike = common.chars().zip(next.text.chars()).take_while(|(a, b)| a == b);
        alike.map(|(letter, _)| letter).collect()
    });
    if common.len() > word.len() {
        return vec![Candidate::plain(&common)];
    }
    let more = |left: usize| format!("... and {left} more");
    let some = fit(widest.max(more(all.len()).width())).saturating_sub(1);
    let left = Candidate { shown: more(all.len() - some), text: word.to_owned() };
    all.into_iter().take(some).chain([left]).collect()
}

/// The signature of the function that is being typed at the end of `before`, its current parameter marked; or the rest of one
/// whose name stands there.
pub(super) fn signature_hint(before: &str, vocabulary: &PromptVocabulary) -> Option<String> {
    // What a dot command takes is no code.
    if before.trim_start().starts_with('.') {
        return None;
    }
    let seen = Before::new(before);
    let last = seen.tokens.last()?;
    if last.is_open && last.kind == TokenKind::Comment {
        return None;
    }
    if let Some(inner) = seen.inner() {
        return signature_hint(&before[inner..], vocabulary);
    }
    if last.kind == TokenKind::Word && last.range.end == before.len() && seen.call().is_none() {
        let module = module(before, &seen.tokens[..seen.tokens.len() - 1]);
        let function = vocabulary.function(module, last.of(before))?;
        return function.signature.strip_prefix(function.name.as_str()).map(str::to_owned);
    }
    let (name, call) = seen.call()?;
    let function = vocabulary.function(call.module, name).filter(|known| known.signature.ends_with(')'))?;
    let params = function.params();
    let at = call.commas.min(params.len().saturating_sub(1));
    let marked = params.iter().enumerate().map(|(n, param)| match n == at {
        true => format!("{}{param}{}", MARKS.0, MARKS.1),
        false => (*param).to_owned(),
    });
    let marked = marked.collect::<Vec<_>>().join(", ");
    Some(format!("   {}({marked})", function.name))
}

/// Around the parameter that is being typed.
pub(super) const MARKS: (char, char) = ('‹', '›');

/// What the words before the cursor are.
struct Types<'b, 't> {
    seen: &'b Before<'t>,
    vocabulary: &'b PromptVocabulary,
}

impl Types<'_, '_> {
    fn word(&self, at: usize) -> &str {
        self.seen.tokens.get(at).map_or("", |token| token.of(self.seen.text))
    }

    /// What ends right before the token `end`.
    fn before(&self, end: usize) -> ValueType {
        let Some(last) = end.checked_sub(1) else { return ValueType::Unknown };
        match self.word(last) {
            ")" => self.called(opening(|at| self.word(at), last)),
            "]" => match opening(|at| self.word(at), last) {
                // An element of what stands before, or an array that is written.
                open if open > 0 && self.ends_value(open - 1) => self.before(open).element(),
                _ => ValueType::Array(Box::default()),
            },
            word => match self.seen.tokens[last].kind {
                TokenKind::Text => ValueType::Text,
                TokenKind::Number => ValueType::Number,
                TokenKind::Word if self.word(last.wrapping_sub(1)) == "." => self.before(last - 1).member(word),
                TokenKind::Word => self.named(word, last),
                TokenKind::Keyword | TokenKind::Comment | TokenKind::Punctuation => ValueType::Unknown,
            },
        }
    }

    /// What the call returns whose bracket is opened at `open`.
    fn called(&self, open: usize) -> ValueType {
        let Some(name) = open.checked_sub(1) else { return ValueType::Unknown };
        if self.word(name.wrapping_sub(1)) == "." {
            let of = self.before(name - 1);
            return match self.word(name) {
                "map" => ValueType::Array(Box::default()),
                method => of.member(method),
            };
        }
        let module = module(self.seen.text, &self.seen.tokens[..name]);
        let row = self.vocabulary.function(module, self.word(name)).and_then(|known| known.row);
        row.map_or(ValueType::Unknown, |row| ValueType::from(&row.returns))
    }

    /// What the name is that stands at `at`: a parameter of a closure that goes through an array, what a loop runs through, or a
    /// variable.
    fn named(&self, name: &str, at: usize) -> ValueType {
        for before in (0..at).rev() {
            let is_parameter = self.word(before) == name
                && self.word(before.wrapping_sub(1)) == "|"
                && self.word(before + 1) == "|"
                && self.word(before.wrapping_sub(2)) == "(";
            if is_parameter && before >= 4 && self.word(before - 4) == "." {
                return self.before(before - 4).element();
            }
            if self.word(before) == name && self.word(before.wrapping_sub(1)) == "for" && self.word(before + 1) == "in"
            {
                let block = (before..at).find(|at| self.word(at.to_owned()) == "{").unwrap_or(at);
                return self.before(block).element();
            }
            if self.word(before) == name && matches!(self.word(before.wrapping_sub(1)), "let" | "const") {
                let end = (before..at).find(|at| self.word(*at) == ";").unwrap_or(before);
                return if self.word(before + 1) == "=" { self.before(end) } else { ValueType::Unknown };
            }
        }
        self.vocabulary.variables.get(name).cloned().unwrap_or_default()
    }

    fn ends_value(&self, at: usize) -> bool {
        matches!(self.word(at), ")" | "]") || self.seen.tokens[at].kind == TokenKind::Word
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::vocabulary::Namespace;
    use std::rc::Rc;

    fn command(name: &'static str) -> DotCommand {
        DotCommand {
            name,
            takes: "",
            about: "",
            completes: Box::new(|_| vec!["json".into(), "table".into()]),
            run: Box::new(|_, _| Ok(crate::shell::Next::Prompt)),
        }
    }

    fn vocabulary() -> PromptVocabulary {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let ours = |name| Callable::ours(crate::language::function(name).unwrap());
        PromptVocabulary {
            functions: ["pumps", "pump", "offline_pump", "wait_for", "help"].map(ours).into(),
            variables: [("pumped".to_owned(), ValueType::Text), ("p".to_owned(), ValueType::Named("Node"))].into(),
            modules: words(&["drainers", "pumps"]),
            namespaces: vec![
                Namespace {
                    name: "stock".into(),
                    functions: vec![
                        Callable::of_script("drain", &["pump", "options"]),
                        Callable::of_script("chosen", &["only"]),
                    ],
                    is_imported: true,
                },
                Namespace {
                    name: "drainers".into(),
                    functions: vec![Callable::of_script("back", &["drainer"])],
                    is_imported: false,
                },
            ],
            nodes: [(NodeKind::Pump, "pump-0"), (NodeKind::Pump, "pump-1"), (NodeKind::Drainer, "drainer-0")]
                .map(|(kind, id)| (kind, id.to_owned()))
                .into(),
            of_rhai: Rc::default(),
        }
    }

    fn complete(before: &str) -> (usize, Vec<String>) {
        let (start, found) = candidates(before, &vocabulary(), &[command(".help"), command(".output")]);
        (start, found.into_iter().map(|candidate| candidate.text).collect())
    }

    #[test]
    fn names_are_completed_by_what_they_begin_with() {
        assert_eq!(complete("let x = pum"), (8, vec!["pump(".into(), "pumped".into(), "pumps(".into()]));
        assert_eq!(complete("whi"), (0, vec!["while".into()]));
        assert_eq!(complete(".o"), (0, vec![".output".into()]));
        assert_eq!(complete("1 // pum").1, [""; 0]);
    }

    #[test]
    fn behind_a_dot_stand_properties() {
        assert_eq!(complete("pump(\"pump-0\").st"), (15, vec!["state".into()]));
        assert_eq!(complete("p.sta").1, ["state"]);
        assert_eq!(complete("for i in 0..pum").1, ["pump(", "pumped", "pumps("]);
    }

    #[test]
    fn behind_a_module_stand_its_functions_only() {
        assert_eq!(complete("stock::"), (7, vec!["chosen(".into(), "drain(".into()]));
        assert_eq!(complete("let x = 1 + stock::dr"), (19, vec!["drain(".into()]));
        assert_eq!(complete("drainers::").1, ["back("]);
        assert_eq!(complete("nothing::pum").1, [""; 0]);
        assert_eq!(complete("sto").1, ["stock::"]);
        assert_eq!(complete("#{ a: pum").1, ["pump(", "pumped", "pumps("]);
        assert_eq!(complete("stock::drain(\"pu").1, ["pump-0\"", "pump-1\""]);
    }

    #[test]
    fn quotes_hold_what_the_place_asks_for_and_are_closed() {
        assert_eq!(complete("pump(\"pu"), (6, vec!["pump-0\"".into(), "pump-1\"".into()]));
        assert_eq!(complete("pump(\"").1, ["pump-0\"", "pump-1\""]);
        assert_eq!(complete("wait_for(\"").1.len(), 3);
        assert_eq!(complete("wait_for(\"pump-0\", \"pau").1, ["pausing\"", "paused\""]);
        assert_eq!(complete("wait_for(\"pump-0\", \"paused\", \"5").1, ["5m\""]);
        assert_eq!(complete("import \"dr").1, ["drainers\""]);
        assert_eq!(complete("offline_pump(\"pump-0\", #{ force: [\"la").1, ["last_pump\""]);
        assert_eq!(complete("offline_pump(\"pump-0\", #{ wait: \"30").1, ["30s\"", "30m\""]);
        assert_eq!(complete("pumps().filter(|p| p.state == \"onl").1, ["online\""]);
        assert_eq!(complete("help(\"off").1, ["offline_pump\""]);
        assert_eq!(complete("help(\"la").1, ["last_pump\""]);
        assert_eq!(complete("help(\"stock::d").1, ["stock::drain\""]);
        assert_eq!(complete("let x = \"pu").1, [""; 0]);
        assert_eq!(complete("pumps().filter(|p| p.id == \"").1, ["pump-0\"", "pump-1\"", "drainer-0\""]);
        assert_eq!(
            complete("offline_pump(\"pump-0\", #{ wait: \"").1,
            ["10s\"", "30s\"", "1m\"", "5m\"", "30m\"", "2h\""]
        );
    }

    #[test]
    fn an_expression_in_a_text_is_completed_as_one() {
        assert_eq!(complete("print(`a ${p.sta").1, ["state"]);
        assert_eq!(complete("print(`${1} b ${pump(\"pu"), (22, vec!["pump-0\"".into(), "pump-1\"".into()]));
        assert_eq!(complete("print(`${`${p.sta").1, ["state"]);
        assert_eq!(complete("print(`${p.state} pum").1, [""; 0]);
        assert!(signature_hint("`${pump(", &vocabulary()).is_some_and(|hint| hint.contains("id")));
    }

    #[test]
    fn behind_a_dot_stands_what_the_value_has() {
        let members = |before: &str| complete(before).1;
        assert!(members("pump(\"pump-0\").").contains(&"max_commit_ts".to_owned()));
        assert!(members("pumps().").contains(&"filter(".to_owned()));
        assert_eq!(members("pumps().filter(|p| p.heart"), ["heartbeat_age"]);
        assert_eq!(members("pumps().filter(|p| p.lag > 1).find(|p| p.heart"), ["heartbeat_age"]);
        assert_eq!(members("for node in pumps() { node.ad"), ["address"]);
        assert_eq!(members("let done = offline_pump(\"pump-0\"); done.af"), ["after"]);
        assert_eq!(members("pumped.starts"), ["starts_with("]);
        assert_eq!(members("nothing."), [""; 0]);
        assert_eq!(members("pumps()[0].heart"), ["heartbeat_age"]);
    }

    #[test]
    fn a_name_that_is_made_up_is_not_completed() {
        for before in ["let pu", "const pu", "fn pu", "import \"pumps\" as pu"] {
            assert_eq!(complete(before).1, [""; 0], "{before}");
        }
        assert_eq!(complete("for p in pum").1, ["pump(", "pumped", "pumps("]);
    }

    #[test]
    fn where_texts_are_meant_they_come_with_their_quotes() {
        assert_eq!(complete("pump(").1, ["\"pump-0\"", "\"pump-1\""]);
        assert_eq!(complete("offline_pump(\"pump-0\", #{ force: [").1[0], "\"last_pump\"");
        assert_eq!(complete("pumps?").1, [""; 0]);
    }

    #[test]
    fn a_dot_command_has_what_it_takes() {
        assert_eq!(complete(".help .ou").1, [".output"]);
        assert_eq!(complete(".ou").1, [".output"]);
        assert_eq!(complete(".output js"), (8, vec!["json".into()]));
        // Whatever blank somebody typed.
        assert_eq!(complete(".output\u{3000}js"), (10, vec!["json".into()]));
    }

    #[test]
    fn of_many_candidates_as_many_are_listed_as_fit() {
        let all: Vec<Candidate> = (0..50).map(|n| Candidate::plain(&format!("pump-{n:02}\""))).collect();
        assert_eq!(that_fit("pu", all.clone(), (10, 15)), [Candidate::plain("pump-")]);
        let some = that_fit("pump-", all.clone(), (10, 15));
        assert_eq!((some.len(), some[9].shown.as_str(), some[9].text.as_str()), (10, "... and 41 more", "pump-"));
        // What tells of the others is wider than they are, and so is each column then.
        assert_eq!(that_fit("pump-", all.clone(), (10, 20)).len(), 10);
        assert_eq!(that_fit("pump-", all, (25, 20)).len(), 50);
    }

    #[test]
    fn a_trailing_map_has_the_options_of_its_function() {
        assert_eq!(complete("offline_pump(\"pump-0\", #{").1, ["force: ", "wait: "]);
        assert_eq!(complete("offline_pump(\"pump-0\", #{ wait: 3, fo").1, ["force: "]);
        // What stands there already is not offered again.
        assert_eq!(complete("offline_pump(\"pump-0\", #{ wait: 3, ").1, ["force: "]);
        let rest = complete("offline_pump(\"pump-0\", #{ force: [\"last_pump\", \"").1;
        assert!(!rest.is_empty() && !rest.contains(&"last_pump\"".to_owned()), "{rest:?}");
        assert_eq!(complete("offline_pump(\"pump-0\", #{ wait: pum").1, ["pump(", "pumped", "pumps("]);
    }

    #[test]
    fn the_hint_is_the_signature_with_the_parameter_that_is_typed() {
        let hint = |before: &str| signature_hint(before, &vocabulary());
        assert_eq!(hint("offline_pump").as_deref(), Some("(pump, [#{...}])"));
        assert_eq!(hint("offline_pump(").as_deref(), Some("   offline_pump(‹pump›, [#{...}])"));
        assert_eq!(hint("offline_pump(\"pump-0\", ").as_deref(), Some("   offline_pump(pump, ‹[#{...}]›)"));
        assert_eq!(hint("offline_pump(\"pump-0\")"), None);
        assert_eq!(hint("nothing("), None);
        assert_eq!(hint("stock::drain").as_deref(), Some("(pump, options)"));
        assert_eq!(hint("stock::drain(").as_deref(), Some("   drain(‹pump›, options)"));
        assert_eq!(hint("stock::pump("), None);
    }
}
