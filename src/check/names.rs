//! Names of functions, variables and modules, and how many arguments a function takes.

use crate::check::finding::RuleFinding;
use crate::check::rule::{Family, Rule, Severity};
use crate::check::script::Script;
use crate::check::variables::ScriptVariables;
use crate::check::vocabulary::ScriptVocabulary;
use crate::language::tree::{Expr, ExprKind, Name, Spot, Stmt};
use crate::language::{replaces, stdlib};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::rc::Rc;

pub(super) const FAMILY: Family = Family { rules: RULES, check };

const RULES: &[Rule] =
    &[UNDEFINED_FUNCTION, WRONG_ARGUMENT_COUNT, UNDEFINED_VARIABLE, UNDEFINED_MODULE, SHADOWED_FUNCTION];

const UNDEFINED_FUNCTION: Rule = Rule {
    name: "undefined_function",
    severity: Severity::Error,
    about: "A function is called that neither the program, nor Rhai, nor the script or its modules have.",
    why: "The run fails when it gets there, which may be in the middle of a maintenance. `help()` lists all functions.",
    caught: "//! Waits for a Pump.\nwait_fro(\"pump-1\", \"online\");\n",
    left_alone: "//! Waits for a Pump.\nwait_for(\"pump-1\", \"online\");\n",
};

const WRONG_ARGUMENT_COUNT: Rule = Rule {
    name: "wrong_argument_count",
    severity: Severity::Error,
    about: "A function is called with more or fewer arguments than it takes.",
    why: "The run fails when it gets there. There are no named or default arguments: what can be left out stands in a map \
          at the end, as in `pause_pump(\"pump-1\", #{ wait: \"1m\" })`.",
    caught: "//! Waits for a Pump.\nwait_for(\"pump-1\");\n",
    left_alone: "//! Waits for a Pump.\nwait_for(\"pump-1\", \"online\", \"5m\");\n",
};

const UNDEFINED_VARIABLE: Rule = Rule {
    name: "undefined_variable",
    severity: Severity::Error,
    about: "A name is no variable where it stands.",
    why: "The script would not even begin. A function sees its own parameters and variables only, never those outside it: \
          give it what it needs as an argument; a constant of the file is `global::NAME` there. It cannot be silenced.",
    caught: "//! Shows a Pump.\nlet id = \"pump-1\";\nfn show() {\n    print(pump(id).state);\n}\nshow();\n",
    left_alone: "//! Shows a Pump.\nlet id = \"pump-1\";\nfn show(id) {\n    print(pump(id).state);\n}\nshow(id);\n",
};

const UNDEFINED_MODULE: Rule = Rule {
    name: "undefined_module",
    severity: Severity::Error,
    about: "A name before `::` is no module that the script imports.",
    why: "The script would not even begin. `import \"pumps\" as pumps;` makes the functions of the library's module \
          `pumps` known as `pumps::...`. It cannot be silenced.",
    caught: "//! Makes sure that all Drainers are online.\ndrainers::ensure_all_online();\n",
    left_alone: "//! Makes sure that all Drainers are online.\nimport \"drainers\" as drainers;\ndrainers::ensure_all_online();\n",
};

const SHADOWED_FUNCTION: Rule = Rule {
    name: "shadowed_function",
    severity: Severity::Error,
    about: "The script defines a function that is called like one of the program's, with as many parameters.",
    why: "The script would not even begin, since what reads as `pause_pump` would no longer pause a Pump, or no longer look \
          at its guards. Called on a value (`id.pause_pump()`), that counts as one more. It cannot be silenced.",
    caught: "//! Shows a Pump.\nfn pump(id) {\n    #{ id: id }\n}\nprint(pump(\"pump-1\").id);\n",
    left_alone: "//! Shows a Pump.\nfn described(id) {\n    #{ id: id }\n}\nprint(described(\"pump-1\").id);\n",
};

/// Whether the compiler refuses what `rule` finds: then nothing can silence it.
pub(super) fn is_refused(rule: &Rule) -> bool {
    [UNDEFINED_VARIABLE.name, UNDEFINED_MODULE.name, SHADOWED_FUNCTION.name].contains(&rule.name)
}

