//! Everything that becomes of the records and of the maintenance lock, from one watch that is held between questions.

use super::{Etcd, kv, list, list::parse, watcher};
use crate::error::Result;
use crate::live::answers::is_too_large;
use crate::live::clock::{Deadline, Stopwatch, pause, within};
use crate::live::failover::Refusal;
use crate::node::{Kind, ROOT, key_name};
use crate::world::{LOCK_KEY, RecordEvent, RecordEvents};
use etcd_client::{Event, EventType, WatchOptions, WatchResponse, WatchStream};
use std::time::Duration;
use tokio::sync::Mutex;

/// Heartbeats of many nodes come one by one: what comes within so long after the first is one answer.
const GATHERED: Duration = Duration::from_millis(50);

/// How long after a watch that broke the next one begins.
const AGAIN: Duration = Duration::from_millis(100);

/// The watch from which the next question is answered; none at first, and once one broke.
#[derive(Default)]
pub(in crate::live) struct HeldWatch(Mutex<Option<OpenWatch>>);

/// A watch of the records and of the lock, on one stream.
struct OpenWatch {
    stream: WatchStream,
    /// Up to which revision it has told.
    told: i64,
    /// Since it was last heard of.
    silence: Stopwatch,
}

/// What came of listening to a watch.
enum WatchNews {
    /// Something happened.
    Events(Vec<RecordEvent>),
    /// It is there, and nothing happened.
    Sign,
    /// What happened was compacted away, or is too large to be told: the listing tells.
    Untold,
    /// It broke.
    Broken,
    /// Nothing, for as long as one listened.
    Nothing,
}

/// What happened after revision `after`, as soon as something does or `patience` is over; with 0 all records at once.
///
/// Silence is believed for one time-out only: then another read must prove that an endpoint lives. A watch goes on where
/// the last one ended, at whichever endpoint, so that nothing is missed.
///
/// # Errors
/// `unreachable` or `timeout`, naming every endpoint that was tried. The same question goes on from there.
pub(in crate::live) async fn events(
    etcd: &Etcd,
    held: &HeldWatch,
    after: i64,
    patience: Duration,
) -> Result<RecordEvents> {
    let mut held = held.0.lock().await;
    if after == 0 {
        *held = None;
        return anew(etcd).await;
    }
    let deadline = Deadline::after(patience);
    loop {
        // While it is listened to it is not held: whoever is interrupted begins another.
        let watch = match held.take().filter(|watch| watch.told == after) {
            Some(watch) => Some(watch),
            None => within(etcd.deadline(), open(etcd, after)).await.flatten(),
        };
        let Some(mut watch) = watch else {
            if proof_of_life(etcd).await? < after {
                return anew(etcd).await;
            }
            if deadline.is_over() {
                return Ok(RecordEvents { revision: after, anew: None, events: Vec::new() });
            }
            pause(AGAIN.min(deadline.left())).await;
            continue;
        };
        match watch.listen(deadline).await {
            WatchNews::Events(mut events) => {
                let is_whole = watch.gather(&mut events, deadline.at_most(GATHERED)).await;
                let revision = watch.told;
                *held = is_whole.then_some(watch);
                return Ok(RecordEvents { revision, anew: None, events });
            }
            WatchNews::Untold => return anew(etcd).await,
            WatchNews::Broken => pause(AGAIN.min(deadline.left())).await,
            WatchNews::Sign => *held = Some(watch),
            WatchNews::Nothing => {
                if watch.silence.elapsed() > etcd.wire.settings.timeout {
                    // An etcd that was brought back from a copy is behind, and its watch would stay silent.
                    if proof_of_life(etcd).await? < after {
                        return anew(etcd).await;
                    }
                } else {
                    *held = Some(watch);
                }
                if deadline.is_over() {
                    return Ok(RecordEvents { revision: after, anew: None, events: Vec::new() });
                }
            }
        }
    }
}

