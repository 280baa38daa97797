//! `runs resume`: goes on with a script after what it has done.

use super::keep::{self, ending};
use super::texts;
use crate::cli::{Assumed, ParamSources};
use crate::commands::compose::{CommandContext, Resumed, Work, announce, lock_plan, policy, resumed_session, world};
use crate::commands::evaluate::language_settings;
use crate::commands::given::again;
use crate::commands::while_others_work;
use crate::error::{Error, ErrorKind, Result, ScriptError};
use crate::journal::Journal;
use crate::journal::store::{Claim, LoadedRun, RunHead, RunJournal};
use crate::language::{Ending, Interpreter, PinnedModule, ScriptSettings, Source};
use crate::live::{clock, host};
use crate::recovery::{self, Assume, Knowledge};
use crate::secret::Secret;
use crate::session::LockPlan;
use crate::world::{Ask, Choice, Effect, LockHolder, LockInfo, LockOwner, Question, World, read, reply_to};
use indexmap::IndexMap;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Which run is to go on, and what is said for it.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Resumption {
    /// Its id, or the beginning of it.
    pub id: String,
    /// What became of its last change.
    pub assumed: Option<Assumed>,
    /// Where its script lies now.
    pub script: Option<PathBuf>,
    /// Where its secret parameters stand.
    pub sources: ParamSources,
}

/// Takes up a run, for this process alone, and goes on with it.
pub(in crate::commands) fn main(context: &CommandContext, which: &Resumption) -> Result<u8, ScriptError> {
    let context = &context.keeping_back(&which.sources);
    if context.global.sandbox.is_some() {
        return Err(Error::invalid("runs of a sandbox are not kept, so none can be resumed")
            .hint("leave --sandbox out: a run goes on on the cluster on which it began")
            .into());
    }
    if context.global.read_only {
        return Err(Error::refused("a run that goes on changes something, and this is --read-only")
            .hint("`binlogsh runs show` tells what it did")
            .into());
    }
    let store = super::open()?;
    let loaded = store.load(&which.id)?;
    announce(context);
    let claim = Claim { holder: keep::holder()?, is_alive: &keep::is_alive, clock: Box::new(clock::unix_ms) };
    let journal = Rc::new(RefCell::new(store.resume(&loaded.head.id, claim)?));
    let is_live = Arc::new(AtomicBool::new(false));
    let ready = ready(context, &loaded, &journal, which);
    let was_ready = ready.is_ok();
    let ended = match ready {
        Ok(ready) => go_on(context, &loaded.head, ready, &journal, is_live.clone()),
        Err(error) => Err(error.into()),
    };
    let came = match (was_ready, is_live.load(Ordering::Relaxed)) {
        (false, _) => Came::Nowhere,
        (true, false) => Came::ToItsEnd,
        (true, true) => Came::Further,
    };
    close(context, &journal, ended.as_ref(), came);
    ended.map(|ending| match ending {
        Ending::Value(_) => 0,
        Ending::Exit(code) => code,
    })
}

/// How far a run came that was taken up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// It was not begun with: the cluster or the operator did not let it.
    Nowhere,
    /// The script ended, with success or an error, before it asked anything that its journal does not have.
    ToItsEnd,
    /// It went live.
    Further,
}

/// What became of a run that was taken up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ResumeEnd {
    /// It stands where it stood, and can be tried again.
    AsItStood,
    /// It stands where it stood, and cannot go on from there: nothing new was done, and nothing new would be.
    Stuck,
    /// It had come to its end already.
    AlreadyDone,
    /// It went on, and ended as its script did.
    WentOn,
}

impl ResumeEnd {
    fn of(ended: Result<&Ending, &ScriptError>, came: Came) -> Self {
        let failed = ended.is_err() || matches!(ended, Ok(Ending::Exit(code)) if *code != 0);
        match (came, ended.err().map(|error| error.error.kind)) {
            // Found out at the end of the journal, before anything was asked.
            (_, Some(ErrorKind::Diverged)) => Self::Stuck,
            (Came::Nowhere, _) | (Came::ToItsEnd, Some(ErrorKind::Interrupted)) => Self::AsItStood,
            (Came::ToItsEnd, _) if failed => Self::Stuck,
            (Came::ToItsEnd, _) => Self::AlreadyDone,
            (Came::Further, _) => Self::WentOn,
        }
    }
}

