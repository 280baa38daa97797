//! `[profiles.NAME.node-control]`: what starts and stops nodes.

use super::{Item, Reader};
use crate::error::{Error, Result};
use crate::nearest::parse_named;
use crate::node_control::{NodeControl, OwnCommand, Preset, Template};
use crate::text::quoted;
use strum::VariantArray;

/// A key, and the presets that it means something to.
type PresetKey = (&'static str, &'static [Preset]);

const SSH: &[Preset] = &[Preset::SystemdSsh, Preset::Tiup];
const UNITS: &[Preset] = &[Preset::SystemdSsh, Preset::Systemd, Preset::Tiup];
const KUBERNETES: &[Preset] = &[Preset::Kubernetes];
const COMMANDS: &[Preset] = &[Preset::Commands];

const KEYS: &[PresetKey] = &[
    ("by", &[Preset::SystemdSsh, Preset::Systemd, Preset::Tiup, Preset::Kubernetes, Preset::Commands]),
    ("program", &[Preset::SystemdSsh, Preset::Tiup, Preset::Kubernetes]),
    ("host", SSH),
    ("user", SSH),
    ("port", SSH),
    ("identity", SSH),
    ("known-hosts", SSH),
    ("unit", &[Preset::SystemdSsh, Preset::Systemd, Preset::Tiup, Preset::Commands]),
    ("deploy-dir", &[Preset::SystemdSsh, Preset::Systemd, Preset::Tiup, Preset::Commands]),
    ("systemd-mode", UNITS),
    ("sudo", UNITS),
    ("namespace", KUBERNETES),
    ("context", KUBERNETES),
    ("kubeconfig", KUBERNETES),
    ("start-script", KUBERNETES),
    ("start", COMMANDS),
    ("stop", COMMANDS),
    ("restart", COMMANDS),
    ("log", COMMANDS),
    ("state", COMMANDS),
    ("ends-by", COMMANDS),
    ("restarts", &[Preset::SystemdSsh, Preset::Systemd, Preset::Tiup, Preset::Commands]),
];

impl Reader<'_> {
    /// The table of node control.
    ///
    /// # Errors
    /// `invalid` with file and line: a key that there is not or that means nothing to this preset, a wrong type, a place in a
    /// command that there is not, no preset.
    pub(super) fn node_control(&self, item: &Item<'_, '_>) -> Result<NodeControl> {
        let names: Vec<&'static str> = KEYS.iter().map(|(name, _)| *name).collect();
        let items = self.items(self.table_of(item)?, "node-control", &names)?;
        let by = items.iter().find(|item| item.key == "by").ok_or_else(|| {
            self.wrong(item.span.clone(), "node-control has no `by`, which says what starts and stops nodes")
                .hint("write by = \"systemd-ssh\", \"systemd\", \"tiup\", \"kubernetes\" or \"commands\"")
        })?;
        let preset = Preset::from_name(&self.text_of(by)?).map_err(|error| self.placed(by, error))?;
        let mut control = NodeControl::new(preset);
        for item in items.iter().filter(|item| item.key != "by") {
            let of = KEYS.iter().find(|(name, _)| *name == item.key).map_or(&[][..], |(_, presets)| *presets);
            if !of.contains(&preset) {
                let presets: Vec<String> = of.iter().map(|preset| format!("`{}`", preset.name())).collect();
                let what = format!("`{}` means nothing to the preset `{}`", item.key, preset.name());
                return Err(self.wrong(item.span.clone(), what).hint(format!("it is for {}", presets.join(", "))));
            }
            self.node_control_key(&mut control, item)?;
        }
        let has_any = [OwnCommand::Start, OwnCommand::Stop, OwnCommand::Restart];
        if preset == Preset::Commands && !has_any.iter().any(|command| control.commands.contains_key(command)) {
            return Err(self
                .wrong(item.span.clone(), "node-control has none of the commands `start`, `stop` and `restart`")
                .hint("write each as a list: start = [\"my-tool\", \"start\", \"{id}\"]"));
        }
        Ok(control)
    }

    fn node_control_key(&self, control: &mut NodeControl, item: &Item<'_, '_>) -> Result<()> {
        match item.key {
            "program" => control.program = Some(self.program_of(item)?),
            "host" => control.host = Some(self.template_of(item)?),
            "unit" => control.unit = Some(self.template_of(item)?),
            "deploy-dir" => control.deploy_dir = Some(self.template_of(item)?),
            "user" => {
                let user = self.text_of(item)?;
                if user.is_empty() || user.starts_with('-') || user.contains(char::is_whitespace) {
                    return Err(self.wrong(item.span.clone(), format!("`user` is no user's name: {}", quoted(&user))));
                }
                control.user = Some(user);
            }
            "port" => control.port = Some(self.port_of(item)?),
            "identity" => control.identity = Some(self.path_of(item)?),
            "known-hosts" => control.known_hosts = Some(self.path_of(item)?),
            "sudo" => control.sudo = self.flag_of(item)?,
            "systemd-mode" => control.systemd_mode = Some(self.named_of("mode of systemd", item)?),
            "namespace" => control.namespace = Some(self.text_of(item)?),
            "context" => control.context = Some(self.text_of(item)?),
            "kubeconfig" => control.kubeconfig = Some(self.path_of(item)?),
            "start-script" => control.start_script = self.named_of("start script", item)?,
            "ends-by" => control.ends_by = self.named_of("way to end a process", item)?,
            "restarts" => control.restarts = Some(self.named_of("value", item)?),
            name => {
                let command = parse_named::<OwnCommand>("command", name).map_err(|error| self.placed(item, error))?;
                if item.value.as_array().is_none() {
                    let what = format!("the command `{name}` takes a list: a program and its arguments");
                    return Err(self
                        .wrong(item.span.clone(), what)
                        .hint(format!("{name} = [\"my-tool\", \"{{id}}\"]: no shell reads it")));
                }
                let words: Result<Vec<_>> = self.list_of(item)?.iter().map(|word| Template::parse(word)).collect();
                let words = words.map_err(|error| self.placed(item, error))?;
                if words.is_empty() {
                    return Err(self
                        .wrong(item.span.clone(), format!("the command `{name}` has no program"))
                        .hint("write a program and its arguments"));
                }
                control.commands.insert(command, words);
            }
        }
        Ok(())
    }

    /// A program: a name to be looked for in `PATH`, or a path, which is relative to the file that names it.
    fn program_of(&self, item: &Item<'_, '_>) -> Result<String> {
        let text = self.text_of(item)?;
        match text.contains('/') {
            true => Ok(self.path_of(item)?.display().to_string()),
            false => Ok(text),
        }
    }

    pub(super) fn port_of(&self, item: &Item<'_, '_>) -> Result<u16> {
        let number = item.value.as_integer().and_then(|number| number.as_str().parse().ok());
        let none = || self.wrong(item.span.clone(), "`port` takes a number from 1 to 65535");
        number.filter(|port| *port > 0).ok_or_else(none)
    }

    fn template_of(&self, item: &Item<'_, '_>) -> Result<Template> {
        Template::parse(&self.text_of(item)?).map_err(|error| self.placed(item, error))
    }

    fn named_of<T: VariantArray + Into<&'static str> + Copy>(&self, what: &str, item: &Item<'_, '_>) -> Result<T> {
        parse_named(what, &self.text_of(item)?).map_err(|error| self.placed(item, error))
    }

    /// The same error, with file and line.
    fn placed(&self, item: &Item<'_, '_>, error: Error) -> Error {
        Error { message: self.wrong(item.span.clone(), &error.message).message, ..error }
    }
}
