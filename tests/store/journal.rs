//! The journal of a run: when it is written, what is kept, and that it reads back as it was.

use super::*;
use binlogsh::error::ErrorKind;
use binlogsh::world::{Ask, Choice, Question};
use std::cell::Cell;
use std::os::unix::fs::PermissionsExt;
use std::rc::Rc;

#[test]
fn a_run_that_changes_nothing_leaves_no_file() {
    let (dir, file) = place();
    let mut journal = script(&file, 1);
    read(&mut journal, 1);
    journal.flush().unwrap();
    journal.finish(done()).unwrap();
    drop(journal);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn the_first_change_brings_everything_before_it_durably() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    journal.step(Some("restart pump-1"));
    read(&mut journal, 1);
    read(&mut journal, 2);
    begin(&mut journal, 1);
    // Another process would see it now, before it is done.
    let loaded = open(&file).load(&id(1)).unwrap();
    assert_eq!(outcomes(&loaded.entries), ["read 1", "read 2"]);
    let unfinished = loaded.unfinished.unwrap();
    assert_eq!((unfinished.seq, unfinished.change, unfinished.by.as_deref()), (3, change(1), Some("ada")));
    assert_eq!(unfinished.findings, ["last_pump: another one is online"]);
    assert_eq!(unfinished.step.as_deref(), Some("restart pump-1"));
    assert!(loaded.line.unfinished);
    finish_change(&mut journal, 1);
    let loaded = open(&file).load(&id(1)).unwrap();
    assert_eq!(outcomes(&loaded.entries), ["read 1", "read 2", "did pump-1"]);
    assert_eq!(loaded.unfinished, None);
    assert_eq!(loaded.head, head(1, RunKind::Script));
    let seqs: Vec<u64> = loaded.entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, [1, 2, 4]);
}

#[test]
fn the_store_is_for_its_owner_alone() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    act(&mut journal, 1);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(file.parent().unwrap()), 0o700);
    for entry in std::fs::read_dir(file.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    drop(journal);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(open(&file));
    assert_eq!(mode(&file), 0o600);
}

#[test]
fn reads_are_written_in_groups_and_at_the_end() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    act(&mut journal, 1);
    let stored = || open(&file).load(&id(1)).unwrap().entries.len();
    read(&mut journal, 1);
    assert_eq!(stored(), 1, "one read is no group");
    for n in 2..=64 {
        read(&mut journal, n);
    }
    assert_eq!(stored(), 65, "a group is written");
    read(&mut journal, 65);
    journal.flush().unwrap();
    assert_eq!(stored(), 66, "flushed");
    read(&mut journal, 66);
    drop(journal);
    assert_eq!(stored(), 67, "written when it is dropped");
}

#[test]
fn the_prompt_keeps_changes_and_answers_only() {
    let (_dir, file) = place();
    let run = NewRun { head: head(1, RunKind::Prompt), keeps: Keeps::Changes, ..new_run(1) };
    let mut journal = RunJournal::new(&file, run);
    read(&mut journal, 1);
    let question = Request::Ask(Ask::Question(Question::new("sure?")));
    journal.note(&question, &Ok(Answer::Chosen(Choice::Yes)), Some("grace")).unwrap();
    act(&mut journal, 1);
    read(&mut journal, 2);
    journal.finish(done()).unwrap();
    let loaded = open(&file).load(&id(1)).unwrap();
    assert_eq!(loaded.entries.len(), 2);
    assert_eq!((&loaded.entries[0].request, loaded.entries[0].by.as_deref()), (&question, Some("grace")));
}