/// All records as they are.
async fn anew(etcd: &Etcd) -> Result<RecordEvents> {
    let listing = list(etcd, etcd.deadline()).await?;
    Ok(RecordEvents { revision: listing.revision, anew: Some(listing), events: vec![RecordEvent::Lock] })
}

/// etcd's revision, from whoever answers: the endpoint that the next watch is begun at.
async fn proof_of_life(etcd: &Etcd) -> Result<i64> {
    let ask = |channel| async move { Ok(kv(channel).await?.get(LOCK_KEY, None).await?) };
    let (_, response) = etcd.ask("watch the nodes", etcd.deadline(), ask).await?;
    Ok(response.header().map_or(0, |header| header.revision()))
}

/// Begins a watch at the endpoint that answered last; `None` if it does not let us.
async fn open(etcd: &Etcd, after: i64) -> Option<OpenWatch> {
    let (url, channel) = etcd.nearest().await.ok()?;
    let exchange = etcd.wire.exchange(&url, format!("watch everything from {}", after + 1));
    let opened = async {
        let from = WatchOptions::new().with_start_revision(after.saturating_add(1));
        let mut stream = watcher(channel).await?.watch(ROOT, Some(from.clone().with_prefix())).await?;
        stream.watch(LOCK_KEY, Some(from)).await?;
        Ok::<_, Refusal>(stream)
    };
    match opened.await {
        Ok(stream) => {
            exchange.ended("ok");
            Some(OpenWatch { stream, told: after, silence: Stopwatch::start() })
        }
        Err(refusal) => {
            exchange.ended(refusal.words().unwrap_or_else(|error| error.to_string()));
            None
        }
    }
}

impl OpenWatch {
    async fn listen(&mut self, deadline: Deadline) -> WatchNews {
        let Some(message) = within(deadline, self.stream.message()).await else { return WatchNews::Nothing };
        let message = match message {
            Ok(Some(message)) => message,
            Err(etcd_client::Error::GRpcStatus(status)) if is_too_large(&status) => return WatchNews::Untold,
            Ok(None) | Err(_) => return WatchNews::Broken,
        };
        self.silence = Stopwatch::start();
        if message.compact_revision() > 0 {
            return WatchNews::Untold;
        }
        if message.canceled() {
            return WatchNews::Broken;
        }
        let events = self.told_in(&message);
        if events.is_empty() { WatchNews::Sign } else { WatchNews::Events(events) }
    }

    /// Adds what comes until then. Whether it can be listened to afterwards.
    async fn gather(&mut self, events: &mut Vec<RecordEvent>, deadline: Deadline) -> bool {
        loop {
            match self.listen(deadline).await {
                WatchNews::Events(more) => events.extend(more),
                WatchNews::Sign => {}
                WatchNews::Nothing => return true,
                WatchNews::Untold | WatchNews::Broken => return false,
            }
        }
    }

    /// What a message tells, and how far.
    fn told_in(&mut self, message: &WatchResponse) -> Vec<RecordEvent> {
        let mut events = Vec::new();
        for event in message.events() {
            let Some(kv) = event.kv() else { continue };
            if kv.key() == LOCK_KEY.as_bytes() {
                events.push(RecordEvent::Lock);
            } else if Kind::ALL.iter().any(|kind| kv.key().starts_with(kind.prefix().as_bytes())) {
                self.told = self.told.max(kv.mod_revision());
                events.push(of_a_node(event, kv));
            }
        }
        events
    }
}

fn of_a_node(event: &Event, kv: &etcd_client::KeyValue) -> RecordEvent {
    match event.event_type() {
        EventType::Put => match parse(kv.clone()) {
            Ok(record) => RecordEvent::Written(record),
            Err(malformed) => RecordEvent::Malformed(malformed),
        },
        EventType::Delete => RecordEvent::Deleted { key: key_name(kv.key()).into() },
    }
}
