//! The live view of a cluster: what is known of it by now, and what a frame shows of that.
//!
//! [`WatchedCluster`] looks, by one watch of etcd and one question to the nodes every ten seconds, and tells what it knows as a
//! [`Picture`]. [`View`] is what somebody who watches has chosen: a node, a filter, a page. [`draw`] puts both on a screen of any
//! size. Nothing here knows a terminal, a thread or a session, and nothing here changes the cluster.

mod cluster;
mod columns;
mod draw;
mod expression;
mod history;
mod picture;
mod replication;
mod suggestions;
mod view;

pub(crate) use cluster::WatchedCluster;
pub(crate) use draw::{as_text, draw};
pub(crate) use expression::ExpressionView;
pub(crate) use picture::Picture;
pub(crate) use suggestions::node_call;
pub(crate) use view::{KeyMeaning, View, ViewWish};
