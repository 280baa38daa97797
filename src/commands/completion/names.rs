//! Who knows the names that can stand in a place: files, the configuration, the store of runs, a script, the cluster.
//!
//! Each is given the line and the word at the cursor, and returns what could be meant; whoever calls it keeps what begins as the
//! word does.

use super::line::{TypedLine, in_time};
use crate::check::rules as rules_of_check;
use crate::commands::compose::node_names;
use crate::commands::ctl;
use crate::commands::runs::{Standing, latest, progress};
use crate::commands::topics;
use crate::config::{self, Overrides, Variables};
use crate::journal::store::{RunKind, RunLine, RunState};
use crate::language::{self, ParamDoc, ParamType, Type, shipped, shown};
use crate::nearest::names_of;
use crate::node::{Kind, State};
use crate::operations;
use crate::sim::scenario_names;
use crate::time::zone_names;
use crate::world::FaultKind;
use clap::parser::ValuesRef;
use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// How many runs are offered, the latest first.
const RUNS: usize = 200;

type Candidates = Vec<CompletionCandidate>;

fn plain(name: impl Into<String>) -> CompletionCandidate {
    CompletionCandidate::new(name.into())
}

fn with_help(name: impl Into<String>, about: impl Into<String>) -> CompletionCandidate {
    plain(name).help(Some(about.into().into()))
}

/// The profiles of the configuration file.
pub(super) fn profiles(typed: &TypedLine, _: &str) -> Candidates {
    let named = typed
        .global()
        .and_then(|global| global.config)
        .or_else(|| std::env::var_os("BINLOGSH_CONFIG").map(PathBuf::from));
    let flags = Overrides { config: named.filter(|path| !path.as_os_str().is_empty()), ..Overrides::default() };
    let clusters = in_time(move || config::load(&flags, &of_tiup()).ok().map(|settings| settings.clusters));
    let about =
        |urls: &[String], production| format!("{}{}", urls.join(", "), if production { ", production" } else { "" });
    let profile = |known: config::ProfileCluster| with_help(known.profile, about(&known.pd_urls, known.production));
    clusters.into_iter().flatten().map(profile).collect()
}

/// Of the environment only what says where tiup is.
fn of_tiup() -> impl Fn(&str) -> Option<String> {
    let variables = Variables::of_this_process().unwrap_or_default();
    move |name| variables.get(name).filter(|_| name.starts_with("TIUP_"))
}

/// The clusters that tiup knows.
pub(super) fn clusters(_: &TypedLine, _: &str) -> Candidates {
    let known = in_time(|| {
        let tiup = config::DeployedClusters::of(&of_tiup()).ok()?;
        let about = |name: String| {
            let about = tiup.read(&name).map_or_else(|error| error.message, |known| known.pd_urls.join(", "));
            (name, about)
        };
        Some(tiup.names().ok()?.into_iter().map(about).collect::<Vec<_>>())
    });
    known.into_iter().flatten().map(|(name, about)| with_help(name, about)).collect()
}

/// The samples, and files of scenarios.
pub(super) fn samples(_: &TypedLine, word: &str) -> Candidates {
    let samples = scenario_names().into_iter().map(|(name, about)| with_help(name, about));
    samples.chain(files_ending(word, "json")).collect()
}

/// The scripts that come with the program, and files.
pub(super) fn scripts(typed: &TypedLine, word: &str) -> Candidates {
    shipped_scripts(typed, word).into_iter().chain(script_files(typed, word)).collect()
}

/// The scripts that come with the program.
pub(super) fn shipped_scripts(_: &TypedLine, _: &str) -> Candidates {
    shipped().map(|script| with_help(script.name, script.summary())).collect()
}

/// Files of scripts, and directories.
pub(super) fn script_files(_: &TypedLine, word: &str) -> Candidates {
    files_ending(word, "rhai")
}

fn files_ending(word: &str, ending: &'static str) -> Candidates {
    let is_it = move |path: &Path| path.extension().is_some_and(|found| found == ending) && path.is_file();
    PathCompleter::any().filter(is_it).complete(OsStr::new(word))
}

