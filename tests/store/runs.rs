//! Runs listed, found, claimed, given up, removed and moved.

use super::*;
use binlogsh::error::ErrorKind;
use binlogsh::journal::store::RunFilter;

fn ids(store: &Store, filter: &RunFilter) -> Vec<String> {
    store.runs(filter).unwrap().into_iter().map(|line| line.id).collect()
}

/// A store of three runs: one done, one failed, one that was stopped.
fn three(file: &Path) {
    for (n, ending) in [(1, Some(done())), (2, Some(failed())), (3, None)] {
        let mut journal = script(file, n);
        journal.step(Some("step one"));
        read(&mut journal, 1);
        act(&mut journal, 1);
        if let Some(ending) = ending {
            journal.finish(ending).unwrap();
        }
    }
}

#[test]
fn a_list_says_how_far_each_run_came() {
    let (_dir, file) = place();
    three(&file);
    let store = open(&file);
    let all = store.runs(&RunFilter::default()).unwrap();
    assert_eq!(all.iter().map(|line| line.state.name()).collect::<Vec<_>>(), ["running", "failed", "done"]);
    let last = &all[0];
    assert_eq!((last.rows, last.changes, last.unfinished, last.step.as_deref()), (3, 1, false, Some("step one")));
    assert_eq!((last.holder.clone(), last.cluster_id), (Some(holder(3)), head(3, RunKind::Script).cluster_id));
    assert_eq!(ids(&store, &RunFilter { state: Some(RunState::Failed), ..RunFilter::default() }), [id(2)]);
    assert_eq!(ids(&store, &RunFilter { limit: Some(2), ..RunFilter::default() }), [id(3), id(2)]);
    assert!(ids(&store, &RunFilter { cluster_id: Some(1), ..RunFilter::default() }).is_empty());
    assert!(ids(&store, &RunFilter { script: Some("other".into()), ..RunFilter::default() }).is_empty());
}

#[test]
fn a_run_is_found_by_the_beginning_of_its_id() {
    let (_dir, file) = place();
    three(&file);
    let store = open(&file);
    assert_eq!(store.load("20261123-121504").unwrap().head.id, id(2));
    let ambiguous = store.load("2026").unwrap_err();
    assert_eq!(ambiguous.kind, ErrorKind::Invalid);
    assert!(ambiguous.message.contains(&id(1)) && ambiguous.message.contains(&id(3)), "{ambiguous}");
    let missing = store.load("20261123-121509-22222").unwrap_err();
    assert_eq!(missing.kind, ErrorKind::NotFound);
    assert!(missing.hint.unwrap().contains("did you mean"));
}

#[test]
fn of_two_that_resume_the_same_run_one_wins_and_the_other_names_it() {
    let (_dir, file) = place();
    three(&file);
    let first = open(&file).resume(&id(3), claim(98, &nobody)).unwrap();
    let alive = |held: &Holder| *held == holder(98);
    let error = open(&file).resume(&id(3), claim(99, &alive)).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Locked);
    assert!(error.message.contains("process 98 on ops-1, started by ada"), "{error}");
    drop(first);
}

#[test]
fn a_run_that_is_going_on_cannot_be_resumed_beside_it() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    act(&mut journal, 1);
    let error = open(&file).resume(&id(1), claim(99, &|_| true)).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Locked);
}

#[test]
fn a_process_whose_run_was_taken_over_stops_before_its_next_change() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    act(&mut journal, 1);
    read(&mut journal, 1);
    let mut taken = open(&file).resume(&id(1), claim(99, &nobody)).unwrap();
    let error = journal.began(&change(2), &[], None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::LockLost);
    assert_eq!(journal.note(&Request::Read(Read::Nodes), &Ok(listing(1)), None).unwrap_err().kind, ErrorKind::LockLost);
    drop(journal);
    act(&mut taken, 3);
    drop(taken);
    assert_eq!(outcomes(&open(&file).load(&id(1)).unwrap().entries), ["did pump-1", "did pump-3"]);
}

#[test]
fn only_a_script_that_is_not_at_its_end_can_be_resumed() {
    let (_dir, file) = place();
    three(&file);
    open(&file).abandon(&id(2), "the Pump is gone", BEGUN).unwrap();
    let prompt = NewRun { head: head(4, RunKind::Prompt), keeps: Keeps::Changes, ..new_run(4) };
    act(&mut RunJournal::new(&file, prompt), 1);
    for (n, why) in [(1, "is done"), (2, "was abandoned: the Pump is gone"), (4, "is no script's")] {
        let error = open(&file).resume(&id(n), claim(99, &nobody)).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.message.contains(why), "{error}");
    }
}

