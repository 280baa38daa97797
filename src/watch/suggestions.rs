//! What can be typed about a node: calls to take along to the prompt.

use crate::node::NodeRef;
use crate::operations::{self, Changes, Function, Group, Type};
use crate::text::script_literal;

/// A call, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suggestion {
    /// Its text; open at its end where somebody has to say more.
    pub(super) call: String,
    /// What it does, in a few words.
    pub(super) about: &'static str,
}

/// Every function of these chapters, in their order, that takes this node first; with `other` there is a node of the other kind
/// with the same id, so that the id alone names neither.
pub(super) fn suggestions(node: &NodeRef, other: bool, chapters: &[Group]) -> Vec<Suggestion> {
    let of_group = |group: Group| operations::all().map(|row| &row.function).filter(move |row| row.group == group);
    chapters.iter().copied().flat_map(of_group).filter_map(|function| suggestion(function, node, other)).collect()
}

fn suggestion(function: &Function, node: &NodeRef, other: bool) -> Option<Suggestion> {
    let id = script_literal(&node.id);
    let of_any_kind = || if other { node_call(node) } else { id.clone() };
    let name = match function.params.first()?.takes {
        Type::Node(Some(kind)) if kind == node.kind => id.clone(),
        Type::Node(None) | Type::Nodes => of_any_kind(),
        _ => return None,
    };
    // A look that returns the node itself shows nothing that is not on the screen.
    if function.changes == Changes::Nothing && function.name == node.kind.name() {
        return None;
    }
    let end = if function.required() > 1 { ", " } else { ")" };
    let about = function.about.lines().next().unwrap_or_default();
    Some(Suggestion { call: format!("{}({name}{end}", function.name), about })
}

/// The call that finds a node, whatever else has its id.
pub(crate) fn node_call(node: &NodeRef) -> String {
    format!("{}({})", node.kind, script_literal(&node.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Kind;

    fn calls(kind: Kind, id: &str, other: bool) -> Vec<String> {
        let node = NodeRef { kind, id: id.into(), address: "h:8250".into() };
        suggestions(&node, other, &[Group::Act, Group::Wait, Group::Look]).into_iter().map(|one| one.call).collect()
    }

    #[test]
    fn a_pump_is_offered_what_pumps_can_do() {
        let calls = calls(Kind::Pump, "pump-1", false);
        assert_eq!(calls[0], "pause_pump(\"pump-1\")");
        assert!(calls.contains(&"update_pump(\"pump-1\", ".to_owned()), "{calls:?}");
        assert!(calls.contains(&"wait_for(\"pump-1\", ".to_owned()), "{calls:?}");
        assert!(calls.iter().all(|call| !call.contains("_drainer(") && !call.starts_with("kill")), "{calls:?}");
    }

    #[test]
    fn an_id_is_written_so_that_it_means_the_node() {
        let calls = calls(Kind::Drainer, "a\"b\u{202e}", true);
        assert_eq!(calls[0], "pause_drainer(\"a\\\"b\\U0000202e\")");
        assert!(calls.contains(&"probe(drainer(\"a\\\"b\\U0000202e\"))".to_owned()), "{calls:?}");
    }
}
