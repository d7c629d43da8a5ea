//! The record's rules, one fact a test. That the scripts keep them too is tested where they run.

mod bounds;

use std::sync::Arc;

use super::{
    record::{DebounceRecord, Life, Memo},
    *,
};
use crate::token::{Fence, Token};

const NOW: u64 = 1_800_000_000_000_000;
const RETENTION: Retention =
    Retention { armed_ms: 86_400_000, settled_ms: 600_000, memo_ms: 60_000 };
const TRAILING: Timing = Timing { wait_ms: 100, max_wait_ms: None, leading: false, trailing: true };
const LEADING: Timing = Timing { leading: true, trailing: false, ..TRAILING };

/// A record, its memos, and the server's clock.
struct Scene {
    record: DebounceRecord,
    memos: std::collections::HashMap<Token, Memo>,
    now: u64,
    life: Option<Life>,
}

impl Scene {
    fn new() -> Self {
        Self { record: DebounceRecord::default(), memos: Default::default(), now: NOW, life: None }
    }

    fn pass(&mut self, millis: u64) -> &mut Self {
        self.now += millis * 1_000;
        self
    }

    fn apply(&mut self, command: &DebounceCommand) -> DebounceReply {
        let name = command.name().cloned();
        let memo = name.as_ref().and_then(|name| self.memos.get(name)).copied();
        let applied = self.record.apply(self.now, memo, command);
        if let (Some(name), Some(memo)) = (name, applied.memo) {
            self.memos.insert(name, memo);
        }
        self.life = applied.life;
        applied.reply
    }

    fn call(&mut self, name: &str, timing: Timing) -> DebounceReply {
        self.call_again(name, 0, timing)
    }

    fn call_again(&mut self, name: &str, seq: u64, timing: Timing) -> DebounceReply {
        self.apply(&DebounceCommand::Call {
            keys: keys(),
            call: token(name),
            args: name.as_bytes().into(),
            seq,
            timing,
            retention: RETENTION,
        })
    }

    fn armed(&mut self, name: &str) -> u64 {
        match self.call(name, TRAILING) {
            DebounceReply::Armed { seq, .. } => seq,
            reply => panic!("{reply:?}"),
        }
    }

    fn claim(&mut self, runner: &str, seq: u64) -> DebounceReply {
        self.apply(&DebounceCommand::Claim {
            keys: keys(),
            runner: token(runner),
            seq,
            run_lease_ms: 1_000,
            retention: RETENTION,
        })
    }

    /// Number, fence and arguments of what was claimed.
    fn claimed(&mut self, runner: &str) -> (u64, Fence, Arc<[u8]>) {
        match self.claim(runner, 0) {
            DebounceReply::Claimed { seq, fence, args, .. } => (seq, fence, args),
            reply => panic!("{reply:?}"),
        }
    }

    fn finish(&mut self, runner: &str, run: (u64, Fence), success: bool) -> DebounceReply {
        self.apply(&DebounceCommand::Finish {
            keys: keys(),
            runner: token(runner),
            seq: run.0,
            fence: run.1,
            success,
            retry_ms: 50,
            retention: RETENTION,
        })
    }

    fn cancel(&mut self, name: &str) -> DebounceReply {
        let (keys, request, retention) = (keys(), token(name), RETENTION);
        self.apply(&DebounceCommand::Cancel { keys, request, retention })
    }

    fn flush(&mut self, name: &str) -> DebounceReply {
        let (keys, request, retention) = (keys(), token(name), RETENTION);
        self.apply(&DebounceCommand::Flush { keys, request, retention })
    }

    /// A run of call `a`, claimed by `r`.
    fn running() -> (Self, (u64, Fence)) {
        let mut scene = Self::new();
        scene.armed("a");
        let (seq, fence, _) = scene.pass(100).claimed("r");
        (scene, (seq, fence))
    }
}

fn keys() -> Arc<DebounceKeys> {
    Arc::new(DebounceKeys::of("job"))
}

fn token(name: &str) -> Token {
    Token::new(name).unwrap()
}

