//! What a quorum decides, one fact a test.

mod nodes;

use std::{sync::Arc, vec, vec::Vec};

use super::machine::{Progress, QuorumMachine};
use crate::{
    lock::{Holder, LockCommand, LockKeys, LockReply},
    store::{Cause, Command, Rejection, RejectionKind, Reply, StoreError},
    token::{Fence, Token},
};

const TIMED_OUT: StoreError = StoreError::Unknown(Cause::TIMED_OUT);
const UNREACHABLE: StoreError =
    StoreError::NotSent(Cause::Unreachable(std::borrow::Cow::Borrowed("refused")));

fn keys() -> Arc<LockKeys> {
    Arc::new(LockKeys::of("job"))
}

fn acquire_as(token: &str) -> LockCommand {
    LockCommand::Acquire {
        keys: keys(),
        token: Token::new(token).unwrap(),
        lease_ms: 10_000,
        fence_life_ms: 20_000,
        tombstone_ms: 30_000,
    }
}

fn acquire() -> LockCommand {
    acquire_as("me.1#1")
}

fn extend() -> LockCommand {
    LockCommand::Extend { keys: keys(), token: Token::new("me.1#1").unwrap(), lease_ms: 10_000 }
}

fn release() -> LockCommand {
    LockCommand::Release { keys: keys(), token: Token::new("me.1#1").unwrap(), tombstone_ms: 1 }
}

fn granted(fence: u64) -> Result<LockReply, StoreError> {
    Ok(LockReply::Acquired { fence: Fence(fence), fresh: true })
}

fn busy(rest: u64) -> Result<LockReply, StoreError> {
    Ok(LockReply::Busy { remaining_ms: Some(rest) })
}

fn refused() -> StoreError {
    StoreError::Rejected(Rejection { kind: RejectionKind::ReadOnly, message: "READONLY".into() })
}

/// A machine whose nodes answer this, in order, as far as there are answers.
fn asked(
    nodes: usize,
    command: LockCommand,
    answers: impl IntoIterator<Item = Result<LockReply, StoreError>>,
) -> (QuorumMachine, Progress) {
    let mut machine = QuorumMachine::new(nodes, command);
    let mut progress = Progress::Waiting;
    for (node, answer) in answers.into_iter().enumerate() {
        assert_eq!(progress, Progress::Waiting, "decided before node {node} answered");
        progress = machine.answered(node, answer.map(Reply::Lock));
    }
    (machine, progress)
}

fn done(answer: Result<LockReply, StoreError>) -> Progress {
    Progress::Done(answer)
}

/// Which nodes are asked what in this round.
fn round(machine: &QuorumMachine) -> Vec<(usize, &'static str)> {
    let name = |command: &Command| match command {
        Command::Lock(LockCommand::RaiseFence { .. }) => "raise fence",
        Command::Lock(LockCommand::Release { .. }) => "release",
        _ => "ask",
    };
    machine.requests().iter().map(|(node, command)| (*node, name(command))).collect()
}

#[test]
fn a_majority_grants_and_its_greatest_fence_is_written_back() {
    let (mut machine, progress) = asked(3, acquire(), [granted(7), granted(9)]);
    assert_eq!(progress, Progress::NextRound, "the third node need not answer");
    assert_eq!(round(&machine), [(0, "raise fence")], "the second has it already");
    let progress = machine.answered(0, Ok(Reply::Lock(LockReply::FenceRaised)));
    assert_eq!(progress, done(granted(9)));
}

#[test]
fn equal_fences_need_no_second_round() {
    let (_, progress) = asked(3, acquire(), [granted(7), busy(1), granted(7)]);
    assert_eq!(progress, done(granted(7)));
    assert_eq!(asked(1, acquire(), [granted(7)]).1, done(granted(7)));
}

#[test]
fn a_fence_that_cannot_be_written_back_is_not_handed_out() {
    for error in [TIMED_OUT, UNREACHABLE] {
        let (mut machine, _) = asked(3, acquire(), [granted(7), granted(9)]);
        let progress = machine.answered(0, Err(error));
        assert!(matches!(progress, Progress::Done(Err(StoreError::Unknown(_)))), "{progress:?}");
    }
    let (mut machine, _) = asked(3, acquire(), [granted(7), granted(9)]);
    let progress = machine.answered(0, Ok(Reply::Lock(LockReply::NotHeld)));
    assert_eq!(progress, done(Err(TIMED_OUT)), "lost again meanwhile");
}

