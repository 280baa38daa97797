//! What can stand at the cursor.

use super::vocabulary::{Callable, Vocabulary};
use crate::language::lexer::{KEYWORDS, Kind, Token, tokens};
use crate::language::{Opt, Type};
use crate::node::State;

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
        Self { shown: text.to_owned(), text: text.to_owned() }
    }

    fn call(function: &Callable) -> Self {
        Self { shown: function.signature.clone(), text: format!("{}(", function.name) }
    }
}

/// A bracket that is open at the cursor.
struct Open<'t> {
    /// `(`, `[`, `{` or `#{`.
    bracket: &'t str,
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
            if token.kind != Kind::Punctuation {
                continue;
            }
            match token.of(text) {
                bracket @ ("(" | "[" | "{" | "#{") => {
                    let is_colon = |token: &&Token| token.of(text) == ":";
                    let colons = tokens[..at].iter().rev().take_while(is_colon).count();
                    let word = at.checked_sub(colons + 1).filter(|at| tokens[*at].kind == Kind::Word);
                    open.push(Open {
                        bracket,
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
    fn last(&self, n: usize) -> Option<(Kind, &'t str)> {
        let at = self.tokens.len().checked_sub(n + 1)?;
        let token = &self.tokens[at];
        Some((token.kind, token.of(self.text)))
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
    (is_path && module.kind == Kind::Word).then(|| module.of(text))
}

/// Where the word at the end of `before` begins, and what can stand there.
pub(super) fn candidates(before: &str, vocabulary: &Vocabulary, commands: &[String]) -> (usize, Vec<Candidate>) {
    if before.trim_start().starts_with('.') {
        let start = before.len() - before.trim_start().len();
        return (start, beginning_with(&before[start..], commands.iter().map(|name| Candidate::plain(name))));
    }
    let seen = Before::new(before);
    let Some(last) = seen.tokens.last() else {
        return (before.len(), names("", vocabulary));
    };
    if last.kind == Kind::Text && last.is_open {
        let start = last.range.start + 1;
        return (start, beginning_with(&before[start..], texts(&seen, vocabulary)));
    }
    if last.kind == Kind::Comment {
        return (before.len(), Vec::new());
    }
    let is_word = matches!(last.kind, Kind::Word | Kind::Keyword) && last.range.end == before.len();
    let (start, behind) = if is_word { (last.range.start, 1) } else { (before.len(), 0) };
    let word = &before[start..];
    let previous = seen.last(behind).map_or("", |(_, text)| text);
    let is_range = previous == "." && seen.last(behind + 1).is_some_and(|(_, text)| text == ".");
    if previous == "." && !is_range {
        return (start, beginning_with(word, vocabulary.properties.iter().map(|name| Candidate::plain(name))));
    }
    if let Some(module) = module(before, &seen.tokens[..seen.tokens.len() - behind]) {
        return (start, beginning_with(word, vocabulary.functions(Some(module)).iter().map(Candidate::call)));
    }
    if let Some(options) = options(&seen, vocabulary, previous) {
        let key = |option: &Opt| Candidate { shown: option.name.to_owned(), text: format!("{}: ", option.name) };
        return (start, beginning_with(word, options.iter().map(key)));
    }
    (start, names(word, vocabulary))
}

/// The keys of the map that is open, if a key can stand here.
fn options(seen: &Before<'_>, vocabulary: &Vocabulary, previous: &str) -> Option<&'static [Opt]> {
    let innermost = seen.open.last().filter(|open| open.bracket == "#{")?;
    if innermost.word.is_some() || !matches!(previous, "#{" | ",") {
        return None;
    }
    let (name, call) = seen.call()?;
    let function = vocabulary.function(call.module, name)?;
    Some(function.options()).filter(|options| !options.is_empty())
}

/// What can stand within quotes: modules, guards, states, ids.
fn texts(seen: &Before<'_>, vocabulary: &Vocabulary) -> Vec<Candidate> {
    if seen.last(1) == Some((Kind::Keyword, "import")) {
        return vocabulary.modules.iter().map(|name| Candidate::plain(name)).collect();
    }
    let call = seen.call();
    let in_force = seen.open.last().is_some_and(|open| open.bracket == "[" && open.word == Some("force"));
    let function = call.and_then(|(name, open)| vocabulary.function(open.module, name));
    if let (true, Some(function)) = (in_force, function) {
        return function.guards().map(Candidate::plain).collect();
    }
    if call.is_some_and(|(name, _)| name == "help") {
        return pages(vocabulary);
    }
    let param = call.and_then(|(_, open)| function?.param(open.commas));
    let takes_state = param.is_some_and(|param| param.takes == Type::State);
    let compared = matches!(seen.last(1), Some((_, "="))) && matches!(seen.last(3), Some((_, "state")));
    match takes_state || compared {
        true => State::ALL.iter().map(|state| Candidate::plain(state.name())).collect(),
        false => vocabulary.node_ids.iter().map(|id| Candidate::plain(id)).collect(),
    }
}

/// What `help` has a page of, as far as the prompt knows.
fn pages(vocabulary: &Vocabulary) -> Vec<Candidate> {
    let functions = vocabulary.functions.iter().map(|function| Candidate::plain(&function.name));
    let of_modules = vocabulary.namespaces.iter().flat_map(|namespace| {
        namespace.functions.iter().map(|function| Candidate::plain(&format!("{}::{}", namespace.name, function.name)))
    });
    let guards = vocabulary.functions.iter().flat_map(Callable::guards).map(Candidate::plain);
    functions.chain(of_modules).chain(guards).collect()
}

/// Functions, variables, modules and words of the language.
fn names(word: &str, vocabulary: &Vocabulary) -> Vec<Candidate> {
    let variables = vocabulary.variables.iter().map(|name| Candidate::plain(name));
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

/// The signature of the function that is being typed at the end of `before`.
pub(super) fn signature_hint(before: &str, vocabulary: &Vocabulary) -> Option<String> {
    let seen = Before::new(before);
    let last = seen.tokens.last()?;
    if last.is_open && last.kind == Kind::Comment {
        return None;
    }
    if last.kind == Kind::Word && last.range.end == before.len() {
        let module = module(before, &seen.tokens[..seen.tokens.len() - 1]);
        let function = vocabulary.function(module, last.of(before))?;
        return function.signature.strip_prefix(function.name.as_str()).map(str::to_owned);
    }
    let (name, call) = seen.call()?;
    let function = vocabulary.function(call.module, name)?;
    match before.ends_with('(') && last.of(before) == "(" {
        true => function.signature.strip_prefix(&format!("{name}(")).map(str::to_owned),
        false => Some(format!("   {}", function.signature)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::vocabulary::Namespace;

    fn vocabulary() -> Vocabulary {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let ours = |name| Callable::ours(crate::language::function(name).unwrap());
        Vocabulary {
            functions: ["pumps", "pump", "offline_pump", "wait_for", "help"].map(ours).into(),
            variables: words(&["pumped"]),
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
            properties: words(&["state", "lag", "id"]),
            node_ids: words(&["pump-0", "pump-1", "drainer-0"]),
        }
    }

    fn complete(before: &str) -> (usize, Vec<String>) {
        let (start, found) = candidates(before, &vocabulary(), &[".help".into(), ".output".into()]);
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
        assert_eq!(complete("p.").1, ["id", "lag", "state"]);
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
        assert_eq!(complete("stock::drain(\"pu").1, ["pump-0", "pump-1"]);
    }

    #[test]
    fn quotes_hold_what_the_place_asks_for() {
        assert_eq!(complete("pump(\"pu"), (6, vec!["pump-0".into(), "pump-1".into()]));
        assert_eq!(complete("wait_for(\"pump-0\", \"pau").1, ["paused", "pausing"]);
        assert_eq!(complete("import \"dr").1, ["drainers"]);
        assert_eq!(complete("offline_pump(\"pump-0\", #{ force: [\"la").1, ["last_pump"]);
        assert_eq!(complete("pumps().filter(|p| p.state == \"onl").1, ["online"]);
        assert_eq!(complete("help(\"off").1, ["offline_pump"]);
        assert_eq!(complete("help(\"la").1, ["last_pump"]);
        assert_eq!(complete("help(\"stock::d").1, ["stock::drain"]);
    }

    #[test]
    fn a_trailing_map_has_the_options_of_its_function() {
        assert_eq!(complete("offline_pump(\"pump-0\", #{").1, ["force: ", "wait: "]);
        assert_eq!(complete("offline_pump(\"pump-0\", #{ wait: 3, fo").1, ["force: "]);
        assert_eq!(complete("offline_pump(\"pump-0\", #{ wait: pum").1, ["pump(", "pumped", "pumps("]);
    }

    #[test]
    fn the_hint_is_the_rest_of_the_signature() {
        let hint = |before: &str| signature_hint(before, &vocabulary());
        assert_eq!(hint("offline_pump").as_deref(), Some("(pump, [#{...}])"));
        assert_eq!(hint("offline_pump(").as_deref(), Some("pump, [#{...}])"));
        assert_eq!(hint("offline_pump(\"pump-0\", ").as_deref(), Some("   offline_pump(pump, [#{...}])"));
        assert_eq!(hint("offline_pump(\"pump-0\")"), None);
        assert_eq!(hint("nothing("), None);
        assert_eq!(hint("stock::drain").as_deref(), Some("(pump, options)"));
        assert_eq!(hint("stock::drain(").as_deref(), Some("pump, options)"));
        assert_eq!(hint("stock::pump("), None);
    }
}
