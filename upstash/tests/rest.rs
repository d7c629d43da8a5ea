//! Each thing that a server or a network can do to a request, and what the caller is told.

mod scripted;

use std::{sync::Arc, time::Duration};

use leasehold_core::{
    Cause, Command, Fence, RejectionKind, Reply, Store, StoreError, Token,
    lock::{Holder, LockCommand, LockKeys, LockReply},
    redis::{Invocation, Request, encode},
};
use leasehold_upstash::{Options, Upstash};
use scripted::{Act, Server, TOKEN};

/// `["free"]`
const FREE: Act = Act::Answer(200, r#"{"result":["ZnJlZQ=="]}"#);

fn inspect() -> Command {
    Command::Lock(LockCommand::Inspect { keys: LockKeys::of("job").into(), token: None })
}

fn free() -> Result<Reply, StoreError> {
    Ok(Reply::Lock(LockReply::Holder(Holder::Free)))
}

/// What a caller is told when the server does `act`.
async fn told(act: Act) -> Result<Reply, StoreError> {
    Server::playing([act]).await.store().execute(inspect()).await
}

async fn rejection(status: u16, body: &'static str) -> RejectionKind {
    match told(Act::Answer(status, body)).await {
        Err(StoreError::Rejected(rejection)) => rejection.kind,
        other => panic!("{status} {body}: {other:?}"),
    }
}

fn script(command: &Command) -> Invocation {
    match encode(command) {
        Request::Script(invocation) => invocation,
        Request::Plain(words) => panic!("{words:?}"),
    }
}

#[tokio::test]
async fn a_command_is_one_post_of_its_script_by_hash() {
    let server = Server::playing([Act::Answer(
        200,
        r#"{"result":["YWNxdWlyZWQ=","MTc5NTQ4NDgwMDAwMDAwMA==",1]}"#,
    )])
    .await;
    let command = LockCommand::Acquire {
        keys: Arc::new(LockKeys::of("jöb")),
        token: Token::new("\"t\"\n").unwrap(),
        lease_ms: 10_000,
        fence_life_ms: 20_000,
        mark_ms: 30_000,
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
    let forgot = Act::Answer(400, r#"{"error":"NOSCRIPT No matching script. Please use EVAL."}"#);
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
async fn a_command_that_never_left_is_not_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let reply = Upstash::new(&url, TOKEN).unwrap().execute(inspect()).await;
    assert_eq!(reply, Err(StoreError::NotSent(Cause::Unreachable)));
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_has_sent_nothing() {
    // It accepts, but never answers the TLS handshake.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let connect_timeout = Duration::from_millis(50);
    let options = Options { connect_timeout, ..Options::default() };
    let store = Upstash::with_options(&url, TOKEN, &options).unwrap();
    assert_eq!(store.execute(inspect()).await, Err(StoreError::NotSent(Cause::Unreachable)));
}

#[tokio::test]
async fn a_server_that_hangs_leaves_the_outcome_unknown() {
    let server = Server::playing([Act::Hang]).await;
    let options = Options { timeout: Duration::from_millis(50), ..Options::default() };
    let reply = server.store_with(&options).execute(inspect()).await;
    assert_eq!(reply, Err(StoreError::Unknown(Cause::TimedOut)));
    assert_eq!(server.requests().len(), 1, "it is not sent again");
}

#[tokio::test]
async fn a_connection_cut_after_the_request_leaves_the_outcome_unknown() {
    for act in [Act::Cut, Act::Half] {
        let server = Server::playing([act]).await;
        let reply = server.store().execute(inspect()).await;
        assert_eq!(reply, Err(StoreError::Unknown(Cause::Disconnected)), "{act:?}");
        assert_eq!(server.requests().len(), 1, "it is not sent again");
    }
}

#[tokio::test]
async fn a_failing_server_or_proxy_leaves_the_outcome_unknown() {
    for status in [301, 303, 308, 408, 500, 502, 503, 504] {
        let reply = told(Act::Answer(status, r#"{"error":"WRONGTYPE"}"#)).await;
        assert!(matches!(reply, Err(StoreError::Unknown(_))), "{status}: {reply:?}");
    }
}

#[tokio::test]
async fn too_many_requests_is_not_sent() {
    let reply = told(Act::Answer(429, "slow down")).await;
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
    let loading = told(Act::Answer(400, r#"{"error":"LOADING the dataset"}"#)).await;
    assert!(matches!(loading, Err(StoreError::NotSent(_))), "{loading:?}");
}

#[tokio::test]
async fn an_answer_of_the_wrong_shape_leaves_the_outcome_unknown() {
    for body in ["", "<html>", r#"{"result":1}"#, r#"{"result":["ZnJlZQ==",1]}"#, r#"["free"]"#] {
        let reply = told(Act::Answer(200, body)).await;
        assert!(matches!(reply, Err(StoreError::Unknown(Cause::Malformed(_)))), "{body}");
    }
}

#[tokio::test]
async fn the_token_is_never_shown_even_if_the_server_repeats_it() {
    let server =
        Server::playing([401, 400, 429, 503].map(|status| {
            Act::Answer(status, r#"{"error":"ERR a-secret-token is not my friend"}"#)
        }))
        .await;
    let store = server.store();
    assert!(!format!("{store:?}").contains(TOKEN));
    for _ in 0..4 {
        let error = store.execute(inspect()).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("is not my friend"), "{shown}");
        assert!(!shown.contains(TOKEN), "{shown}");
    }
}

#[tokio::test]
async fn a_lock_works_through_it_from_end_to_end() {
    let acquired = Act::Answer(200, r#"{"result":["YWNxdWlyZWQ=","Nw==",1]}"#);
    let released = Act::Answer(200, r#"{"result":1}"#);
    let server = Server::playing([acquired, released]).await;
    let mut lock = leasehold_core::lock::Lock::new(server.store(), "job").unwrap();
    let mut lease = lock.acquire().await.unwrap();
    assert_eq!(lease.fence(), Fence(7));
    lease.release().await.unwrap();
    assert_eq!(server.requests().len(), 2);
}