#[test]
fn each_call_moves_the_due_time_and_the_latest_arguments_win() {
    let mut scene = Scene::new();
    let first = scene.armed("a");
    let second = scene.pass(60).armed("b");
    assert!(second > first);
    let not_due = DebounceReply::NotDue { due_in_ms: 60, newest: second };
    assert_eq!(scene.pass(40).claim("r", first), not_due);
    let (seq, _, args) = scene.pass(60).claimed("r");
    assert_eq!((seq, &*args), (second, b"b".as_slice()));
}

#[test]
fn the_longest_wait_counts_from_the_first_call() {
    let timing = Timing { max_wait_ms: Some(150), ..TRAILING };
    let mut scene = Scene::new();
    for (name, due_in_ms) in [("a", 100), ("b", 90), ("c", 30), ("d", 0)] {
        let reply = scene.call(name, timing);
        assert!(matches!(reply, DebounceReply::Armed { due_in_ms: due, .. } if due == due_in_ms));
        scene.pass(60);
    }
}

#[test]
fn a_copy_of_a_call_changes_nothing_even_after_its_run() {
    let (mut scene, run) = Scene::running();
    assert_eq!(scene.finish("r", run, true), DebounceReply::Finished);
    let before = scene.record.clone();
    assert_eq!(scene.call("a", TRAILING), DebounceReply::Armed { seq: run.0, due_in_ms: 0 });
    assert_eq!(scene.record, before);
}

#[test]
fn a_lost_call_comes_back_unless_newer_arguments_are_there_or_it_has_run() {
    let mut lost = Scene::new();
    lost.call_again("a", NOW - 5_000, TRAILING);
    assert_eq!(lost.record.seq, NOW - 5_000);
    lost.call_again("older", NOW - 9_000, TRAILING);
    let (seq, fence, args) = lost.pass(100).claimed("r");
    assert_eq!((seq, &*args), (NOW - 5_000, b"a".as_slice()));
    lost.finish("r", (seq, fence), true);
    lost.call_again("a", seq, TRAILING);
    assert_eq!(lost.record.pending, None);
}

#[test]
fn calls_and_fences_grow_though_the_record_is_lost_and_the_clock_set_back() {
    let (mut scene, run) = Scene::running();
    scene.now = NOW - 3_600_000_000;
    assert_eq!(scene.armed("b"), run.0 + 1);
    scene.finish("r", run, true);
    let (_, fence, _) = scene.pass(100).claimed("s");
    assert!(fence > run.1);
    let mut lost = Scene::new();
    assert!(lost.pass(1_000).armed("c") > run.0);
}

#[test]
fn a_call_that_the_record_does_not_know_is_missing() {
    let mut scene = Scene::new();
    assert_eq!(scene.claim("r", NOW), DebounceReply::Missing);
    let seq = scene.armed("a");
    assert_eq!(scene.claim("r", seq + 1), DebounceReply::Missing);
    assert_eq!(Scene::new().claim("r", 0), DebounceReply::Idle);
}

#[test]
fn a_runner_that_asks_again_gets_the_same_run_and_another_waits() {
    let (mut scene, (seq, fence)) = Scene::running();
    let newest = scene.pass(10).armed("b");
    let args = b"a".as_slice().into();
    let same = DebounceReply::Claimed { seq, fence, args, remaining_ms: 990 };
    assert_eq!(scene.claim("r", seq), same);
    assert_eq!(scene.claim("s", seq), DebounceReply::Running { remaining_ms: 990, newest });
}

#[test]
fn a_call_during_a_run_waits_for_the_end_of_it() {
    let (mut scene, run) = Scene::running();
    let second = scene.armed("b");
    assert!(matches!(scene.pass(200).claim("s", second), DebounceReply::Running { .. }));
    scene.finish("r", run, true);
    assert_eq!(scene.claimed("s").0, second);
}

#[test]
fn when_a_run_lease_is_over_another_runs_the_same_and_the_first_is_told() {
    let (mut scene, run) = Scene::running();
    let (seq, fence, args) = scene.pass(1_000).claimed("s");
    assert_eq!((seq, &*args), (run.0, b"a".as_slice()));
    assert!(fence > run.1);
    assert_eq!(scene.finish("r", run, true), DebounceReply::Stale);
    assert_eq!(scene.finish("r", run, false), DebounceReply::Stale);
    assert_eq!(scene.finish("s", (seq, fence), true), DebounceReply::Finished);
}

