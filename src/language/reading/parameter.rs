//! A parameter of a script: what its declaration says, and whether what stands on the command line fits.

use crate::error::{Error, Result};
use crate::language::convert::to_value;
use crate::language::settings::ScriptSettings;
use crate::nearest::did_you_mean;
use crate::nearest::parse_named;
use crate::secret::Secret;
use crate::time::parse_duration;
use crate::value::Value;
use indexmap::IndexMap;
use rhai::{Dynamic, FnCallExpr};
use std::cell::RefCell;
use strum::{IntoStaticStr, VariantArray};

/// The options of a declaration.
const OPTIONS: [&str; 4] = ["about", "default", "type", "choices"];

/// A parameter of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamDoc {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub about: Option<String>,
    /// Its value when it is not given; without one it must be given.
    pub default: Option<Value>,
    /// What it takes.
    pub kind: ParamType,
    /// The values that it may have; empty if any.
    pub choices: Vec<Value>,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum ParamType {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// A text that is a duration, such as `90s`.
    Duration,
    /// A text that is never shown, kept, or given on the command line.
    Secret,
}

impl ParamType {
    /// All there are.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Its name in a declaration.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What a value is by itself.
    fn of(value: &Value) -> Self {
        match value {
            Value::Bool(_) => Self::Bool,
            Value::Int(_) => Self::Integer,
            Value::Float(_) => Self::Number,
            _ => Self::Text,
        }
    }

    /// `text` as a value of this type; `None` if it is none.
    fn parse(self, text: &str) -> Option<Value> {
        match self {
            Self::Text => Some(text.into()),
            Self::Integer => text.parse().ok().map(Value::Int),
            Self::Number => text.parse().ok().map(Value::Float),
            Self::Bool => text.parse().ok().map(Value::Bool),
            Self::Duration => parse_duration(text).is_ok().then(|| text.into()),
            Self::Secret => Some(Value::Secret(Secret::Plain(text.to_owned()))),
        }
    }

    /// In a sentence, and what else to do about a value that does not fit.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("text", HINT),
            Self::Secret => ("a secret", HINT),
            Self::Integer => ("an integer", HINT),
            Self::Number => ("a number", HINT),
            Self::Bool => ("true or false", HINT),
            Self::Duration => ("a duration", "write seconds as a number, or 300ms, 90s, 5m, 1h30m, 7d"),
        }
    }
}

const HINT: &str = "`run FILE --help` lists the parameters";

impl ParamDoc {
    /// Whether its value is never shown.
    pub fn is_secret(&self) -> bool {
        self.kind == ParamType::Secret
    }

    /// Its value, where `given` stands on the command line.
    ///
    /// # Errors
    /// `invalid` when it is missing, not of the parameter's type, or none of the choices.
    pub(crate) fn value(&self, given: Option<&str>) -> Result<Value> {
        let value = match (given, &self.default) {
            (None, None) => return Err(self.missing()),
            (None, Some(default)) => default.clone(),
            (Some(text), _) => self.parse(text)?,
        };
        if self.choices.is_empty() || self.choices.contains(&value) {
            return Ok(value);
        }
        let choices: Vec<String> = self.choices.iter().map(shown).collect();
        let hint = did_you_mean(&shown(&value), choices.iter().map(String::as_str));
        Err(Error::invalid(format!("--param {}: `{}` is none of {}", self.name, shown(&value), choices.join(", ")))
            .hint(hint.unwrap_or_else(|| "give one of these".into())))
    }

    fn parse(&self, text: &str) -> Result<Value> {
        self.kind.parse(text).ok_or_else(|| {
            let (takes, hint) = self.kind.words();
            Error::invalid(format!("--param {}: takes {takes}, and `{text}` is none", self.name)).hint(hint)
        })
    }

    /// Its value, of a secret one.
    ///
    /// # Errors
    /// `invalid` when it was not given.
    pub(crate) fn secret(&self, given: &IndexMap<String, Secret>) -> Result<Value> {
        given.get(&self.name).map(|secret| Value::Secret(secret.clone())).ok_or_else(|| self.missing())
    }

    fn missing(&self) -> Error {
        Error::invalid(format!("the parameter `{}` must be given{}", self.name, self.about())).hint(self.how_to_give())
    }

    /// What stands on the command line to give it.
    fn how_to_give(&self) -> String {
        let name = &self.name;
        match self.kind {
            ParamType::Secret => format!("--param-file {name}=FILE, or --param-env {name}=VARIABLE; `run` asks for it"),
            _ => format!("--param {name}=VALUE"),
        }
    }

    /// The error of whoever gives it where everybody can read it.
    pub fn not_there(&self) -> Error {
        let name = &self.name;
        Error::invalid(format!(
            "--param {name}: it is a secret, and others can read the command line, which is kept as well"
        ))
        .hint(format!("leave it out to be asked, or give --param-file {name}=FILE or --param-env {name}=VARIABLE"))
    }

    fn about(&self) -> String {
        self.about.as_ref().map_or(String::new(), |about| format!(" ({about})"))
    }
}

