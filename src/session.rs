//! The gate: everything that a script or an operator does to the world passes here.
//!
//! The session holds world, journal and policy. A read is applied and noted. A change is looked at by its guards,
//! decided upon by the policy, noted as begun, applied, and noted as done; a change of the cluster happens under the
//! maintenance lock. On replay the journal answers first.

#![warn(
    clippy::wildcard_enum_match_arm,
    reason = "a new change, fault or answer is decided on here, and not by an arm that was written before it was thought of"
)]

mod lock;

pub use lock::{LockPlan, LockSpan};

use crate::error::{Error, ErrorKind, Result};
use crate::guards::{self, Examination, GuardFinding, Watch};
use crate::interrupt::Interrupt;
use crate::journal::{Entry, Journal, Mark};
use crate::node::NodeRef;
use crate::policy::{Consent, Policy, Proposal};
use crate::secret::Secret;
use crate::time::show_seconds;
use crate::world::{
    Answer, Ask, Change, Effect, Gate, GcHold, GuardName, LockInfo, Manual, Notice, Notices, ProcessVerb, Read,
    Request, SecretPrompt, Supervision, WaitEnd, World, read, reply_to,
};
use lock::Lock;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Deciding took longer than this: what the guards saw may be no longer true.
const STALE_AFTER_MS: i64 = 2000;

/// What a session is made of. A mode is a choice of these parts; there is no other.
pub struct Parts {
    /// Where requests are carried out.
    pub world: Box<dyn World>,
    /// Where they are noted.
    pub journal: Box<dyn Journal>,
    /// Who decides on changes.
    pub policy: Box<dyn Policy>,
    /// Where people see how it goes.
    pub notices: Notices,
    /// The wish that we stop.
    pub interrupt: Interrupt,
    /// The maintenance lock, if it takes one.
    pub lock: Option<LockPlan>,
}

/// The gate itself.
pub struct Session {
    parts: Parts,
    lock: Lock,
    fatal: Option<Error>,
    watch: Watch,
    warned: BTreeSet<String>,
    /// Where the waits that are under way began to look, the innermost last.
    waits: Vec<Mark>,
    /// Whether PD gave no answer when it was asked last.
    pd_is_silent: bool,
    /// Whether the lock is taken before the next look at the cluster.
    locks_ahead: bool,
    /// Whether the run had the lock before it was stopped, and has not taken it again.
    had_lock: bool,
    /// The hold on TiKV's garbage collection that has not been given up.
    held: Option<GcHold>,
}

impl Session {
    /// A session of these parts.
    pub fn new(parts: Parts) -> Self {
        let lock = Lock::new(parts.lock.clone());
        let watch = Watch::new(parts.notices.clone());
        let (warned, waits) = (BTreeSet::new(), Vec::new());
        Self {
            parts,
            lock,
            watch,
            fatal: None,
            warned,
            waits,
            pd_is_silent: false,
            locks_ahead: false,
            had_lock: false,
            held: None,
        }
    }

    /// The first fatal error, which is the result of the run whatever the script caught.
    pub fn fatal(&self) -> Option<&Error> {
        self.fatal.as_ref()
    }

    /// Forgets a fatal error and a wish to stop: the next line at the prompt starts afresh.
    pub fn start_afresh(&mut self) {
        self.fatal = None;
        self.warned.clear();
        self.parts.interrupt.clear();
    }

    /// Ends the run with `error` if it is fatal: every later call returns it again.
    pub fn latch(&mut self, error: &Error) {
        if error.kind.is_fatal() && self.fatal.is_none() {
            self.fatal = Some(error.clone());
        }
    }

    /// The wish that we stop, shared with whoever raises it.
    pub fn interrupt(&self) -> &Interrupt {
        &self.parts.interrupt
    }

    /// Where people see how it goes.
    pub fn notices(&self) -> &Notices {
        &self.parts.notices
    }

    /// A step of the script begins, or (`None`) it is in none any more.
    pub fn step(&mut self, name: Option<&str>) {
        self.parts.policy.step(name);
        self.parts.journal.step(name);
    }

    /// Gives the maintenance lock back, if it is ours; whoever drops the session does so too. If etcd cannot be told,
    /// that is a warning: the lock goes when its lease ends.
    pub fn give_lock_back(&mut self) {
        if let Err(error) = self.lock.give_back(self.parts.world.as_mut()) {
            let text = format!("the maintenance lock could not be given back: it goes by itself within 30s ({error})");
            (self.parts.notices)(Notice::Warning(text));
        }
    }

    /// Whether it takes the maintenance lock for changes of the cluster.
    pub fn takes_lock(&self) -> bool {
        self.lock.is_planned()
    }