#[test]
fn an_abandoned_run_says_why_and_its_process_stops() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    act(&mut journal, 1);
    let mut store = open(&file);
    store.abandon(&id(1), "wrong cluster", BEGUN + 5).unwrap();
    assert_eq!(journal.began(&change(2), &[], None).unwrap_err().kind, ErrorKind::LockLost);
    drop(journal);
    let line = store.load(&id(1)).unwrap().line;
    assert_eq!(
        (line.state, line.why.as_deref(), line.ended_ms),
        (RunState::Abandoned, Some("wrong cluster"), Some(BEGUN + 5))
    );
    assert_eq!(store.abandon(&id(1), "again", BEGUN).unwrap_err().kind, ErrorKind::Invalid);
}

#[test]
fn old_runs_are_removed_but_never_one_without_an_end() {
    let (_dir, file) = place();
    three(&file);
    let mut store = open(&file);
    assert_eq!(store.prune(BEGUN).unwrap(), 0);
    assert_eq!(store.prune(i64::MAX).unwrap(), 2);
    assert_eq!(ids(&store, &RunFilter::default()), [id(3)]);
    store.abandon(&id(3), "gone", BEGUN).unwrap();
    assert_eq!(store.prune(BEGUN + 1).unwrap(), 1);
    assert!(ids(&store, &RunFilter::default()).is_empty());
    act(&mut script(&file, 5), 1);
    assert_eq!(outcomes(&store.load(&id(5)).unwrap().entries), ["did pump-1"]);
}

#[test]
fn a_run_moves_to_another_store_as_it_was() {
    let ((_here, from), (_there, to)) = (place(), place());
    three(&from);
    begin(&mut open(&from).resume(&id(3), claim(99, &nobody)).unwrap(), 2);
    let text = open(&from).export(&id(3)).unwrap();
    let mut store = Store::open(&to).unwrap();
    assert_eq!(store.import(&text).unwrap(), id(3));
    assert_eq!(store.import(&text).unwrap(), id(3), "again does nothing");
    let (mut moved, original) = (store.load(&id(3)).unwrap(), open(&from).load(&id(3)).unwrap());
    assert_eq!(moved.line.holder, None, "nobody is at it there");
    moved.line.holder.clone_from(&original.line.holder);
    assert_eq!(moved, original);
    assert_eq!(store.export(&id(3)).unwrap(), text);
    let mut resumed = store.resume(&id(3), claim(100, &|_| true)).unwrap();
    assert_eq!(resumed.secret_key(), [3; 16]);
    assert_eq!(std::iter::from_fn(|| resumed.next_replayed()).count(), 2);
    finish_change(&mut resumed, 2);
    drop(resumed);
    let error = open(&to).import(&text).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict, "it has gone on there");
}

#[test]
fn a_document_that_was_altered_or_is_newer_is_refused() {
    let (_dir, file) = place();
    three(&file);
    let mut store = open(&file);
    let text = store.export(&id(1)).unwrap();
    let alterations = [
        ("\"binlogsh_run\": 1", "\"binlogsh_run\": 2", "version 2"),
        ("pump-0:1", "pump-9:1", "entry 1"),
        ("success", "failure", "entry 3"),
        ("\"state\": \"done\"", "\"state\": \"failed\"", "its end"),
        ("run 1", "run 2", "entry 1"),
        ("\"head\"", "\"hat\"", "no exported run"),
    ];
    store.prune(i64::MAX).unwrap();
    for (from, to, why) in alterations {
        let altered = text.replacen(from, to, 1);
        assert_ne!(altered, text, "{from}");
        let error = store.import(&altered).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.to_string().contains(why), "{error}");
    }
    assert_eq!(store.import(&text).unwrap(), id(1));
}

#[test]
fn ids_and_claims_are_kept_apart_between_processes_that_begin_at_once() {
    let (_dir, file) = place();
    let threads: Vec<_> = (1..=4_u8)
        .map(|n| {
            let file = file.clone();
            std::thread::spawn(move || (1..=20).for_each(|run| act(&mut script(&file, n * 25 + run), 1)))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(open(&file).runs(&RunFilter::default()).unwrap().len(), 80);
}