#[test]
fn a_late_end_counts_while_nobody_has_taken_over() {
    let (mut scene, run) = Scene::running();
    assert_eq!(scene.pass(5_000).finish("r", run, true), DebounceReply::Finished);
    let settled = DebounceReply::Settled { fired: run.0, done: run.0 };
    assert_eq!(scene.claim("s", run.0), settled);
}

#[test]
fn a_failed_run_is_due_again_and_a_newer_call_takes_its_place() {
    let (mut scene, run) = Scene::running();
    let rearmed = DebounceReply::Rearmed { due_in_ms: 50 };
    assert_eq!(scene.finish("r", run, false), rearmed);
    assert_eq!(scene.finish("r", run, false), rearmed, "a copy");
    assert_eq!(scene.pass(50).claimed("s").2, b"a".as_slice().into());
    let newer = scene.armed("b");
    assert_eq!(scene.finish("s", run, false), DebounceReply::Rearmed { due_in_ms: 100 });
    assert_eq!(scene.pass(100).claimed("t").0, newer);
}

#[test]
fn a_finished_runner_cannot_claim_again() {
    let (mut scene, run) = Scene::running();
    scene.finish("r", run, false);
    assert_eq!(scene.pass(50).claim("r", 0), DebounceReply::Revoked);
    let mut never = Scene::new();
    never.armed("a");
    assert_eq!(never.finish("early", (0, Fence(0)), false), DebounceReply::Stale);
    assert_eq!(never.pass(100).claim("early", 0), DebounceReply::Revoked);
}

#[test]
fn a_copy_of_an_end_is_answered_as_the_end_was_and_does_not_touch_the_next_run() {
    let (mut scene, run) = Scene::running();
    scene.finish("r", run, true);
    let second = scene.armed("b");
    scene.pass(100).claimed("s");
    let before = scene.record.clone();
    assert_eq!(scene.finish("r", run, true), DebounceReply::Finished);
    assert_eq!(scene.record, before);
    assert_eq!(before.running.map(|running| running.seq), Some(second));
}

#[test]
fn a_record_that_forgot_a_run_learns_of_its_success() {
    let (mut scene, run) = Scene::running();
    scene.record = DebounceRecord::default();
    assert_eq!(scene.finish("r", run, true), DebounceReply::Finished);
    let settled = DebounceReply::Settled { fired: run.0, done: run.0 };
    assert_eq!(scene.claim("s", run.0), settled);
    assert!(scene.pass(10).armed("b") > run.0);
}

#[test]
fn a_leading_call_is_due_at_once_and_the_rest_of_the_window_is_not() {
    let mut scene = Scene::new();
    let first = scene.call("a", LEADING);
    assert!(matches!(first, DebounceReply::Armed { due_in_ms: 0, .. }));
    let (seq, fence, _) = scene.claimed("r");
    scene.finish("r", (seq, fence), true);
    let suppressed = DebounceReply::Suppressed { reopens_in_ms: 100 };
    assert_eq!(scene.pass(60).call("b", LEADING), suppressed);
    assert_eq!(scene.life, Some(Life::AtLeast(100 + RETENTION.memo_ms)), "as long as it matters");
    let copy = DebounceReply::Suppressed { reopens_in_ms: 90 };
    assert_eq!(scene.pass(10).call("b", LEADING), copy);
    let both = Timing { trailing: true, ..LEADING };
    let trailing = scene.call("c", both);
    assert!(matches!(trailing, DebounceReply::Armed { due_in_ms: 100, .. }));
    let joined = scene.pass(50).call("d", LEADING);
    assert!(matches!(joined, DebounceReply::Armed { due_in_ms: 100, .. }), "it joins what waits");
    let (seq, fence, args) = scene.pass(100).claimed("s");
    assert_eq!(&*args, b"d");
    scene.finish("s", (seq, fence), true);
    assert!(matches!(scene.call("e", LEADING), DebounceReply::Armed { due_in_ms: 0, .. }));
}

