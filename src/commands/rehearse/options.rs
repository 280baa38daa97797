//! What the options of `rehearse` come to, and which of them make no sense together.

use crate::cli::Rehearse;
use crate::commands::compose::CommandContext;
use crate::config;
use crate::error::{Error, Result};
use crate::nearest::parse_named;
use crate::rehearsal::check_target;
use crate::sim::Micros;
use crate::time::parse_duration;
use crate::world::FaultKind;
use std::path::PathBuf;

/// A snapshot and a story bring their cluster with them: a sandbox beside them would be passed over in silence.
pub(super) fn one_cluster(context: &CommandContext, args: &Rehearse) -> Result<()> {
    let brings = match (&args.snapshot, &args.story) {
        (Some(_), _) => "--snapshot",
        (_, Some(_)) => "--story",
        (None, None) => return Ok(()),
    };
    match context.global.sandbox {
        Some(_) => {
            Err(Error::invalid(format!("{brings} and --sandbox are two clusters")).hint("leave one of them out"))
        }
        None => Ok(()),
    }
}

/// How much virtual time a script gets.
pub(super) fn limit(text: &str) -> Result<Micros> {
    let limit =
        parse_duration(text).map_err(|error| Error { message: format!("--limit: {}", error.message), ..error })?;
    Ok(Micros::try_from(limit.as_micros()).unwrap_or(Micros::MAX))
}

/// The kinds of faults of `--faults`: those that are named, or all but those that are named with a `-`.
pub(super) fn kinds(list: Option<&str>) -> Result<Vec<FaultKind>> {
    let Some(list) = list else { return Ok(FaultKind::ALL.to_vec()) };
    let mut named = Vec::new();
    let mut without = Vec::new();
    for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let (name, into) = match word.strip_prefix('-') {
            Some(name) => (name, &mut without),
            None => (word, &mut named),
        };
        into.push(parse_named("fault (--faults)", name)?);
    }
    if named.is_empty() && without.is_empty() {
        return Err(Error::invalid("--faults names no kind of fault").hint("leave it out for all of them"));
    }
    let chosen = if named.is_empty() { FaultKind::ALL.to_vec() } else { named };
    let kinds: Vec<FaultKind> =
        FaultKind::ALL.iter().copied().filter(|kind| chosen.contains(kind) && !without.contains(kind)).collect();
    match kinds.is_empty() {
        true => Err(Error::invalid("--faults leaves no kind of fault").hint("name at least one")),
        false => Ok(kinds),
    }
}

/// Where stories are kept: where the operator says, or with what this program remembers, but never unasked where they stand; it has to be there before the futures are played.
pub(super) fn stories_dir(args: &Rehearse) -> Result<PathBuf> {
    if !args.has_futures() {
        return Ok(PathBuf::new());
    }
    let dir = match &args.stories {
        Some(dir) => dir.clone(),
        None => config::stories_dir().map_err(|error| error.hint("name another directory with --stories DIR"))?,
    };
    check_target("the stories", &dir.join("story.json"))?;
    Ok(dir)
}
