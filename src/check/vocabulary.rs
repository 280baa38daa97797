//! What every script may use without declaring it: functions of ours and of Rhai's, properties of values.

use crate::language::tree::functions_of_rhai;
use crate::language::{self, Property, TYPES};
use crate::language::{Changes, Function, Returns};
use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;

/// How Rhai calls the function behind a property.
const GETTER: &str = "get$";

/// What every script may use.
pub(super) struct ScriptVocabulary {
    ours: HashMap<&'static str, &'static Function>,
    theirs: HashMap<String, Vec<RangeInclusive<usize>>>,
    properties: BTreeSet<String>,
    tests: Vec<(&'static str, usize)>,
}

impl ScriptVocabulary {
    pub(super) fn new() -> Self {
        let ours: HashMap<_, _> = language::functions().into_iter().map(|function| (function.name, function)).collect();
        let mut theirs: HashMap<String, Vec<RangeInclusive<usize>>> = HashMap::new();
        let mut properties = BTreeSet::new();
        for (name, counts) in functions_of_rhai() {
            if let Some(property) = name.strip_prefix(GETTER) {
                properties.insert(property.to_owned());
                continue;
            }
            let known = theirs.entry(name).or_default();
            if !known.contains(&counts) {
                known.push(counts);
            }
        }
        let of_types = TYPES.iter().flat_map(|known| known.properties);
        properties.extend(of_types.map(|known| known.name.to_owned()));
        ours.values().for_each(|function| fields_of(&function.returns, &mut properties));
        Self { ours, theirs, properties, tests: Vec::new() }
    }

    /// Learns what can be done with what a test is given: names with parameters, `fault(kind, id)`.
    pub(super) fn learn_tests(&mut self, signatures: impl IntoIterator<Item = &'static str>) {
        self.tests.extend(signatures.into_iter().filter_map(|signature| {
            let (name, params) = signature.trim_end_matches(')').split_once('(')?;
            Some((name, parameters(params)))
        }));
    }

    /// What can be done with what a test is given: name, and how many arguments it takes.
    pub(super) fn of_tests(&self) -> &[(&'static str, usize)] {
        &self.tests
    }

    /// The function of ours called `name`.
    pub(super) fn ours(&self, name: &str) -> Option<&'static Function> {
        self.ours.get(name).copied()
    }

    /// The names of our functions, and whether each acts.
    pub(super) fn our_names(&self) -> impl Iterator<Item = (&'static str, bool)> {
        self.ours.values().map(|function| (function.name, function.changes != Changes::Nothing))
    }

    /// How many arguments the function called `name` of ours or Rhai's takes; empty if there is none.
    pub(super) fn counts(&self, name: &str) -> Vec<RangeInclusive<usize>> {
        let ours = self.ours(name).map(Function::arguments);
        ours.into_iter().chain(self.theirs.get(name).into_iter().flatten().cloned()).collect()
    }

    /// The names of Rhai's functions that a script can write.
    pub(super) fn their_names(&self) -> impl Iterator<Item = &str> {
        self.theirs.keys().map(String::as_str).filter(|name| name.starts_with(char::is_alphabetic))
    }

    /// The properties of the type `name`.
    pub(super) fn properties_of(&self, name: &str) -> &'static [Property] {
        TYPES.iter().find(|known| known.name == name).map_or(&[], |known| known.properties)
    }

    /// Every property of every value that a function of ours or Rhai's can return.
    pub(super) fn properties(&self) -> impl Iterator<Item = &str> {
        self.properties.iter().map(String::as_str)
    }

    /// Whether some value that a function of ours or Rhai's returns can have the property `name`.
    pub(super) fn has_property(&self, name: &str) -> bool {
        self.properties.contains(name)
    }
}

/// How many parameters there are between the parentheses of a signature; a map or an array is one.
fn parameters(text: &str) -> usize {
    let mut depth = 0;
    let between = |c: char| {
        depth += i32::from("{[".contains(c)) - i32::from("}]".contains(c));
        c == ',' && depth == 0
    };
    text.split(between).filter(|part| !part.is_empty()).count()
}

/// The fields of every map that a function can return.
fn fields_of(returns: &Returns, found: &mut BTreeSet<String>) {
    match returns {
        Returns::Map(fields) => {
            for (name, of) in *fields {
                found.insert((*name).to_owned());
                fields_of(of, found);
            }
        }
        Returns::Maybe(of) | Returns::List(of) | Returns::MapOf(of) => fields_of(of, found),
        Returns::Either(all) => all.iter().for_each(|of| fields_of(of, found)),
        Returns::OneOrEach(one, each) => [one, each].into_iter().for_each(|of| fields_of(of, found)),
        Returns::Nothing
        | Returns::Never
        | Returns::Bool
        | Returns::Integer
        | Returns::Number
        | Returns::Text
        | Returns::State
        | Returns::Kind
        | Returns::Node
        | Returns::Time
        | Returns::OfClosure
        | Returns::OfParameter => {}
    }
}
