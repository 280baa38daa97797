//! `runs unlock --why TEXT`: takes the maintenance lock away from whoever holds it, after having asked twice.

use crate::commands::compose::{CommandContext, Work, announce, session};
use crate::commands::runs::Keeping;
use crate::error::{Error, Result, ScriptError};
use crate::language::Ending;
use crate::world::{Choice, Gate, LockInfo, Question, change, read};

/// Shows whose lock it is, asks, and takes it away.
pub(super) fn main(context: &CommandContext, why: &str) -> Result<u8, ScriptError> {
    let run = Keeping::begin_lines(context, "runs unlock", why)?;
    let session = session(context, Work::lines(run.id()), run.journal())?;
    announce(context);
    let unlocked = unlock(&mut *session.borrow_mut(), why).map_err(ScriptError::from);
    run.end(context, unlocked.as_ref().map(|_| &Ending::Exit(0)));
    match unlocked? {
        None => context.output.remark("nobody holds the maintenance lock"),
        Some(broken) => context.output.remark(&format!("taken away from {broken}")),
    }
    Ok(0)
}

/// Takes the lock away through `gate`, which asks the second time; gives the lock as it was, or `None` if nobody had it.
///
/// # Errors
/// `refused` when the operator says no or cannot be asked, `conflict` when the lock changed hands meanwhile.
pub(super) fn unlock(gate: &mut dyn Gate, why: &str) -> Result<Option<LockInfo>> {
    if why.trim().is_empty() {
        return Err(
            Error::invalid("--why says nothing").hint("write for those who will ask: why is the lock taken away?")
        );
    }
    let Some(seen) = gate.ask(read::LockStatus)? else { return Ok(None) };
    let text = format!(
        "The maintenance lock is held by {seen}.\n\
         If that process still runs, it stops before its next write, perhaps half way through its work.\n\
         Is it certain that it must not go on?"
    );
    match gate.ask(Question::new(text))? {
        Choice::Yes | Choice::All => {}
        Choice::No => return Err(Error::refused("you said no: the maintenance lock was left alone")),
    }
    gate.ask(change::BreakLock { seen: seen.clone(), why: why.trim().to_owned() })?;
    Ok(Some(seen))
}
