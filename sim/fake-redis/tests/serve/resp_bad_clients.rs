//! Clients over a real loopback socket: what bad ones do, which must not harm any other.

use crate::resp_support::with_server;
use leasehold_fake_redis::serve::HostOptions;
use tokio::io::AsyncWriteExt;

const PING: &str = "*1\r\n$4\r\nPING\r\n";

#[test]
fn half_a_request_holds_up_nobody() {
    with_server(HostOptions::default(), async |server| {
        let (mut slow, mut other) = (server.connect().await, server.connect().await);
        for byte in b"*2\r\n$4\r\nECHO\r\n$2\r\nh" {
            slow.send([*byte]).await;
            other.ask(PING, "+PONG\r\n").await;
        }
        slow.ask("i\r\n", "$2\r\nhi\r\n").await;
    });
}

#[test]
fn what_is_not_the_protocol_is_refused_and_the_connection_ended() {
    with_server(HostOptions::default(), async |server| {
        let mut other = server.connect().await;
        let nested = "*1\r\n".repeat(100_000);
        for (bytes, refusal) in [
            (&nested[..], "-ERR Protocol error: expected '$', got '*'\r\n"),
            ("*2147483647\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
            ("*1\r\n$999999999999\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
            ("*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
            ("SET a \"b\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"),
            ("POST / HTTP/1.1\r\n", ""),
        ] {
            let mut bad = server.connect().await;
            // It may be cut off while it is still sending.
            let _ = bad.stream.write_all(bytes.as_bytes()).await;
            let told = bad.rest().await;
            if bytes.len() < 100 {
                assert_eq!(String::from_utf8_lossy(&told), refusal, "{bytes:?}");
            }
            other.ask(PING, "+PONG\r\n").await;
        }
    });
}

#[test]
fn bytes_that_are_no_text_are_data() {
    with_server(HostOptions::default(), async |server| {
        let mut client = server.connect().await;
        client.send(b"*3\r\n$3\r\nSET\r\n$2\r\n\xff\x00\r\n$3\r\n\xc3\x28\n\r\n").await;
        client.send(b"*2\r\n$3\r\nGET\r\n$2\r\n\xff\x00\r\n*1\r\n$2\r\n\xff\xfe\r\n").await;
        client.send("QUIT\r\n").await;
        let rest = client.rest().await;
        assert!(rest.starts_with(b"+OK\r\n$3\r\n\xc3\x28\n\r\n-ERR unknown command '"), "{rest:?}");
    });
}

#[test]
fn a_claim_of_much_takes_no_memory_and_holds_up_nobody() {
    with_server(HostOptions::default(), async |server| {
        let mut claimers = Vec::new();
        for _ in 0..50 {
            // Together they claim 25 gigabytes for the first argument alone.
            let mut claimer = server.connect().await;
            claimer.send("*1000000\r\n$536870912\r\nabc").await;
            claimers.push(claimer);
        }
        let mut other = server.connect().await;
        other.ask(PING, "+PONG\r\n").await;
    });
}

#[test]
fn many_arguments_are_one_command() {
    with_server(HostOptions::default(), async |server| {
        let mut client = server.connect().await;
        let keys = 200_000;
        client.send(format!("*{}\r\n$3\r\nDEL\r\n", keys + 1)).await;
        client.send("$1\r\nk\r\n".repeat(keys)).await;
        client.expect(":0\r\n").await;
    });
}

#[test]
fn who_asks_and_does_not_read_holds_up_nobody_and_gets_all_once_it_reads() {
    with_server(HostOptions::default(), async |server| {
        let (mut greedy, mut other) = (server.connect().await, server.connect().await);
        let value = "v".repeat(1 << 20);
        greedy.ask(&format!("SET a {}\r\n", "x"), "+OK\r\n").await;
        other.send(format!("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1048576\r\n{value}\r\n")).await;
        other.expect("+OK\r\n").await;
        greedy.send("GET a\r\n".repeat(64)).await;
        for _ in 0..100 {
            other.ask(PING, "+PONG\r\n").await;
        }
        let reply = format!("$1048576\r\n{value}\r\n");
        for _ in 0..64 {
            greedy.expect(&reply).await;
        }
    });
}

#[test]
fn who_listens_and_does_not_read_is_disconnected() {
    let options = HostOptions::default().mailbox_limit(1 << 20);
    with_server(options, async |server| {
        let (mut deaf, mut speaker) = (server.connect().await, server.connect().await);
        deaf.ask("SUBSCRIBE a\r\n", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n").await;
        let publish =
            format!("*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n$65536\r\n{}\r\n", "m".repeat(65_536));
        // Beyond what the sockets and the mailbox hold, nobody listens any more.
        loop {
            speaker.send(&publish).await;
            let mut reply = [0; 4];
            tokio::io::AsyncReadExt::read_exact(&mut speaker.stream, &mut reply).await.unwrap();
            match &reply {
                b":1\r\n" => {}
                b":0\r\n" => break,
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn a_dropped_connection_leaves_nothing_behind() {
    with_server(HostOptions::default(), async |server| {
        for begin in
            ["", "*2\r\n$4\r\nEC", "SUBSCRIBE a\r\n", "MULTI\r\nSET a 1\r\n", "WATCH a\r\n"]
        {
            server.connect().await.send(begin).await;
        }
        server.until_connected(0).await;
        let mut client = server.connect().await;
        client.ask("PUBLISH a x\r\nEXISTS a\r\n", ":0\r\n:0\r\n").await;
    });
}

#[test]
fn one_client_too_many_is_told_so() {
    let options = HostOptions::default().max_clients(2);
    with_server(options, async |server| {
        let (mut first, mut second) = (server.connect().await, server.connect().await);
        first.ask(PING, "+PONG\r\n").await;
        second.ask(PING, "+PONG\r\n").await;
        let mut third = server.connect().await;
        assert_eq!(third.rest().await, b"-ERR max number of clients reached\r\n");
        drop(second);
        // Once there is room, the next one is let in.
        loop {
            let mut next = server.connect().await;
            next.send(PING).await;
            let mut begin = [0; 1];
            let read = tokio::io::AsyncReadExt::read(&mut next.stream, &mut begin).await;
            if read.is_ok() && begin == *b"+" {
                break;
            }
        }
    });
}
