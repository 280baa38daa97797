//! The modules of a script as they are when its run begins, so that it can go on with the same ones later and elsewhere.

use crate::error::Error;
use crate::language::running::host::Host;
use crate::language::running::library::locate;
use crate::language::settings::PinnedModule;
use rhai::{AST, ASTNode, Engine, Expr, ParseError, Stmt};

/// Why a script's modules cannot be had.
pub(crate) enum Unpinned {
    /// One is not found, or cannot be read.
    Missing(Error),
    /// The source of this key does not compile.
    Broken(String, ParseError),
}

/// All modules that the source `key`, compiled to `ast`, imports by a plain text, directly or through others.
///
/// # Errors
/// Those of finding a module; why one does not compile.
pub(crate) fn pin(engine: &Engine, host: &Host, key: &str, ast: &AST) -> Result<Vec<PinnedModule>, Unpinned> {
    let mut pinned: Vec<PinnedModule> = Vec::new();
    let mut open = vec![(key.to_owned(), imports(ast))];
    while let Some((key, paths)) = open.pop() {
        let importer = host.sources.get(&key).map_or_else(String::new, |known| known.source.name.clone());
        for path in paths {
            if pinned.iter().any(|module| module.importer == importer && module.path == path) {
                continue;
            }
            let source = locate(host, &key, &path).map_err(Unpinned::Missing)?;
            let (name, text) = (source.name.clone(), source.text.clone());
            let compiled = engine.compile(&*source.code());
            let key = host.sources.add_module(source);
            let ast = compiled.map_err(|error| Unpinned::Broken(key.clone(), error))?;
            open.push((key, imports(&ast)));
            pinned.push(PinnedModule { importer: importer.clone(), path, name, text });
        }
    }
    Ok(pinned)
}

/// What a script writes after `import`, where it is a plain text.
fn imports(ast: &AST) -> Vec<String> {
    let mut paths = Vec::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last()
            && let Expr::StringConstant(text, _) = &import.0
        {
            paths.push(text.to_string());
        }
        true
    });
    paths
}
