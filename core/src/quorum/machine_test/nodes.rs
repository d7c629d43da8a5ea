//! Quorums of real nodes, over generated losses, orders and clocks.

use std::{boxed::Box, cell::Cell, collections::BTreeMap, format, pin::pin};

use core::{
    future::Future,
    task::{Context, Poll, Waker},
};
use proptest::prelude::*;

use super::*;
use crate::{Instant, MemoryStore, store::Store};

type Node = MemoryStore<Box<dyn Fn() -> Instant + Sync>>;

std::thread_local! {
    /// The true time, in microseconds.
    static NOW: Cell<u64> = const { Cell::new(0) };
}

/// A node whose clock is ahead by this much.
fn node(ahead_us: u64) -> Node {
    MemoryStore::with_time(Box::new(move || Instant::from_micros(NOW.get() + ahead_us)))
}

fn apply(node: &Node, command: Command) -> Result<Reply, StoreError> {
    match pin!(node.execute(command)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("it answers at once"),
    }
}

/// What happens to one request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Fine,
    NotSent,
    LoseRequest,
    LoseReply,
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Fine),
        1 => Just(Fate::NotSent),
        1 => Just(Fate::LoseRequest),
        1 => Just(Fate::LoseReply),
    ]
}

/// Runs `command` over `nodes`, which are reached in an order that `turns` says.
fn run(
    nodes: &[Node],
    command: LockCommand,
    fates: &mut impl Iterator<Item = (Fate, usize)>,
) -> Result<LockReply, StoreError> {
    let mut machine = QuorumMachine::new(nodes.len(), command);
    loop {
        let mut requests = machine.requests();
        let mut progress = Progress::Waiting;
        // Every request is sent, also those whose answers come after the decision.
        while !requests.is_empty() {
            let (fate, turn) = fates.next().unwrap_or((Fate::Fine, 0));
            let (node, command) = requests.swap_remove(turn % requests.len());
            let result = match fate {
                Fate::Fine => apply(&nodes[node], command),
                Fate::NotSent => Err(UNREACHABLE),
                Fate::LoseRequest => Err(TIMED_OUT),
                Fate::LoseReply => apply(&nodes[node], command).and(Err(TIMED_OUT)),
            };
            if progress == Progress::Waiting {
                progress = machine.answered(node, result);
            }
        }
        match progress {
            Progress::Waiting => panic!("every node has answered, and nothing is decided"),
            Progress::NextRound => {}
            Progress::Done(answer) => {
                for (node, command) in machine.requests() {
                    let _ = apply(&nodes[node], command);
                }
                return answer;
            }
        }
    }
}

proptest! {
    #[test]
    fn at_most_one_holds_and_fences_grow_whatever_is_lost(
        ahead_us in prop::collection::vec(0..3_000u64, 1..6),
        steps in prop::collection::vec((0..3usize, any::<bool>(), 0..50u64), 1..30),
        fates in prop::collection::vec((fates(), 0..6usize), 0..300),
    ) {
        NOW.set(1_000_000);
        let nodes: Vec<_> = ahead_us.into_iter().map(node).collect();
        let mut fates = fates.into_iter();
        // Who was told that the lock is theirs, and has not begun to release it.
        let mut held: BTreeMap<usize, Token> = BTreeMap::new();
        let (mut last, mut tries) = (Fence(0), 0);
        for (client, wants, micros) in steps {
            NOW.set(NOW.get() + micros);
            if let Some(token) = held.remove(&client) {
                if wants {
                    let extended = run(&nodes, extend_as(&token), &mut fates);
                    prop_assert!(extended != Ok(LockReply::NotHeld), "it is held");
                    held.insert(client, token);
                } else {
                    let released = run(&nodes, release_as(&token), &mut fates);
                    prop_assert!(released != Ok(LockReply::NotHeld), "it was held");
                }
                continue;
            }
            tries += 1;
            let token = Token::new(format!("{client}.1#{tries}")).unwrap();
            match run(&nodes, acquire_as(token.as_str()), &mut fates) {
                Ok(LockReply::Acquired { fence, .. }) => {
                    prop_assert!(held.is_empty(), "{held:?} and {client}");
                    prop_assert!(fence > last, "{fence} after {last}");
                    last = fence;
                    held.insert(client, token);
                }
                Ok(LockReply::Busy { .. }) => {
                    let copies = held_by(&nodes, &token);
                    prop_assert!(copies <= nodes.len() / 2, "{copies} of {}", nodes.len());
                }
                Ok(reply) => prop_assert!(false, "{reply:?}"),
                Err(StoreError::NotSent(_)) => prop_assert!(held_by(&nodes, &token) <= nodes.len() / 2),
                Err(_) => {
                    let _ = run(&nodes, release_as(&token), &mut fates);
                }
            }
        }
    }
}

