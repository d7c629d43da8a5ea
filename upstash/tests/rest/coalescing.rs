//! What is asked while requests are under way travels together, and no one's outcome is another's.

use std::{sync::Arc, time::Duration};

use leasehold_core::{
    Cause, RejectionKind, Reply, Store, StoreError,
    lock::{Holder, LockReply},
};
use leasehold_upstash::{RetryPolicy, Upstash};
use tokio::{
    runtime::Builder,
    sync::Notify,
    task::{JoinHandle, yield_now},
};

use crate::{
    FREE, FREE_SLOT, free, inspect_of,
    scripted::{Act, Server},
};

type Asking = JoinHandle<Result<Reply, StoreError>>;

const NO_SCRIPT: &str = r#"{"error":"NOSCRIPT No matching script. Please use EVAL."}"#;

/// One request at a time, so that everything else gathers.
fn narrow(server: &Server) -> Upstash {
    server.builder().requests_in_flight(1).retry(RetryPolicy::new().retries(0)).build().unwrap()
}

/// Asks about each id in a task of its own, and lets each come as far as it can.
async fn ask(store: &Upstash, ids: &[&'static str]) -> Vec<Asking> {
    let ask = |id: &&'static str| {
        let (store, command) = (store.clone(), inspect_of(id));
        tokio::spawn(async move { store.execute(command).await })
    };
    let asking = ids.iter().map(ask).collect();
    yield_now().await;
    asking
}

/// Asks about `ids` while one request is held up, and says by what that goes on. What was asked about
/// travels then as `acts` has it.
async fn gather(
    acts: impl IntoIterator<Item = Act>,
    ids: &[&'static str],
) -> (Server, Arc<Notify>, Vec<Asking>) {
    let (first, gate) = FREE.held();
    let server = Server::playing([first].into_iter().chain(acts)).await;
    let store = narrow(&server);
    let _first = ask(&store, &["a"]).await;
    server.asked(1).await;
    let asking = ask(&store, ids).await;
    (server, gate, asking)
}

async fn all_are_free(asking: Vec<Asking>) {
    for asked in asking {
        assert_eq!(asked.await.unwrap(), free());
    }
}

/// The commands of the request numbered so, each as its words.
fn commands(server: &Server, request: usize) -> Vec<Vec<String>> {
    serde_json::from_str(&server.bodies()[request]).unwrap()
}

#[tokio::test]
async fn a_lone_command_goes_out_at_once_and_what_comes_meanwhile_together() {
    let (first, gate) = FREE.held();
    let server = Server::playing([first, Act::Each(FREE_SLOT)]).await;
    let store = narrow(&server);
    let mut asking = ask(&store, &["a"]).await;
    server.asked(1).await;
    asking.extend(ask(&store, &["b", "c", "d"]).await);
    gate.notify_one();
    all_are_free(asking).await;
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].starts_with("post / "), "{}", requests[0]);
    assert!(requests[1].starts_with("post /pipeline "), "{}", requests[1]);
    let keys: Vec<_> = commands(&server, 1).into_iter().map(|words| words[3].clone()).collect();
    assert_eq!(keys, ["b", "c", "d"]);
}

#[tokio::test]
async fn several_requests_may_be_under_way() {
    let ((first, one), (second, two)) = (FREE.held(), FREE.held());
    let server = Server::playing([first, second]).await;
    let store = server.builder().requests_in_flight(2).build().unwrap();
    let asking = ask(&store, &["a", "b"]).await;
    server.asked(2).await;
    one.notify_one();
    two.notify_one();
    all_are_free(asking).await;
}

#[tokio::test]
async fn each_command_of_a_pipeline_has_its_own_outcome() {
    let slots = r#"[{"result":["ZnJlZQ=="]},{"error":"WRONGTYPE x"},{"result":true}]"#;
    let mut replies = Vec::new();
    let (_server, gate, asking) = gather([Act::says(200, slots)], &["b", "c", "d"]).await;
    gate.notify_one();
    for asked in asking {
        replies.push(asked.await.unwrap());
    }
    assert_eq!(replies[0], free());
    assert!(
        matches!(&replies[1], Err(StoreError::Rejected(r)) if r.kind == RejectionKind::WrongType)
    );
    assert!(matches!(&replies[2], Err(StoreError::Unknown(Cause::Malformed(_)))));
}

