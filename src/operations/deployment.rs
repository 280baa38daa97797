//! What a deployment tool believes of the cluster, as a value.

use crate::deployment::{DeployedNode, Deployment};
use crate::error::Result;
use crate::operations::{Arguments, Example, Function, Group, Operation, Returns};
use crate::text::ShownPath;
use crate::value::Value;
use crate::world::{Gate, read};

const NODE: Returns = Returns::Map(&[
    ("kind", Returns::Kind),
    ("id", Returns::Text),
    ("address", Returns::Text),
    ("ssh_host", Returns::Text),
    ("ssh_port", Returns::Integer),
    ("unit", Returns::Text),
    ("deploy_dir", Returns::Text),
    ("data_dir", Returns::Text),
    ("offline", Returns::Bool),
]);

pub(super) const TABLE: &[Operation] = &[Operation {
    function: Function {
        name: "deployment",
        group: Group::Look,
        returns: Returns::Maybe(&Returns::Map(&[
            ("name", Returns::Text),
            ("source", Returns::Text),
            ("version", Returns::Maybe(&Returns::Text)),
            ("pd_urls", Returns::List(&Returns::Text)),
            ("tls", Returns::Bool),
            ("user", Returns::Text),
            ("systemd_mode", Returns::Text),
            ("nodes", Returns::List(&NODE)),
            ("unfinished_scale_out", Returns::Bool),
            ("may_be_cut_off", Returns::Bool),
        ])),
        about: "What tiup knows of the cluster, as its `meta.yaml` says now: its nodes with address, host and port of ssh, unit \
                and directories; `()` where the cluster was not named by tiup's name (`--cluster`). Whether the cluster is \
                really so is in `nodes()`.\n\n`offline` of a node means that tiup took it out and did not prune it; \
                `may_be_cut_off` that the file lacks what tiup writes behind the nodes.",
        example: Example::new("deployment() == () || deployment().nodes.len() > 0"),
        ..Function::BASE
    },
    call: deployment,
}];

fn deployment(gate: &mut dyn Gate, _args: &Arguments) -> Result<Value> {
    Ok(gate.ask(read::Deployment)?.as_deref().map_or(Value::Unit, deployment_value))
}

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
