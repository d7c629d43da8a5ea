//! Clients that ask for much and do not read it.

use crate::serve_support::{Fake, TOKEN, in_time};
use leasehold_fake_redis::serve::HostOptions;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Together more than sockets hold between two processes.
const VALUE: usize = 8 << 20;
const VALUES: usize = 8;

async fn asked(fake: &Fake, target: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(fake.rest).await.unwrap();
    let request = format!(
        "POST {target} HTTP/1.1\r\nhost: a\r\nauthorization: {TOKEN}\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_response_that_is_not_read_harms_nobody_and_is_there_once_it_is() {
    in_time(async {
        let fake = Fake::start().await;
        let mut client = fake.client().await;
        client.ask(&format!("SET a {}", "x".repeat(VALUE))).await.unwrap();
        let body = json!(vec![["GET", "a"]; VALUES]).to_string();
        let mut slow = asked(&fake, "/pipeline", &body).await;
        let leaver = asked(&fake, "/pipeline", &body).await;
        // The server has begun to answer both, and can go on with neither.
        for stream in [&slow, &leaver] {
            stream.readable().await.unwrap();
        }
        for number in 1..=100 {
            assert_eq!(fake.rest("INCR n").await, Ok(json!(number)));
        }
        drop(leaver);
        assert_eq!(client.ask("INCR n").await, Ok(":101".into()));
        let mut answer = Vec::new();
        slow.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer.iter().filter(|byte| **byte == b'x').count(), VALUE * VALUES);
        assert!(answer.ends_with(b"x\"}]"));
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_is_not_read_ends_and_is_subscribed_no_more() {
    in_time(async {
        let fake = Fake::start_with(HostOptions::default().mailbox_limit(1 << 20)).await;
        let mut deaf = asked(&fake, "/subscribe/chat", "").await;
        deaf.readable().await.unwrap();
        let mut speaker = fake.client().await;
        let publish = format!("PUBLISH chat {}", "m".repeat(1 << 16));
        // Beyond what the sockets and the mailbox hold, nobody listens any more.
        while speaker.ask(&publish).await.unwrap() == ":1" {}
        assert_eq!(speaker.ask("PUBSUB NUMSUB chat").await, Ok("*2".into()));
        assert_eq!(speaker.reply().await, Ok("chat".into()));
        assert_eq!(speaker.reply().await, Ok(":0".into()));
        // What was on its way still comes, event by event, and then the end.
        let mut told = Vec::new();
        deaf.read_to_end(&mut told).await.unwrap();
        let told = String::from_utf8(told).unwrap();
        assert!(told.contains("data: subscribe,chat,1\n\n"));
        assert!(told.matches("data: message,chat,mmm").count() > 1);
        assert!(told.ends_with("\r\n0\r\n\r\n"), "the last chunk is empty");
    })
    .await;
}