fn extend_as(token: &Token) -> LockCommand {
    LockCommand::Extend { keys: keys(), token: token.clone(), lease_ms: 10_000 }
}

fn release_as(token: &Token) -> LockCommand {
    LockCommand::Release { keys: keys(), token: token.clone(), tombstone_ms: 30_000 }
}

/// At how many nodes `token` is under the key.
fn held_by(nodes: &[Node], token: &Token) -> usize {
    let inspect = || LockCommand::Inspect { keys: keys(), token: Some(token.clone()) };
    let ours = |node: &&Node| {
        matches!(
            apply(node, Command::Lock(inspect())),
            Ok(Reply::Lock(LockReply::Holder(Holder::Us { .. })))
        )
    };
    nodes.iter().filter(ours).count()
}

fn fine() -> impl Iterator<Item = (Fate, usize)> {
    std::iter::empty()
}

#[test]
fn callers_with_a_part_of_the_nodes_each_do_not_keep_one_another_out() {
    let nodes: Vec<_> = (0..3).map(|_| node(0)).collect();
    let mut machines: Vec<_> =
        (0..3).map(|client| QuorumMachine::new(3, acquire_as(&format!("{client}.1#1")))).collect();
    // Each reaches another node first.
    for turn in 0..3 {
        for (client, machine) in machines.iter_mut().enumerate() {
            let node = (client + turn) % 3;
            let open = machine.requests().into_iter().find(|(asked, _)| *asked == node);
            if let Some((_, command)) = open {
                let _ = machine.answered(node, apply(&nodes[node], command));
            }
        }
    }
    for machine in &mut machines {
        for (node, command) in machine.requests() {
            let _ = machine.answered(node, apply(&nodes[node], command));
        }
    }
    let again = run(&nodes, acquire_as("0.1#2"), &mut fine());
    assert!(matches!(again, Ok(LockReply::Acquired { .. })), "{again:?}");
}

/// What no quorum can help: the module's documentation says how to keep such a node away.
#[test]
fn a_node_that_restarts_without_its_data_lets_a_second_in_with_a_greater_fence() {
    let mut nodes: Vec<_> = (0..3).map(|_| node(0)).collect();
    let down_third = [(Fate::Fine, 0), (Fate::Fine, 0), (Fate::NotSent, 0)];
    let order = |fates: [(Fate, usize); 3]| fates.into_iter();
    let first = run(&nodes, acquire_as("a.1#1"), &mut order(down_third));
    let Ok(LockReply::Acquired { fence: first, .. }) = first else { panic!("{first:?}") };
    NOW.set(NOW.get() + 10);
    let lost =
        nodes.iter().position(|node| held_by(std::slice::from_ref(node), &token("a.1#1")) == 1);
    nodes[lost.unwrap()] = node(0);
    let second = run(&nodes, acquire_as("b.1#1"), &mut fine());
    let Ok(LockReply::Acquired { fence: second, .. }) = second else { panic!("{second:?}") };
    assert!(second > first, "{second} {first}");
}

fn token(text: &str) -> Token {
    Token::new(text).unwrap()
}

#[test]
fn a_fence_of_a_node_that_is_ahead_binds_the_next_majority_without_it() {
    NOW.set(1_000_000);
    let nodes = [node(0), node(0), node(50_000)];
    let ahead = run(&nodes, acquire_as("a.1#1"), &mut [(Fate::NotSent, 0)].into_iter());
    let Ok(LockReply::Acquired { fence: first, .. }) = ahead else { panic!("{ahead:?}") };
    assert_eq!(first, Fence(1_050_000));
    let released = run(&nodes, release_as(&token("a.1#1")), &mut fine());
    assert_eq!(released, Ok(LockReply::Released));
    NOW.set(NOW.get() + 10);
    let without = [(Fate::NotSent, 2)];
    let next = run(&nodes, acquire_as("b.1#1"), &mut without.into_iter());
    let Ok(LockReply::Acquired { fence: next, .. }) = next else { panic!("{next:?}") };
    assert!(next > first, "{next} after {first}");
}
