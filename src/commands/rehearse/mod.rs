//! `rehearse`: a script on a simulated copy of the cluster.

mod options;
mod show;

use crate::cli::Rehearse;
use crate::commands::compose::{CommandContext, scenario_to_rehearse};
use crate::commands::evaluate::language_settings;
use crate::commands::given::{Given, given};
use crate::commands::{read_text, run};
use crate::error::{Error, ErrorKind, Result, ScriptError};
use crate::language::{ParamDoc, ScriptSettings, Source};
use crate::rehearsal::{
    Base, Basis, Blame, Bounds, HarmKind, Order, Plan, RehearsalReport, SavedStory, ScriptMark, Shortest, Stage, Story,
    Subjects, Tally, Which, check_target, judged, rehearse as rehearse_futures,
};
use crate::secret::Secret;
use crate::sim::{Cluster, Scenario, Simulated};
use crate::text::ShownPath;
use crate::world::{Answer, FaultKind, Read, Request, World};
use options::{kinds, limit, one_cluster, stories_dir};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How many requests a single rehearsal may make: what loops without letting time pass is ended by it.
const CALLS: u64 = 5_000_000;

/// How many of the parts that are missing are named.
const NAMED: usize = 10;

/// Rehearses the script, or shows what an earlier rehearsal has kept.
pub(super) fn main(context: &CommandContext, args: &Rehearse) -> Result<u8, ScriptError> {
    if !args.merge.is_empty() {
        return Ok(merge(context, args)?);
    }
    one_cluster(context, args)?;
    if let Some(file) = &args.show {
        context.output.value(&Plan::read(file)?.table());
        return Ok(0);
    }
    let Some(script) = &args.script else {
        return Err(Error::internal("a rehearsal without a script").into());
    };
    let source = run::read(script, &context.interrupt)?;
    if args.help {
        run::show_help(context, "rehearse", script, &Stage::describe(&source)?);
        return Ok(0);
    }
    let told = args.story.as_deref().map(SavedStory::read).transpose()?;
    let Given { parameters, secrets } =
        given(context, &source, (&args.params, &args.sources), |secret| Ok(made_up(context, secret)))?;
    let parameters = match &told {
        Some(story) if args.params.is_empty() => story.parameters.clone(),
        _ => parameters,
    };
    let settings = ScriptSettings { parameters, secrets, ..language_settings()? };
    let nowhere = Scenario::named("empty")?;
    let subjects = Subjects { source, settings, scenario: nowhere, interrupt: context.interrupt.clone() };
    // What is wrong with the script, the options or the files is said before anybody looks at the cluster.
    drop(subjects.stage()?);
    let bounds = Bounds { time: limit(&args.limit)?, calls: CALLS };
    match told {
        Some(story) => tell(context, args, subjects, &story, bounds),
        None => rehearse(context, args, subjects, bounds),
    }
}

/// What stands for a secret that is not given. Nothing that a rehearsal encrypts is ever used.
fn made_up(context: &CommandContext, secret: &ParamDoc) -> Secret {
    let name = &secret.name;
    context
        .output
        .remark(&format!("the secret `{name}` is made up for the rehearsal; --param-file {name}=FILE gives it"));
    Secret::Plain(Secret::MADE_UP.to_owned())
}

