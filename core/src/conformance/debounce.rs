//! What every store answers about debounced calls.
#![allow(missing_docs, clippy::missing_panics_doc, reason = "each case's name is its fact")]

use std::{format, sync::Arc, time::Duration, vec::Vec};

use super::{DynFixture, LONG, SHORT, subject, two_tokens, unique};
use crate::{
    debounce::{DebounceCommand, DebounceKeys, DebounceReply, DebounceStatus, Retention, Timing},
    lock::LockReply,
    store::{Command, Reply, Store},
    token::{Fence, Token},
};

const KEPT: Retention = Retention { armed_ms: LONG, settled_ms: LONG, memo_ms: LONG };

/// Due after this, and run once, after the last call.
const fn after(wait_ms: u64) -> Timing {
    Timing { wait_ms, max_wait_ms: None, leading: false, trailing: true }
}

/// A run that was let begin.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    seq: u64,
    fence: Fence,
    args: Arc<[u8]>,
}

/// One debounced call of its own in the store under test.
struct Subject<'a> {
    fixture: DynFixture<'a>,
    keys: Arc<DebounceKeys>,
}

impl<'a> Subject<'a> {
    fn new(fixture: DynFixture<'a>) -> Self {
        Self::called(fixture, &format!("leasehold-conformance-{}", unique()))
    }

    fn called(fixture: DynFixture<'a>, id: &str) -> Self {
        Self { fixture, keys: Arc::new(DebounceKeys::of(id)) }
    }

    fn keys(&self) -> Arc<DebounceKeys> {
        self.keys.clone()
    }

    async fn ask(&self, command: DebounceCommand) -> DebounceReply {
        let shown = format!("{command:?}");
        match self.fixture.store().execute(Command::Debounce(command)).await {
            Ok(Reply::Debounce(reply)) => reply,
            other => panic!("{shown} was answered by {other:?}"),
        }
    }

    async fn call(&self, call: &Token, args: &str, timing: Timing) -> DebounceReply {
        self.call_again(call, args, 0, timing).await
    }

    async fn call_again(
        &self,
        call: &Token,
        args: &str,
        seq: u64,
        timing: Timing,
    ) -> DebounceReply {
        let (keys, call, args) = (self.keys(), call.clone(), args.as_bytes().into());
        self.ask(DebounceCommand::Call { keys, call, args, seq, timing, retention: KEPT }).await
    }

    /// Counts a new call, and says its number.
    async fn arm(&self, args: &str, wait_ms: u64) -> u64 {
        match self.call(&two_tokens().0, args, after(wait_ms)).await {
            DebounceReply::Armed { seq, due_in_ms } if due_in_ms <= wait_ms => seq,
            other => panic!("a call did not count: {other:?}"),
        }
    }

    async fn claim(&self, runner: &Token, seq: u64) -> DebounceReply {
        self.claim_for(runner, seq, LONG).await
    }

    async fn claim_for(&self, runner: &Token, seq: u64, run_lease_ms: u64) -> DebounceReply {
        let (keys, runner) = (self.keys(), runner.clone());
        self.ask(DebounceCommand::Claim { keys, runner, seq, run_lease_ms, retention: KEPT }).await
    }

    async fn take(&self, runner: &Token, seq: u64) -> Run {
        self.take_for(runner, seq, LONG).await
    }

    async fn take_for(&self, runner: &Token, seq: u64, lease_ms: u64) -> Run {
        match self.claim_for(runner, seq, lease_ms).await {
            DebounceReply::Claimed { seq, fence, args, remaining_ms }
                if remaining_ms <= lease_ms =>
            {
                Run { seq, fence, args }
            }
            other => panic!("what is due was not claimed: {other:?}"),
        }
    }

    async fn finish(&self, runner: &Token, run: &Run) -> DebounceReply {
        self.end(runner, run.seq, run.fence, true, 0).await
    }

    async fn fail(&self, runner: &Token, run: &Run, retry_ms: u64) -> DebounceReply {
        self.end(runner, run.seq, run.fence, false, retry_ms).await
    }

    /// Gives back a claim whose answer never came.
    async fn give_back(&self, runner: &Token) -> DebounceReply {
        self.end(runner, 0, Fence(0), false, 0).await
    }