#[test]
fn a_lease_is_fresh_only_if_it_is_on_a_majority() {
    let copy = Ok(LockReply::Acquired { fence: Fence(7), fresh: false });
    let (_, progress) = asked(3, acquire(), [granted(7), copy.clone()]);
    assert_eq!(progress, done(copy));
}

#[test]
fn unreachable_nodes_still_count_towards_the_majority() {
    let down = || Err(UNREACHABLE);
    let (_, progress) = asked(5, acquire(), [granted(7), down(), granted(7), down()]);
    assert_eq!(progress, Progress::Waiting, "2 of the 3 that can be reached are not 3 of 5");
    let votes = [granted(7), down(), granted(7), down(), down()];
    let (machine, progress) = asked(5, acquire(), votes);
    assert_eq!(progress, Progress::NextRound);
    assert_eq!(round(&machine), [(0, "release"), (2, "release")]);
}

#[test]
fn a_split_vote_of_an_even_number_is_decided() {
    for nodes in [2, 4] {
        let half = nodes / 2;
        let votes = (0..nodes).map(|node| if node < half { granted(7) } else { busy(5) });
        let mut machine = QuorumMachine::new(nodes, acquire());
        let last = votes
            .enumerate()
            .map(|(node, vote)| machine.answered(node, vote.map(Reply::Lock)))
            .last();
        assert_eq!(last, Some(Progress::NextRound), "half of {nodes} is no majority");
        assert_eq!(round(&machine).len(), half);
        let votes = (0..nodes).map(|node| if node < half { granted(7) } else { Err(TIMED_OUT) });
        let mut machine = QuorumMachine::new(nodes, acquire());
        let last = votes
            .enumerate()
            .map(|(node, vote)| machine.answered(node, vote.map(Reply::Lock)))
            .last();
        assert_eq!(last, Some(done(Err(TIMED_OUT))), "with one of two down: no lease, no hang");
    }
}

#[test]
fn what_a_minority_granted_is_released_before_the_answer() {
    let (mut machine, progress) = asked(3, acquire(), [granted(7), busy(30), busy(20)]);
    assert_eq!((progress, round(&machine)), (Progress::NextRound, vec![(0, "release")]));
    let progress = machine.answered(0, Ok(Reply::Lock(LockReply::Released)));
    assert_eq!(progress, done(busy(20)), "free at two nodes once one of the two is");
    let votes = [Err(TIMED_OUT), granted(7), busy(30), busy(20), busy(10)];
    let (mut machine, _) = asked(5, acquire(), votes);
    assert_eq!(round(&machine), [(0, "release"), (1, "release")], "the first may have it too");
    let progress = machine.answered(0, Ok(Reply::Lock(LockReply::NotHeld)));
    assert_eq!(progress, Progress::Waiting, "the second has it for certain");
    let progress = machine.answered(1, Err(UNREACHABLE));
    assert_eq!(progress, done(busy(20)), "one that cannot be released is left to its time");
    assert_eq!(round(&machine), []);
}

#[test]
fn nobody_can_say_when_a_lock_without_an_end_is_free() {
    let forever = || Ok(LockReply::Busy { remaining_ms: None });
    assert_eq!(asked(3, acquire(), [forever(), forever()]).1, done(forever()));
    assert_eq!(asked(3, acquire(), [forever(), Err(UNREACHABLE)]).1, done(forever()));
    assert_eq!(asked(3, acquire(), [forever(), busy(20)]).1, done(busy(20)), "two are enough");
}

#[test]
fn a_callers_own_token_is_not_spent_by_a_minority() {
    let (_, progress) = asked(3, acquire_as("mine"), [granted(7), busy(30), busy(20)]);
    assert_eq!(progress, done(busy(20)));
}

