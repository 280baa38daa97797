//! How what is done becomes a run among the runs: its journal from its beginning, and its end.

use super::{said, texts};
use crate::commands::compose::CommandContext;
use crate::config;
use crate::error::{Error, ErrorKind, Result, ScriptError};
use crate::journal::store::{Holder, NewRun, RunEnding, RunHead, RunJournal, RunKind, RunLine, RunState, run_id};
use crate::journal::{Journal, Keeps, Lenient, Memory, NoStore};
use crate::language::{self, Masking, PinnedModule};
use crate::live::{clock, host};
use crate::secret::Secret;
use crate::text::ShownPath;
use indexmap::IndexMap;
use std::cell::RefCell;
use std::rc::Rc;

/// A run that has begun, and where its journal is kept.
pub(in crate::commands) enum Keeping {
    /// In the store, from its first change on.
    Stored(Rc<RefCell<RunJournal>>),
    /// In memory: a sandbox, of which nothing is left.
    Memory(RunKind, Rc<RefCell<Memory>>),
    /// There is nowhere to keep it, so nothing may be changed.
    Nowhere(Error),
}

/// What is run.
pub(in crate::commands) struct RunStart<'w> {
    /// What sort of run.
    pub kind: RunKind,
    /// The script's name, or what stands for it.
    pub script: &'w str,
    /// Its text.
    pub text: &'w str,
    /// Its parameters.
    pub parameters: &'w IndexMap<String, String>,
    /// Its secret parameters, of which only a hash is kept.
    pub secrets: &'w IndexMap<String, Secret>,
}

impl Keeping {
    /// Begins a run. Nothing is written before its first change.
    ///
    /// # Errors
    /// `local` when this host has no random bytes, or a clock that is far off.
    pub(in crate::commands) fn begin(context: &CommandContext, what: &RunStart<'_>) -> Result<Self> {
        if context.global.sandbox.is_some() {
            let journal = match what.kind {
                RunKind::Script => Memory::of_changes_and_listings(),
                RunKind::Prompt | RunKind::Ctl => Memory::of_changes(),
            };
            return Ok(Self::Memory(what.kind, Rc::new(RefCell::new(journal))));
        }
        let file = match config::runs_file() {
            Ok(file) => file,
            Err(error) => return Ok(Self::Nowhere(error)),
        };
        let (holder, begun_ms, secret_key) = (holder()?, clock::unix_ms(), random()?);
        let (text, whole) = texts::kept(what.text, &Masking::of(&[what.text]), &secret_key);
        let secrets = what.secrets.iter().map(|(name, secret)| (name.clone(), secret.hashed(&secret_key)));
        let head = RunHead {
            id: run_id(begun_ms, random()?)?,
            kind: what.kind,
            script: what.script.to_owned(),
            text,
            whole,
            modules: Vec::new(),
            parameters: what.parameters.clone(),
            secrets: secrets.collect(),
            cluster_id: None,
            user: holder.user.clone(),
            host: holder.host.clone(),
            pid: holder.pid,
            begun_ms,
        };
        let keeps = match what.kind {
            RunKind::Script => Keeps::Everything,
            RunKind::Prompt | RunKind::Ctl => Keeps::Changes,
        };
        let run = NewRun { head, holder, secret_key, keeps, clock: Box::new(clock::unix_ms) };
        Ok(Self::Stored(Rc::new(RefCell::new(RunJournal::new(&file, run)))))
    }

    /// Begins a run of lines that somebody types, or hands in.
    ///
    /// # Errors
    /// As [`Keeping::begin`].
    pub(in crate::commands) fn begin_lines(context: &CommandContext, script: &str, text: &str) -> Result<Self> {
        let (parameters, secrets) = (&IndexMap::new(), &IndexMap::new());
        Self::begin(context, &RunStart { kind: RunKind::Prompt, script, text, parameters, secrets })
    }

    /// The run's id.
    pub(in crate::commands) fn id(&self) -> Option<String> {
        match self {
            Self::Stored(journal) => Some(journal.borrow().head().id.clone()),
            Self::Memory(..) | Self::Nowhere(_) => None,
        }
    }

    /// The journal, for the session.
    pub(in crate::commands) fn journal(&self) -> Box<dyn Journal> {
        match self {
            Self::Stored(journal) => Box::new(journal.clone()),
            Self::Memory(_, journal) => Box::new(journal.clone()),
            Self::Nowhere(why) => Box::new(NoStore::new(why.clone())),
        }
    }

    /// The journal of a session that goes on where it cannot be kept.
    pub(in crate::commands) fn lenient_journal(&self, context: &CommandContext) -> Box<dyn Journal> {
        let notices = context.output.notices();
        match self {
            Self::Stored(journal) => Box::new(Lenient::new(journal.clone(), notices)),
            Self::Memory(..) => self.journal(),
            Self::Nowhere(why) => Box::new(Lenient::new(NoStore::new(why.clone()), notices)),
        }
    }

