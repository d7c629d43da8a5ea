//! The endpoint that injects faults and moves the clock.

use std::{sync::Arc, time::Duration};

use crate::serve_support::{Broken, Fake, in_time, request};
use leasehold_fake_redis::serve::{Client, Host, HostOptions, faults::ServerEventKind};
use serde_json::{Value, json};
use tokio::time::Instant;

async fn call(fake: &Fake, method: &str, target: &str, body: &str) -> (u16, Value) {
    let answer = fake.order(method, target, body).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn a_fault_is_injected_and_told() {
    let fake = Fake::start().await;
    let rule = r#"{"kind": "reply-loss", "command": "SET", "key": "lock:*", "next": 1}"#;
    assert_eq!(call(&fake, "POST", "/faults", rule).await, (200, json!({"id": "1"})));
    assert_eq!(fake.rest("SET other x").await, Ok(json!("OK")));
    assert_eq!(fake.rest("SET lock:1 secret").await, Err(Broken::Closed));
    let (status, report) = call(&fake, "GET", "/faults", "").await;
    assert_eq!(status, 200);
    let rule = &report["rules"][0];
    assert_eq!((&rule["kind"], &rule["seen"]), (&json!("reply-loss"), &json!(1)));
    assert_eq!((&rule["injected"], &rule["effective"]), (&json!(1), &json!(1)));
    let injection = &report["injections"][0];
    assert_eq!((&injection["command"], &injection["keys"]), (&json!("SET"), &json!(["lock:1"])));
    assert_eq!((&injection["transport"], &injection["effective"]), (&json!("rest"), &json!(true)));
    assert!(!report.to_string().contains("secret"));
}

#[tokio::test]
async fn faults_are_removed_one_by_one_or_all() {
    let fake = Fake::start().await;
    let named = r#"{"id": "mine", "kind": "hang"}"#;
    assert_eq!(call(&fake, "POST", "/faults", named).await.0, 200);
    let (status, error) = call(&fake, "POST", "/faults", named).await;
    assert_eq!(status, 409);
    assert!(error["error"].as_str().unwrap().contains("there is a rule `mine`"));
    assert_eq!(call(&fake, "GET", "/faults/mine", "").await.1["rule"]["id"], json!("mine"));
    assert_eq!(call(&fake, "DELETE", "/faults/mine", "").await, (200, json!({})));
    assert_eq!(call(&fake, "DELETE", "/faults/mine", "").await.0, 404);
    assert_eq!(call(&fake, "GET", "/faults/mine", "").await.0, 404);
    assert_eq!(call(&fake, "POST", "/faults", r#"{"kind": "reset"}"#).await.0, 200);
    assert_eq!(fake.rest("PING").await, Err(Broken::Reset));
    assert_eq!(call(&fake, "DELETE", "/faults", "").await, (200, json!({})));
    assert_eq!(fake.rest("PING").await, Ok(json!("PONG")));
    let none = json!({"rules": [], "injections": []});
    assert_eq!(call(&fake, "GET", "/faults", "").await, (200, none));
}

#[tokio::test]
async fn a_wrong_call_says_what_is_wrong() {
    let fake = Fake::start().await;
    let wrong = [
        ("POST", "/faults", "{", 400, "not a rule"),
        ("POST", "/faults", r#"{"kind": "explode"}"#, 400, "choose one of latency"),
        ("POST", "/faults", r#"{"kind": "hang", "soon": 1}"#, 400, "unknown field `soon`"),
        ("POST", "/clock", r#"{"advance": 1}"#, 400, "did you mean `advance_ms`?"),
        ("POST", "/clock", r#"{"rate": -1}"#, 400, "from 0 to 1000000"),
        ("POST", "/clock", r#"{"advance_ms": 18446744073709551615}"#, 400, "too far"),
        ("POST", "/failover", r#"{"lose": "much"}"#, 400, "length of time"),
        ("PUT", "/clock", "", 405, "POST /clock"),
        ("GET", "/nothing", "", 404, "the calls are"),
    ];
    for (method, target, body, status, text) in wrong {
        let (found, error) = call(&fake, method, target, body).await;
        assert_eq!(found, status, "{method} {target} {body}");
        assert!(error["error"].as_str().unwrap().contains(text), "{error}");
    }
}

#[tokio::test]
async fn who_does_not_know_the_token_orders_nothing() {
    let fake = Fake::start().await;
    for token in ["", "Bearer wrong", "Bearer full-secret", "admin-secret"] {
        let headers = [("authorization", token)];
        let body = r#"{"kind": "hang"}"#.into();
        let answer = request(fake.admin, "POST", "/faults", &headers, body).await.unwrap();
        assert_eq!(answer.status, 401, "{token}");
        assert!(!answer.text().contains("admin-secret"));
    }
    assert_eq!(fake.effective(), [0; 0]);
}

#[tokio::test]
async fn times_to_live_and_time_follow_the_clock() {
    let fake = Fake::start().await;
    let (_, reading) = call(&fake, "POST", "/clock", r#"{"unix_ms": 1700000000000}"#).await;
    assert_eq!(
        (&reading["unix_ms"], &reading["rate"]),
        (&json!(1_700_000_000_000_u64), &json!(0.0))
    );
    assert_eq!(fake.rest("SET a 1 PX 100").await, Ok(json!("OK")));
    assert_eq!(fake.rest("TIME").await, Ok(json!(["1700000000", "0"])));
    call(&fake, "POST", "/clock", r#"{"advance_ms": 100}"#).await;
    assert_eq!(fake.rest("PTTL a").await, Ok(json!(0)));
    call(&fake, "POST", "/clock", r#"{"jump_ms": -60}"#).await;
    assert_eq!(fake.rest("PTTL a").await, Ok(json!(60)));
    call(&fake, "POST", "/clock", r#"{"advance_ms": 61}"#).await;
    assert_eq!(fake.rest("GET a").await, Ok(json!(null)));
    let (_, reading) = call(&fake, "GET", "/clock", "").await;
    assert_eq!(reading["unix_ms"], json!(1_700_000_000_101_u64));
}

#[tokio::test]
async fn a_blocked_pop_waits_by_the_clock() {
    let fake = Fake::start().await;
    let mut client = fake.client().await;
    client.send("BLPOP list 10").await;
    fake.until_a_wait_begins().await;
    assert_eq!(fake.rest("PING").await, Ok(json!("PONG")));
    // At the last millisecond of its time it still waits.
    call(&fake, "POST", "/clock", r#"{"advance_ms": 10001}"#).await;
    assert_eq!(in_time(client.reply()).await, Ok("*-1".into()));
}

#[tokio::test]
async fn a_failover_loses_what_was_written_last() {
    let fake = Fake::start().await;
    let mut client = fake.client().await;
    client.ask("SET a 1").await.unwrap();
    call(&fake, "POST", "/clock", r#"{"advance_ms": 500}"#).await;
    client.ask("SET b 1").await.unwrap();
    client.ask("SET c 1").await.unwrap();
    let lost = call(&fake, "POST", "/failover", r#"{"lose": "100ms", "down": "10ms"}"#).await;
    assert_eq!(lost, (200, json!({"writes": 2, "keys": 2})));
    assert_eq!(client.reply().await, Err(Broken::Closed));
    assert_eq!(fake.rest("GET a").await, Err(Broken::Reset));
    call(&fake, "POST", "/clock", r#"{"advance_ms": 10}"#).await;
    assert_eq!(fake.rest("GET a").await, Ok(json!("1")));
    assert_eq!(fake.rest("GET b").await, Ok(json!(null)));
    let lost = call(&fake, "POST", "/restart", "").await;
    assert_eq!(lost.1["keys"], json!(1));
    assert_eq!(fake.rest("DBSIZE").await, Ok(json!(0)));
}

#[tokio::test]
async fn a_restart_ends_whoever_waits_for_a_reply() {
    let fake = Fake::start().await;
    fake.fault("latency fixed=1h command=GET");
    fake.fault("hang command=SET");
    let [mut delayed, mut hung, mut blocked] =
        [fake.client().await, fake.client().await, fake.client().await];
    delayed.send("GET a").await;
    hung.send("SET a 1").await;
    blocked.send("BLPOP queue 0").await;
    in_time(async {
        while fake.host.requests().len() < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(fake.effective(), [1, 1]);
    call(&fake, "POST", "/restart", "").await;
    assert_eq!(in_time(delayed.reply()).await, Err(Broken::Closed));
    assert_eq!(in_time(hung.reply()).await, Err(Broken::Closed));
    assert_eq!(in_time(blocked.reply()).await, Err(Broken::Closed));
}

#[tokio::test]
async fn a_copy_of_a_command_comes_after_a_restart() {
    let fake = Fake::start().await;
    fake.fault("duplicate command=SET after=1s");
    assert_eq!(fake.client().await.ask("SET a 1").await, Ok("+OK".into()));
    call(&fake, "POST", "/restart", "").await;
    assert_eq!(fake.rest("DBSIZE").await, Ok(json!(0)));
    fake.advance(1_000);
    in_time(async { while fake.rest("GET a").await != Ok(json!("1")) {} }).await;
    assert_eq!(fake.effective(), [1]);
}

fn connect<const N: usize>(host: &Arc<Host>) -> [Client; N] {
    [(); N].map(|()| host.connect("there".into(), "here".into()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_server_event_is_over_once_whoever_was_connected_is_gone() {
    let host = Host::new(HostOptions::default());
    let leave = |client: Client, later: usize| {
        tokio::spawn(async move {
            client.closed().await;
            for _ in 0..later {
                tokio::task::yield_now().await;
            }
        })
    };
    let [first, second, third] = connect(&host);
    let leaving = [leave(first, 5), leave(second, 1), leave(third, 9)];
    let begun = Instant::now();
    host.trigger(ServerEventKind::Restart, Duration::ZERO).await;
    assert!(leaving.iter().all(tokio::task::JoinHandle::is_finished));
    assert_eq!(begun.elapsed(), Duration::ZERO, "nobody is waited for in vain");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_leave_is_waited_for_a_second() {
    let host = Host::new(HostOptions::default());
    let [_stays] = connect(&host);
    let begun = Instant::now();
    host.trigger(ServerEventKind::Restart, Duration::ZERO).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(1));
}

#[tokio::test]
async fn a_flush_leaves_connections_and_faults() {
    let fake = Fake::start().await;
    let mut client = fake.client().await;
    client.ask("SET a 1").await.unwrap();
    assert_eq!(call(&fake, "POST", "/flush", "").await, (200, json!({})));
    assert_eq!(client.ask("DBSIZE").await, Ok(":0".into()));
}

#[tokio::test]
async fn the_last_requests_are_told_without_their_values() {
    let fake = Fake::start().await;
    fake.ask("POST", "/pipeline", &[], r#"[["set", "a", "hidden"], ["GET", "a"]]"#).await.unwrap();
    fake.client().await.ask("GET b").await.unwrap();
    let (_, told) = call(&fake, "GET", "/requests", "").await;
    let commands = json!([{"name": "SET", "keys": ["a"]}, {"name": "GET", "keys": ["a"]}]);
    assert_eq!(told["requests"][0]["commands"], commands);
    assert_eq!(told["requests"][1]["transport"], json!("resp"));
    assert_eq!(told["requests"][1]["id"], json!(2));
    assert!(!told.to_string().contains("hidden"));
}