#[tokio::test]
async fn a_script_forgotten_is_sent_once_for_all_in_a_pipeline() {
    let (first, gate) = FREE.held();
    let server = Server::playing([first, Act::Each(NO_SCRIPT), Act::Each(FREE_SLOT)]).await;
    let store = narrow(&server);
    let mut asking = ask(&store, &["a"]).await;
    server.asked(1).await;
    asking.extend(ask(&store, &["b", "c"]).await);
    gate.notify_one();
    all_are_free(asking).await;
    let verbs: Vec<_> = commands(&server, 2).into_iter().map(|words| words[0].clone()).collect();
    assert_eq!(verbs, ["EVAL", "EVALSHA"]);
}

#[tokio::test]
async fn a_caller_that_drops_its_request_strands_nobody() {
    let server = Server::playing([Act::Hang, Act::Each(FREE_SLOT)]).await;
    let store = narrow(&server);
    let first = ask(&store, &["a"]).await.remove(0);
    server.asked(1).await;
    let followers = ask(&store, &["b", "c"]).await;
    first.abort();
    all_are_free(followers).await;
}

/// What locks are answered that one holds for 1 ms and another for 3 ms.
const BUSY_1: &str = r#"{"result":["b3RoZXI=",1]}"#;
const BUSY_3: &str = r#"{"result":["b3RoZXI=",3]}"#;

fn held_for(remaining_ms: u64) -> Result<Reply, StoreError> {
    let holder = Holder::Other { remaining_ms: Some(remaining_ms) };
    Ok(Reply::Lock(LockReply::Holder(holder)))
}

#[tokio::test]
async fn a_caller_that_leaves_a_pipeline_under_way_shifts_no_reply() {
    for leaver in 0..3 {
        let slots = format!("[{BUSY_1},{FREE_SLOT},{BUSY_3}]");
        let (pipeline, answered) = Act::Answer(200, slots.into()).held();
        let (server, gate, mut asking) = gather([pipeline], &["b", "c", "d"]).await;
        gate.notify_one();
        server.asked(2).await;
        asking.remove(leaver).abort();
        yield_now().await;
        answered.notify_one();
        let mut expected = vec![held_for(1), free(), held_for(3)];
        let _not_asked = expected.remove(leaver);
        for (asked, expected) in asking.into_iter().zip(expected) {
            assert_eq!(asked.await.unwrap(), expected, "without {leaver}");
        }
    }
}

