//! Whether a script can come to change the cluster: found out before it runs, by what it calls.
//!
//! Followed are calls by name, through its own functions and closures and those of its modules. What only a run knows (a
//! function whose name is put together, a module whose path is) is not seen: then the first change finds out.

use crate::language::functions::function;
use crate::language::reading::sources::Source;
use crate::language::running::host::Host;
use crate::language::running::library::locate;
use crate::operations::Changes;
use rhai::{AST, ASTNode, Engine, Expr, FnCallExpr, FnPtr, Module, Shared, Stmt};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// What calls a function by its name: `Fn("pause_pump")`.
const POINTER: &str = "Fn";

/// How the name begins that Rhai gives a closure.
pub(crate) const CLOSURE: &str = "anon$";

/// What a text calls and imports.
#[derive(Default)]
pub(crate) struct Text {
    /// What Rhai calls it.
    key: String,
    /// What happens when it runs.
    body: Vec<Call>,
    /// What happens in each of its functions; several with one name count as one.
    functions: HashMap<String, Vec<Call>>,
    /// The paths of its modules, by what it calls them.
    imports: HashMap<String, String>,
}

/// A call by name.
#[derive(Clone)]
struct Call {
    /// The modules before the name, the outermost first.
    modules: Vec<String>,
    name: String,
}

impl Text {
    /// What `ast`, which Rhai calls `key`, calls and imports.
    pub(crate) fn of(key: &str, ast: &AST) -> Self {
        let mut text = Self { key: key.to_owned(), ..Self::default() };
        let main = AST::new(ast.statements().iter().cloned(), Module::new());
        text.body = text.read(&main);
        for (_, _, name, _, function) in ast.shared_lib().iter_script_fn_info() {
            // Rhai shows the statements of a function to those only who walk a tree in which it is the only one.
            let mut alone = Module::new();
            alone.set_script_fn(Shared::clone(function));
            let calls = text.read(&AST::new_from_module(alone));
            text.functions.entry(name.to_owned()).or_default().extend(calls);
        }
        text
    }

    /// What Rhai calls it.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Whether later texts can call or import through it.
    pub(crate) fn leaves_something(&self) -> bool {
        !self.functions.is_empty() || !self.imports.is_empty()
    }

    /// Whether one of its functions is called `name`.
    pub(crate) fn defines(&self, name: &str) -> bool {
        self.functions.contains_key(name)
    }

    /// What it calls modules.
    pub(crate) fn modules(&self) -> impl Iterator<Item = &str> {
        self.imports.keys().map(String::as_str)
    }

    /// The closures that stand in its function `name`.
    pub(crate) fn closures_in(&self, name: &str) -> impl Iterator<Item = &str> {
        let calls = self.functions.get(name).into_iter().flatten();
        calls.map(|call| call.name.as_str()).filter(|name| name.starts_with(CLOSURE))
    }

    /// The calls in `ast`; notes what it imports.
    fn read(&mut self, ast: &AST) -> Vec<Call> {
        let mut calls = Vec::new();
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            match path.last() {
                Some(ASTNode::Stmt(Stmt::Import(import, _))) => {
                    if let Expr::StringConstant(path, _) = &import.0 {
                        self.imports.insert(import.1.name.to_string(), path.to_string());
                    }
                }
                Some(ASTNode::Stmt(Stmt::FnCall(call, _)))
                | Some(ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _))) => {
                    calls.push(called(call));
                }
                Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) => {
                    let pointer = value.read_lock::<FnPtr>();
                    calls.extend(pointer.map(|pointer| Call::own(pointer.fn_name())));
                }
                _ => {}
            }
            true
        });
        calls
    }
}

impl Call {
    fn own(name: &str) -> Self {
        Self { modules: Vec::new(), name: name.to_owned() }
    }
}

fn called(call: &FnCallExpr) -> Call {
    match (call.name.as_str(), call.args.first()) {
        (POINTER, Some(Expr::StringConstant(name, _))) => Call::own(name),
        (name, _) => {
            let modules = call.namespace.path.iter().map(|module| module.name.to_string()).collect();
            Call { modules, name: name.to_owned() }
        }
    }
}

/// Follows calls from text to text.
pub(crate) struct Reach<'a> {
    engine: &'a Engine,
    host: &'a Host,
    texts: Vec<Rc<Text>>,
    /// By text and path: which text a module is; `None` for one that cannot be had.
    modules: HashMap<(usize, String), Option<usize>>,
    seen: HashSet<(usize, String)>,
}

impl<'a> Reach<'a> {
    pub(crate) fn new(engine: &'a Engine, host: &'a Host) -> Self {
        Self { engine, host, texts: Vec::new(), modules: HashMap::new(), seen: HashSet::new() }
    }

    /// Whether running `text`, which may call the functions and modules of `earlier` texts (the newest last), can come to change the cluster.
    pub(crate) fn changes_cluster(mut self, text: &Rc<Text>, earlier: &[Rc<Text>]) -> bool {
        let mut open: Vec<(usize, Call)> = text.body.iter().map(|call| (0, call.clone())).collect();
        self.texts.push(Rc::clone(text));
        self.texts.extend(earlier.iter().rev().cloned());
        let own = self.texts.len();
        while let Some((at, call)) = open.pop() {
            let Call { modules, name } = call;
            let around: Vec<usize> = if at < own { (0..own).collect() } else { vec![at] };
            let Some(within) = self.text_of(&around, &modules) else { continue };
            let defines = |at: &usize| self.texts[*at].functions.contains_key(&name);
            let Some(found) = within.into_iter().find(defines) else {
                if modules.is_empty() && function(&name).is_some_and(|known| known.changes == Changes::Cluster) {
                    return true;
                }
                continue;
            };
            if self.seen.insert((found, name.clone())) {
                let calls = self.texts[found].functions.get(&name).into_iter().flatten();
                open.extend(calls.map(|call| (found, call.clone())));
            }
        }
        false
    }

    /// The texts among which a function is looked for that is called with these modules before its name.
    fn text_of(&mut self, around: &[usize], modules: &[String]) -> Option<Vec<usize>> {
        let mut within = around.to_vec();
        for module in modules {
            let import = |at: &usize| Some((*at, self.texts[*at].imports.get(module)?.clone()));
            let (importer, path) = within.iter().find_map(import)?;
            within = vec![self.module(importer, path)?];
        }
        Some(within)
    }

    /// The text of the module `path` of the text `importer`.
    fn module(&mut self, importer: usize, path: String) -> Option<usize> {
        if let Some(known) = self.modules.get(&(importer, path.clone())) {
            return *known;
        }
        let source = locate(self.host, &self.texts[importer].key, &path).ok();
        let found = source.and_then(|source| self.read(source));
        self.modules.insert((importer, path), found);
        found
    }

    fn read(&mut self, source: Source) -> Option<usize> {
        let ast = self.engine.compile(&*source.code()).ok()?;
        let key = self.host.sources.add_module(source);
        self.texts.push(Rc::new(Text::of(&key, &ast)));
        Some(self.texts.len() - 1)
    }
}