    async fn end(
        &self,
        runner: &Token,
        seq: u64,
        fence: Fence,
        success: bool,
        retry_ms: u64,
    ) -> DebounceReply {
        let (keys, runner, retention) = (self.keys(), runner.clone(), KEPT);
        self.ask(DebounceCommand::Finish { keys, runner, seq, fence, success, retry_ms, retention })
            .await
    }

    /// Whether something waited that is dropped.
    async fn cancel(&self, request: &Token) -> bool {
        let (keys, request) = (self.keys(), request.clone());
        match self.ask(DebounceCommand::Cancel { keys, request, retention: KEPT }).await {
            DebounceReply::Cancelled { pending } => pending,
            other => panic!("a cancellation was answered by {other:?}"),
        }
    }

    /// Whether something waited that is due now.
    async fn flush(&self, request: &Token) -> bool {
        let (keys, request) = (self.keys(), request.clone());
        match self.ask(DebounceCommand::Flush { keys, request, retention: KEPT }).await {
            DebounceReply::Flushed { pending } => pending,
            other => panic!("a flush was answered by {other:?}"),
        }
    }

    async fn status(&self) -> DebounceStatus {
        match self.ask(DebounceCommand::Inspect { keys: self.keys() }).await {
            DebounceReply::Status(status) => status,
            other => panic!("an inspection was answered by {other:?}"),
        }
    }

    async fn pass(&self, millis: u64) {
        self.fixture.pass(Duration::from_millis(millis + 5)).await;
    }
}

pub(super) async fn a_call_counts_and_is_not_due_before_its_wait(fixture: DynFixture<'_>) {
    let (subject, (runner, _)) = (Subject::new(fixture), two_tokens());
    let seq = subject.arm("a", LONG).await;
    for asked in [seq, 0] {
        match subject.claim(&runner, asked).await {
            DebounceReply::NotDue { due_in_ms, newest } => {
                assert_eq!(newest, seq);
                assert!((1..=LONG).contains(&due_in_ms), "{due_in_ms}");
            }
            other => panic!("{other:?}"),
        }
    }
    let status = subject.status().await;
    assert_eq!((status.newest, status.fired, status.done), (seq, 0, 0));
    assert!(status.due_in_ms.is_some_and(|due| (1..=LONG).contains(&due)), "{status:?}");
    assert_eq!(status.running_ms, None);
}

pub(super) async fn what_is_due_is_run_with_the_newest_arguments(fixture: DynFixture<'_>) {
    let (subject, (runner, _)) = (Subject::new(fixture), two_tokens());
    let first = subject.arm("a", SHORT).await;
    let second = subject.arm("b", SHORT).await;
    assert!(second > first);
    subject.pass(SHORT).await;
    let run = subject.take(&runner, first).await;
    assert_eq!((run.seq, &*run.args), (second, &b"b"[..]));
    assert!(run.fence > Fence(0));
}

pub(super) async fn a_late_copy_of_a_call_changes_nothing(fixture: DynFixture<'_>) {
    let (subject, (call, runner)) = (Subject::new(fixture), two_tokens());
    let DebounceReply::Armed { seq, .. } = subject.call(&call, "a", after(0)).await else {
        panic!("a call did not count");
    };
    let newest = subject.arm("b", 0).await;
    match subject.call(&call, "a", after(LONG)).await {
        DebounceReply::Armed { seq: copy, due_in_ms: 0 } => assert_eq!(copy, seq),
        other => panic!("{other:?}"),
    }
    let run = subject.take(&runner, newest).await;
    assert_eq!((run.seq, &*run.args), (newest, &b"b"[..]));
}

pub(super) async fn a_claim_sent_twice_is_one_run_that_others_await(fixture: DynFixture<'_>) {
    let (subject, (runner, other)) = (Subject::new(fixture), two_tokens());
    let seq = subject.arm("a", 0).await;
    let run = subject.take(&runner, seq).await;
    assert_eq!(subject.take(&runner, seq).await, run);
    match subject.claim(&other, seq).await {
        DebounceReply::Running { remaining_ms, newest } => {
            assert_eq!(newest, seq);
            assert!((1..=LONG).contains(&remaining_ms), "{remaining_ms}");
        }
        reply => panic!("{reply:?}"),
    }
    let running = subject.status().await.running_ms;
    assert!(running.is_some_and(|left| (1..=LONG).contains(&left)), "{running:?}");
}