#[tokio::test]
async fn a_caller_that_leaves_the_queue_takes_no_neighbour_along() {
    for leaver in 0..3 {
        let pipeline = Act::says(200, r#"[{"result":["b3RoZXI=",1]},{"result":["b3RoZXI=",3]}]"#);
        let mut ids = vec!["b", "c", "d"];
        let (server, gate, mut asking) = gather([pipeline], &ids).await;
        asking.remove(leaver).abort();
        ids.remove(leaver);
        yield_now().await;
        gate.notify_one();
        for (asked, expected) in asking.into_iter().zip([held_for(1), held_for(3)]) {
            assert_eq!(asked.await.unwrap(), expected, "without {leaver}");
        }
        let sent: Vec<_> = commands(&server, 1).into_iter().map(|words| words[3].clone()).collect();
        assert_eq!(sent, ids);
    }
}

#[tokio::test]
async fn a_caller_that_is_gone_before_its_turn_is_not_sent() {
    let (server, gate, mut asking) = gather([FREE], &["b", "c"]).await;
    asking.remove(0).abort();
    yield_now().await;
    gate.notify_one();
    assert_eq!(asking.remove(0).await.unwrap(), free());
    let last: Vec<String> = serde_json::from_str(&server.bodies()[1]).unwrap();
    assert_eq!(last[3], "c", "alone, and so no pipeline");
}

#[tokio::test]
async fn a_request_carries_no_more_than_allowed() {
    let (first, gate) = FREE.held();
    let server = Server::playing([first, Act::Each(FREE_SLOT), FREE]).await;
    let store = server.builder().requests_in_flight(1).commands_per_request(2).build().unwrap();
    let mut asking = ask(&store, &["a"]).await;
    server.asked(1).await;
    asking.extend(ask(&store, &["b", "c", "d"]).await);
    gate.notify_one();
    all_are_free(asking).await;
    assert_eq!(commands(&server, 1).len(), 2);
    assert!(server.requests()[2].starts_with("post / "));
}

#[tokio::test]
async fn a_pipeline_refused_as_a_whole_is_sent_command_by_command() {
    let wrong_type = Act::says(400, r#"{"error":"WRONGTYPE x"}"#);
    let (_server, gate, mut asking) =
        gather([Act::says(404, ""), FREE, wrong_type], &["b", "c"]).await;
    gate.notify_one();
    assert_eq!(asking.remove(0).await.unwrap(), free());
    let refused = asking.remove(0).await.unwrap();
    assert!(matches!(refused, Err(StoreError::Rejected(_))), "{refused:?}");
}

#[tokio::test]
async fn a_spent_quota_is_not_asked_about_for_each() {
    let spent = Act::says(400, r#"{"error":"ERR max daily request limit exceeded"}"#);
    let (server, gate, asking) =
        gather([spent.clone(), spent.clone(), spent], &["b", "c", "d"]).await;
    gate.notify_one();
    for asked in asking {
        let refused = asked.await.unwrap();
        assert!(matches!(refused, Err(StoreError::Rejected(_))), "{refused:?}");
    }
    assert_eq!(
        server.requests().len(),
        3,
        "the pipeline, and one command to see whose fault it is"
    );
}

#[tokio::test]
async fn a_refused_pipeline_is_not_sent_again_for_callers_that_are_gone() {
    let (refused, answered) = Act::says(404, "").held();
    let (server, gate, mut asking) = gather([refused, FREE, FREE], &["b", "c", "d"]).await;
    gate.notify_one();
    server.asked(2).await;
    for leaver in [2, 0] {
        asking.remove(leaver).abort();
    }
    yield_now().await;
    answered.notify_one();
    assert_eq!(asking.remove(0).await.unwrap(), free());
    let bodies = server.bodies();
    assert_eq!(bodies.len(), 3);
    let last: Vec<String> = serde_json::from_str(&bodies[2]).unwrap();
    assert_eq!(last[3], "c");
}

#[tokio::test]
async fn what_happens_to_a_pipeline_happens_to_all_in_it() {
    for (act, certain) in
        [(Act::says(401, ""), true), (Act::Cut, false), (Act::says(503, ""), false)]
    {
        let (server, gate, asking) = gather([act.clone()], &["b", "c"]).await;
        gate.notify_one();
        for asked in asking {
            let reply = asked.await.unwrap();
            assert_eq!(matches!(reply, Err(StoreError::Rejected(_))), certain, "{act:?} {reply:?}");
            assert_eq!(matches!(reply, Err(StoreError::Unknown(_))), !certain, "{act:?} {reply:?}");
        }
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_pipeline_that_failed_on_the_way_is_sent_again() {
    let (first, gate) = FREE.held();
    let server = Server::playing([first, Act::Cut, Act::Each(FREE_SLOT)]).await;
    let store = server.builder().requests_in_flight(1).build().unwrap();
    let _first = ask(&store, &["a"]).await;
    server.asked(1).await;
    let asking = ask(&store, &["b", "c"]).await;
    gate.notify_one();
    all_are_free(asking).await;
    assert_eq!(server.bodies()[1], server.bodies()[2]);
}

#[tokio::test]
async fn a_command_whose_time_is_up_on_the_way_may_have_been_applied() {
    let (first, gate) = FREE.held();
    let server = Server::playing([first, Act::Hang]).await;
    let builder = server
        .builder()
        .requests_in_flight(1)
        .timeout(Duration::from_secs(2))
        .retry(RetryPolicy::new().retries(0));
    let store = builder.build().unwrap();
    let _first = ask(&store, &["a"]).await;
    server.asked(1).await;
    let asking = ask(&store, &["b", "c"]).await;
    gate.notify_one();
    for asked in asking {
        let told = asked.await.unwrap();
        assert!(matches!(told, Err(StoreError::Unknown(Cause::TimedOut(_)))), "{told:?}");
    }
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_runtime_that_goes_down_leaves_nobody_waiting() {
    let threaded = || Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (server_side, first) = (threaded(), threaded());
    let second = Builder::new_current_thread().enable_all().build().unwrap();
    let server = server_side.block_on(Server::playing([Act::Hang, FREE]));
    let store = narrow(&server);
    let asking = store.clone();
    first.spawn(async move { asking.execute(inspect_of("a")).await });
    server_side.block_on(server.asked(1));
    let waiting = second.block_on(ask(&store, &["b"])).remove(0);
    drop(first);
    let reply = second.block_on(waiting).unwrap();
    assert!(matches!(reply, Err(StoreError::Unknown(_) | StoreError::NotSent(_))), "{reply:?}");
    assert_eq!(second.block_on(store.execute(inspect_of("c"))), free());
}