/// The run ends, or stands where it stood if it did not go on.
fn close(context: &CommandContext, journal: &RefCell<RunJournal>, ended: Result<&Ending, &ScriptError>, came: Came) {
    let mut journal = journal.borrow_mut();
    let (id, outcome) = (journal.head().id.clone(), ResumeEnd::of(ended, came));
    let closed = match outcome {
        ResumeEnd::AsItStood | ResumeEnd::Stuck if ended.is_err() => journal.put_back(),
        _ => journal.finish(ending(ended)),
    };
    if let Err(error) = closed {
        context.output.warning(&format!("the end of the run {id} is not kept: {error}"));
    }
    match outcome {
        ResumeEnd::Stuck => context.output.last_word(&format!(
            "nothing was done: by what its journal has the script cannot go on from there. \
             `binlogsh runs show {id}` tells what was done; then `binlogsh runs abandon {id} --why TEXT`, and a new run"
        )),
        ResumeEnd::AlreadyDone => {
            context.output.last_word(&format!("the run {id} had come to its end: nothing was left to do"));
        }
        ResumeEnd::AsItStood | ResumeEnd::WentOn => keep::conclude(context, &journal, ended),
    }
}

/// What was found before a run goes on.
struct Ready {
    world: Box<dyn World>,
    lock: Option<LockPlan>,
    source: Source,
    modules: Vec<PinnedModule>,
    secrets: IndexMap<String, Secret>,
}

/// Makes sure that it is the cluster of the run, that nobody else works on it, that the run's last change is settled, and that the operator knows what is
/// otherwise than the run knew it.
fn ready(
    context: &CommandContext,
    loaded: &LoadedRun,
    journal: &Rc<RefCell<RunJournal>>,
    which: &Resumption,
) -> Result<Ready> {
    let key = journal.borrow().secret_key();
    let (text, modules) = texts::whole(&loaded.head, &key, which.script.as_deref())?;
    let secrets = again(context, &loaded.head, &key, &which.sources)?;
    let mut world = world(context)?;
    same_cluster(&loaded.head, world.as_mut())?;
    let lock = locked(context, loaded, world.as_mut())?;
    if let Some(hold) = recovery::hold_again(&loaded.entries, loaded.unfinished.as_ref(), world.as_mut())? {
        let service = hold.service;
        context
            .output
            .remark(&format!("TiKV's garbage collection is held at {} by {service} again", hold.safe_point.0));
    }
    let assumed = which.assumed.map(|assumed| match assumed {
        Assumed::Done => Assume::Done,
        Assumed::Undone => Assume::Undone,
    });
    // A --yes knows nothing of what happened.
    let settled = recovery::settle(&mut journal.borrow_mut(), world.as_mut(), assumed, &mut |world, question| {
        world.ask(question)
    })?;
    if let Some(settled) = settled {
        context.output.remark(&settled.text);
    }
    compare(context, loaded, world.as_mut())?;
    changed_file(context, &loaded.head, &text);
    let source = Source::new(loaded.head.script.clone(), text);
    Ok(Ready { world, lock, source, modules, secrets })
}

/// Takes the maintenance lock for a run that has changed the cluster, before anything is looked at or asked.
fn locked(context: &CommandContext, loaded: &LoadedRun, world: &mut dyn World) -> Result<Option<LockPlan>> {
    let mut plan = lock_plan(context, Work::script(&loaded.head.script, Some(loaded.head.id.clone())));
    let done = loaded.entries.iter().filter_map(|entry| entry.request.change());
    let mut all = done.chain(loaded.left.iter().chain(&loaded.unfinished).map(|open| &open.change));
    if let Some(plan) = plan.as_mut().filter(|_| all.any(|change| change.effect() == Effect::ChangesCluster)) {
        plan.predecessor = lock_of_the_gone(&loaded.head, world)?;
        if plan.predecessor.is_some() {
            context
                .output
                .remark("the maintenance lock is still that of the process that was stopped: it is taken over");
        }
        plan.take(world, None)?;
    }
    Ok(plan)
}

fn same_cluster(head: &RunHead, world: &mut dyn World) -> Result<()> {
    let now = world.ask(read::Cluster)?.id;
    match head.cluster_id {
        Some(then) if then != now => {
            Err(Error::invalid(format!("the run {} belongs to cluster {then}, and this is cluster {now}", head.id))
                .hint("name the PD of its cluster with --pd-urls or --profile"))
        }
        _ => Ok(()),
    }
}

