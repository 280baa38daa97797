//! The fields of the maps that were seen, and their order.
//!
//! A Rhai map is sorted by name and forgets in which order its fields were written. Tables want that order, and a
//! misspelt field wants its neighbours, so both are remembered here.

use rhai::{AST, ASTNode, Expr};
use std::collections::{BTreeSet, HashMap};

/// What is remembered of maps.
#[derive(Default)]
pub(crate) struct Shapes {
    orders: HashMap<String, Vec<String>>,
    fields: BTreeSet<String>,
}

impl Shapes {
    /// Remembers that a map has these fields, in this order.
    pub(crate) fn learn<'a>(&mut self, fields: impl Iterator<Item = &'a str> + Clone) {
        let mut sorted: Vec<&str> = fields.clone().collect();
        sorted.sort_unstable();
        let key = key_of(sorted.into_iter());
        if self.orders.contains_key(&key) {
            return;
        }
        self.fields.extend(fields.clone().map(str::to_owned));
        self.orders.insert(key, fields.map(str::to_owned).collect());
    }

    /// Remembers the fields of the maps that stand in `ast`, in the order in which they are written.
    pub(crate) fn learn_from(&mut self, ast: &AST) {
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Expr(Expr::Map(map, _))) = path.last() {
                self.learn(map.0.iter().map(|(field, _)| field.name.as_str()));
            }
            true
        });
    }

    /// The order in which these fields, given sorted, were written; `None` for a map of a kind never seen.
    pub(crate) fn order_of<'a>(&self, sorted: impl Iterator<Item = &'a str>) -> Option<&[String]> {
        self.orders.get(&key_of(sorted)).map(Vec::as_slice)
    }

    /// Every field of every map that was seen.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(String::as_str)
    }
}

fn key_of<'a>(sorted: impl Iterator<Item = &'a str>) -> String {
    let mut key = String::new();
    for field in sorted {
        key.push_str(field);
        key.push('\0');
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_fields_survives_sorting() {
        let mut shapes = Shapes::default();
        shapes.learn(["id", "before", "after"].into_iter());
        assert_eq!(shapes.order_of(["after", "before", "id"].into_iter()).unwrap(), ["id", "before", "after"]);
        assert_eq!(shapes.order_of(["after", "id"].into_iter()), None);
    }
}