/// Rehearses the script on the cluster, once or through many futures.
fn rehearse(
    context: &CommandContext,
    args: &Rehearse,
    mut subjects: Subjects,
    bounds: Bounds,
) -> Result<u8, ScriptError> {
    let kinds = kinds(args.faults.as_deref())?;
    check_targets(args)?;
    let stories = stories_dir(args)?;
    subjects.scenario = scenario_to_rehearse(context, args)?;
    let mut stage = subjects.stage()?.drawing_lags();
    if args.plan.is_some() {
        stage = stage.keeping_listings();
    }
    let base = Base::play(&mut stage, bounds)?;
    let shown = stage.without_secrets(&subjects.source);
    let story = Story::of(stage.start(), &base.played, &base.truth, &base.harms);
    let harm = harm_by_script(&base);
    let mut unwritten = Unwritten::default();
    if let Some(file) = args.plan.as_ref().filter(|_| harm.is_empty()) {
        unwritten.note(plan(&subjects, stage.start(), &base)?.save(file));
    }
    if !args.has_futures() {
        unwritten.note(report(args, (&shown, &subjects.scenario), &story, None));
        show::story(&context.output, &subjects, &story);
        let code = end(context, base.played.ending, story.exit_code);
        let code = warn_of_harm(context, args, &harm, code);
        return Ok(unwritten.tell(context, code));
    }
    warn_of_base(context, &base);
    let tally = match futures(context, args, &subjects, &base, kinds) {
        Ok(tally) => tally,
        Err(error) => {
            unwritten.tell(context, 0);
            return Err(error);
        }
    };
    let stopped = context.interrupt.check();
    if stopped.is_ok() {
        unwritten.note(report(args, (&shown, &subjects.scenario), &story, Some((&mut stage, &base, &tally))));
    }
    let files = save_stories(&subjects, &shown, &tally, &stories, &mut unwritten);
    if stopped.is_ok() || tally.futures > 0 {
        show::tally(&context.output, &tally, &files);
    }
    if let Err(stop) = stopped {
        unwritten.tell(context, 0);
        return Err(stop.hint(until_then(&tally, args.report.is_some())).into());
    }
    if !context.output.format().is_for_programs() {
        tell_shortest(context, &mut stage, &base, &tally)?;
    }
    Ok(unwritten.tell(context, harm_or_not(&tally)))
}

/// What is to be written can be, before anything is played for it.
fn check_targets(args: &Rehearse) -> Result<()> {
    let targets = [("the report", &args.report), ("the snapshot", &args.save_snapshot), ("the plan", &args.plan)];
    targets.into_iter().try_for_each(|(what, file)| file.as_deref().map_or(Ok(()), |file| check_target(what, file)))
}

/// The files of a rehearsal that could not be written. They are told behind what it came to: nothing that was played is lost for
/// a full disk.
#[derive(Default)]
struct Unwritten(Vec<Error>);

impl Unwritten {
    fn note(&mut self, written: Result<()>) {
        self.0.extend(written.err());
    }

    /// Tells each. The exit code: `code`, unless that says that all is well.
    fn tell(self, context: &CommandContext, code: u8) -> u8 {
        self.0.into_iter().fold(code, |code, error| {
            let code = if code == 0 { error.exit_code() } else { code };
            context.output.error_with(&error.into(), code);
            code
        })
    }
}

/// What is shown of futures that somebody stopped.
fn until_then(tally: &Tally, wants_report: bool) -> String {
    let what = match (tally.futures, tally.unplayed) {
        (0, _) => "no future was played until then",
        (_, 0) => "all futures were played, and the shortest stories may have faults in them that are not needed",
        _ => "what is shown is of the futures that were played until then",
    };
    format!("{what}{}", if wants_report { "; there is no report of them" } else { "" })
}

/// The exit code of a rehearsal of futures.
fn harm_or_not(tally: &Tally) -> u8 {
    if tally.did_harm() { ErrorKind::Harm.exit_code() } else { 0 }
}

/// Says that the script fails before anything goes wrong, which makes its futures worth little.
fn warn_of_base(context: &CommandContext, base: &Base) {
    let code = base.played.exit_code();
    let what = match &base.played.ending {
        Err(error) => format!("{}: {}", error.error.kind.name(), error.error),
        Ok(_) if code != 0 => format!("exit code {code}"),
        Ok(_) => return,
    };
    context.output.warning(&format!("the script ends so without any fault: {what}"));
}