/// The maintenance lock of the process that was at the run, if it is still there and the process certainly is not. It
/// would go with its lease, half a minute after its death.
fn lock_of_the_gone(head: &RunHead, world: &mut dyn World) -> Result<Option<LockInfo>> {
    let seen = world.ask(read::LockStatus)?;
    let is_of_the_gone = |seen: &LockInfo| {
        let LockOwner::Holder { holder: LockHolder { host, pid, run, .. }, .. } = &seen.owner else { return false };
        run.as_ref().is_some_and(|run| *run == head.id) && *host == host::name() && host::process_start(*pid).is_none()
    };
    Ok(seen.filter(is_of_the_gone))
}

/// Shows how the cluster differs from what the journal knows of it, and asks whether to go on.
fn compare(context: &CommandContext, loaded: &LoadedRun, world: &mut dyn World) -> Result<()> {
    let Some(known) = Knowledge::of(&loaded.entries, loaded.unfinished.as_ref()) else { return Ok(()) };
    let differences = known.differences(&world.listing()?);
    if differences.is_empty() {
        return Ok(());
    }
    let text = format!("Since the run was stopped the cluster has changed:\n  {}", differences.join("\n  "));
    let ask = Ask::Question(Question::new(format!("{text}\nGo on all the same?")));
    match policy(context)?.answer(&ask, world).and_then(reply_to::<Question>) {
        Ok(Choice::Yes | Choice::All) => Ok(()),
        Ok(Choice::No) => Err(Error::refused(format!("you said no: the run {} was left as it is", loaded.head.id))),
        Err(error) if error.kind == ErrorKind::Refused => {
            Err(Error::refused(text).hint("nobody can be asked without a terminal: if it is as it should be, --yes"))
        }
        Err(error) => Err(error),
    }
}

/// The run goes on with the script as it was. Whoever has changed the file since should know.
fn changed_file(context: &CommandContext, head: &RunHead, then: &str) {
    if let Ok(text) = crate::commands::read_text(Path::new(&head.script))
        && text != then
    {
        context.output.warning(&format!(
            "{} has changed since the run began: the run goes on with the script as it was then",
            head.script
        ));
    }
}

/// Runs the script over its journal, and then live.
fn go_on(
    context: &CommandContext,
    head: &RunHead,
    ready: Ready,
    journal: &Rc<RefCell<RunJournal>>,
    is_live: Arc<AtomicBool>,
) -> Result<Ending, ScriptError> {
    let output = context.output.clone();
    let (id, known, live) = (head.id.clone(), journal.borrow().to_replay(), is_live.clone());
    journal.borrow_mut().when_live(move |step| {
        live.store(true, Ordering::Relaxed);
        let step = step.map_or(String::new(), |step| format!(", in the step `{step}`"));
        let entries = if known == 1 { "entry" } else { "entries" };
        output.remark(&format!("the run {id} goes on after {known} {entries} of its journal{step}"));
    });
    let Ready { world, lock, source, modules, secrets } = ready;
    let resumed = Resumed { world, journal: Box::new(journal.clone()), lock, shows: is_live };
    let session = resumed_session(context, resumed)?;
    let settings = ScriptSettings {
        parameters: head.parameters.clone(),
        secrets,
        pinned: Some(modules),
        goes_on: true,
        ..language_settings()?
    };
    let ended = Interpreter::new(session.clone(), settings).run(&source);
    let ended = ended.map_err(|error| while_others_work(&session, error));
    session.borrow_mut().give_lock_back();
    ended
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind as K;

    #[test]
    fn only_what_may_come_out_otherwise_is_to_be_tried_again() {
        let failed = |kind: K| Err(ScriptError::from(Error::new(kind, "it ended so")));
        let outcome = |ended: Result<Ending, ScriptError>, came| ResumeEnd::of(ended.as_ref(), came);
        assert_eq!(outcome(failed(K::Unreachable), Came::Nowhere), ResumeEnd::AsItStood);
        assert_eq!(outcome(failed(K::Interrupted), Came::ToItsEnd), ResumeEnd::AsItStood);
        assert_eq!(outcome(failed(K::Failed), Came::ToItsEnd), ResumeEnd::Stuck);
        assert_eq!(outcome(Ok(Ending::Exit(3)), Came::ToItsEnd), ResumeEnd::Stuck);
        assert_eq!(outcome(Ok(Ending::Exit(0)), Came::ToItsEnd), ResumeEnd::AlreadyDone);
        assert_eq!(outcome(failed(K::Timeout), Came::Further), ResumeEnd::WentOn);
        for came in [Came::ToItsEnd, Came::Further] {
            assert_eq!(outcome(failed(K::Diverged), came), ResumeEnd::Stuck, "it would diverge again");
        }
    }
}
