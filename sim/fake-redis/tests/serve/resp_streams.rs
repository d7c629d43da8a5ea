//! Streams over a real loopback socket, in both protocols.

use crate::resp_support::{Client, Server, with_server};
use leasehold_fake_redis::serve::HostOptions;

/// A client that speaks RESP3.
async fn in_resp3(server: &Server) -> Client {
    let mut client = server.connect().await;
    client.send("HELLO 3\r\nECHO ready\r\n").await;
    while !client.line().await.ends_with("ready") {}
    client
}

async fn until_blocked(server: &Server, number: usize) {
    let mut watcher = server.connect().await;
    let wanted = format!("blocked_clients:{number}\r\n");
    while !watcher.ask_for_text("INFO clients\r\n").await.contains(&wanted) {}
}

/// What both read of one entry: RESP3 has a map from streams to entries, RESP2 a list of pairs.
const ENTRIES: &str = "$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n";

#[test]
fn entries_are_read_as_pairs_or_as_a_map() {
    with_server(HostOptions::default(), async |server| {
        let (mut old, mut new) = (server.connect().await, in_resp3(&server).await);
        old.ask("XADD s 1-1 f v\r\n", "$3\r\n1-1\r\n").await;
        old.ask("XREAD STREAMS s 0\r\n", &format!("*1\r\n*2\r\n{ENTRIES}")).await;
        new.ask("XREAD STREAMS s 0\r\n", &format!("%1\r\n{ENTRIES}")).await;
        old.ask("XREAD STREAMS s $\r\n", "*-1\r\n").await;
        new.ask("XREAD STREAMS s $\r\n", "_\r\n").await;
    });
}

#[test]
fn who_waits_for_an_entry_gets_it_in_its_protocol() {
    with_server(HostOptions::default(), async |server| {
        let (mut old, mut new) = (server.connect().await, in_resp3(&server).await);
        old.send("XREAD BLOCK 0 STREAMS other s $ $\r\nPING\r\n").await;
        new.send("XREAD BLOCK 0 STREAMS s $\r\nPING\r\n").await;
        until_blocked(&server, 2).await;
        let mut giver = server.connect().await;
        giver.ask("XADD s 1-1 f v\r\n", "$3\r\n1-1\r\n").await;
        old.expect(&format!("*1\r\n*2\r\n{ENTRIES}+PONG\r\n")).await;
        new.expect(&format!("%1\r\n{ENTRIES}+PONG\r\n")).await;
    });
}

#[test]
fn who_waits_in_a_group_is_told_when_the_stream_goes() {
    with_server(HostOptions::default(), async |server| {
        let (mut waiter, mut other) = (server.connect().await, server.connect().await);
        other.ask("XGROUP CREATE s g $ MKSTREAM\r\n", "+OK\r\n").await;
        let read = "XREADGROUP GROUP g c BLOCK 0 STREAMS s >\r\n";
        waiter.send(read).await;
        until_blocked(&server, 1).await;
        other.ask("XADD s 1-1 f v\r\n", "$3\r\n1-1\r\n").await;
        waiter.expect(&format!("*1\r\n*2\r\n{ENTRIES}")).await;
        waiter.send(read).await;
        until_blocked(&server, 1).await;
        other.ask("DEL s\r\n", ":1\r\n").await;
        waiter.expect("-UNBLOCKED the stream key no longer exists\r\n").await;
    });
}

#[test]
fn a_wait_for_an_entry_ends_at_its_timeout() {
    with_server(HostOptions::default(), async |server| {
        let (mut old, mut new) = (server.connect().await, in_resp3(&server).await);
        old.ask("XREAD BLOCK 5 STREAMS s $\r\nPING\r\n", "*-1\r\n+PONG\r\n").await;
        new.ask("XREAD BLOCK 5 STREAMS s $\r\nPING\r\n", "_\r\n+PONG\r\n").await;
    });
}