/// What the rehearsal did, as a plan for a run.
fn plan(subjects: &Subjects, start: &Cluster, base: &Base) -> Result<Plan, ScriptError> {
    let Subjects { source, settings, scenario, .. } = subjects;
    let cluster_id = scenario.cluster_id;
    let parameters = Stage::describe(source)?.parameters(&settings.parameters);
    let script = ScriptMark::new(&source.name, &source.text, &parameters);
    let listing = match Simulated::from_cluster(start.clone()).apply(&Request::Read(Read::Nodes), None)? {
        Answer::Listing(listing) => listing,
        other => return Err(Error::internal(format!("a listing was answered with {other:?}")).into()),
    };
    Ok(Plan::of(Basis { listing: &listing, cluster_id, script }, &base.played.entries))
}

/// The names of the harm that the script does when nothing goes wrong.
fn harm_by_script(base: &Base) -> Vec<&'static str> {
    let by_script = base.harms.iter().filter(|harm| harm.blame == Blame::Script);
    let names: BTreeSet<&str> = by_script.map(|harm| harm.kind.name()).collect();
    names.into_iter().collect()
}

/// Says that the rehearsal did harm, which the script's own `code` does not tell. The exit code.
fn warn_of_harm(context: &CommandContext, args: &Rehearse, harm: &[&str], code: u8) -> u8 {
    if harm.is_empty() {
        return code;
    }
    let plan = args.plan.as_ref().map_or("", |_| "; no plan is kept of it");
    context.output.last_word(&format!("the script does harm: {}, marked `!!!` above{plan}", harm.join(", ")));
    if code == 0 { ErrorKind::Harm.exit_code() } else { code }
}

/// Ends as the run would: with its error, or its exit code.
fn end(context: &CommandContext, ending: Result<crate::language::Ending, ScriptError>, code: u8) -> u8 {
    if let Err(error) = &ending {
        context.output.error(error);
    }
    code
}

fn futures(
    context: &CommandContext,
    args: &Rehearse,
    subjects: &Subjects,
    base: &Base,
    kinds: Vec<FaultKind>,
) -> Result<Tally, ScriptError> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let order = |which| Order {
        which,
        kinds: kinds.clone(),
        shard: args.shard.unwrap_or((1, 1)),
        jobs: args.jobs.unwrap_or(processors),
        notices: context.output.notices(),
    };
    let which = match args.futures {
        Some(count) => Which::Drawn { seed: args.seed, count },
        None if args.every_pair => Which::EveryPair,
        None => Which::Every,
    };
    rehearse_futures(subjects, base, &order(which))
}

/// Writes the report, where one is wished for.
fn report(
    args: &Rehearse,
    (script, scenario): (&Source, &Scenario),
    base: &Story,
    futures: Option<(&mut Stage, &Base, &Tally)>,
) -> Result<()> {
    let Some(path) = &args.report else { return Ok(()) };
    let mut shortest = Vec::new();
    let tally = futures.as_ref().map(|(.., tally)| *tally);
    if let Some((stage, without_faults, tally)) = futures {
        for found in tally.shortest.iter().filter(|shortest| shortest.blame != Blame::Accepted) {
            let (intended, bounds) = (&without_faults.intended, without_faults.bounds());
            let (played, truth, harms) = judged(stage, intended, &found.faults, bounds)?;
            shortest.push((found, Story::of(stage.start(), &played, &truth, &harms)));
        }
    }
    RehearsalReport { script, scenario, base, tally, shortest }.save(path)
}

/// Keeps the shortest stories of harm that counts against the script; returns their files.
fn save_stories(
    subjects: &Subjects,
    shown: &Source,
    tally: &Tally,
    dir: &Path,
    unwritten: &mut Unwritten,
) -> Vec<(HarmKind, PathBuf)> {
    let stem = Path::new(&subjects.source.name).file_stem().and_then(|stem| stem.to_str()).unwrap_or("script");
    let mut files = Vec::new();
    for shortest in tally.shortest.iter().filter(|shortest| shortest.blame == Blame::Script) {
        let file = dir.join(format!("{}.{}.story.json", stem.trim_matches(['<', '>']), shortest.kind.name()));
        match saved(subjects, shown, shortest).save(&file) {
            Ok(()) => files.push((shortest.kind, file)),
            Err(error) => unwritten.note(Err(error)),
        }
    }
    files
}