fn check(script: &Rc<Script>, words: &ScriptVocabulary, found: &mut Vec<RuleFinding>) {
    let variables = script.variables();
    let family = NameCheck { script, words, variables, callable_fields: script.fields() };
    family.shadowed(found);
    family.unknown_variables(found);
    script.parsed.tree.exprs(&mut |expr| family.expr(expr, found));
}

struct NameCheck<'a> {
    script: &'a Script,
    words: &'a ScriptVocabulary,
    variables: &'a ScriptVariables,
    callable_fields: &'a BTreeSet<String>,
}

impl NameCheck<'_> {
    fn shadowed(&self, found: &mut Vec<RuleFinding>) {
        for function in self.script.functions() {
            let name = &function.name;
            if let Some(ours) = replaces(&name.text, function.params.len()) {
                let message = format!("this function would stand before `{}` of the program", ours.signature());
                found.push(
                    RuleFinding::new(&SHADOWED_FUNCTION, name.at, &name.text, message)
                        .hint("give it a name of its own"),
                );
            }
        }
    }

    fn unknown_variables(&self, found: &mut Vec<RuleFinding>) {
        // Whether it is a constant of the file, if it is a variable of the file at all.
        let outside = |name: &str| {
            self.script.parsed.tree.body.iter().find_map(|stmt| match stmt {
                Stmt::Let { name: known, is_constant, .. } if known.text == name => Some(*is_constant),
                _ => None,
            })
        };
        for unknown in &self.variables.unknown {
            let name = &unknown.name;
            let finding =
                RuleFinding::new(&UNDEFINED_VARIABLE, unknown.at, name, format!("there is no variable `{name}` here"));
            found.push(match (outside(name), self.words.ours(name)) {
                (Some(true), _) => finding.hint(format!(
                    "a function does not see the constants outside it: write `global::{name}`, or give it `{name}` as an \
                     argument"
                )),
                (Some(false), _) => finding.hint(format!(
                    "a function does not see the variables outside it, or what is declared further down: give it `{name}` \
                     as an argument"
                )),
                (None, Some(_)) => finding.hint(format!("`{name}` is a function: call it")),
                (None, None) => {
                    let visible = unknown.visible.iter().map(String::as_str);
                    finding.meant(name, visible, "declare it with `let`")
                }
            });
        }
    }

    fn expr(&self, expr: &Expr, found: &mut Vec<RuleFinding>) {
        match &expr.kind {
            ExprKind::Call { path, name, args } if path.is_empty() => {
                self.plain_call(name, args, expr.at, found);
                if name == "Fn"
                    && let [Expr { kind: ExprKind::Text(named), at }] = args.as_slice()
                    && self.counts(named).is_empty()
                {
                    found.push(self.no_function(named, None, &format!("\"{named}\""), *at).without_fix());
                }
            }
            ExprKind::Call { path, name, args } => self.qualified_call(path, name, args.len(), expr.at, found),
            ExprKind::Method { receiver, name, args } => {
                let is_given = receiver.variable().is_some() && self.variables.is_given(receiver.at);
                match self.script.is_test() {
                    true if is_given => self.done_with_given(name, args.len(), expr.at, found),
                    // A helper of tests may be given the same as they, or anything.
                    true => {}
                    false => self.method(name, args.len(), expr.at, found),
                }
            }
            ExprKind::Variable { path, name } if !path.is_empty() => {
                self.qualified_variable(path, name, expr.at, found)
            }
            _ => {}
        }
    }

    /// How many arguments the functions called `name` take; empty if there is none.
    fn counts(&self, name: &str) -> Vec<RangeInclusive<usize>> {
        let own = self.script.functions().iter().filter(|function| function.name.text == name);
        own.map(|function| function.params.len()..=function.params.len()).chain(self.words.counts(name)).collect()
    }

    fn plain_call(&self, name: &str, args: &[Expr], at: Spot, found: &mut Vec<RuleFinding>) {
        let counts = self.counts(name);
        if counts.is_empty() {
            found.push(self.no_function(name, Some(args.len()), name, at));
            return;
        }
        if !counts.iter().any(|count| count.contains(&args.len())) {
            let of = self.words.ours(name).map(|function| function.signature());
            found.push(wrong_count(name, &counts, of.as_deref(), args.len(), at));
            return;
        }
        let is_own = self.script.function(name, args.len()).is_some();
        if let (Some(ours), Some(last)) = (self.words.ours(name).filter(|_| !is_own), args.last())
            && !ours.options.is_empty()
            && args.len() == *ours.arguments().end()
            && matches!(last.kind, ExprKind::Text(_) | ExprKind::Number | ExprKind::Bool | ExprKind::Array(_))
        {
            let message = format!("`{name}` takes {}: the last argument is a map of options", ours.signature());
            let finding = RuleFinding::new(&WRONG_ARGUMENT_COUNT, last.at, "", message);
            let options: Vec<&str> = ours.options.iter().map(|option| option.name).collect();
            found.push(finding.hint(format!("write #{{ ... }} with {}", options.join(", "))));
        }
    }

    fn qualified_call(&self, path: &[Name], name: &str, count: usize, at: Spot, found: &mut Vec<RuleFinding>) {
        let module = match self.script.module_at(path) {
            Ok(Some(module)) => module,
            Ok(None) => return,
            Err(unknown) => {
                found.push(self.no_module(unknown));
                return;
            }
        };
        let public = || module.functions().iter().filter(|function| !function.is_private);
        let named: Vec<_> = public().filter(|function| function.name.text == name).map(|f| f.params.len()).collect();
        let place = joined(path);
        if named.is_empty() {
            let message = match module.defines(name) {
                true => format!("`{name}` is private in the module `{place}`"),
                false => format!("the module `{place}` has no function `{name}`"),
            };
            let fitting: Vec<&str> =
                public().filter(|function| function.params.len() == count).map(|f| f.name.text.as_str()).collect();
            let finding = RuleFinding::new(&UNDEFINED_FUNCTION, at, name, message);
            let known: Vec<&str> = public().map(|function| function.name.text.as_str()).collect();
            found.push(finding.meant(name, fitting, format!("it has {}", known.join(", "))).without_fix());
        } else if !named.contains(&count) {
            let counts: Vec<_> = named.into_iter().map(|count| count..=count).collect();
            found.push(wrong_count(&format!("{place}::{name}"), &counts, None, count, at));
        }
    }

    fn qualified_variable(&self, path: &[Name], name: &str, at: Spot, found: &mut Vec<RuleFinding>) {
        if let [global] = path
            && global.text == "global"
        {
            let declared = self.script.parsed.tree.body.iter();
            let declared: Vec<&str> = declared
                .filter_map(|stmt| match stmt {
                    Stmt::Let { name, .. } => Some(name.text.as_str()),
                    _ => None,
                })
                .collect();
            if !declared.contains(&name) {
                let message = format!("there is no constant `{name}` at the top of the script");
                let finding = RuleFinding::new(&UNDEFINED_VARIABLE, at, name, message);
                found.push(finding.meant(name, declared, "declare it with `const`"));
            }
            return;
        }
        match self.script.module_at(path) {
            Ok(Some(module)) if !module.exported().contains(name) => {
                let place = joined(path);
                let message = format!("the module `{place}` exports no `{name}`");
                let finding = RuleFinding::new(&UNDEFINED_VARIABLE, at, name, message);
                found.push(finding.meant(
                    name,
                    module.exported(),
                    "a module exports what it declares with `export const`",
                ));
            }
            Ok(_) => {}
            Err(unknown) => found.push(self.no_module(unknown)),
        }
    }

    fn method(&self, name: &str, count: usize, at: Spot, found: &mut Vec<RuleFinding>) {
        let own = self.script.functions().iter().filter(|f| f.name.text == name).map(|f| f.params.len() + 1);
        let counts: Vec<_> = own.map(|count| count..=count).chain(self.words.counts(name)).collect();
        if counts.iter().any(|known| known.contains(&(count + 1))) || self.callable_fields.contains(name) {
            return;
        }
        if counts.is_empty() {
            found.push(self.no_function(name, Some(count + 1), name, at));
            return;
        }
        let counts: Vec<_> = counts.iter().map(|count| count.start().max(&1) - 1..=count.end().max(&1) - 1).collect();
        found.push(wrong_count(&format!(".{name}"), &counts, None, count, at));
    }

    /// A call of `t.name(...)` in a test that is given `t`.
    fn done_with_given(&self, name: &str, count: usize, at: Spot, found: &mut Vec<RuleFinding>) {
        let known = self.words.of_tests();
        let is_own = self.script.function(name, count).is_some();
        if known.is_empty() || is_own || known.contains(&(name, count)) {
            return;
        }
        let counts: Vec<_> =
            known.iter().filter(|(known, _)| *known == name).map(|(_, count)| *count..=*count).collect();
        found.push(match counts.is_empty() {
            true => {
                let message = format!("there is no function `{name}` of what a test is given");
                let names: BTreeSet<&str> = known.iter().map(|(name, _)| *name).collect();
                let all = names.iter().copied().collect::<Vec<_>>().join(", ");
                RuleFinding::new(&UNDEFINED_FUNCTION, at, name, message).meant(name, names, format!("it has {all}"))
            }
            false => wrong_count(&format!(".{name}"), &counts, None, count, at),
        });
    }

    fn no_function(&self, name: &str, count: Option<usize>, shown: &str, at: Spot) -> RuleFinding {
        let takes = |known: &str| count.is_none_or(|count| self.counts(known).iter().any(|c| c.contains(&count)));
        let own = self.script.functions().iter().map(|function| function.name.text.as_str());
        let ours: Vec<(&str, bool)> = self.words.our_names().collect();
        let known = own.chain(ours.iter().map(|(name, _)| *name)).chain(self.words.their_names());
        let known: BTreeSet<&str> = known.filter(|known| takes(known)).collect();
        let finding = RuleFinding::new(&UNDEFINED_FUNCTION, at, shown, format!("there is no function `{name}`"));
        let finding = finding.meant(name, known, "help() lists all functions");
        // What changes the cluster is written by a person.
        let acts = |fix: &crate::check::Fix| ours.iter().any(|(name, acts)| *acts && *name == fix.to);
        match finding.fix.as_ref().is_some_and(acts) {
            true => finding.without_fix(),
            false => finding,
        }
    }

    fn no_module(&self, name: &Name) -> RuleFinding {
        let message = format!("there is no module `{}` here", name.text);
        let finding = RuleFinding::new(&UNDEFINED_MODULE, name.at, &name.text, message);
        if stdlib().any(|(known, _)| known == name.text) {
            return finding.hint(format!("import \"{0}\" as {0};", name.text));
        }
        let aliases = self.script.imports.iter().map(|import| import.alias.text.as_str());
        finding.meant(&name.text, aliases, "import it first")
    }
}