    /// What comes is going to change the cluster: the maintenance lock is taken before it looks at the cluster. What it sees
    /// is then not somebody else's work half done, and whoever waits for the lock waits before the first look.
    pub fn lock_ahead(&mut self) {
        self.locks_ahead = true;
    }

    /// What was locked ahead for is over: gives back a lock that was to be kept for a single change, which did not come.
    pub fn unlock_unused(&mut self) {
        self.locks_ahead = false;
        if self.lock.is_for_one_change() {
            self.give_lock_back();
        }
    }

    /// Who else works on the cluster just now, if anybody holds the maintenance lock and it is not us. Nobody waits a second
    /// time for a PD that did not answer.
    pub fn somebody_else(&mut self) -> Option<LockInfo> {
        if self.lock.fence().is_some() || self.pd_is_silent {
            return None;
        }
        let info = self.parts.world.ask(read::LockStatus).ok()?;
        info.filter(|info| !self.lock.is_of_ours(info))
    }

    fn pass(&mut self, request: &Request, force: &[GuardName]) -> Result<Answer> {
        self.parts.interrupt.check()?;
        if let Some(entry) = self.parts.journal.next_replayed() {
            self.had_lock |= entry.request.changes_cluster();
            let outcome = replayed(entry, &self.as_noted(request));
            self.note_hold(request, &outcome);
            return outcome;
        }
        if let Some(began) = self.parts.journal.take_expected() {
            same(&Request::Change(began), &self.as_noted(request))?;
        }
        let goes_on = self.had_lock && !self.lock.is_for_one_change();
        if goes_on || (self.locks_ahead && request.concerns_cluster()) {
            self.lock.take(self.parts.world.as_mut())?;
            (self.had_lock, self.locks_ahead) = (false, false);
        }
        self.parts.policy.admits(request)?;
        match request {
            Request::Read(read) => {
                let outcome = self.parts.world.apply(request, None);
                if matches!(read, Read::Nodes | Read::Changes { .. }) {
                    self.pd_is_silent = matches!(&outcome, Err(error) if is_silence(error));
                }
                self.note(request, outcome, None)
            }
            Request::Play(_) => {
                let outcome = self.parts.world.apply(request, None);
                self.note(request, outcome, None)
            }
            Request::Ask(ask) => {
                let outcome = self.parts.policy.answer(ask, self.parts.world.as_mut());
                let by = self.parts.policy.stand_in().map_or_else(|| self.lock.operator(), str::to_owned);
                self.note(request, outcome, Some(&by))
            }
            Request::Change(change) => match change.effect() {
                Effect::ChangesCluster => self.change_under_lock(change, force),
                Effect::BreaksLock | Effect::ChangesHost | Effect::Manual | Effect::Runs | Effect::Nothing => {
                    self.change(change, force)
                }
            },
            Request::Lock(_) => Err(Error::internal("the maintenance lock is the session's own affair")),
            Request::WaitOver => Err(Error::internal("the end of a wait is noted where it ends")),
        }
    }

    /// Remembers whether GC is held, for whoever hears how it ends. A hold that was lost is found at a look as well.
    fn note_hold(&mut self, request: &Request, outcome: &Result<Answer>) {
        match (request.change(), outcome) {
            (Some(change), outcome) => self.held = GcHold::after(self.held.take(), change, outcome),
            (None, Err(error)) if error.kind == ErrorKind::HoldLost => self.held = None,
            (None, Ok(_) | Err(_)) => {}
        }
    }

    /// Whoever worked in it has come to an end: says, once, that GC is held still, since nobody sees it otherwise.
    pub(crate) fn tell_of_hold(&mut self) {
        let Some(GcHold { service, safe_point, ttl }) = self.held.take() else { return };
        let ttl = show_seconds(ttl.as_secs_f64());
        (self.parts.notices)(Notice::Warning(format!(
            "TiKV's garbage collection is still held at {} by {service}, for {ttl} from now at most: it was not released, since whoever goes on \
             may need it; to release it: release_gc(#{{ service: \"{service}\" }})",
            safe_point.0
        )));
    }

    /// A change of the cluster: the lock comes first, so that what the guards read is not changed by another operator.
    fn change_under_lock(&mut self, change: &Change, force: &[GuardName]) -> Result<Answer> {
        self.lock.take(self.parts.world.as_mut())?;
        if self.parts.journal.wants_cluster() {
            let cluster = self.parts.world.ask(read::Cluster)?;
            self.parts.journal.on_cluster(cluster.id);
        }
        let outcome = self.change(change, force);
        let lost = matches!(&outcome, Err(error) if error.kind == ErrorKind::LockLost);
        if lost || self.lock.is_for_one_change() {
            self.give_lock_back();
        }
        outcome
    }

