//! The embedded library.

/// Name and text of each module.
pub(crate) const STDLIB: [(&str, &str); 14] = [
    ("cluster", include_str!("../../stdlib/cluster.rhai")),
    ("doctor", include_str!("../../stdlib/doctor.rhai")),
    ("doctor/deployment", include_str!("../../stdlib/doctor/deployment.rhai")),
    ("doctor/facts", include_str!("../../stdlib/doctor/facts.rhai")),
    ("doctor/findings", include_str!("../../stdlib/doctor/findings.rhai")),
    ("doctor/nodes", include_str!("../../stdlib/doctor/nodes.rhai")),
    ("doctor/remedies", include_str!("../../stdlib/doctor/remedies.rhai")),
    ("doctor/replication", include_str!("../../stdlib/doctor/replication.rhai")),
    ("doctor/surroundings", include_str!("../../stdlib/doctor/surroundings.rhai")),
    ("drainers", include_str!("../../stdlib/drainers.rhai")),
    ("gc", include_str!("../../stdlib/gc.rhai")),
    ("pumps", include_str!("../../stdlib/pumps.rhai")),
    ("steps", include_str!("../../stdlib/steps.rhai")),
    ("ticdc", include_str!("../../stdlib/ticdc.rhai")),
];

/// The embedded library: name and text of each module.
pub fn stdlib() -> impl Iterator<Item = (&'static str, &'static str)> {
    STDLIB.into_iter()
}

/// The name of an embedded module as errors show it.
pub(crate) fn embedded_name(module: &str) -> String {
    format!("stdlib:{module}")
}

/// Whether the source of this name is one of them.
pub(crate) fn is_embedded(name: &str) -> bool {
    name.starts_with("stdlib:")
}