/// A path of modules as it is written.
fn joined(path: &[Name]) -> String {
    path.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join("::")
}

fn wrong_count(
    name: &str,
    counts: &[RangeInclusive<usize>],
    signature: Option<&str>,
    given: usize,
    at: Spot,
) -> RuleFinding {
    let plain = name.rsplit("::").next().unwrap_or(name).trim_start_matches('.');
    let given = if given == 0 { "none".to_owned() } else { given.to_string() };
    let message = match signature {
        Some(signature) => format!("`{name}` takes {signature}, and gets {given}"),
        None => {
            let mut counts: Vec<String> = counts.iter().map(shown).collect();
            counts.sort();
            counts.dedup();
            format!("`{name}` takes {} argument(s), and gets {given}", counts.join(" or "))
        }
    };
    let finding = RuleFinding::new(&WRONG_ARGUMENT_COUNT, at, plain, message);
    match signature {
        Some(_) => finding.hint(format!("see help(\"{name}\")")),
        None => finding.hint("give it as many as it has parameters"),
    }
}

fn shown(count: &RangeInclusive<usize>) -> String {
    match (count.start(), count.end()) {
        (least, most) if least == most => least.to_string(),
        (least, &usize::MAX) => format!("{least} or more"),
        (least, most) => format!("{least} to {most}"),
    }
}
