//! Hints over pub/sub.

use leasehold_upstash::{Hint, Tcp, redis::Value};

use crate::redis_server::RedisServer;

fn message(text: &str) -> Option<Hint> {
    Some(Hint::Message(text.as_bytes().into()))
}

#[tokio::test]
async fn what_is_published_is_told_after_a_gap() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&server.url()).unwrap();
    let mut hints = store.hints("gate");
    assert_eq!(hints.next().await, Some(Hint::Gap));
    assert_eq!(server.run("PUBLISH gate a").await, Value::Int(1));
    assert_eq!(hints.next().await, message("a"));
}

#[tokio::test]
async fn channels_share_a_connection_and_do_not_mix() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&server.url()).unwrap();
    let (mut one, mut two) = (store.hints("one"), store.clone().hints("two"));
    assert_eq!(one.next().await, Some(Hint::Gap));
    assert_eq!(two.next().await, Some(Hint::Gap));
    let mut late = store.hints("two");
    assert_eq!(late.next().await, Some(Hint::Gap));
    server.run("PUBLISH one a").await;
    server.run("PUBLISH two b").await;
    assert_eq!(one.next().await, message("a"));
    assert_eq!(two.next().await, message("b"));
    assert_eq!(late.next().await, message("b"));
    let clients = text(server.run("CLIENT LIST TYPE pubsub").await);
    assert_eq!(clients.lines().count(), 1, "{clients}");
}

#[tokio::test]
async fn who_stops_listening_leaves_and_may_come_back() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&server.url()).unwrap();
    let mut stays = store.hints("stays");
    let mut leaves = store.hints("leaves");
    assert_eq!(leaves.next().await, Some(Hint::Gap));
    drop(leaves);
    let mut back = store.hints("leaves");
    assert_eq!(back.next().await, Some(Hint::Gap));
    server.run("PUBLISH leaves a").await;
    assert_eq!(back.next().await, message("a"));
    drop(back);
    // What follows on the one connection comes after the leave.
    assert_eq!(stays.next().await, Some(Hint::Gap));
    let mut other = store.hints("other");
    assert_eq!(other.next().await, Some(Hint::Gap));
    assert_eq!(server.run("PUBLISH leaves b").await, Value::Int(0));
}

#[tokio::test]
async fn the_connection_ends_with_the_last_listener() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&server.url()).unwrap();
    let mut hints = store.hints("gate");
    assert_eq!(hints.next().await, Some(Hint::Gap));
    drop(hints);
    while !text(server.run("CLIENT LIST TYPE pubsub").await).is_empty() {}
    assert_eq!(store.hints("gate").next().await, Some(Hint::Gap));
}

#[tokio::test]
async fn a_connection_that_broke_is_made_again_and_the_gap_is_told() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&server.url()).unwrap();
    let mut hints = store.hints("gate");
    assert_eq!(hints.next().await, Some(Hint::Gap));
    server.run("CLIENT KILL TYPE pubsub").await;
    assert_eq!(hints.next().await, Some(Hint::Gap));
    let server = server.restart();
    assert_eq!(hints.next().await, Some(Hint::Gap));
    server.run("PUBLISH gate a").await;
    assert_eq!(hints.next().await, message("a"));
}

#[tokio::test]
async fn a_server_that_does_not_allow_it_ends_the_hints() {
    let Some(server) = RedisServer::start(&[]) else { return };
    server.run("ACL SETUSER deaf on >pw ~* +@all resetchannels").await;
    let url = server.url().replace("//", "//deaf:pw@");
    assert_eq!(Tcp::new(&url).unwrap().hints("gate").next().await, None);
}

fn text(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).unwrap(),
        Value::VerbatimString { text, .. } => text,
        other => panic!("{other:?}"),
    }
}
