//! Modules: the embedded library, and files beneath the script's own directory. Nothing else can be imported.

use crate::error::{Error, Result};
use crate::files;
use crate::language::reading::complete::unclosed_comment;
use crate::language::reading::signs;
use crate::language::reading::sources::Source;
use crate::language::running::host::Host;
use crate::language::running::replaced::replaced;
use crate::language::stdlib::{STDLIB, embedded_name, is_embedded};
use crate::nearest::did_you_mean;
use crate::text::{ShownPath, decode};
use rhai::{Engine, EvalAltResult, Module, ModuleResolver, ParseErrorType, Position, Scope, Shared};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A module, or the error that Rhai passes on.
type Loaded = std::result::Result<Shared<Module>, Box<EvalAltResult>>;

/// Finds, compiles and keeps modules.
pub(crate) struct Library {
    host: Rc<Host>,
    embedded: RefCell<HashMap<String, Shared<Module>>>,
    loading: RefCell<Vec<String>>,
}

impl Library {
    pub(crate) fn new(host: Rc<Host>) -> Self {
        Self { host, embedded: RefCell::default(), loading: RefCell::default() }
    }

    /// Compiles and runs the module that `source` is.
    fn load(&self, engine: &Engine, source: Source, at: Position) -> Loaded {
        let code = source.code().into_owned();
        let key = self.host.sources.add_module(source);
        let wrap = |error: Box<EvalAltResult>| EvalAltResult::ErrorInModule(key.clone(), error, at);
        if let Some(at) = unclosed_comment(&code) {
            let unclosed = ParseErrorType::MissingToken("*/".into(), "to close this comment".into());
            return Err(wrap(Box::new(EvalAltResult::ErrorParsing(unclosed, at))).into());
        }
        let mut ast = engine.compile(&code).map_err(|error| match signs::foreign(&code, error.position()) {
            Some(sign) => wrap(self.host.raise_at(sign.error, sign.at)),
            None => wrap(Box::new(error.into())),
        })?;
        if !self.host.settings.goes_on
            && let Some((error, at)) = replaced(&ast)
        {
            return Err(wrap(self.host.raise_at(error, at)).into());
        }
        ast.set_source(key.as_str());
        self.host.sources.compiled(&key, &ast);
        self.host.shapes.borrow_mut().learn_from(&ast);
        let module = Module::eval_ast_as_new(Scope::new(), &ast, engine).map_err(wrap)?;
        Ok(module.into())
    }

    fn load_file(&self, engine: &Engine, source: Source, at: Position) -> Loaded {
        let name = source.name.clone();
        if self.loading.borrow().contains(&name) {
            return Err(self.host.raise(
                Error::invalid(format!("{name} imports itself, directly or through others"))
                    .hint("move what both need into a third module"),
            ));
        }
        self.loading.borrow_mut().push(name);
        let module = self.load(engine, source, at);
        self.loading.borrow_mut().pop();
        module
    }
}

/// The module that `path` means when the source `importer` imports it: of those that a run was pinned with, of the
/// embedded library, or a file.
///
/// # Errors
/// `not_found`, `invalid` when it lies outside the script's directory, `local` when it cannot be read.
pub(crate) fn locate(host: &Host, importer: &str, path: &str) -> Result<Source> {
    if let Some(pinned) = &host.settings.pinned {
        let importer = host.sources.get(importer).map_or_else(String::new, |known| known.source.name.clone());
        let found = pinned.iter().find(|module| module.path == path && module.importer == importer);
        return found.map(|module| Source::new(&module.name, &module.text)).ok_or_else(|| {
            Error::not_found(format!("the run has no module \"{path}\" of {importer} with it"))
                .hint("a run keeps the modules whose imports are written with a plain text")
        });
    }
    if let Some((name, text)) = STDLIB.into_iter().find(|(name, _)| *name == path) {
        return Ok(Source::new(embedded_name(name), text));
    }
    read(&find(host, importer, path)?)
}

