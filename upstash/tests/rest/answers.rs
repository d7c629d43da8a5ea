//! What a caller is told, by what the server answered.

use std::sync::Arc;

use leasehold_core::{
    Cause, Command, Fence, RejectionKind, Reply, Store, StoreError, Token,
    lock::{LockCommand, LockKeys, LockReply},
    redis::{Invocation, Request, encode},
};

use crate::{
    FREE, free, inspect,
    scripted::{Act, Server, TOKEN},
};

/// What a caller is told when the server does `act`.
async fn told(act: Act) -> Result<Reply, StoreError> {
    Server::playing([act]).await.store().execute(inspect()).await
}

async fn rejection(status: u16, body: &'static str) -> RejectionKind {
    match told(Act::says(status, body)).await {
        Err(StoreError::Rejected(rejection)) => rejection.kind,
        other => panic!("{status} {body}: {other:?}"),
    }
}

fn script(command: &Command) -> Invocation {
    match encode(command) {
        Request::Script(invocation) => invocation,
        request => panic!("{request:?}"),
    }
}

#[tokio::test]
async fn a_command_is_one_post_of_its_script_by_hash() {
    let server =
        Server::playing([Act::says(200, r#"{"result":"MTc5NTQ4NDgwMDAwMDAwMA=="}"#)]).await;
    let command = LockCommand::Acquire {
        keys: Arc::new(LockKeys::of("jöb")),
        token: Token::new("\"t\"\n").unwrap(),
        lease_ms: 10_000,
        fence_life_ms: 20_000,
        tombstone_ms: 30_000,
    };
    let invocation = script(&Command::Lock(command.clone()));
    let reply = server.store().execute(Command::Lock(command)).await;
    let fence = Fence(1_795_484_800_000_000);
    assert_eq!(reply, Ok(Reply::Lock(LockReply::Acquired { fence, fresh: true })));

    let request = server.requests().remove(0);
    let (head, body) = request.split_once("\n\n").unwrap();
    assert!(head.starts_with("post / http/1.1"), "{head}");
    assert!(head.contains("authorization: bearer a-secret-token"), "{head}");
    assert!(head.contains("upstash-encoding: base64"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    let sent: Vec<String> = serde_json::from_str(body).unwrap();
    assert_eq!(sent[..4], ["EVALSHA", invocation.script.sha1, "3", "jöb"]);
    assert_eq!(sent[6..9], ["\"t\"\n", "10000", "20000"]);
}

#[tokio::test]
async fn a_script_that_the_server_forgot_is_sent_whole() {
    let forgot = Act::says(400, r#"{"error":"NOSCRIPT No matching script. Please use EVAL."}"#);
    let server = Server::playing([forgot, FREE]).await;
    assert_eq!(server.store().execute(inspect()).await, free());
    let requests = server.requests();
    let text = script(&inspect()).script.text;
    let (_, body) = requests[1].split_once("\n\n").unwrap();
    let sent: Vec<String> = serde_json::from_str(body).unwrap();
    assert_eq!(sent[..4], ["EVAL", text, "1", "job"]);
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn a_failing_server_or_proxy_leaves_the_outcome_unknown() {
    for status in [301, 303, 308, 408, 500, 502, 503, 504] {
        let reply = told(Act::says(status, r#"{"error":"WRONGTYPE"}"#)).await;
        assert!(matches!(reply, Err(StoreError::Unknown(_))), "{status}: {reply:?}");
    }
}

#[tokio::test]
async fn too_many_requests_is_not_sent() {
    let reply = told(Act::says(429, "slow down")).await;
    assert!(matches!(reply, Err(StoreError::NotSent(Cause::TryAgain(_)))), "{reply:?}");
}

#[tokio::test]
async fn a_wrong_token_is_not_allowed() {
    let wrong = r#"{"error":"WRONGPASS invalid or missing auth token."}"#;
    for (status, body) in [(401, wrong), (403, ""), (401, "<html>"), (400, wrong)] {
        assert_eq!(rejection(status, body).await, RejectionKind::NotAllowed, "{status} {body}");
    }
}

#[tokio::test]
async fn a_refusal_means_what_its_text_says() {
    let wrong_type = r#"{"error":"WRONGTYPE Operation against a key holding the wrong kind"}"#;
    for status in [200, 400] {
        assert_eq!(rejection(status, wrong_type).await, RejectionKind::WrongType);
    }
    let read_only = r#"{"error":"READONLY You can't write against a read only replica."}"#;
    assert_eq!(rejection(400, read_only).await, RejectionKind::ReadOnly);
    assert_eq!(rejection(400, r#"{"error":"ERR max requests"}"#).await, RejectionKind::Other);
    for status in [404, 405, 413] {
        assert_eq!(rejection(status, "").await, RejectionKind::Other);
    }
    let loading = told(Act::says(400, r#"{"error":"LOADING the dataset"}"#)).await;
    assert!(matches!(loading, Err(StoreError::NotSent(_))), "{loading:?}");
}

#[tokio::test]
async fn an_answer_of_the_wrong_shape_leaves_the_outcome_unknown() {
    for body in [
        "",
        "<html>",
        r#"{"result":["ZnJ"#,
        r#"{"result":1}"#,
        r#"{"result":["ZnJlZQ==",1]}"#,
        r#"["free"]"#,
    ] {
        let reply = told(Act::says(200, body)).await;
        assert!(matches!(reply, Err(StoreError::Unknown(Cause::Malformed(_)))), "{body}");
    }
}

#[tokio::test]
async fn the_token_is_never_shown_even_if_the_server_repeats_it() {
    let server = Server::playing(
        [401, 400, 429, 503]
            .map(|status| Act::says(status, r#"{"error":"ERR a-secret-token is not my friend"}"#)),
    )
    .await;
    let store = server.store();
    assert!(!format!("{store:?} {:?}", server.builder()).contains(TOKEN));
    for _ in 0..4 {
        let error = store.execute(inspect()).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("is not my friend"), "{shown}");
        assert!(!shown.contains(TOKEN), "{shown}");
    }
}

#[tokio::test]
async fn the_newest_sync_token_goes_back_and_can_be_handed_on() {
    let answer = r#"{"result":["ZnJlZQ=="]}"#;
    let server =
        Server::playing([Act::Synced("t1", answer), Act::Synced("t2", answer), FREE]).await;
    let store = server.store();
    assert_eq!(store.sync_token(), None);
    for _ in 0..2 {
        assert_eq!(store.execute(inspect()).await, free());
    }
    assert_eq!(store.sync_token().as_deref(), Some("t2"));
    let other = server.store();
    other.set_sync_token(store.sync_token().unwrap());
    assert_eq!(other.execute(inspect()).await, free());
    let token = |request: &String| {
        let (_, rest) = request.split_once("upstash-sync-token:").unwrap();
        rest.lines().next().unwrap().trim().to_owned()
    };
    assert_eq!(server.requests().iter().map(token).collect::<Vec<_>>(), ["", "t1", "t2"]);
}

#[tokio::test]
async fn a_sync_token_that_no_header_may_hold_sends_nothing() {
    let server = Server::playing([]).await;
    let store = server.store();
    store.set_sync_token("a\nb");
    let reply = store.execute(inspect()).await;
    assert!(matches!(reply, Err(StoreError::NotSent(_))), "{reply:?}");
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_lock_works_through_it_from_end_to_end() {
    let acquired = Act::says(200, r#"{"result":"Nw=="}"#);
    let released = Act::says(200, r#"{"result":1}"#);
    let server = Server::playing([acquired, released]).await;
    let lock = leasehold_core::lock::Lock::new(server.store(), "job").unwrap();
    let mut lease = lock.acquire().await.unwrap();
    assert_eq!(lease.fence(), Fence(7));
    lease.release().await.unwrap();
    assert_eq!(server.requests().len(), 2);
}
