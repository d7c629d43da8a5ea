//! Where exactly one answer ends and the next begins.

use super::*;

const BOUNDED: Timing = Timing { max_wait_ms: Some(150), ..TRAILING };

fn armed(seq: u64, due_in_ms: u64) -> DebounceReply {
    DebounceReply::Armed { seq, due_in_ms }
}

/// A record that knows of calls up to the ninth, of which the fifth was the last to run, but has
/// lost what waited and what ran.
fn forgetful() -> Scene {
    let mut scene = Scene::new();
    scene.record = DebounceRecord { seq: 9, fired: 5, done: 5, fence: 5, ..Default::default() };
    scene
}

#[test]
fn a_call_that_comes_back_is_armed_whatever_its_memo_says() {
    let mut scene = Scene::new();
    let seq = scene.armed("a");
    scene.record = DebounceRecord::default();
    assert_eq!(scene.pass(10).call_again("a", seq, TRAILING), armed(seq, 100));
    assert_eq!(scene.pass(100).claimed("r").0, seq);

    scene.memos.insert(token("b"), Memo::Suppressed);
    scene.record = DebounceRecord::default();
    assert_eq!(scene.call_again("b", seq, TRAILING), armed(seq, 100));
}

#[test]
fn a_call_that_comes_back_waits_no_longer_than_if_it_had_stayed() {
    // Called so many milliseconds ago, or so many from now, by a clock set back since.
    for (called, due_in_ms) in [(NOW - 100_000, 50), (NOW - 49_000, 100), (NOW + 60_000, 100)] {
        let reply = Scene::new().call_again("a", called, BOUNDED);
        assert_eq!(reply, armed(called, due_in_ms));
    }
}

#[test]
fn a_call_that_comes_back_replaces_older_arguments_that_wait() {
    let mut scene = Scene::new();
    scene.call_again("older", NOW - 9_000, TRAILING);
    scene.call_again("newer", NOW - 8_999, TRAILING);
    assert_eq!(scene.record.seq, NOW - 8_999);
    assert_eq!(&*scene.pass(100).claimed("r").2, b"newer");
}

#[test]
fn a_call_that_runs_is_not_armed_again_but_one_newer_than_the_run_is() {
    for (later, arms) in [(0, false), (1, true)] {
        let (mut scene, run) = Scene::running();
        let seq = run.0 + later;
        assert_eq!(scene.call_again("again", seq, TRAILING), armed(seq, 100 * later));
        assert_eq!(scene.record.pending.is_some(), arms, "{later} later");
    }
}

#[test]
fn a_call_whose_arguments_are_gone_comes_back_under_its_own_number() {
    assert_eq!(forgetful().claim("r", 7), DebounceReply::Missing);
    assert_eq!(forgetful().claim("r", 0), DebounceReply::Idle);
    let mut scene = forgetful();
    assert_eq!(scene.call_again("a", 5, TRAILING), armed(5, 0), "it has run");
    assert_eq!(scene.record.pending, None);
    assert_eq!(scene.call_again("a", 7, TRAILING), armed(7, 100));
    assert_eq!(scene.memos[&token("a")], Memo::Armed(7));
    assert_eq!(scene.pass(100).claimed("r").0, 9, "it stands for all that are not settled");
}

#[test]
fn what_was_cancelled_while_it_ran_does_not_run_again() {
    let (mut scene, run) = Scene::running();
    scene.cancel("x");
    assert_eq!(scene.pass(1_000).claim("s", 0), DebounceReply::Idle);
    assert_eq!(scene.claim("s", run.0), DebounceReply::Settled { fired: 0, done: run.0 });
    assert_eq!(scene.finish("r", run, false), DebounceReply::Dropped);
    assert_eq!(scene.record.pending, None);
}

#[test]
fn a_run_that_has_ended_does_not_end_again_when_its_memo_is_forgotten() {
    let (mut scene, run) = Scene::running();
    scene.finish("r", run, false);
    scene.memos.clear();
    assert_eq!(scene.finish("r", run, true), DebounceReply::Stale);
    assert_eq!(&*scene.pass(50).claimed("s").2, b"a", "it is still due");
}

#[test]
fn a_failed_run_is_due_after_the_retry_delay_and_not_before() {
    let (mut scene, run) = Scene::running();
    scene.finish("r", run, false);
    for (passed, due_in_ms) in [(0, 50), (49, 1)] {
        let not_due = DebounceReply::NotDue { due_in_ms, newest: run.0 };
        assert_eq!(scene.pass(passed).claim("s", 0), not_due);
    }
    assert_eq!(scene.pass(1).claimed("s").0, run.0);
}

#[test]
fn a_cancel_drops_a_run_from_the_moment_its_lease_is_over() {
    for (passed_us, pending) in [(999_999, false), (1_000_000, true), (1_000_001, true)] {
        let (mut scene, _) = Scene::running();
        scene.now += passed_us;
        assert_eq!(scene.cancel("x"), DebounceReply::Cancelled { pending }, "{passed_us}");
        scene.pass(1_000);
        let nothing = DebounceReply::Cancelled { pending: false };
        assert_eq!(scene.cancel("y"), nothing, "it was dropped before");
    }
}

#[test]
fn a_cancel_of_nothing_leaves_no_record_to_expire() {
    let mut scene = Scene::new();
    scene.cancel("x");
    assert_eq!(scene.life, None);
    assert_eq!(scene.record, DebounceRecord::default());
}

#[test]
fn after_a_run_the_record_lives_for_what_waits() {
    let (mut scene, run) = Scene::running();
    scene.armed("b");
    scene.finish("r", run, true);
    assert_eq!(scene.life, Some(Life::Exactly(100 + RETENTION.armed_ms)));

    let (mut scene, run) = Scene::running();
    scene.finish("r", run, false);
    assert_eq!(scene.life, Some(Life::Exactly(50 + RETENTION.armed_ms)));
}