    fn change(&mut self, change: &Change, force: &[GuardName]) -> Result<Answer> {
        let mut examined = guards::examine(self.parts.world.as_mut(), change, &mut self.watch)?;
        let before = self.parts.world.monotonic_ms()?;
        let Examination { about, findings, around, nodes } = &examined;
        let proposal = Proposal { change, about, findings, force, around, nodes };
        let consent = self.parts.policy.decide(&proposal, self.parts.world.as_mut())?;
        if consent == Consent::Asked && self.parts.world.monotonic_ms()? - before > STALE_AFTER_MS {
            let now = guards::examine(self.parts.world.as_mut(), change, &mut self.watch)?;
            unchanged(&examined, &now, force)?;
            examined = now;
        }
        let noted = self.noted_change(change).into_owned();
        let findings: Vec<String> = examined.findings.iter().map(GuardFinding::to_string).collect();
        let whole = self.whole_again(change)?;
        self.parts.interrupt.check()?;
        let by = match consent {
            Consent::Asked => Some(self.lock.operator()),
            // Nobody's yes does work by hand.
            Consent::Given if change.effect() == Effect::Manual => None,
            Consent::Given => self.parts.policy.stand_in().map(str::to_owned),
        };
        self.parts.journal.began(&noted, &findings, by.as_deref())?;
        if let Change::Manual(work) = change {
            (self.parts.notices)(Notice::Changed(format!("to be done by hand: {}", work.text)));
        }
        let outcome = self.parts.world.apply(&whole, self.lock.fence());
        // Of what ends a run only a lost lock and a lost hold say what came of the change: it was not made.
        let may_be_made = |kind: ErrorKind| !matches!(kind, ErrorKind::LockLost | ErrorKind::HoldLost);
        if matches!(&outcome, Err(error) if error.kind.is_fatal() && may_be_made(error.kind)) {
            return outcome;
        }
        self.parts.journal.done(Entry { findings, ..Entry::new(Request::Change(noted), outcome.clone()) })?;
        outcome
    }

    /// Notes what came of a request, and who answered it; what ends a run leaves no outcome.
    fn note(&mut self, request: &Request, outcome: Result<Answer>, by: Option<&str>) -> Result<Answer> {
        match &outcome {
            Err(error) if error.kind.is_fatal() => {}
            Ok(Answer::Secret(secret)) => {
                let kept = Ok(Answer::Secret(secret.hashed(&self.parts.journal.secret_key())));
                self.parts.journal.note(request, &kept, by)?;
            }
            kept => self.parts.journal.note(request, kept, by)?,
        }
        outcome
    }

    /// The change with the secret itself, where it has only what a journal kept of one: the run goes on after somebody
    /// typed it, and they are asked for it again.
    fn whole_again(&mut self, change: &Change) -> Result<Request> {
        let Change::Encrypt { text: kept @ Secret::Hashed(_) } = change else {
            return Ok(Request::Change(change.clone()));
        };
        let prompt = "the text to encrypt, once more (it was typed before the run was stopped): ".to_owned();
        let ask = Ask::Secret(SecretPrompt { prompt });
        let text = reply_to::<SecretPrompt>(self.parts.policy.answer(&ask, self.parts.world.as_mut())?)?;
        match text.hashed(&self.parts.journal.secret_key()) == *kept {
            true => Ok(Request::Change(Change::Encrypt { text })),
            false => Err(Error::invalid("this is not the text that was typed before the run was stopped")
                .hint("resume it again with that one; for another text begin a new run")),
        }
    }

    /// The request as a journal keeps it: with secrets as hashes.
    fn as_noted<'r>(&self, request: &'r Request) -> Cow<'r, Request> {
        match request {
            Request::Change(change) => match self.noted_change(change) {
                Cow::Owned(change) => Cow::Owned(Request::Change(change)),
                Cow::Borrowed(_) => Cow::Borrowed(request),
            },
            Request::Read(_) | Request::Ask(_) | Request::Lock(_) | Request::Play(_) | Request::WaitOver => {
                Cow::Borrowed(request)
            }
        }
    }

    fn noted_change<'c>(&self, change: &'c Change) -> Cow<'c, Change> {
        match change {
            Change::Encrypt { text } => {
                Cow::Owned(Change::Encrypt { text: text.hashed(&self.parts.journal.secret_key()) })
            }
            Change::Act { .. }
            | Change::TriggerGc { .. }
            | Change::RecoverTidb { .. }
            | Change::SwapRecord { .. }
            | Change::DeleteRecord { .. }
            | Change::WriteSavepoint { .. }
            | Change::HoldGc { .. }
            | Change::ReleaseGc { .. }
            | Change::BreakLock { .. }
            | Change::Control(_)
            | Change::Manual(_)
            | Change::Exec(_) => Cow::Borrowed(change),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tell_of_hold();
        self.give_lock_back();
    }
}

