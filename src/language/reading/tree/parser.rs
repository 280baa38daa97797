//! Reads scripts without running them.

use super::lower::lower;
use super::{Spot, Tree, Words, words};
use crate::error::{Error, Place};
use crate::language::Source;
use crate::language::reading::complete::{not_closed, unclosed_comment};
use crate::language::reading::describe::{self, ScriptDoc};
use crate::language::reading::dialect;
use crate::language::reading::dialect::{RED_ZONE, STACK};
use crate::language::reading::masking::Masking;
use crate::language::reading::signs::{self, Sign};
use crate::language::reading::translate::Vocabulary;
use rhai::{AST, Engine, ParseError, ParseErrorType, Position, Scope};
use std::ops::RangeInclusive;

/// Reads scripts without running them; makes its engines once.
pub struct Parser {
    strict: Engine,
    lenient: Engine,
}

/// A script that was read.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// What it says.
    pub tree: Tree,
    /// Its comments, and the names of its functions.
    pub words: Words,
    /// What it says of itself, or what is wrong with a parameter that it declares.
    pub doc: Result<ScriptDoc, (Error, Spot)>,
    /// Why the interpreter would not take it although it can be read: a name that is nowhere declared.
    pub refused: Option<(Error, Spot)>,
}

impl Default for Parser {
    fn default() -> Self {
        Self { strict: dialect::reading(true), lenient: dialect::reading(false) }
    }
}

impl Parser {
    /// Reads `source`.
    ///
    /// # Errors
    /// `invalid` and where, when it does not compile for another reason than a name that is nowhere declared.
    pub fn parse(&self, source: &Source) -> Result<Parsed, (Error, Spot)> {
        stacker::maybe_grow(RED_ZONE, STACK, || self.parse_here(source))
    }

    fn parse_here(&self, source: &Source) -> Result<Parsed, (Error, Spot)> {
        let code = source.code();
        let told = |error: &ParseError| {
            if let Some(Sign { error, at }) = signs::foreign(&code, error.position()) {
                return (error, Spot::from(at));
            }
            let mut words = Vocabulary::default();
            words.learn_from(&source.text);
            let place = place_of(source, error.position());
            let masking = Masking::of(&[&source.text]);
            let told = words.parsing(error.err_type(), place.as_ref());
            let hint = told.hint.map(|hint| masking.scrubbed(&hint, &source.text));
            let message = masking.scrubbed(&told.message, &source.text);
            (Error { message, hint, ..told }, Spot::from(error.position()))
        };
        let (ast, refused) = match compile(&self.strict, &code) {
            Ok(ast) => (ast, None),
            Err(error) => match error.err_type() {
                ParseErrorType::VariableUndefined(_) | ParseErrorType::ModuleUndefined(_) => {
                    (compile(&self.lenient, &code).map_err(|error| told(&error))?, Some(told(&error)))
                }
                _ => return Err(told(&error)),
            },
        };
        if let Some(at) = unclosed_comment(&code) {
            let error = not_closed();
            return Err((error, Spot::from(at)));
        }
        let words = words(&code);
        let doc = describe::describe(&ast, &source.text).map_err(|(error, at)| (error, Spot::from(at)));
        Ok(Parsed { tree: lower(&ast, &words), words, doc, refused })
    }
}

fn compile(engine: &Engine, code: &str) -> Result<AST, ParseError> {
    engine.compile_with_scope(&Scope::new(), code)
}

fn place_of(source: &Source, at: Position) -> Option<Place> {
    let line = at.line()?;
    let text = source.text.lines().nth(line.checked_sub(1)?)?.to_owned();
    Some(Place { file: source.name.clone(), line, column: at.position(), text })
}

/// The functions that Rhai itself has, with the number of arguments that each takes. A property that it knows of one of
/// its types is called `get$` and the property's name.
pub fn functions_of_rhai() -> Vec<(String, RangeInclusive<usize>)> {
    let named = |info: rhai::FuncInfo<'_>| Some((info.metadata.name.to_string(), info.metadata.num_params));
    let packaged = dialect::bare().collect_fn_metadata(None, named, true);
    let packaged = packaged.into_iter().map(|(name, count)| (name, count..=count));
    // What Rhai does itself, without a function.
    let own = [
        ("print", 0..=1),
        ("debug", 0..=1),
        ("type_of", 1..=1),
        ("Fn", 1..=1),
        ("call", 1..=usize::MAX),
        ("curry", 1..=usize::MAX),
        ("is_shared", 1..=1),
        ("is_def_var", 1..=1),
        ("is_def_fn", 2..=2),
    ];
    packaged.chain(own.map(|(name, counts)| (name.to_owned(), counts))).collect()
}
