//! Clients over a real loopback socket: what well-behaved ones get.

use crate::resp_support::{with_password, with_server};
use leasehold_fake_redis::serve::HostOptions;

#[test]
fn commands_in_one_packet_are_answered_in_order() {
    with_server(HostOptions::default(), async |server| {
        let mut client = server.connect().await;
        let commands =
            "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\nINCR a\r\n*1\r\n$4\r\nPING\r\n".repeat(500);
        client.send(&commands).await;
        client.expect(&"+OK\r\n:2\r\n+PONG\r\n".repeat(500)).await;
    });
}

#[test]
fn a_script_ends_at_the_time_limit_whatever_it_does() {
    with_server(HostOptions::default(), async |server| {
        let mut client = server.connect().await;
        client.ask("CONFIG SET lua-time-limit 1\r\n", "+OK\r\n").await;
        client
            .send("EVAL \"while true do pcall(function() while true do end end) end\" 0\r\n")
            .await;
        client.expect("-ERR Script stopped: it ran longer than lua-time-limit").await;
    });
}

#[test]
fn a_value_larger_than_any_buffer_comes_back_whole() {
    with_server(HostOptions::default(), async |server| {
        let (mut client, value) = (server.connect().await, "v".repeat(3 << 20));
        let length = value.len();
        client.send(format!("*3\r\n$3\r\nSET\r\n$1\r\na\r\n${length}\r\n{value}\r\n")).await;
        client.ask("GET a\r\n", &format!("+OK\r\n${length}\r\n{value}\r\n")).await;
    });
}

#[test]
fn a_session_speaks_the_protocol_that_it_has_chosen() {
    with_server(HostOptions::default(), async |server| {
        let mut client = server.connect().await;
        client.ask("GET a\r\n", "$-1\r\n").await;
        client.send("HELLO 3\r\n").await;
        client
            .expect("%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n")
            .await;
        client
            .expect("$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n")
            .await;
        client.expect("$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n").await;
        client.ask("GET a\r\n", "_\r\n").await;
        client.ask("RESET\r\nGET a\r\n", "+RESET\r\n$-1\r\n").await;
    });
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    with_server(with_password(), async |server| {
        let mut client = server.connect().await;
        client.ask("GET a\r\n", "-NOAUTH Authentication required.\r\n").await;
        let wrong = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
        client.ask("AUTH guess\r\n", wrong).await;
        client.ask("AUTH secret\r\nGET a\r\n", "+OK\r\n$-1\r\n").await;
        assert!(!format!("{:?}", server.host).contains("secret"));
        let mut stranger = server.connect().await;
        stranger.send("*11\r\n").await;
        let refusal = b"-ERR Protocol error: unauthenticated multibulk length\r\n";
        assert_eq!(stranger.rest().await, refusal);
    });
}

#[test]
fn messages_reach_those_who_listen() {
    with_server(HostOptions::default(), async |server| {
        let (mut listener, mut speaker) = (server.connect().await, server.connect().await);
        listener.ask("SUBSCRIBE news\r\n", "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n").await;
        speaker.ask("PUBLISH news hello\r\n", ":1\r\n").await;
        listener.expect("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n").await;
        listener.ask("PING\r\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n").await;
    });
}

#[test]
fn a_blocked_client_goes_on_with_what_it_sent_ahead() {
    with_server(HostOptions::default(), async |server| {
        let (mut waiter, mut giver) = (server.connect().await, server.connect().await);
        waiter.send("BLPOP jobs 0\r\nPING\r\n").await;
        while !giver.ask_for_text("INFO clients\r\n").await.contains("blocked_clients:1\r\n") {}
        giver.ask("RPUSH jobs one\r\n", ":1\r\n").await;
        waiter.expect("*2\r\n$4\r\njobs\r\n$3\r\none\r\n+PONG\r\n").await;
    });
}

#[test]
fn a_wait_ends_at_its_timeout() {
    with_server(HostOptions::default(), async |server| {
        let mut client = server.connect().await;
        client.ask("BLPOP jobs 0.01\r\nPING\r\n", "*-1\r\n+PONG\r\n").await;
    });
}

#[test]
fn a_client_that_leaves_while_it_waits_takes_nothing_with_it() {
    with_server(HostOptions::default(), async |server| {
        let (mut waiter, mut giver) = (server.connect().await, server.connect().await);
        waiter.send("BLPOP jobs 0\r\n").await;
        while !giver.ask_for_text("INFO clients\r\n").await.contains("blocked_clients:1\r\n") {}
        drop(waiter);
        while !giver.ask_for_text("INFO clients\r\n").await.contains("blocked_clients:0\r\n") {}
        giver.ask("RPUSH jobs one\r\nLLEN jobs\r\n", ":1\r\n:1\r\n").await;
    });
}

#[test]
fn quit_and_kill_end_a_connection_behind_its_last_reply() {
    with_server(HostOptions::default(), async |server| {
        let mut leaver = server.connect().await;
        leaver.send("PING\r\nQUIT\r\nPING\r\n").await;
        assert_eq!(leaver.rest().await, b"+PONG\r\n+OK\r\n");
        let (mut victim, mut killer) = (server.connect().await, server.connect().await);
        victim.ask("CLIENT ID\r\n", ":2\r\n").await;
        killer.ask("CLIENT KILL ID 2\r\n", ":1\r\n").await;
        assert!(victim.rest().await.is_empty());
        killer.send("CLIENT KILL TYPE normal SKIPME no\r\nPING\r\n").await;
        assert_eq!(killer.rest().await, b":1\r\n");
    });
}

#[test]
fn what_a_command_brings_about_comes_before_the_reply_to_the_next_in_the_packet() {
    with_server(HostOptions::default(), async |server| {
        let mut client = server.connect().await;
        client.send("MONITOR\r\nINCR a\r\nINCRBY a 5\r\nQUIT\r\n").await;
        let told = String::from_utf8(client.rest().await).unwrap();
        let lines: Vec<_> = told.lines().collect();
        assert_eq!((lines[0], lines[1], lines[3]), ("+OK", ":1", ":6"));
        assert!(lines[2].ends_with(r#""INCR" "a""#) && lines[4].ends_with(r#""INCRBY" "a" "5""#));
    });
}

#[test]
fn keys_expire_while_nobody_asks() {
    with_server(HostOptions::default(), async |server| {
        let mut client = server.connect().await;
        client.ask("SET a 1 PX 1\r\n", "+OK\r\n").await;
        while server.host.with_server(|server| server.redis().keyspace.len()) > 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn shutdown_ends_the_server_and_its_connections() {
    with_server(HostOptions::default(), async |server| {
        let (mut other, mut client) = (server.connect().await, server.connect().await);
        other.ask("PING\r\n", "+PONG\r\n").await;
        client.send("SHUTDOWN\r\n").await;
        server.host.stopping().await;
        server.host.shut_down().await;
        assert!(client.rest().await.is_empty());
        assert!(other.rest().await.is_empty());
    });
}
