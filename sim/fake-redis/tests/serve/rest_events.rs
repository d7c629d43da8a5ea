//! Server-sent events, and clients that misbehave.

use crate::serve_support::{Fake, READ_ONLY, TOKEN, in_time, open};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn stream(fake: &Fake, target: &str) -> Incoming {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", &*bearer), ("accept", "text/event-stream")];
    let (head, body) = open(fake.rest, "POST", target, &headers, "[]".into()).await.unwrap();
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["content-type"], "text/event-stream");
    body
}

/// Reads until as many events have come.
async fn events(body: &mut Incoming, count: usize) -> String {
    let mut text = String::new();
    while text.matches("\n\n").count() < count {
        let frame = body.frame().await.expect("the stream goes on").unwrap();
        text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
    }
    text
}

#[tokio::test]
async fn what_is_published_comes_as_events() {
    let fake = Fake::start().await;
    let mut body = stream(&fake, "/subscribe/chat").await;
    assert_eq!(events(&mut body, 1).await, "data: subscribe,chat,1\n\n");
    assert_eq!(fake.rest("PUBLISH chat a,b").await, Ok(json!(1)));
    assert_eq!(events(&mut body, 1).await, "data: message,chat,a,b\n\n");
    assert_eq!(fake.client().await.ask("PUBLISH chat from-resp").await, Ok(":1".into()));
    assert_eq!(events(&mut body, 1).await, "data: message,chat,from-resp\n\n");
}

#[tokio::test]
async fn patterns_are_told_with_what_they_match() {
    let fake = Fake::start().await;
    let mut body = stream(&fake, "/psubscribe/news:*").await;
    assert_eq!(events(&mut body, 1).await, "data: psubscribe,news:*,1\n\n");
    let publish = fake.ask("POST", "/publish/news:1", &[], r#"{"a":1}"#).await.unwrap();
    assert_eq!(publish.json(), json!({"result": 1}));
    assert_eq!(events(&mut body, 1).await, "data: pmessage,news:*,news:1,{\"a\":1}\n\n");
}

#[tokio::test]
async fn a_monitor_sees_every_command() {
    let fake = Fake::start().await;
    let mut body = stream(&fake, "/monitor").await;
    assert_eq!(events(&mut body, 1).await, "data: \"OK\"\n\n");
    fake.client().await.ask("SET a 1").await.unwrap();
    let line = events(&mut body, 1).await;
    assert!(line.starts_with("data: ") && line.contains(r#""SET" "a" "1""#), "{line}");
    let bearer = format!("Bearer {READ_ONLY}");
    let headers = [("authorization", &*bearer)];
    let (head, _) = open(fake.rest, "POST", "/monitor", &headers, "".into()).await.unwrap();
    assert_eq!(head.status, 400);
}

#[tokio::test]
async fn a_listener_that_leaves_is_forgotten() {
    let fake = Fake::start().await;
    let mut body = stream(&fake, "/subscribe/chat").await;
    events(&mut body, 1).await;
    drop(body);
    while fake.rest("PUBLISH chat x").await != Ok(json!(0)) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_restart_ends_a_stream() {
    let fake = Fake::start().await;
    let mut body = stream(&fake, "/subscribe/chat").await;
    events(&mut body, 1).await;
    assert_eq!(fake.order("POST", "/restart", "").await.status, 200);
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let fake = Fake::start().await;
    let mut stream = TcpStream::connect(fake.rest).await.unwrap();
    let request = format!("GET /incr/n HTTP/1.1\r\nhost: a\r\nauthorization: {TOKEN}\r\n\r\n");
    // Two at once, as a client may that does not wait.
    stream.write_all(request.repeat(2).as_bytes()).await.unwrap();
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains(r#"{"result":2}"#) {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "{text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    assert!(text.contains(r#"{"result":1}"#));
}

#[tokio::test]
async fn http_2_is_served_by_prior_knowledge() {
    let fake = Fake::start().await;
    let stream = TokioIo::new(TcpStream::connect(fake.rest).await.unwrap());
    let connecting = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream);
    let (mut sender, connection) = connecting.await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("http://{}/", fake.rest))
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(Full::new(Bytes::from_static(b"[\"PING\"]")))
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&body[..], br#"{"result":"PONG"}"#);
}

#[tokio::test]
async fn a_body_that_would_never_fit_is_refused_before_it_comes() {
    let fake = Fake::start().await;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: a\r\nauthorization: {TOKEN}\r\n\
         content-length: 99999999999\r\n\r\n["
    );
    let mut stream = TcpStream::connect(fake.rest).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    in_time(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn half_a_request_harms_nobody() {
    let fake = Fake::start().await;
    let mut halves = Vec::new();
    for half in [
        "POST / HT".to_owned(),
        format!(
            "POST / HTTP/1.1\r\nhost: a\r\nauthorization: {TOKEN}\r\ncontent-length: 50\r\n\r\n[\"INCR\""
        ),
    ] {
        let mut stream = TcpStream::connect(fake.rest).await.unwrap();
        stream.write_all(half.as_bytes()).await.unwrap();
        halves.push(stream);
    }
    assert_eq!(fake.rest("INCR n").await, Ok(json!(1)));
    drop(halves);
    assert_eq!(fake.rest("INCR n").await, Ok(json!(2)));
}

#[tokio::test]
async fn noise_is_refused_and_harms_nobody() {
    let fake = Fake::start().await;
    let mut stream = TcpStream::connect(fake.rest).await.unwrap();
    stream.write_all(b"\xff\xfe\0\0 not http at all\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    for (target, body) in [("/", deep.clone()), ("/pipeline", deep), ("/", b"[\"\xff\"]".to_vec())]
    {
        assert_eq!(fake.ask("POST", target, &[], body).await.unwrap().status, 400);
    }
    assert_eq!(fake.rest("PING").await, Ok(json!("PONG")));
}

#[tokio::test]
async fn a_body_that_is_cut_off_executes_nothing() {
    let fake = Fake::start().await;
    let head = format!(
        "POST /set/a HTTP/1.1\r\nhost: a\r\nauthorization: {TOKEN}\r\ncontent-length: 9\r\n\r\nhalf"
    );
    let mut stream = TcpStream::connect(fake.rest).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    // However it ends, it ends.
    let _ = stream.read_to_end(&mut rest).await;
    assert_eq!(fake.rest("EXISTS a").await, Ok(json!(0)));
}

#[tokio::test]
async fn a_shutdown_ends_streams_and_hanging_requests() {
    let fake = Fake::with_fault("hang command=GET").await;
    let mut body = stream(&fake, "/subscribe/chat").await;
    events(&mut body, 1).await;
    let hanging = fake.ask("GET", "/get/a", &[], Bytes::new());
    let (answer, ()) = tokio::join!(hanging, async {
        while fake.effective() != [1] {
            tokio::task::yield_now().await;
        }
        fake.host.shut_down().await;
    });
    assert!(answer.is_err());
    while let Some(frame) = body.frame().await {
        assert!(frame.is_err());
    }
}
