//! What is sent again, and what several attempts say together.

use std::time::Duration;

use leasehold_core::{
    Cause, Command, Store, StoreError, Token,
    lock::{LockCommand, LockKeys},
};
use leasehold_upstash::{RetryPolicy, Upstash};

use crate::{
    FREE, free, inspect,
    scripted::{Act, Server},
};

const READ_ONLY: Act = Act::says(400, r#"{"error":"READONLY You can't write"}"#);
const DOWN: Act = Act::says(503, "");

fn patient(server: &Server) -> Upstash {
    let retry = RetryPolicy::new().first_wait(Duration::from_millis(1));
    server.builder().retry(retry).build().unwrap()
}

#[tokio::test]
async fn what_failed_on_the_way_is_sent_again_as_it_was() {
    for act in [DOWN, Act::says(429, ""), Act::says(408, ""), Act::Cut, Act::Half] {
        let server = Server::playing([act.clone(), FREE]).await;
        assert_eq!(patient(&server).execute(inspect()).await, free(), "{act:?}");
        let bodies = server.bodies();
        assert_eq!(bodies.len(), 2, "{act:?}");
        assert_eq!(bodies[0], bodies[1]);
    }
}

#[tokio::test]
async fn attempts_come_to_an_end() {
    let server = Server::playing(vec![DOWN; 3]).await;
    let reply = patient(&server).execute(inspect()).await;
    assert!(matches!(reply, Err(StoreError::Unknown(Cause::Other(_)))), "{reply:?}");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_refusal_is_not_sent_again() {
    for act in [READ_ONLY, Act::says(401, ""), Act::says(413, ""), Act::says(404, "")] {
        let server = Server::playing([act.clone()]).await;
        let reply = patient(&server).execute(inspect()).await;
        assert!(matches!(reply, Err(StoreError::Rejected(_))), "{act:?}: {reply:?}");
        assert_eq!(server.requests().len(), 1, "{act:?}");
    }
}

#[tokio::test]
async fn a_refusal_of_a_second_copy_says_nothing_about_the_first() {
    let server = Server::playing([Act::Cut, READ_ONLY]).await;
    let reply = patient(&server).execute(inspect()).await;
    assert!(matches!(reply, Err(StoreError::Unknown(_))), "{reply:?}");
}

#[tokio::test]
async fn an_acquire_under_a_callers_own_token_is_sent_once_if_in_doubt() {
    let command = |token| {
        let (keys, token) = (LockKeys::of("job").into(), Token::new(token).unwrap());
        let (lease_ms, fence_life_ms, tombstone_ms) = (1, 1, 1);
        Command::Lock(LockCommand::Acquire { keys, token, lease_ms, fence_life_ms, tombstone_ms })
    };
    for (token, requests) in [("mine", 1), ("a.1#1", 3)] {
        let server = Server::playing(vec![DOWN; 3]).await;
        assert!(patient(&server).execute(command(token)).await.is_err());
        assert_eq!(server.requests().len(), requests, "{token}");
    }
}

#[tokio::test]
async fn a_caller_that_is_gone_sends_nothing_again() {
    let (held, gate) = DOWN.held();
    let server = Server::playing([held, FREE]).await;
    let store = patient(&server);
    let asking = store.clone();
    let caller = tokio::spawn(async move { asking.execute(inspect()).await });
    server.asked(1).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    gate.notify_one();
    // The next request is that of another caller.
    assert_eq!(store.execute(inspect()).await, free());
    assert_eq!(server.requests().len(), 2);
}