#[test]
fn of_a_wait_only_the_last_look_is_kept_however_long_it_is() {
    for (reads, before) in [(3, 0), (3, 5), (200, 5)] {
        let (_dir, file) = place();
        let mut journal = script(&file, 1);
        act(&mut journal, 1);
        (0..before).for_each(|n| read(&mut journal, n));
        for look in 1..=4_u64 {
            let mark = journal.mark().unwrap();
            assert_eq!(open(&file).load(&id(1)).unwrap().line.rows, 2 + before, "what was before is kept");
            (0..reads).for_each(|n| read(&mut journal, look * 1000 + n));
            if look < 4 {
                journal.forget(mark);
            }
            if look == 3 {
                // It ends here for another reader, who sees what is there: not yet what was forgotten.
                journal.flush().unwrap();
            }
        }
        act(&mut journal, 2);
        drop(journal);
        let kept = (0..before).chain((0..reads).map(|n| 4000 + n)).map(|n| format!("read {n}"));
        let expected: Vec<_> = std::iter::once("did pump-1".into()).chain(kept).chain(["did pump-2".into()]).collect();
        assert_eq!(outcomes(&open(&file).load(&id(1)).unwrap().entries), expected);
    }
}

#[test]
fn a_look_in_which_a_change_began_is_not_forgotten() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    let mark = journal.mark().unwrap();
    read(&mut journal, 1);
    act(&mut journal, 1);
    journal.forget(mark);
    drop(journal);
    assert_eq!(outcomes(&open(&file).load(&id(1)).unwrap().entries), ["read 1", "did pump-1"]);
}

#[test]
fn order_is_that_of_noting_even_if_the_clock_is_set_back() {
    let (_dir, file) = place();
    let time = Rc::new(Cell::new(BEGUN));
    let clock = Rc::clone(&time);
    let mut journal = RunJournal::new(&file, NewRun { clock: Box::new(move || clock.get()), ..new_run(1) });
    for n in 1..=4 {
        read(&mut journal, n);
        act(&mut journal, n);
        time.set(time.get() - 3_600_000);
    }
    drop(journal);
    let loaded = open(&file).load(&id(1)).unwrap();
    let expected: Vec<_> = (1..=4).flat_map(|n| [format!("read {n}"), format!("did pump-{n}")]).collect();
    assert_eq!(outcomes(&loaded.entries), expected);
    assert_eq!(loaded.entries[7].at_ms, Some(BEGUN - 3 * 3_600_000));
}

#[test]
fn a_resumed_run_gives_back_its_entries_and_goes_on() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    read(&mut journal, 1);
    act(&mut journal, 1);
    begin(&mut journal, 2);
    drop(journal);
    let mut resumed = open(&file).resume("20261123-121503", claim(99, &nobody)).unwrap();
    assert_eq!(resumed.secret_key(), [1; 16]);
    assert_eq!(resumed.head(), &head(1, RunKind::Script));
    assert_eq!(resumed.to_replay(), 2);
    let mark = resumed.mark().unwrap();
    let replayed: Vec<Entry> = std::iter::from_fn(|| resumed.next_replayed()).collect();
    assert_eq!(outcomes(&replayed), ["read 1", "did pump-1"]);
    resumed.forget(mark);
    assert_eq!(resumed.unfinished().unwrap().change, change(2));
    finish_change(&mut resumed, 2);
    act(&mut resumed, 3);
    resumed.finish(done()).unwrap();
    let loaded = open(&file).load(&id(1)).unwrap();
    assert_eq!(outcomes(&loaded.entries), ["read 1", "did pump-1", "did pump-2", "did pump-3"]);
    assert_eq!((loaded.line.state, loaded.line.changes, loaded.left.len()), (RunState::Done, 3, 0));
}

#[test]
fn a_change_that_was_found_undone_begins_again() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    begin(&mut journal, 1);
    drop(journal);
    let mut resumed = open(&file).resume(&id(1), claim(99, &nobody)).unwrap();
    act(&mut resumed, 1);
    drop(resumed);
    let loaded = open(&file).load(&id(1)).unwrap();
    assert_eq!(outcomes(&loaded.entries), ["did pump-1"]);
    assert_eq!(loaded.left.iter().map(|left| left.seq).collect::<Vec<_>>(), [1]);
    assert_eq!(loaded.unfinished, None);
}

#[test]
fn a_change_cannot_be_done_that_did_not_begin() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    begin(&mut journal, 1);
    let error = journal.done(Entry::new(change(2).into(), Ok(acted()))).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal);
}

#[test]
fn an_ended_run_notes_nothing_more() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    act(&mut journal, 1);
    journal.finish(failed()).unwrap();
    assert!(journal.began(&change(2), &[], None).is_err());
    let line = open(&file).load(&id(1)).unwrap().line;
    assert_eq!((line.state, line.exit_code, line.holder), (RunState::Failed, Some(4), None));
    assert_eq!(line.error, failed().error);
}

