//! A script and the modules that it imports.

use crate::check::variables::ScriptVariables;
use crate::error::Error;
use crate::language::tree::{Expr, ExprKind, Name, Parsed, Parser, Part, ScriptFunction, Spot, Stmt};
use crate::language::{Source, find_module};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::rc::Rc;

/// A script or module that compiles.
pub(super) struct Script {
    pub(super) source: Source,
    pub(super) parsed: Parsed,
    pub(super) imports: Vec<ImportedModule>,
    variables: OnceCell<ScriptVariables>,
    fields: OnceCell<BTreeSet<String>>,
    reassigned: OnceCell<BTreeSet<String>>,
}

/// What an `import` brings.
pub(super) struct ImportedModule {
    /// What it is called in the script; empty without `as`.
    pub(super) alias: Name,
    /// What is written, and where; none if it is no plain text, and only a run knows.
    pub(super) path: Option<Name>,
    /// The module; none if only a run knows it.
    pub(super) module: Option<Result<Rc<Script>, Error>>,
}

impl Script {
    fn new(source: Source, parsed: Parsed, imports: Vec<ImportedModule>) -> Self {
        let (variables, fields, reassigned) = Default::default();
        Self { source, parsed, imports, variables, fields, reassigned }
    }

    /// What is known of its variables.
    pub(super) fn variables(&self) -> &ScriptVariables {
        self.variables.get_or_init(|| ScriptVariables::of(self))
    }

    /// The variables that become something else than what they begin with.
    pub(super) fn reassigned(&self) -> &BTreeSet<String> {
        self.reassigned.get_or_init(|| {
            let mut names = BTreeSet::new();
            self.parsed.tree.walk(&mut |part| {
                if let Part::Stmt(Stmt::Assign { target, is_plain: true, .. }) = part {
                    names.extend(target.variable().map(str::to_owned));
                }
            });
            names
        })
    }

    /// Every field that it gives a map, or a value that it indexes.
    pub(super) fn fields(&self) -> &BTreeSet<String> {
        self.fields.get_or_init(|| {
            let mut fields = BTreeSet::new();
            self.parsed.tree.exprs(&mut |expr: &Expr| match &expr.kind {
                ExprKind::Map(map) => fields.extend(map.iter().map(|(name, _)| name.text.clone())),
                ExprKind::Index { index, .. } => fields.extend(index.text().map(str::to_owned)),
                _ => {}
            });
            self.parsed.tree.walk(&mut |part| {
                if let Part::Stmt(Stmt::Assign { target, .. }) = part
                    && let ExprKind::Property { name, .. } = &target.kind
                {
                    fields.insert(name.clone());
                }
            });
            fields
        })
    }

    /// Every function that it defines.
    pub(super) fn functions(&self) -> &[ScriptFunction] {
        &self.parsed.tree.functions
    }

    /// Whether it defines a function called `name`.
    pub(super) fn defines(&self, name: &str) -> bool {
        self.functions().iter().any(|function| function.name.text == name)
    }

    /// The function that a call of `name` with so many arguments means.
    pub(super) fn function(&self, name: &str, count: usize) -> Option<&ScriptFunction> {
        self.functions().iter().find(|function| function.name.text == name && function.params.len() == count)
    }

    /// What is imported as `alias`.
    pub(super) fn imported(&self, alias: &str) -> Option<&ImportedModule> {
        self.imports.iter().find(|import| import.alias.text == alias)
    }