/// The node that fails now may have granted an earlier try under the same token.
#[test]
fn whether_a_callers_own_token_is_on_a_node_that_fails_is_not_known() {
    let votes = [busy(30), Err(refused()), granted(7)];
    assert_eq!(asked(3, acquire_as("mine"), votes).1, done(Err(TIMED_OUT)));
    let votes = [Err(refused()), Err(refused())];
    let unclear = StoreError::Unknown(Cause::Other("READONLY".into()));
    assert_eq!(asked(3, acquire_as("mine"), votes).1, done(Err(unclear)));
    let votes = [busy(30), Err(UNREACHABLE), granted(7)];
    let StoreError::NotSent(cause) = UNREACHABLE else { unreachable!() };
    let (_, progress) = asked(3, acquire_as("mine"), votes);
    assert_eq!(progress, done(Err(StoreError::Unknown(cause))));
}

/// The keys of a majority are under the token by then: the lock's machine is to clean up.
#[test]
fn a_fence_that_cannot_be_written_back_leaves_it_open_who_has_the_lock() {
    let (mut machine, progress) = asked(2, acquire(), [granted(5), granted(6)]);
    assert_eq!((progress, round(&machine)), (Progress::NextRound, vec![(0, "raise fence")]));
    let unclear = StoreError::Unknown(Cause::Other("READONLY".into()));
    assert_eq!(machine.answered(0, Err(refused())), done(Err(unclear)));
}

#[test]
fn one_nodes_error_is_tolerated_and_cleaned_up_after() {
    for error in [TIMED_OUT, UNREACHABLE, refused()] {
        let (_, progress) = asked(3, acquire(), [Err(error.clone()), granted(7), granted(7)]);
        assert_eq!(progress, done(granted(7)), "{error}");
        let extended = Ok(LockReply::Extended);
        let votes = [extended.clone(), Err(error.clone()), extended.clone()];
        assert_eq!(asked(3, extend(), votes).1, done(extended), "{error}");
    }
    let (machine, progress) = asked(3, acquire(), [Err(UNREACHABLE), granted(7), busy(5)]);
    assert_eq!((progress, round(&machine)), (Progress::NextRound, vec![(1, "release")]));
}

#[test]
fn an_acquire_that_may_yet_have_a_majority_is_unknown() {
    let (_, progress) = asked(3, acquire(), [granted(7), Err(TIMED_OUT), busy(5)]);
    assert_eq!(progress, done(Err(TIMED_OUT)), "so that the lock's machine cleans up");
}

#[test]
fn nothing_that_was_sent_is_not_sent() {
    let down = || Err(UNREACHABLE);
    let unclear = StoreError::Unknown(Cause::Unreachable("refused".into()));
    assert_eq!(asked(3, extend(), [down(), down()]).1, done(Err(unclear.clone())));
    assert_eq!(asked(3, release(), [down(), down(), down()]).1, done(Err(UNREACHABLE)));
    let (machine, progress) = asked(3, acquire(), [down(), down()]);
    assert_eq!(progress, done(Err(UNREACHABLE)), "whatever the third does");
    assert_eq!(round(&machine), [(2, "release")], "which is told, and not waited for");
    let (_, progress) = asked(3, release(), [Ok(LockReply::Released), down(), down()]);
    assert_eq!(progress, done(Err(unclear)), "one node applied it");
}

#[test]
fn a_majority_of_refusals_refuses() {
    let refusal = || Err(refused());
    assert_eq!(asked(3, extend(), [refusal(), refusal()]).1, done(refusal()));
    let votes = [refusal(), refusal(), Ok(LockReply::NotHeld)];
    assert_eq!(asked(3, release(), votes).1, done(refusal()));
    let (mut machine, progress) = asked(3, acquire(), [Err(refused()), granted(7), Err(refused())]);
    assert_eq!(progress, Progress::NextRound);
    let progress = machine.answered(1, Ok(Reply::Lock(LockReply::Released)));
    assert_eq!(progress, done(Err(refused())));
}

#[test]
fn a_token_that_is_gone_at_a_majority_is_gone() {
    let revoked = || Ok(LockReply::Revoked);
    let (machine, progress) = asked(3, acquire(), [revoked(), revoked()]);
    assert_eq!((progress, round(&machine)), (done(revoked()), vec![]));
    let (machine, progress) = asked(5, acquire(), [granted(7), revoked(), revoked(), revoked()]);
    assert_eq!((progress, round(&machine)), (Progress::NextRound, vec![(0, "release")]));
}