/// The file that `path` means when it is imported by the source `importer`.
fn find(host: &Host, importer: &str, path: &str) -> Result<PathBuf> {
    let known = host.sources.get(importer);
    if known.is_some_and(|known| is_embedded(&known.source.name)) {
        return Err(missing(path, None));
    }
    let base = host.sources.root(importer).or_else(|| host.settings.roots.first().cloned());
    let Some(base) = base else { return Err(missing(path, None)) };
    beneath(&base, &host.roots(), path)
}

/// The file that `path` means in the directory `base`, if it lies beneath one of `roots`, which have no symbolic links.
fn beneath(base: &Path, roots: &[PathBuf], path: &str) -> Result<PathBuf> {
    let mut file = base.join(path).into_os_string();
    if !path.ends_with(".rhai") {
        file.push(".rhai");
    }
    let file = PathBuf::from(file);
    let found = file.canonicalize().map_err(|_| missing(path, Some(&file)))?;
    match roots.iter().any(|root| found.starts_with(root)) {
        true => Ok(found),
        false => Err(outside(path, &found, roots)),
    }
}

/// The module that `path` means in `importer`, for those who only read it: of the embedded library, or a file beneath one
/// of `roots`.
///
/// # Errors
/// `not_found`, `invalid` when it lies elsewhere, `local` when it cannot be read.
pub fn find_module(importer: &Source, roots: &[PathBuf], path: &str) -> Result<Source> {
    if let Some((name, text)) = STDLIB.into_iter().find(|(name, _)| *name == path) {
        return Ok(Source::new(embedded_name(name), text));
    }
    let base = importer.root.as_ref().filter(|_| !is_embedded(&importer.name)).ok_or_else(|| missing(path, None))?;
    let roots: Vec<PathBuf> = roots.iter().filter_map(|root| root.canonicalize().ok()).collect();
    read(&beneath(base, &roots, path)?)
}

/// The largest module that is read.
const LARGEST: u64 = 128 << 20;

fn read(file: &Path) -> Result<Source> {
    let bytes =
        files::read(file, LARGEST).map_err(|fault| fault.error(format!("cannot read the module {}", file.shown())))?;
    let text = decode(&format!("the module {}", file.shown()), bytes)?;
    Ok(Source { name: file.display().to_string(), text, root: file.parent().map(Path::to_owned) })
}

impl ModuleResolver for Library {
    fn resolve(&self, engine: &Engine, importer: Option<&str>, path: &str, at: Position) -> Loaded {
        let source = locate(&self.host, importer.unwrap_or_default(), path).map_err(|error| self.host.raise(error))?;
        let name = source.name.clone();
        let kept = if is_embedded(&name) { &self.embedded } else { &self.host.modules };
        if let Some(module) = kept.borrow().get(&name) {
            return Ok(module.clone());
        }
        let module = self.load_file(engine, source, at)?;
        kept.borrow_mut().insert(name, module.clone());
        Ok(module)
    }
}

fn missing(path: &str, looked: Option<&Path>) -> Error {
    let names = STDLIB.map(|(name, _)| name);
    let place = looked.map_or(String::new(), |file| format!(" (looked for {})", file.shown()));
    let hint = did_you_mean(path, names).unwrap_or_else(|| {
        format!("the embedded library has {}; other modules are files beside the script", names.join(", "))
    });
    Error::not_found(format!("there is no module \"{path}\"{place}")).hint(hint)
}

fn outside(path: &str, found: &Path, roots: &[PathBuf]) -> Error {
    let roots: Vec<String> = roots.iter().map(|root| root.display().to_string()).collect();
    Error::invalid(format!("import \"{path}\" leads to {}, which is not beneath {}", found.shown(), roots.join(" or ")))
        .hint("put the module beneath the script's directory: a script's modules travel with it")
}
