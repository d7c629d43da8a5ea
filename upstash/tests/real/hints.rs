//! Hints over pub/sub.

use leasehold_upstash::{Hint, Tcp, redis::Value};

use crate::{next, redis_server::RedisServer};

fn message(text: &str) -> Option<Hint> {
    Some(Hint::Message(text.as_bytes().into()))
}

#[tokio::test]
async fn what_is_published_is_told_after_a_gap() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&server.url()).unwrap();
    let mut hints = store.hints("gate");
    assert_eq!(next(&mut hints).await, Some(Hint::Gap));
    assert_eq!(server.run("PUBLISH gate a").await, Value::Int(1));
    assert_eq!(next(&mut hints).await, message("a"));
}

#[tokio::test]
async fn channels_share_a_connection_and_do_not_mix() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&server.url()).unwrap();
    let (mut one, mut two) = (store.hints("one"), store.clone().hints("two"));
    assert_eq!(next(&mut one).await, Some(Hint::Gap));
    assert_eq!(next(&mut two).await, Some(Hint::Gap));
    let mut late = store.hints("two");
    assert_eq!(next(&mut late).await, Some(Hint::Gap));
    server.run("PUBLISH one a").await;
    server.run("PUBLISH two b").await;
    assert_eq!(next(&mut one).await, message("a"));
    assert_eq!(next(&mut two).await, message("b"));
    assert_eq!(next(&mut late).await, message("b"));
    let clients = text(server.run("CLIENT LIST TYPE pubsub").await);
    assert_eq!(clients.lines().count(), 1, "{clients}");
}

#[tokio::test]
async fn who_stops_listening_leaves_and_may_come_back() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&server.url()).unwrap();
    let mut stays = store.hints("stays");
    let mut leaves = store.hints("leaves");
    assert_eq!(next(&mut leaves).await, Some(Hint::Gap));
    drop(leaves);
    let mut back = store.hints("leaves");
    assert_eq!(next(&mut back).await, Some(Hint::Gap));
    server.run("PUBLISH leaves a").await;
    assert_eq!(next(&mut back).await, message("a"));
    drop(back);
    // What follows on the one connection comes after the leave.
    assert_eq!(next(&mut stays).await, Some(Hint::Gap));
    let mut other = store.hints("other");
    assert_eq!(next(&mut other).await, Some(Hint::Gap));
    assert_eq!(server.run("PUBLISH leaves b").await, Value::Int(0));
}

#[tokio::test]
async fn the_connection_ends_with_the_last_listener() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&server.url()).unwrap();
    let mut hints = store.hints("gate");
    assert_eq!(next(&mut hints).await, Some(Hint::Gap));
    drop(hints);
    while !text(server.run("CLIENT LIST TYPE pubsub").await).is_empty() {}
    assert_eq!(next(&mut store.hints("gate")).await, Some(Hint::Gap));
}

#[tokio::test]
async fn a_connection_that_broke_is_made_again_and_the_gap_is_told() {
    let Some(mut server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&server.url()).unwrap();
    let mut hints = store.hints("gate");
    assert_eq!(next(&mut hints).await, Some(Hint::Gap));
    server.run("CLIENT KILL TYPE pubsub").await;
    assert_eq!(next(&mut hints).await, Some(Hint::Gap));
    server.restart();
    assert_eq!(next(&mut hints).await, Some(Hint::Gap));
    server.run("PUBLISH gate a").await;
    assert_eq!(next(&mut hints).await, message("a"));
}

#[tokio::test]
async fn a_server_that_does_not_allow_it_ends_the_hints() {
    let Some(server) = RedisServer::start(&[]) else { return };
    server.run("ACL SETUSER deaf on >pw ~* +@all resetchannels").await;
    let url = server.url().replace("//", "//deaf:pw@");
    assert_eq!(next(&mut Tcp::new(&url).unwrap().hints("gate")).await, None);
}

fn text(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).unwrap(),
        Value::VerbatimString { text, .. } => text,
        other => panic!("{other:?}"),
    }
}