#[test]
fn an_extension_is_lost_only_if_no_majority_can_have_it() {
    let (yes, no) = (|| Ok(LockReply::Extended), || Ok(LockReply::NotHeld));
    assert_eq!(asked(3, extend(), [no(), no()]).1, done(no()));
    assert_eq!(asked(3, extend(), [no(), yes()]).1, Progress::Waiting);
    assert_eq!(asked(3, extend(), [no(), yes(), Err(TIMED_OUT)]).1, done(Err(TIMED_OUT)));
    assert_eq!(asked(3, extend(), [Err(UNREACHABLE), no()]).1, Progress::Waiting, "lost, perhaps");
    let down = || Err(UNREACHABLE);
    assert_eq!(asked(3, extend(), [no(), down(), down()]).1, done(down()), "nothing was applied");
    let unclear = StoreError::Unknown(Cause::Unreachable("refused".into()));
    assert_eq!(asked(3, extend(), [yes(), down(), down()]).1, done(Err(unclear)), "one applied it");
    assert_eq!(asked(4, extend(), [no(), no()]).1, done(no()));
    assert_eq!(asked(5, extend(), [no(), yes(), yes(), no(), yes()]).1, done(yes()));
}

#[test]
fn a_release_is_done_once_a_majority_has_the_token_no_more() {
    let (yes, no) = (|| Ok(LockReply::Released), || Ok(LockReply::NotHeld));
    assert_eq!(asked(3, release(), [yes(), yes()]).1, done(yes()));
    assert_eq!(asked(3, release(), [no(), no()]).1, done(no()));
    assert_eq!(asked(3, release(), [yes(), no()]).1, Progress::Waiting);
    let unclear = asked(3, release(), [yes(), no(), Err(TIMED_OUT)]).1;
    assert_eq!(unclear, done(yes()), "a majority may have had it");
    let down = asked(3, release(), [yes(), no(), Err(UNREACHABLE)]).1;
    assert_eq!(down, done(yes()), "it may have it still");
    let few = asked(5, release(), [yes(), no(), no(), yes(), no()]).1;
    assert_eq!(few, done(no()), "no majority had it");
    let one = asked(3, release(), [yes(), Err(TIMED_OUT), Err(TIMED_OUT)]).1;
    assert_eq!(one, done(Err(TIMED_OUT)));
}

#[test]
fn the_holder_is_who_has_a_majority() {
    let us = |rest| Ok(LockReply::Holder(Holder::Us { remaining_ms: Some(rest) }));
    let other = |rest| Ok(LockReply::Holder(Holder::Other { remaining_ms: rest }));
    let free = || Ok(LockReply::Holder(Holder::Free));
    let inspect = || LockCommand::Inspect { keys: keys(), token: None };
    assert_eq!(asked(3, inspect(), [us(5), us(9)]).1, done(us(5)), "held until the first lapses");
    assert_eq!(asked(3, inspect(), [us(5), free(), us(9)]).1, done(us(5)));
    assert_eq!(asked(3, inspect(), [other(None), other(Some(9))]).1, done(other(Some(9))));
    assert_eq!(asked(3, inspect(), [free(), free()]).1, done(free()));
    assert_eq!(asked(3, inspect(), [us(5), other(Some(5)), free()]).1, done(free()));
    assert_eq!(asked(3, inspect(), [us(5), free(), Err(TIMED_OUT)]).1, done(Err(TIMED_OUT)));
}

#[test]
fn replicas_are_counted_at_the_weakest_of_a_majority() {
    let confirm = || LockCommand::Confirm { keys: keys(), replicas: 2, timeout_ms: 1 };
    let have = |replicas| Ok(LockReply::Confirmed { replicas });
    assert_eq!(asked(3, confirm(), [have(2), have(1)]).1, done(have(1)));
    assert_eq!(asked(3, confirm(), [have(2), Err(TIMED_OUT), have(2)]).1, done(have(2)));
    assert_eq!(asked(3, confirm(), [Err(TIMED_OUT), Err(refused())]).1, done(Err(TIMED_OUT)));
}

#[test]
#[should_panic(expected = "was not asked")]
fn an_answer_of_an_earlier_round_is_the_drivers_bug() {
    let (mut machine, _) = asked(3, acquire(), [granted(7), granted(9)]);
    let _ = machine.answered(2, granted(5).map(Reply::Lock));
}
