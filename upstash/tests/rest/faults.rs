//! What a network, a wrong setting or a broken server can do: each ends in a typed error, in time.

use std::{net::TcpListener, sync::Arc, time::Duration};

use leasehold_core::{
    Cause, Command, RejectionKind, Reply, Store, StoreError, Token,
    debounce::{DebounceCommand, DebounceKeys, Retention, Timing},
};
use leasehold_upstash::{RetryPolicy, Upstash};

use crate::{
    free, inspect,
    scripted::{Act, Server, TOKEN},
};

/// A call with these arguments.
fn call(args: &[u8]) -> Command {
    Command::Debounce(DebounceCommand::Call {
        keys: Arc::new(DebounceKeys::of("job")),
        call: Token::new("c#1").unwrap(),
        args: args.into(),
        seq: 0,
        timing: Timing { wait_ms: 1, max_wait_ms: None, leading: false, trailing: true },
        retention: Retention { armed_ms: 1, settled_ms: 1, memo_ms: 1 },
    })
}

async fn told_by(url: &str) -> Result<Reply, StoreError> {
    let builder = Upstash::builder(url, TOKEN).retry(RetryPolicy::new().retries(0));
    // Slow machines are not what it is about.
    let store = builder.connect_timeout(Duration::from_secs(10)).timeout(Duration::from_secs(20));
    let store = store.build().unwrap();
    store.execute(inspect()).await
}

fn bound() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Where the server is that could not be reached, and why not, as it is told.
fn unreachable_at(address: &str, reply: &Result<Reply, StoreError>) -> String {
    let Err(StoreError::NotSent(Cause::Unreachable(text))) = reply else { panic!("{reply:?}") };
    text.strip_prefix(&format!("{address}: ")).expect(text).to_owned()
}

#[tokio::test]
async fn a_command_that_never_left_is_not_sent() {
    let (listener, address) = bound();
    drop(listener);
    let reply = told_by(&format!("http://{address}")).await;
    let told = unreachable_at(&address, &reply);
    assert!(told.contains("refused"), "{told}");
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_has_sent_nothing() {
    // It accepts, but never answers the TLS handshake.
    let (_listener, address) = bound();
    let store = Upstash::builder(&format!("https://{address}"), TOKEN)
        .connect_timeout(Duration::from_millis(50))
        .retry(RetryPolicy::new().retries(0))
        .build()
        .unwrap();
    let reply = store.execute(inspect()).await;
    let told = unreachable_at(&address, &reply);
    assert!(told.contains("in time"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_never_reached_is_known_before_a_handle_gives_up() {
    let (_listener, address) = bound();
    let store = Upstash::new(&format!("https://{address}"), TOKEN).unwrap();
    // What a handle gives to a call by default.
    let limit = Duration::from_secs(2);
    let reply = tokio::time::timeout(limit, store.execute(inspect())).await;
    unreachable_at(&address, &reply.expect("the store ends by itself"));
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_has_been_sent_nothing() {
    let (listener, address) = bound();
    std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut connection, b"HTTP/1.1 400 .\r\n\r\n").unwrap();
    });
    let reply = told_by(&format!("https://{address}")).await;
    let told = unreachable_at(&address, &reply);
    assert!(!told.contains("refused") && !told.contains("in time"), "{told}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_has_been_sent_nothing() {
    let reply = told_by("https://leasehold.invalid").await;
    let told = unreachable_at("leasehold.invalid:443", &reply);
    assert!(told.contains("lookup"), "{told}");
}

#[tokio::test]
async fn a_server_that_hangs_or_never_ends_leaves_the_outcome_unknown() {
    for act in [Act::Hang, Act::Drip] {
        let server = Server::playing([act.clone()]).await;
        let hasty = server
            .builder()
            .timeout(Duration::from_millis(500))
            .retry(RetryPolicy::new().retries(0));
        let reply = hasty.build().unwrap().execute(inspect()).await;
        assert!(matches!(reply, Err(StoreError::Unknown(Cause::TimedOut(_)))), "{reply:?}");
        server.asked(1).await;
        assert_eq!(server.requests().len(), 1, "it is not sent again");
    }
}

#[tokio::test]
async fn a_server_that_always_hangs_ends_at_the_deadline() {
    for act in [Act::Hang, Act::Drip] {
        let server = Server::playing(vec![act; 50]).await;
        let retry = RetryPolicy::new().retries(u32::MAX);
        let store = server.builder().retry(retry).timeout(Duration::from_millis(200));
        let store = store.build().unwrap();
        let told = store.execute(inspect()).await;
        let Err(StoreError::Unknown(Cause::TimedOut(text))) = told else { panic!("{told:?}") };
        assert!(text.starts_with("127.0.0.1:"), "it names the server: {text}");
    }
}

#[tokio::test]
async fn a_connection_cut_after_the_request_leaves_the_outcome_unknown() {
    for act in [Act::Cut, Act::Half] {
        let server = Server::playing([act.clone()]).await;
        let reply = server.store().execute(inspect()).await;
        let Err(StoreError::Unknown(Cause::Disconnected(text))) = reply else {
            panic!("{reply:?}")
        };
        assert!(text.starts_with("127.0.0.1:"), "it names the server: {text}");
        assert_eq!(server.requests().len(), 1, "it is not sent again");
    }
}

#[tokio::test]
async fn ten_megabytes_that_are_no_answer_are_malformed() {
    for body in ["x".repeat(10 << 20), format!(r#"{{"result":"{}"}}"#, "AAAA".repeat(5 << 19))] {
        let server = Server::playing([Act::Answer(200, body.into())]).await;
        let reply = server.store().execute(inspect()).await;
        assert!(matches!(reply, Err(StoreError::Unknown(Cause::Malformed(_)))), "{reply:?}");
    }
}

#[tokio::test]
async fn an_answer_is_read_no_further_than_64_mebibytes() {
    let server = Server::playing([Act::Answer(200, " ".repeat(65 << 20).into())]).await;
    match server.store().execute(inspect()).await {
        Err(StoreError::Unknown(Cause::Malformed(why))) => assert!(why.contains("64 MiB"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_argument_that_is_too_long_is_refused() {
    let too_long = r#"{"error":"ERR max request size exceeded. Limit: 10485760 bytes"}"#;
    let server = Server::playing([Act::says(413, too_long)]).await;
    match server.store().execute(call(&vec![b'x'; 11 << 20])).await {
        Err(StoreError::Rejected(refused)) => assert_eq!(refused.kind, RejectionKind::Other),
        other => panic!("{other:?}"),
    }
    assert!(server.bodies()[0].len() > 11 << 20);
}

#[tokio::test]
async fn the_page_of_a_wrong_url_is_not_an_answer() {
    for (status, page) in [(200, "<html>welcome</html>"), (404, "<html>nothing here</html>")] {
        let server = Server::playing([Act::says(status, page)]).await;
        let reply = server.store().execute(inspect()).await;
        assert!(reply.is_err(), "{status}: {reply:?}");
        assert_ne!(reply, free());
    }
}

#[tokio::test]
async fn arguments_that_are_not_text_are_sent_for_the_script_to_decode() {
    let server = Server::playing([Act::says(200, r#"{"error":"ERR enough"}"#)]).await;
    assert!(server.store().execute(call(&[0xff, 0])).await.is_err());
    let sent: Vec<String> = serde_json::from_str(&server.bodies()[0]).unwrap();
    assert_eq!(sent[0], "EVAL");
    assert!(sent.contains(&"\u{ff}\0".to_owned()), "{sent:?}");
}