    /// Says what the script, with this text, imports. A secret may be one by what a module does with it.
    pub(in crate::commands) fn set_modules(&self, text: &str, modules: &[PinnedModule]) {
        let Self::Stored(journal) = self else { return };
        let mut journal = journal.borrow_mut();
        let key = journal.secret_key();
        let all: Vec<&str> = modules.iter().map(|module| module.text.as_str()).chain([text]).collect();
        let masking = Masking::of(&all);
        let (text, whole) = texts::kept(text, &masking, &key);
        let modules = modules.iter().map(|module| texts::stored(module, &masking, &key)).collect();
        journal.set_texts(text, whole, modules);
    }

    /// The run ends so. Of a script that changed something it is said what it leaves, and how to go on with it.
    pub(in crate::commands) fn end(&self, context: &CommandContext, ended: Result<&language::Ending, &ScriptError>) {
        match self {
            Self::Stored(journal) => {
                finish(context, &mut journal.borrow_mut(), ended);
                conclude(context, &journal.borrow(), ended);
            }
            Self::Memory(RunKind::Script, journal) => {
                said::of_memory(context, &journal.borrow(), ending(ended).state == RunState::Done);
            }
            Self::Memory(..) | Self::Nowhere(_) => {}
        }
    }
}

/// Keeps how the run ended.
fn finish(context: &CommandContext, journal: &mut RunJournal, ended: Result<&language::Ending, &ScriptError>) {
    if let Err(error) = journal.finish(ending(ended)) {
        context.output.warning(&format!("the end of the run {} is not kept: {error}", journal.head().id));
    }
    if let Some(kept) = journal.set_aside() {
        let kept = kept.shown();
        context.output.warning(&format!("the store of runs was damaged: it is kept as {kept}, and a new one was made"));
    }
}

/// Says how a script's run ended that is in the store.
pub(in crate::commands) fn conclude(
    context: &CommandContext,
    journal: &RunJournal,
    ended: Result<&language::Ending, &ScriptError>,
) {
    let head = journal.head();
    if !journal.is_stored() || head.kind != RunKind::Script {
        return;
    }
    let is_done = ending(ended).state == RunState::Done;
    let state = said::of_stored(context, &head.id, is_done);
    if !is_done && state != Some(RunState::Abandoned) {
        let resume = context.typed(&format!("runs resume {}", head.id));
        context.output.last_word(&format!("to go on with it: {resume}"));
    }
}

/// How a run ended whose script did.
pub(in crate::commands) fn ending(ended: Result<&language::Ending, &ScriptError>) -> RunEnding {
    match ended {
        Ok(language::Ending::Exit(code)) if *code != 0 => {
            RunEnding { state: RunState::Failed, exit_code: *code, error: None }
        }
        Ok(_) => RunEnding { state: RunState::Done, exit_code: 0, error: None },
        Err(ScriptError { error, .. }) => RunEnding {
            state: match error.kind {
                ErrorKind::Interrupted | ErrorKind::LockLost | ErrorKind::HoldLost => RunState::Interrupted,
                _ => RunState::Failed,
            },
            exit_code: error.exit_code(),
            error: Some(error.clone()),
        },
    }
}

/// Whether the process that is at a run, or was, is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Standing {
    /// As its state says.
    Says(RunState),
    /// It has no end, and nobody is at it.
    CutOff,
}

impl Standing {
    /// Where the run stands.
    pub(in crate::commands) fn of(run: &RunLine) -> Self {
        match (run.state, &run.holder) {
            (RunState::Running, Some(holder)) if is_alive(holder) => Self::Says(RunState::Running),
            (RunState::Running, _) => Self::CutOff,
            (state, _) => Self::Says(state),
        }
    }

    /// The word for it.
    pub(in crate::commands) fn name(self) -> &'static str {
        match self {
            Self::Says(state) => state.name(),
            Self::CutOff => "cut-off",
        }
    }
}

/// This process.
///
/// # Errors
/// `local` when this host has no random bytes.
pub(in crate::commands) fn holder() -> Result<Holder> {
    let pid = std::process::id();
    let start = host::process_start(pid).unwrap_or_default();
    let mark = format!("{start}/{:08x}", u32::from_be_bytes(random()?));
    Ok(Holder { user: host::user(), host: host::name(), pid, mark })
}

/// Whether the process that holds a run is there, as far as can be known from here: of another host's it is assumed.
pub(in crate::commands) fn is_alive(holder: &Holder) -> bool {
    let start = holder.mark.split_once('/').map_or("", |(start, _)| start);
    holder.host != host::name() || host::is_running(holder.pid, start)
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| Error::local("the system gives no random bytes").source(e))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::function;
    use crate::nearest::names_of;

    #[test]
    fn the_help_of_runs_has_a_word_for_wherever_a_run_stands() {
        let about = function("runs").unwrap().about;
        for state in names_of::<RunState>().into_iter().chain([Standing::CutOff.name()]) {
            assert!(about.contains(&format!("`{state}`")), "{state}: {about}");
        }
    }
}