fn saved(subjects: &Subjects, shown: &Source, shortest: &Shortest) -> SavedStory {
    SavedStory {
        version: SavedStory::version(),
        script: subjects.source.name.clone(),
        script_text: shown.text.clone(),
        parameters: subjects.settings.parameters.clone(),
        harm: shortest.kind,
        blame: shortest.blame,
        text: shortest.text.clone(),
        faults: shortest.faults.clone(),
        scenario: subjects.scenario.clone(),
    }
}

/// Tells the shortest story of each harm that counts against the script.
fn tell_shortest(context: &CommandContext, stage: &mut Stage, base: &Base, tally: &Tally) -> Result<()> {
    for shortest in tally.shortest.iter().filter(|shortest| shortest.blame == Blame::Script) {
        let (played, truth, harms) = judged(stage, &base.intended, &shortest.faults, base.bounds())?;
        let story = Story::of(stage.start(), &played, &truth, &harms);
        show::shortest(&context.output, shortest, &story);
    }
    Ok(())
}

/// Tells a story that was kept.
fn tell(
    context: &CommandContext,
    args: &Rehearse,
    mut subjects: Subjects,
    saved: &SavedStory,
    bounds: Bounds,
) -> Result<u8, ScriptError> {
    args.report.as_deref().map_or(Ok(()), |file| check_target("the report", file))?;
    subjects.scenario = saved.scenario.clone();
    let mut stage = subjects.stage()?.drawing_lags();
    let base = Base::play(&mut stage, bounds)?;
    let shown = stage.without_secrets(&subjects.source);
    if shown.text != saved.script_text {
        context.output.warning("the script is not as it was when the story was kept: it may go otherwise now");
    }
    let (played, truth, harms) = judged(&mut stage, &base.intended, &saved.faults, base.bounds())?;
    let story = Story::of(stage.start(), &played, &truth, &harms);
    let mut unwritten = Unwritten::default();
    unwritten.note(report(args, (&shown, &subjects.scenario), &story, None));
    show::story(&context.output, &subjects, &story);
    let still = harms.iter().any(|harm| harm.kind == saved.harm && harm.blame == saved.blame);
    if !still {
        context.output.warning(&format!("{} does not come about any more", saved.harm.name()));
    }
    Ok(unwritten.tell(context, if still { ErrorKind::Harm.exit_code() } else { 0 }))
}

/// Adds up what parts have found.
fn merge(context: &CommandContext, args: &Rehearse) -> Result<u8> {
    let read = |path: &PathBuf| {
        let named = |error: Error| Error { message: format!("{}: {}", path.shown(), error.message), ..error };
        Tally::parse(&read_text(path)?).map_err(named)
    };
    let tally = Tally::merge(args.merge.iter().map(read).collect::<Result<Vec<_>>>()?)?;
    let missing: Vec<String> = tally.missing().map(|(part, of)| format!("{part}/{of}")).take(NAMED + 1).collect();
    if !missing.is_empty() {
        let named = missing[..missing.len().min(NAMED)].join(", ");
        let more = if missing.len() > NAMED { " and others" } else { "" };
        context.output.warning(&format!("these are not all parts: there is no {named}{more}"));
    }
    if tally.unplayed > 0 {
        let unplayed = tally.unplayed;
        context
            .output
            .warning(&format!("these are not all futures: {unplayed} were not played, since somebody stopped it"));
    }
    show::tally(&context.output, &tally, &[]);
    Ok(harm_or_not(&tally))
}