impl Gate for Session {
    fn perform(&mut self, request: Request, force: &[GuardName]) -> Result<Answer> {
        if let Some(fatal) = &self.fatal {
            return Err(fatal.clone());
        }
        let outcome = self.pass(&request, force);
        self.note_hold(&request, &outcome);
        if let Err(error) = &outcome {
            self.latch(error);
        }
        outcome
    }

    fn wait_begins(&mut self) -> Result<()> {
        let mark = self.parts.journal.mark()?;
        self.waits.push(mark);
        Ok(())
    }

    fn wait_looked(&mut self, ends: Option<WaitEnd>) -> Result<Option<WaitEnd>> {
        let outcome = match (self.parts.journal.next_replayed(), ends) {
            (Some(entry), _) => replayed(entry, &Request::WaitOver).map(|answer| Some(WaitEnd::of(answer))),
            (None, Some(end)) => {
                self.parts.journal.note(&Request::WaitOver, &Ok(end.answer()), None).map(|()| Some(end))
            }
            (None, None) => Ok(None),
        };
        if let Err(error) = &outcome {
            self.latch(error);
        }
        outcome
    }

    fn wait_goes_on(&mut self) {
        if let Some(mark) = self.waits.last() {
            self.parts.journal.forget(*mark);
        }
    }

    fn wait_ends(&mut self) {
        self.waits.pop();
    }

    fn stands_in(&mut self, work: &Manual) -> Result<bool> {
        let is_only_this =
            work.retires.is_empty() && work.frees.is_empty() && work.tidb.is_none() && work.changefeed.is_none();
        let whom: Vec<NodeRef> = [&work.stops[..], &work.starts].concat();
        if !is_only_this || whom.is_empty() {
            return Ok(false);
        }
        if let Some(next) = self.parts.journal.foreseen() {
            return Ok(!matches!(next, Request::Change(Change::Manual(_))));
        }
        let outcome = self.parts.world.ask(read::Supervisors { nodes: whom });
        if let Err(error) = &outcome {
            self.latch(error);
        }
        let all = outcome?;
        let (stops, starts) = all.split_at(work.stops.len().min(all.len()));
        let is_able =
            |verb| move |one: &Option<Supervision>| one.as_ref().is_some_and(|one| one.stands_in && one.can(verb));
        let is_able = stops.iter().all(is_able(ProcessVerb::Stop))
            && starts.iter().all(|one| is_able(ProcessVerb::Start)(one) && is_able(ProcessVerb::Restart)(one));
        if is_able && !self.parts.policy.controls_nodes() {
            let text = format!("--allow-node-control would have this done without a human: {}", work.text);
            (self.parts.notices)(Notice::Warning(text));
            return Ok(false);
        }
        Ok(is_able)
    }

    fn tell(&mut self, notice: Notice) {
        // What is odd about the cluster is said once, however often a script looks.
        if let Notice::Warning(text) = &notice
            && !self.warned.insert(text.clone())
        {
            return;
        }
        (self.parts.notices)(notice);
    }
}

fn is_silence(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Timeout)
}

/// What the journal says came of `request`; another request than the journal's is a divergence.
fn replayed(entry: Entry, request: &Request) -> Result<Answer> {
    same(&entry.request, request)?;
    entry.outcome
}

/// What the journal has is what the script asks.
fn same(journal: &Request, script: &Request) -> Result<()> {
    if journal == script {
        return Ok(());
    }
    let show = |request: &Request| serde_json::to_string(request).unwrap_or_else(|_| format!("{request:?}"));
    Err(Error::new(
        ErrorKind::Diverged,
        format!(
            "the script no longer does what its journal says\n  journal: {}\n  script:  {}",
            show(journal),
            show(script)
        ),
    )
    .hint("run the script as it was when the journal was written, or start a new run"))
}

/// After a question: what a guard finds now must not be worse than what the operator was shown.
fn unchanged(shown: &Examination, now: &Examination, force: &[GuardName]) -> Result<()> {
    let was_shown =
        |finding: &GuardFinding| shown.findings.iter().any(|old| old.guard == finding.guard && old.verdict.trips());
    let trips = |finding: &&GuardFinding| finding.verdict.trips() && !force.contains(&finding.guard);
    match now.findings.iter().filter(trips).find(|finding| !was_shown(finding)) {
        None => Ok(()),
        Some(finding) => Err(Error::refused(format!("not done: {}\n  while you were asked: {finding}", shown.about))
            .hint("look again, then decide again")),
    }
}
