//! What the cluster of programs promises to the tests that stand on it.

mod processes;

use crate::support::fleet::node;

/// The other processes of the tests beside it; by itself it does nothing.
#[test]
fn the_node() {
    node::run_if_asked();
}