pub(super) async fn a_run_ends_once_however_often_that_is_said(fixture: DynFixture<'_>) {
    let (subject, (runner, other)) = (Subject::new(fixture), two_tokens());
    let seq = subject.arm("a", 0).await;
    let run = subject.take(&runner, seq).await;
    assert_eq!(subject.finish(&runner, &run).await, DebounceReply::Finished);
    let next = subject.arm("b", LONG).await;
    assert_eq!(subject.finish(&runner, &run).await, DebounceReply::Finished);
    assert_eq!(subject.fail(&runner, &run, 0).await, DebounceReply::Finished);
    let settled = DebounceReply::Settled { fired: seq, done: seq };
    assert_eq!(subject.claim(&other, seq).await, settled);
    let status = subject.status().await;
    assert_eq!((status.newest, status.fired, status.running_ms), (next, seq, None));
    assert!(status.due_in_ms.is_some(), "a copy settles no later call");
}

pub(super) async fn a_claim_that_comes_after_it_was_given_back_is_spent(fixture: DynFixture<'_>) {
    let (subject, (runner, other)) = (Subject::new(fixture), two_tokens());
    let seq = subject.arm("a", 0).await;
    assert_eq!(subject.give_back(&runner).await, DebounceReply::Stale);
    assert_eq!(subject.claim(&runner, seq).await, DebounceReply::Revoked);
    assert_eq!(subject.claim(&runner, 0).await, DebounceReply::Revoked);
    subject.take(&other, seq).await;
}

pub(super) async fn a_failed_run_is_due_again(fixture: DynFixture<'_>) {
    let (subject, (runner, other)) = (Subject::new(fixture), two_tokens());
    let seq = subject.arm("a", 0).await;
    let run = subject.take(&runner, seq).await;
    for _copy in 0..2 {
        match subject.fail(&runner, &run, SHORT).await {
            DebounceReply::Rearmed { due_in_ms } => assert!(due_in_ms <= SHORT, "{due_in_ms}"),
            reply => panic!("{reply:?}"),
        }
    }
    subject.pass(SHORT).await;
    let again = subject.take(&other, seq).await;
    assert_eq!((again.seq, &again.args), (seq, &run.args));
    assert!(again.fence > run.fence);
}

pub(super) async fn a_run_left_behind_is_taken_over_when_its_lease_is_over(
    fixture: DynFixture<'_>,
) {
    let (subject, (runner, other)) = (Subject::new(fixture), two_tokens());
    let seq = subject.arm("a", 0).await;
    let left = subject.take_for(&runner, seq, SHORT).await;
    subject.pass(SHORT).await;
    let taken = subject.take(&other, 0).await;
    assert_eq!((taken.seq, &taken.args), (seq, &left.args));
    assert!(taken.fence > left.fence);
    assert_eq!(subject.finish(&runner, &left).await, DebounceReply::Stale);
    assert!(subject.status().await.running_ms.is_some(), "it ends only its own run");
    assert_eq!(subject.finish(&other, &taken).await, DebounceReply::Finished);
}

pub(super) async fn a_call_during_a_run_waits_for_its_own(fixture: DynFixture<'_>) {
    let (subject, (runner, other)) = (Subject::new(fixture), two_tokens());
    let first = subject.arm("a", 0).await;
    let run = subject.take(&runner, first).await;
    let second = subject.arm("b", 0).await;
    assert!(matches!(subject.claim(&other, second).await, DebounceReply::Running { .. }));
    assert_eq!(subject.finish(&runner, &run).await, DebounceReply::Finished);
    let next = subject.take(&other, second).await;
    assert_eq!((next.seq, &*next.args), (second, &b"b"[..]));
    assert_eq!(subject.finish(&other, &next).await, DebounceReply::Finished);
    let superseded = DebounceReply::Settled { fired: second, done: second };
    assert_eq!(subject.claim(&two_tokens().0, first).await, superseded);
    assert_eq!(subject.claim(&two_tokens().0, 0).await, DebounceReply::Idle);
}

pub(super) async fn a_cancelled_call_is_not_run(fixture: DynFixture<'_>) {
    let (subject, (request, runner)) = (Subject::new(fixture), two_tokens());
    let seq = subject.arm("a", 0).await;
    assert!(subject.cancel(&request).await);
    let settled = DebounceReply::Settled { fired: 0, done: seq };
    assert_eq!(subject.claim(&runner, seq).await, settled);
    assert_eq!(subject.claim(&runner, 0).await, DebounceReply::Idle);
    assert!(!subject.cancel(&two_tokens().0).await);
    let later = subject.arm("b", 0).await;
    assert!(subject.cancel(&request).await, "a copy is answered as the first was");
    assert_eq!(subject.take(&runner, later).await.seq, later);
}

