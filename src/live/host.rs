//! Who we are, as others are told.

/// The name of this host; empty names become `unknown`.
pub fn name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "unknown".into() } else { name }
}

/// The user who works: whoever became root with sudo is named all the same.
pub fn user() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let named = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(variable);
    named.unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()))
}