/// Checks what was given on the command line against what the script declares.
///
/// # Errors
/// `invalid`: a parameter that the script does not have, one that it needs, or a value that does not fit.
pub(crate) fn check(declared: &[ParamDoc], settings: &ScriptSettings) -> Result<()> {
    let (given, secrets) = (&settings.parameters, &settings.secrets);
    let names = || declared.iter().map(|param| param.name.as_str());
    if let Some(unknown) = given.keys().chain(secrets.keys()).find(|name| !names().any(|known| known == *name)) {
        let hint = match (did_you_mean(unknown, names()), declared.is_empty()) {
            (Some(hint), _) => hint,
            (None, true) => "it has no parameters at all".into(),
            (None, false) => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
        };
        return Err(Error::invalid(format!("--param {unknown}: the script has no such parameter")).hint(hint));
    }
    if let Some(secret) = declared.iter().find(|param| param.is_secret() && given.contains_key(&param.name)) {
        return Err(secret.not_there());
    }
    let is_given = |name: &String| given.contains_key(name) || secrets.contains_key(name);
    let missing: Vec<&ParamDoc> =
        declared.iter().filter(|param| param.default.is_none() && !is_given(&param.name)).collect();
    match missing.as_slice() {
        [] => {}
        [one] => return Err(one.missing()),
        several => {
            let lines: Vec<String> = several.iter().map(|param| format!("  {}{}", param.name, param.about())).collect();
            return Err(Error::invalid(format!("these parameters must be given:\n{}", lines.join("\n")))
                .hint("give each as --param NAME=VALUE"));
        }
    }
    let plain = declared.iter().filter(|param| !param.is_secret());
    plain.map(|param| param.value(given.get(&param.name).map(String::as_str))).try_for_each(|value| value.map(drop))
}

/// What a call of `param` declares.
///
/// # Errors
/// `invalid` when name or options are no literals, or an option is unknown or of the wrong type.
pub(crate) fn declaration(call: &FnCallExpr) -> Result<ParamDoc> {
    let literal = |at: usize| call.args.get(at).map(|argument| argument.get_literal_value(None));
    let not_literal = || {
        Error::invalid("param takes literals: it must be known without running the script")
            .hint("write param(\"name\", #{ about: \"...\", default: \"...\" })")
    };
    let name = literal(0).flatten().ok_or_else(not_literal)?;
    let name = name.into_string().map_err(|_| Error::invalid("param: `name` takes text"))?;
    let options = match literal(1) {
        None => Dynamic::from(rhai::Map::new()),
        Some(options) => options.ok_or_else(not_literal)?,
    };
    let Value::Map(options) = to_value(&options, &RefCell::default())? else {
        return Err(Error::invalid("param: `options` takes a map").hint("write #{ about: \"...\", default: \"...\" }"));
    };
    let (mut about, mut default, mut kind, mut choices) = (None, None, None, Vec::new());
    for (option, value) in options {
        match (option.as_str(), value) {
            ("about", Value::Text(text)) => about = Some(text),
            ("default", value @ (Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_))) => {
                default = Some(value);
            }
            ("type", Value::Text(name)) => kind = Some(type_named(&name)?),
            ("choices", Value::List(list)) => choices = list,
            (known, other) if OPTIONS.contains(&known) => {
                return Err(Error::invalid(format!("param: option `{known}` does not take {}", other.type_name()))
                    .hint("see help(\"param\")"));
            }
            (unknown, _) => {
                let hint = did_you_mean(unknown, OPTIONS);
                return Err(Error::invalid(format!("param has no option `{unknown}`"))
                    .hint(hint.unwrap_or_else(|| format!("its options are {}", OPTIONS.join(", ")))));
            }
        }
    }
    let by_itself = || default.iter().chain(&choices).next().map_or(ParamType::Text, ParamType::of);
    let kind = kind.unwrap_or_else(by_itself);
    let of_kind = |value: Value| match (kind, value) {
        (ParamType::Number, Value::Int(number)) => Value::Float(number as f64),
        (_, value) => value,
    };
    let default = default.map(of_kind);
    let choices = choices.into_iter().map(of_kind).collect();
    let param = ParamDoc { name, about, default, kind, choices };
    fitting(&param)?;
    Ok(param)
}

fn type_named(name: &str) -> Result<ParamType> {
    parse_named("type of a parameter", name)
}

/// The default and the choices are of the parameter's type.
fn fitting(param: &ParamDoc) -> Result<()> {
    if param.is_secret() && (param.default.is_some() || !param.choices.is_empty()) {
        let error = format!("param: `{}` is a secret, and its value would stand in the script", param.name);
        return Err(Error::invalid(error).hint("a secret has no `default` and no `choices`: whoever runs it gives it"));
    }
    let unfitting = |value: &&Value| {
        let fits = match (param.kind, value) {
            (ParamType::Duration, Value::Text(text)) => parse_duration(text).is_ok(),
            (kind, value) => ParamType::of(value) == kind,
        };
        !fits
    };
    match param.default.iter().chain(&param.choices).find(unfitting) {
        None => match &param.default {
            Some(default) if !param.choices.is_empty() && !param.choices.contains(default) => {
                let error =
                    format!("param: the default of `{}`, {}, is none of its choices", param.name, shown(default));
                Err(Error::invalid(error).hint("add it to `choices`, or take one of these"))
            }
            _ => Ok(()),
        },
        Some(value) => {
            let (takes, hint) = param.kind.words();
            Err(Error::invalid(format!("param: `{}` takes {takes}, and {} is none", param.name, shown(value)))
                .hint(hint))
        }
    }
}

/// A value as it is written on the command line.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        other => other.type_name().to_owned(),
    }
}