pub(super) async fn a_run_that_fails_after_a_cancellation_is_dropped(fixture: DynFixture<'_>) {
    let (subject, (runner, request)) = (Subject::new(fixture), two_tokens());
    let seq = subject.arm("a", 0).await;
    let run = subject.take(&runner, seq).await;
    assert!(!subject.cancel(&request).await, "what runs does not wait");
    assert_eq!(subject.fail(&runner, &run, 0).await, DebounceReply::Dropped);
    assert_eq!(subject.claim(&two_tokens().0, 0).await, DebounceReply::Idle);
}

pub(super) async fn a_flushed_call_is_due_at_once(fixture: DynFixture<'_>) {
    let (subject, (request, runner)) = (Subject::new(fixture), two_tokens());
    assert!(!subject.flush(&two_tokens().0).await);
    let seq = subject.arm("a", LONG).await;
    assert!(subject.flush(&request).await);
    let run = subject.take(&runner, seq).await;
    assert_eq!(subject.finish(&runner, &run).await, DebounceReply::Finished);
    let later = subject.arm("b", LONG).await;
    assert!(subject.flush(&request).await, "a copy is answered as the first was");
    let reply = subject.claim(&two_tokens().0, later).await;
    assert!(matches!(reply, DebounceReply::NotDue { .. }), "a copy hurries nothing: {reply:?}");
}

pub(super) async fn the_longest_wait_counts_from_the_first_call(fixture: DynFixture<'_>) {
    let (subject, (runner, _)) = (Subject::new(fixture), two_tokens());
    let bounded = Timing { max_wait_ms: Some(SHORT), ..after(LONG) };
    for _call in 0..3 {
        match subject.call(&two_tokens().0, "a", bounded).await {
            DebounceReply::Armed { due_in_ms, .. } => assert!(due_in_ms <= SHORT, "{due_in_ms}"),
            other => panic!("{other:?}"),
        }
    }
    subject.pass(SHORT).await;
    subject.take(&runner, 0).await;
}

