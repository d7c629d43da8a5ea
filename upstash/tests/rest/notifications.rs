//! Notifications over server-sent events.

use leasehold_upstash::Notification;

use crate::{
    next,
    scripted::{Act, Server, Then},
};

const LISTENING: Act = Act::Stream("data: subscribe,gate,1\n\n", Then::Stay);

fn message(text: &str) -> Option<Notification> {
    Some(Notification::Message(text.as_bytes().into()))
}

#[tokio::test]
async fn what_is_published_is_told_after_a_gap() {
    let events = "data: subscribe,gate,1\n\n: alive\n\ndata: message,gate,a,b\n\n";
    let server = Server::playing([Act::Stream(events, Then::Stay)]).await;
    let mut notifications = server.store().notifications("gate");
    assert_eq!(next(&mut notifications).await, Some(Notification::Gap));
    assert_eq!(next(&mut notifications).await, message("a,b"));
    let request = server.requests().remove(0);
    assert!(request.starts_with("post /subscribe/gate "), "{request}");
    assert!(request.contains("accept: text/event-stream"), "{request}");
    assert!(request.contains("authorization: bearer a-secret-token"), "{request}");
}

#[tokio::test]
async fn a_stream_that_breaks_is_opened_again_and_the_gap_is_told() {
    let broken = Act::Stream("data: subscribe,gate,1\n\n", Then::Close);
    let heard = Act::Stream("data: subscribe,gate,1\n\ndata: message,gate,x\n\n", Then::Stay);
    let server = Server::playing([broken, Act::says(503, ""), Act::Cut, heard]).await;
    let mut notifications = server.store().notifications("gate");
    assert_eq!(next(&mut notifications).await, Some(Notification::Gap));
    assert_eq!(next(&mut notifications).await, Some(Notification::Gap));
    assert_eq!(next(&mut notifications).await, message("x"));
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_server_that_refuses_ends_the_notifications() {
    for status in [400, 401, 404, 405] {
        let server = Server::playing([Act::says(status, "")]).await;
        assert_eq!(next(&mut server.store().notifications("gate")).await, None, "{status}");
    }
}

#[tokio::test]
async fn all_that_listen_to_a_channel_share_a_stream_and_a_late_one_is_told_of_its_gap() {
    let server = Server::playing([LISTENING, LISTENING]).await;
    let store = server.store();
    let mut first = store.notifications("gate");
    assert_eq!(next(&mut first).await, Some(Notification::Gap));
    let mut second = store.clone().notifications("gate");
    assert_eq!(next(&mut second).await, Some(Notification::Gap));
    assert_eq!(server.requests().len(), 1);
    let mut other = store.notifications("other");
    assert_eq!(next(&mut other).await, Some(Notification::Gap));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn the_stream_ends_with_the_last_listener_and_begins_anew() {
    let server = Server::playing([LISTENING, LISTENING]).await;
    let store = server.store();
    let mut first = store.notifications("gate");
    assert_eq!(next(&mut first).await, Some(Notification::Gap));
    drop(first);
    assert_eq!(next(&mut store.notifications("gate")).await, Some(Notification::Gap));
    assert_eq!(server.requests().len(), 2);
}