    /// The module that a call or variable behind the modules `path` is in: an error names the one that is not there, and
    /// there is none where only a run knows.
    pub(super) fn module_at<'a>(&'a self, path: &'a [Name]) -> Result<Option<&'a Rc<Script>>, &'a Name> {
        let mut at: Option<&Rc<Script>> = None;
        for name in path {
            let import = at.map_or(self, |script| script).imported(&name.text).ok_or(name)?;
            match &import.module {
                Some(Ok(module)) => at = Some(module),
                _ => return Ok(None),
            }
        }
        Ok(at)
    }

    /// Whether it is a file of tests.
    pub(super) fn is_test(&self) -> bool {
        self.source.name.ends_with("_test.rhai")
    }

    /// Whether it only serves others: nothing runs when it is imported beside its imports and constants.
    pub(super) fn is_module(&self) -> bool {
        let declares = |stmt: &Stmt| matches!(stmt, Stmt::Import { .. } | Stmt::Let { .. } | Stmt::Export { .. });
        !self.functions().is_empty() && self.parsed.tree.body.iter().all(declares)
    }

    /// The names by which importers can read its variables.
    pub(super) fn exported(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.parsed.tree.walk(&mut |part| match part {
            Part::Stmt(Stmt::Let { name, is_exported: true, .. }) => drop(names.insert(name.text.as_str())),
            Part::Stmt(Stmt::Export { alias, .. }) => drop(names.insert(alias.as_str())),
            _ => {}
        });
        names
    }

    /// It and every module that it imports, directly or through others, each once.
    pub(super) fn family(self: &Rc<Self>) -> Vec<Rc<Script>> {
        let mut all: Vec<Rc<Script>> = Vec::new();
        let mut open = vec![Rc::clone(self)];
        while let Some(script) = open.pop() {
            if all.iter().any(|known| Rc::ptr_eq(known, &script)) {
                continue;
            }
            open.extend(script.imports.iter().filter_map(|import| import.module.as_ref()?.as_ref().ok()).cloned());
            all.push(script);
        }
        all
    }
}

/// A module's name, and the directories beneath which it looks for its own modules.
type ModuleKey = (String, Vec<PathBuf>);

/// Reads scripts, and each module once.
#[derive(Default)]
pub(super) struct ScriptReader {
    parser: Parser,
    modules: RefCell<HashMap<ModuleKey, Rc<Script>>>,
    loading: RefCell<Vec<String>>,
}

impl ScriptReader {
    /// Reads `source` and what it imports; modules lie in its directory, or beneath one of `roots`.
    ///
    /// # Errors
    /// `invalid` and where, when the script itself does not compile.
    pub(super) fn read(&self, source: &Source, roots: &[PathBuf]) -> Result<Rc<Script>, (Error, Spot)> {
        let own = source.root.iter().chain(roots).cloned().collect::<Vec<_>>();
        let canonical = source.root.is_some().then(|| std::path::Path::new(&source.name).canonicalize().ok()).flatten();
        let name = canonical.map_or_else(|| source.name.clone(), |path| path.display().to_string());
        self.loading.borrow_mut().push(name);
        let script = self.script(source, &own);
        self.loading.borrow_mut().pop();
        script.map(Rc::new)
    }

    fn script(&self, source: &Source, roots: &[PathBuf]) -> Result<Script, (Error, Spot)> {
        let parsed = self.parser.parse(source)?;
        let mut written = Vec::new();
        parsed.tree.walk(&mut |part| {
            if let Part::Stmt(Stmt::Import { path, alias }) = part {
                let text = path.text().map(|text| Name { text: text.to_owned(), at: path.at });
                written.push((alias.clone(), text));
            }
        });
        let mut imports = Vec::new();
        for (alias, path) in written {
            let module = path.as_ref().map(|path| self.module(source, roots, &path.text));
            imports.push(ImportedModule { alias, path, module });
        }
        Ok(Script::new(source.clone(), parsed, imports))
    }

    fn module(&self, importer: &Source, roots: &[PathBuf], path: &str) -> Result<Rc<Script>, Error> {
        let source = find_module(importer, roots, path)?;
        if self.loading.borrow().contains(&source.name) {
            return Err(Error::invalid(format!("{} imports itself, directly or through others", source.name))
                .hint("move what both need into a third module"));
        }
        let key = (source.name.clone(), roots.to_vec());
        if let Some(known) = self.modules.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        self.loading.borrow_mut().push(source.name.clone());
        let script = self.script(&source, roots);
        self.loading.borrow_mut().pop();
        let script = Rc::new(script.and_then(importable).map_err(|(error, at)| Error {
            hint: error.hint.clone(),
            ..Error::invalid(format!("{}:{}: {error}", source.name, at.line))
        })?);
        self.modules.borrow_mut().insert(key, Rc::clone(&script));
        Ok(script)
    }
}

/// A module, unless it would fail when it is imported.
fn importable(module: Script) -> Result<Script, (Error, Spot)> {
    if let Some((error, at)) = &module.parsed.refused {
        return Err((error.clone(), *at));
    }
    let broken = module.imports.iter().find_map(|import| {
        let error = import.module.as_ref()?.as_ref().err()?;
        Some((error.clone(), import.path.as_ref()?.at))
    });
    broken.map_or(Ok(module), Err)
}
