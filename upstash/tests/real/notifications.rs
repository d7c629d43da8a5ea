//! Notifications over pub/sub.

use leasehold_upstash::{Notification, Tcp, redis::Value};

use crate::{next, redis_server::RedisServer};

fn message(text: &str) -> Option<Notification> {
    Some(Notification::Message(text.as_bytes().into()))
}

#[tokio::test]
async fn what_is_published_is_told_after_a_gap() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&server.url()).unwrap();
    let mut notifications = store.notifications("gate");
    assert_eq!(next(&mut notifications).await, Some(Notification::Gap));
    assert_eq!(server.run("PUBLISH gate a").await, Value::Int(1));
    assert_eq!(next(&mut notifications).await, message("a"));
}

#[tokio::test]
async fn channels_share_a_connection_and_do_not_mix() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&server.url()).unwrap();
    let (mut one, mut two) = (store.notifications("one"), store.clone().notifications("two"));
    assert_eq!(next(&mut one).await, Some(Notification::Gap));
    assert_eq!(next(&mut two).await, Some(Notification::Gap));
    let mut late = store.notifications("two");
    assert_eq!(next(&mut late).await, Some(Notification::Gap));
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
    let mut stays = store.notifications("stays");
    let mut leaves = store.notifications("leaves");
    assert_eq!(next(&mut leaves).await, Some(Notification::Gap));
    drop(leaves);
    let mut back = store.notifications("leaves");
    assert_eq!(next(&mut back).await, Some(Notification::Gap));
    server.run("PUBLISH leaves a").await;
    assert_eq!(next(&mut back).await, message("a"));
    drop(back);
    // What follows on the one connection comes after the leave.
    assert_eq!(next(&mut stays).await, Some(Notification::Gap));
    let mut other = store.notifications("other");
    assert_eq!(next(&mut other).await, Some(Notification::Gap));
    assert_eq!(server.run("PUBLISH leaves b").await, Value::Int(0));
}

#[tokio::test]
async fn the_connection_ends_with_the_last_listener() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&server.url()).unwrap();
    let mut notifications = store.notifications("gate");
    assert_eq!(next(&mut notifications).await, Some(Notification::Gap));
    drop(notifications);
    while !text(server.run("CLIENT LIST TYPE pubsub").await).is_empty() {}
    assert_eq!(next(&mut store.notifications("gate")).await, Some(Notification::Gap));
}

#[tokio::test]
async fn a_connection_that_broke_is_made_again_and_the_gap_is_told() {
    let Some(mut server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&server.url()).unwrap();
    let mut notifications = store.notifications("gate");
    assert_eq!(next(&mut notifications).await, Some(Notification::Gap));
    server.run("CLIENT KILL TYPE pubsub").await;
    assert_eq!(next(&mut notifications).await, Some(Notification::Gap));
    server.restart();
    assert_eq!(next(&mut notifications).await, Some(Notification::Gap));
    server.run("PUBLISH gate a").await;
    assert_eq!(next(&mut notifications).await, message("a"));
}

#[tokio::test]
async fn a_server_that_does_not_allow_it_ends_the_notifications() {
    let Some(server) = RedisServer::start(&[]) else { return };
    server.run("ACL SETUSER deaf on >pw ~* +@all resetchannels").await;
    let url = server.url().replace("//", "//deaf:pw@");
    assert_eq!(next(&mut Tcp::new(&url).unwrap().notifications("gate")).await, None);
}

fn text(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).unwrap(),
        Value::VerbatimString { text, .. } => text,
        other => panic!("{other:?}"),
    }
}