#[test]
fn a_failed_run_can_be_resumed_and_runs_again() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    act(&mut journal, 1);
    journal.finish(failed()).unwrap();
    let resumed = open(&file).resume(&id(1), claim(99, &nobody)).unwrap();
    let line = open(&file).load(&id(1)).unwrap().line;
    assert_eq!((line.state, line.holder), (RunState::Running, Some(holder(99))));
    assert_eq!(line.error, failed().error, "how it ended is known until something is added");
    drop(resumed);
    let mut resumed = open(&file).resume(&id(1), claim(99, &nobody)).unwrap();
    assert!(resumed.next_replayed().is_some() && resumed.next_replayed().is_none());
    act(&mut resumed, 2);
    let line = open(&file).load(&id(1)).unwrap().line;
    assert_eq!((line.exit_code, line.error), (None, None));
}

#[test]
fn a_change_whose_error_ended_the_run_is_tried_again_and_one_that_was_caught_is_given_back() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    for n in 1..=2 {
        begin(&mut journal, n);
        journal.done(Entry::new(change(n).into(), Err(Error::refused("no")))).unwrap();
    }
    read(&mut journal, 1);
    journal.finish(failed()).unwrap();
    let mut resumed = open(&file).resume(&id(1), claim(99, &nobody)).unwrap();
    assert_eq!(resumed.next_replayed().unwrap().request, change(1).into());
    assert!(resumed.next_replayed().is_none() && resumed.unfinished().is_none());
    act(&mut resumed, 2);
    drop(resumed);
    let loaded = open(&file).load(&id(1)).unwrap();
    assert_eq!(
        loaded.entries.iter().map(|entry| entry.request.change().unwrap().clone()).collect::<Vec<_>>(),
        [change(1), change(2)]
    );
    assert_eq!(loaded.again.len(), 1, "what ended it can still be read");
}

#[test]
fn a_change_that_a_lost_lock_stopped_is_tried_again_also_where_the_end_of_the_run_was_not_noted() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    act(&mut journal, 1);
    begin(&mut journal, 2);
    let lost = Error::new(ErrorKind::LockLost, "the maintenance lock is not ours any more");
    journal.done(Entry::new(change(2).into(), Err(lost))).unwrap();
    drop(journal);
    let mut resumed = open(&file).resume(&id(1), claim(99, &nobody)).unwrap();
    assert_eq!(resumed.next_replayed().unwrap().request, change(1).into());
    assert!(resumed.next_replayed().is_none() && resumed.unfinished().is_none());
}

#[test]
fn a_change_in_doubt_that_ended_the_run_is_looked_into() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    begin(&mut journal, 1);
    let doubt = Error::new(ErrorKind::InDoubt, "no answer came");
    journal.done(Entry::new(change(1).into(), Err(doubt.clone()))).unwrap();
    journal.finish(RunEnding { state: RunState::Failed, exit_code: 6, error: Some(doubt) }).unwrap();
    let mut resumed = open(&file).resume(&id(1), claim(99, &nobody)).unwrap();
    assert_eq!(resumed.unfinished().unwrap().change, change(1));
    resumed.settle(Entry::new(change(1).into(), Ok(acted()))).unwrap();
    assert_eq!(resumed.next_replayed().unwrap().outcome, Ok(acted()));
    drop(resumed);
    let resumed = open(&file).resume(&id(1), claim(98, &nobody)).unwrap();
    assert!(resumed.unfinished().is_none(), "it is settled for good");
}

#[test]
fn a_run_that_is_put_back_stands_where_it_stood() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    act(&mut journal, 1);
    (0..5).for_each(|n| read(&mut journal, n));
    journal.finish(failed()).unwrap();
    let before = open(&file).load(&id(1)).unwrap();
    let mut resumed = open(&file).resume(&id(1), claim(99, &nobody)).unwrap();
    resumed.put_back().unwrap();
    assert_eq!(open(&file).load(&id(1)).unwrap(), before);
}