/// `NAME=VALUE` of the script that is named: what is not given yet, and what it may be.
pub(super) fn params(typed: &TypedLine, word: &str) -> Candidates {
    let Some((name, value)) = word.split_once('=') else {
        return param_names(typed, |param| !param.is_secret());
    };
    let Some(param) = typed.params().into_iter().find(|param| param.name == name) else { return Vec::new() };
    values(typed, &param, value).into_iter().map(|found| found.add_prefix(format!("{name}="))).collect()
}

fn param_names(typed: &TypedLine, is_wanted: impl Fn(&ParamDoc) -> bool) -> Candidates {
    let given = |id: &str| {
        let given = typed.command().and_then(|matches| matches.try_get_many(id).ok().flatten());
        given.into_iter().flat_map(|given: ValuesRef<'_, (String, String)>| given.map(|(name, _)| name.as_str()))
    };
    let is_given =
        |param: &&ParamDoc| ["params", "files", "env"].into_iter().flat_map(given).any(|name| name == param.name);
    let params = typed.params();
    let left = params.iter().filter(|param| is_wanted(param) && !is_given(param));
    left.map(|param| with_help(format!("{}=", param.name), param.about.as_deref().unwrap_or_default())).collect()
}

/// What a parameter may be: its choices, what its type takes, its default. A text that has neither is most often a node, as for
/// the prompt what a script's function takes.
fn values(typed: &TypedLine, param: &ParamDoc, value: &str) -> Candidates {
    if !param.choices.is_empty() {
        return param.choices.iter().map(|choice| plain(shown(choice))).collect();
    }
    let default = param.default.as_ref().map(shown).filter(|default| !default.is_empty());
    let usual = match param.kind {
        ParamType::Bool => vec!["true", "false"],
        ParamType::Duration => Type::Duration.words(),
        ParamType::Text if default.is_none() => return node_list(typed, kind_in(&param.name), value),
        ParamType::Text | ParamType::Integer | ParamType::Number | ParamType::Secret => Vec::new(),
    };
    let others = usual.into_iter().filter(|usual| default.as_deref() != Some(usual)).map(plain);
    default.iter().map(|default| with_help(default, "the default")).chain(others).collect()
}

/// `NAME=FILE`.
pub(super) fn param_files(typed: &TypedLine, word: &str) -> Candidates {
    match word.split_once('=') {
        None => param_names(typed, |_| true),
        Some((name, path)) => {
            let files = PathCompleter::file().complete(OsStr::new(path));
            files.into_iter().map(|file| file.add_prefix(format!("{name}="))).collect()
        }
    }
}

/// `NAME=VARIABLE`.
pub(super) fn param_variables(typed: &TypedLine, word: &str) -> Candidates {
    let Some((name, _)) = word.split_once('=') else { return param_names(typed, |_| true) };
    let mut variables: Vec<String> = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    variables.sort();
    variables.into_iter().map(|variable| plain(format!("{name}={variable}"))).collect()
}

/// Kinds of faults, with commas between them and perhaps a `-` before each.
pub(super) fn faults(_: &TypedLine, word: &str) -> Candidates {
    let (before, last) = list(word);
    let dash = if last.starts_with('-') { "-" } else { "" };
    let named: Vec<&str> = before.split(',').map(|name| name.trim_start_matches('-')).collect();
    let left = FaultKind::ALL.iter().filter(|kind| !named.contains(&kind.name()));
    left.map(|kind| with_help(format!("{before}{dash}{}", kind.name()), kind.row().does)).collect()
}

/// A list as far as its last comma, and what stands behind that.
fn list(word: &str) -> (&str, &str) {
    word.split_at(word.rfind(',').map_or(0, |at| at + 1))
}

/// Stories that rehearsals have kept, and files.
pub(super) fn stories(_: &TypedLine, word: &str) -> Candidates {
    let kept = || {
        let entries = config::stories_place()?.read_dir().ok()?.flatten();
        let mut files: Vec<_> =
            entries.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
        files.sort();
        Some(files.into_iter().rev().map(|(_, path)| path).collect::<Vec<_>>())
    };
    let kept = in_time(kept).into_iter().flatten().map(CompletionCandidate::new);
    kept.chain(PathCompleter::any().complete(OsStr::new(word))).collect()
}

/// The rules of `check`.
pub(super) fn rules(_: &TypedLine, _: &str) -> Candidates {
    rules_of_check().map(|rule| with_help(rule.name, rule.about)).collect()
}

/// What there is a page of.
pub(super) fn topics(_: &TypedLine, _: &str) -> Candidates {
    let mut words = language::pages(&topics::topics());
    words.sort();
    words.dedup();
    words.into_iter().map(plain).collect()
}

/// All runs of this user.
pub(super) fn runs(_: &TypedLine, word: &str) -> Candidates {
    runs_that(word, |_, _| true)
}

/// Those that can be resumed.
pub(super) fn stopped_runs(_: &TypedLine, word: &str) -> Candidates {
    runs_that(word, |run, standing| run.kind == RunKind::Script && is_unended(standing))
}

/// Those that can be given up.
pub(super) fn unended_runs(_: &TypedLine, word: &str) -> Candidates {
    runs_that(word, |_, standing| is_unended(standing))
}

fn is_unended(standing: Standing) -> bool {
    match standing {
        Standing::CutOff | Standing::Says(RunState::Failed | RunState::Interrupted) => true,
        Standing::Says(RunState::Running | RunState::Done | RunState::Abandoned) => false,
    }
}

fn runs_that(word: &str, is_wanted: impl Fn(&RunLine, Standing) -> bool) -> Candidates {
    let word = word.to_owned();
    let runs = in_time(move || latest(&word, RUNS).ok()).unwrap_or_default();
    let standing =
        runs.into_iter().map(|run| (Standing::of(&run), run)).filter(|(standing, run)| is_wanted(run, *standing));
    let about =
        |run: &RunLine, standing: Standing| format!("{}: {}, {}", run.script, standing.name(), progress(run, standing));
    standing.map(|(standing, run)| with_help(&run.id, about(&run, standing))).collect()
}

/// The nodes that the command of `ctl` on this line is about.
pub(super) fn nodes_of_command(typed: &TypedLine, _: &str) -> Candidates {
    let command = typed.matches().and_then(|matches| matches.get_one::<String>("cmd"));
    nodes(typed, command.and_then(|command| kind_in(command)))
}

/// The commands of `ctl`.
pub(super) fn ctl_commands(_: &TypedLine, _: &str) -> Candidates {
    let about = |name: &str| operations::find(&name.replace('-', "_")).map_or("", |row| row.function.summary());
    ctl::COMMANDS.iter().map(|name| with_help(*name, about(name))).collect()
}

/// States of nodes.
pub(super) fn states(_: &TypedLine, _: &str) -> Candidates {
    names_of::<State>().into_iter().map(plain).collect()
}

/// Time zones.
pub(super) fn zones(_: &TypedLine, _: &str) -> Candidates {
    zone_names().map(plain).collect()
}

/// The sort of node that a name speaks of.
fn kind_in(name: &str) -> Option<Kind> {
    match (name.contains("pump"), name.contains("drainer")) {
        (true, false) => Some(Kind::Pump),
        (false, true) => Some(Kind::Drainer),
        _ => None,
    }
}

/// Nodes, with commas between them, each once.
fn node_list(typed: &TypedLine, kind: Option<Kind>, value: &str) -> Candidates {
    let (before, _) = list(value);
    let is_named = |id: &OsStr| before.split(',').any(|named| id == named);
    let left = nodes(typed, kind).into_iter().filter(|node| !is_named(node.get_value()));
    left.map(|node| node.add_prefix(before)).collect()
}

/// The ids of the cluster's nodes, if it says in time which it has.
fn nodes(typed: &TypedLine, kind: Option<Kind>) -> Candidates {
    let Some(sandbox) = typed.global().map(|global| global.sandbox) else { return Vec::new() };
    let settings = if sandbox.is_none() { typed.settings() } else { None };
    let found = in_time(move || node_names(sandbox.as_deref(), settings)).unwrap_or_default();
    let wanted = found.into_iter().filter(|(found, _)| kind.is_none_or(|kind| kind == *found));
    wanted.map(|(kind, id)| with_help(id, kind.title())).collect()
}