#[test]
fn calls_join_a_leading_one_that_nobody_has_claimed_yet() {
    let mut scene = Scene::new();
    scene.call("a", LEADING);
    let second = scene.pass(30).call("b", LEADING);
    assert!(matches!(second, DebounceReply::Armed { due_in_ms: 0, .. }));
    assert_eq!(&*scene.claimed("r").2, b"b");
}

#[test]
fn a_cancel_drops_what_waits_once_and_lets_a_run_go_on_but_not_again() {
    let (mut scene, run) = Scene::running();
    let second = scene.armed("b");
    assert_eq!(scene.cancel("x"), DebounceReply::Cancelled { pending: true });
    let cancelled = DebounceReply::Settled { fired: 0, done: second };
    assert_eq!(scene.claim("s", second), cancelled);
    let goes_on = DebounceReply::Running { remaining_ms: 1_000, newest: second };
    assert_eq!(scene.claim("s", run.0), goes_on);
    assert_eq!(scene.finish("r", run, false), DebounceReply::Dropped);
    assert_eq!(scene.claim("s", 0), DebounceReply::Idle);
    let third = scene.armed("c");
    assert_eq!(scene.cancel("x"), DebounceReply::Cancelled { pending: true }, "a copy");
    assert_eq!(scene.pass(100).claimed("s").0, third);
}

#[test]
fn a_cancel_of_nothing_says_so() {
    assert_eq!(Scene::new().cancel("x"), DebounceReply::Cancelled { pending: false });
}

#[test]
fn a_flush_makes_due_what_waits_and_a_copy_does_not_hurry_the_next() {
    let mut scene = Scene::new();
    scene.armed("a");
    assert_eq!(scene.flush("x"), DebounceReply::Flushed { pending: true });
    let (seq, fence, _) = scene.claimed("r");
    scene.finish("r", (seq, fence), true);
    scene.armed("b");
    assert_eq!(scene.flush("x"), DebounceReply::Flushed { pending: true }, "a copy");
    assert!(matches!(scene.claim("s", 0), DebounceReply::NotDue { due_in_ms: 100, .. }));
    assert_eq!(Scene::new().flush("x"), DebounceReply::Flushed { pending: false });
}

#[test]
fn a_clock_set_back_delays_by_no_more_than_the_wait_and_the_lease() {
    let mut scene = Scene::new();
    let seq = scene.armed("a");
    scene.now -= 3_600_000_000;
    assert_eq!(scene.claim("r", seq), DebounceReply::NotDue { due_in_ms: 100, newest: seq });
    scene.pass(100).claimed("r");
    scene.now -= 3_600_000_000;
    let running = DebounceReply::Running { remaining_ms: 1_000, newest: seq };
    assert_eq!(scene.claim("s", seq), running);
    scene.pass(1_000).claimed("s");
}

#[test]
fn what_is_armed_outlives_its_due_time_and_what_is_settled_goes_sooner() {
    let mut scene = Scene::new();
    scene.armed("a");
    assert_eq!(scene.life, Some(Life::Exactly(100 + RETENTION.armed_ms)));
    let (seq, fence, _) = scene.pass(100).claimed("r");
    assert_eq!(scene.life, Some(Life::Exactly(1_000 + RETENTION.armed_ms)));
    scene.finish("r", (seq, fence), true);
    assert_eq!(scene.life, Some(Life::Exactly(RETENTION.settled_ms)));
    scene.armed("b");
    scene.cancel("x");
    assert_eq!(scene.life, Some(Life::Exactly(RETENTION.settled_ms)));
}

#[test]
fn a_status_says_what_waits_and_what_runs() {
    let (mut scene, run) = Scene::running();
    let newest = scene.armed("b");
    let status = scene.apply(&DebounceCommand::Inspect { keys: keys() });
    let expected =
        DebounceStatus { newest, fired: 0, done: 0, due_in_ms: Some(100), running_ms: Some(1_000) };
    assert_eq!(status, DebounceReply::Status(expected));
    assert!(newest > run.0);
}
