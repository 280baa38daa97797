//! What a deployment tool believes of the cluster, as a value.

use crate::deployment::{DeployedNode, Deployment};
use crate::text::ShownPath;
use crate::value::Value;

/// What tiup knows of a cluster, for scripts and programs.
pub fn deployment_value(known: &Deployment) -> Value {
    let texts = |texts: &[String]| texts.iter().map(|text| text.as_str().into()).collect::<Vec<Value>>().into();
    Value::map([
        ("name", known.name.as_str().into()),
        ("source", known.source.shown().as_str().into()),
        ("version", known.version.as_ref().map_or(Value::Unit, |version| version.as_str().into())),
        ("pd_urls", texts(&known.pd_urls)),
        ("tls", known.tls.is_some().into()),
        ("user", known.user.as_str().into()),
        ("systemd_mode", known.systemd_mode.name().into()),
        ("nodes", known.nodes.iter().map(node_value).collect::<Vec<Value>>().into()),
        ("unfinished_scale_out", known.unfinished_scale_out.into()),
        ("may_be_cut_off", known.may_be_cut_off.into()),
    ])
}

fn node_value(node: &DeployedNode) -> Value {
    Value::map([
        ("kind", node.kind.name().into()),
        ("id", node.id().into()),
        ("address", node.address().into()),
        ("ssh_host", node.ssh_host().into()),
        ("ssh_port", i64::from(node.ssh_port).into()),
        ("unit", node.unit().into()),
        ("deploy_dir", node.deploy_dir.as_str().into()),
        ("data_dir", node.data_dir.as_str().into()),
        ("offline", node.offline.into()),
    ])
}