pub(super) async fn a_leading_call_is_due_at_once_and_the_rest_of_its_window_is_not(
    fixture: DynFixture<'_>,
) {
    let (subject, (runner, call)) = (Subject::new(fixture), two_tokens());
    let leading = Timing { leading: true, trailing: false, ..after(LONG) };
    let first = subject.call(&two_tokens().0, "a", leading).await;
    let DebounceReply::Armed { seq, due_in_ms: 0 } = first else { panic!("{first:?}") };
    let run = subject.take(&runner, seq).await;
    assert_eq!(subject.finish(&runner, &run).await, DebounceReply::Finished);
    for _copy in 0..2 {
        match subject.call(&call, "b", leading).await {
            DebounceReply::Suppressed { reopens_in_ms } => {
                assert!((1..=LONG).contains(&reopens_in_ms), "{reopens_in_ms}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(subject.claim(&two_tokens().0, 0).await, DebounceReply::Idle);
}

pub(super) async fn a_lost_record_is_answered_as_lost_and_can_be_put_back(fixture: DynFixture<'_>) {
    const LOST: u64 = 42;
    let (subject, (runner, other)) = (Subject::new(fixture), two_tokens());
    let nothing =
        DebounceStatus { newest: 0, fired: 0, done: 0, due_in_ms: None, running_ms: None };
    assert_eq!(subject.status().await, nothing);
    assert_eq!(subject.claim(&runner, LOST).await, DebounceReply::Missing);
    assert_eq!(subject.claim(&runner, 0).await, DebounceReply::Idle);
    let put_back = subject.call_again(&two_tokens().0, "a", LOST, after(0)).await;
    assert_eq!(put_back, DebounceReply::Armed { seq: LOST, due_in_ms: 0 });
    let run = subject.take(&runner, LOST).await;
    assert_eq!((run.seq, &*run.args), (LOST, &b"a"[..]));
    assert_eq!(subject.finish(&runner, &run).await, DebounceReply::Finished);
    // What has run is not put back once more.
    let known = subject.call_again(&two_tokens().0, "a", LOST, after(0)).await;
    assert_eq!(known, DebounceReply::Armed { seq: LOST, due_in_ms: 0 });
    assert_eq!(subject.claim(&other, 0).await, DebounceReply::Idle);
}

pub(super) async fn a_run_counts_although_the_record_was_lost(fixture: DynFixture<'_>) {
    let (subject, (runner, other)) = (Subject::new(fixture), two_tokens());
    let lost = Run { seq: 42, fence: Fence(42), args: b"a"[..].into() };
    assert_eq!(subject.finish(&runner, &lost).await, DebounceReply::Finished);
    let settled = DebounceReply::Settled { fired: 42, done: 42 };
    assert_eq!(subject.claim(&other, 42).await, settled);
    assert_eq!(subject.fail(&two_tokens().0, &lost, 0).await, DebounceReply::Stale);
}

pub(super) async fn a_settled_record_is_forgotten_in_time(fixture: DynFixture<'_>) {
    let (subject, (runner, _)) = (Subject::new(fixture), two_tokens());
    let seq = subject.arm("a", 0).await;
    let run = subject.take(&runner, seq).await;
    let retention = Retention { settled_ms: SHORT, ..KEPT };
    let (keys, fence) = (subject.keys(), run.fence);
    let finish =
        DebounceCommand::Finish { keys, runner, seq, fence, success: true, retry_ms: 0, retention };
    assert_eq!(subject.ask(finish).await, DebounceReply::Finished);
    subject.pass(SHORT).await;
    assert_eq!(subject.status().await.newest, 0);
    assert_eq!(subject.claim(&two_tokens().0, seq).await, DebounceReply::Missing);
}

pub(super) async fn a_dropped_debounced_call_counts_once_or_never(fixture: DynFixture<'_>) {
    for polls in 0..12 {
        let (subject, (call, _)) = (Subject::new(fixture), two_tokens());
        let sent = subject.call(&call, "a", after(LONG));
        let answered = subject::drop_after(polls, sent).await.is_some();
        let counted = subject.status().await.newest;
        assert!(counted > 0 || !answered, "an answered call was not counted");
        match subject.call(&call, "a", after(LONG)).await {
            DebounceReply::Armed { seq, .. } if counted == 0 || seq == counted => {
                assert_eq!(subject.status().await.newest, seq, "sent again, it is the same");
            }
            other => panic!("{other:?}"),
        }
    }
}

pub(super) async fn a_lock_and_a_debounced_call_may_share_an_id(fixture: DynFixture<'_>) {
    let (id, (mine, runner)) = (unique(), two_tokens());
    let lock = subject::Subject::called(fixture, &id);
    let calls = Subject::called(fixture, &id);
    lock.take(&mine, LONG).await;
    let seq = calls.arm("a", SHORT).await;
    calls.pass(SHORT).await;
    let run = calls.take(&runner, seq).await;
    assert_eq!(lock.release(&mine).await, LockReply::Released);
    assert_eq!(calls.finish(&runner, &run).await, DebounceReply::Finished);
    assert_eq!(calls.status().await.done, seq);
}

pub(super) async fn arguments_are_kept_byte_for_byte(fixture: DynFixture<'_>) {
    let long = "0123456789abcdef".repeat(4_096);
    let odd = ["", "\0", "OK", "null", "-1", "{\"a\":[1,2]}", "a\r\nb,c", "ünï\u{1F512}", &long];
    for args in odd {
        let (subject, (runner, _)) = (Subject::new(fixture), two_tokens());
        let seq = subject.arm(args, 1).await;
        subject.pass(1).await;
        let run = subject.take(&runner, seq).await;
        assert_eq!(&*run.args, args.as_bytes());
    }
}

pub(super) async fn debounced_calls_of_different_ids_do_not_meet(fixture: DynFixture<'_>) {
    let unique = unique();
    let ids = ["{u}", "{u}1", "u", "u{}", "ué", "ue\u{301}"].map(|id| id.replace('u', &unique));
    let mut calls = Vec::new();
    for id in &ids {
        calls.push(Subject::called(fixture, id).arm(id, 1).await);
    }
    for (id, seq) in ids.iter().zip(calls) {
        let (subject, (runner, _)) = (Subject::called(fixture, id), two_tokens());
        subject.pass(1).await;
        let run = subject.take(&runner, 0).await;
        assert_eq!((run.seq, &*run.args), (seq, id.as_bytes()));
    }
}
