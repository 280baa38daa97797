//! What is learnt of the cluster while somebody types: its id, whose it is, its nodes, who holds the maintenance lock.
//!
//! A thread of its own looks, with a connection of its own, when a prompt comes up. Nobody waits for it.

use crate::commands::compose::{CommandContext, Seen, Witness, quiet_cluster, sandbox_nodes};
use crate::commands::whereabouts::Profiles;
use crate::config::ProfileSettings;
use crate::error::Result;
use crate::live::host;
use crate::policy::Whereabouts;
use crate::shell::{PromptLine, Redraw};
use crate::world::{ClusterInfo, LockInfo, LockOwner, World, read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long after a look that failed the next one is made, if nobody asks for it before.
const AGAIN: Duration = Duration::from_secs(5);

/// How often it looks who holds the lock while nothing else happens.
const IDLE: Duration = Duration::from_secs(30);

/// How long the first look waits: the first prompt is drawn before a connection takes memory and the other core.
const AFTER_THE_PROMPT: Duration = Duration::from_millis(10);

/// Shared by the prompt and the thread that looks.
#[derive(Clone, Default)]
pub(super) struct Background(Arc<Mutex<KnownNow>>);

/// What is known by now.
#[derive(Default)]
struct KnownNow {
    cluster: Option<ClusterInfo>,
    /// The production profile whose cluster it is, under whatever name.
    production: Option<String>,
    holder: Option<String>,
    /// What is to be said before the next prompt.
    remark: Option<String>,
    /// Wakes the thread.
    wake: Option<SyncSender<()>>,
}

impl Background {
    fn known(&self) -> MutexGuard<'_, KnownNow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to look. In a sandbox there is nothing to wait for.
    pub(super) fn begin(&self, context: &CommandContext, redraw: Option<Redraw>) {
        let Some(seen) = context.seen.clone() else { return };
        if let Some(name) = &context.global.sandbox {
            let mut witness = seen.lock().unwrap_or_else(PoisonError::into_inner);
            return sandbox_nodes(name).map_or((), |nodes| witness.replace(nodes));
        }
        let (wake, woken) = sync_channel(1);
        self.known().wake = Some(wake);
        let look = BackgroundLook {
            settings: context.settings.clone(),
            seen,
            known: self.clone(),
            redraw,
            pid: std::process::id(),
            host: host::name(),
        };
        // Without the thread the prompt knows less, and works.
        drop(std::thread::Builder::new().name("background".into()).spawn(move || look.on(&woken)));
        self.look();
    }

    /// Nobody looks any more.
    pub(super) fn end(&self) {
        self.known().wake = None;
    }

    /// Has the thread look again, now.
    pub(super) fn look(&self) {
        if let Some(wake) = &self.known().wake {
            // If it is about to look anyhow, that is enough.
            let _ = wake.try_send(());
        }
    }

    /// What is to be said before the next prompt.
    pub(super) fn take_remark(&self) -> Option<String> {
        self.known().remark.take()
    }

    /// Who else holds the maintenance lock.
    pub(super) fn holder(&self) -> Option<String> {
        self.known().holder.clone()
    }

    /// Where the session is, as far as that is known.
    pub(super) fn place(&self, context: &CommandContext) -> PromptLine {
        let settings = &context.settings;
        if context.global.sandbox.is_some() {
            return PromptLine { place: "sandbox".into(), ..PromptLine::default() };
        }
        let known = self.known();
        let own = settings.profile.as_deref().filter(|_| settings.is_of_profile);
        let host = || settings.pd_urls.first().map_or("", |url| url.split("://").last().unwrap_or(url));
        let tiups = settings.deployment.as_ref().map(|deployment| deployment.name.as_str());
        let name = own.or(known.production.as_deref()).or(tiups).unwrap_or_else(host);
        let is_production = known.production.is_some() || (settings.production && settings.is_of_profile);
        PromptLine {
            place: format!("binlogsh({name})"),
            id: Some(known.cluster.as_ref().map(|cluster| cluster.id)),
            production: is_production,
            is_red: is_production,
            states: Vec::new(),
        }
    }

    /// `shown`, with what was learnt since it was composed.
    pub(super) fn as_it_is_now(&self, shown: &PromptLine) -> PromptLine {
        let known = self.known();
        let id = shown.id.map(|id| id.or(known.cluster.as_ref().map(|cluster| cluster.id)));
        PromptLine { id, is_red: shown.is_red || known.production.is_some(), ..shown.clone() }
    }
}

/// What the thread works with.
struct BackgroundLook {
    settings: ProfileSettings,
    seen: Seen,
    known: Background,
    redraw: Option<Redraw>,
    pid: u32,
    host: String,
}

impl BackgroundLook {
    /// Looks whenever it is woken, until the prompt has gone.
    fn on(mut self, woken: &Receiver<()>) {
        std::thread::sleep(AFTER_THE_PROMPT);
        let Ok(mut world) = quiet_cluster(&self.settings) else { return };
        let mut wait = IDLE;
        loop {
            let nodes_too = match woken.recv_timeout(wait) {
                Ok(()) => true,
                Err(RecvTimeoutError::Timeout) => wait == AGAIN,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            wait = if self.once(&mut world, nodes_too).is_ok() { IDLE } else { AGAIN };
        }
    }

    fn once(&mut self, world: &mut dyn World, nodes_too: bool) -> Result<()> {
        if self.known.known().cluster.is_none() {
            let cluster = world.ask(read::Cluster)?;
            self.learnt(cluster);
        }
        if nodes_too {
            let listing = world.ask(read::Nodes)?;
            let nodes =
                listing.records.into_iter().map(|record| (record.node.kind, record.node.id.as_str().to_owned()));
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).replace(nodes.collect());
        }
        let holder = world.ask(read::LockStatus)?.as_ref().and_then(|info| self.other(info));
        self.known.known().holder = holder;
        Ok(())
    }

    /// PD has said which cluster it is.
    fn learnt(&mut self, cluster: ClusterInfo) {
        let silent: crate::world::Notices = Arc::new(|_| {});
        let place = Profiles::of(&self.settings, silent).ok().flatten();
        let place = place.and_then(|profiles| profiles.place(Some(&cluster)).ok()).unwrap_or_default();
        let is_known = self.settings.production && self.settings.is_of_profile;
        let found = place.doubt.as_ref().filter(|_| !is_known);
        let remark = found.map_or(String::new(), |doubt| format!("note: {doubt}; a change needs its name"));
        let mut known = self.known.known();
        known.production = place.doubt.is_some().then_some(place.profile).flatten();
        known.cluster = Some(cluster);
        drop(known);
        let is_said = self.redraw.as_mut().is_some_and(|redraw| redraw(&remark));
        // While something is evaluated there is no prompt that it could be said above.
        if !is_said && !remark.is_empty() {
            self.known.known().remark = Some(remark);
        }
    }

    /// Who holds the lock, if it is somebody else.
    fn other(&self, info: &LockInfo) -> Option<String> {
        match &info.owner {
            // Another host has processes with the same numbers.
            LockOwner::Holder { holder, .. } if (holder.pid, holder.host.as_str()) == (self.pid, &self.host) => None,
            LockOwner::Holder { holder, .. } => {
                let script = holder.script.as_ref().map_or(String::new(), |script| format!(": {script}"));
                Some(format!("{}@{}{script}", holder.user, holder.host))
            }
            LockOwner::Foreign(_) => Some("somebody".to_owned()),
        }
    }
}

impl Witness {
    /// The cluster has these nodes now.
    fn replace(&mut self, nodes: std::collections::BTreeSet<(crate::node::Kind, String)>) {
        if self.nodes != nodes {
            self.nodes = nodes;
            self.version += 1;
        }
    }
}
