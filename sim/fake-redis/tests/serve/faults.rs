//! Every kind of fault takes effect, over REST and over RESP.

use std::{future::Future, pin::pin, task::Poll};

use crate::serve_support::{Broken, Fake};
use leasehold_fake_redis::{Password, Settings, serve::HostOptions};
use serde_json::json;

/// Runs everything else until nothing is left to do, and says that `future` still waits.
async fn waits(mut future: std::pin::Pin<&mut impl Future>) {
    for _ in 0..200 {
        let pending =
            std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending()));
        assert!(pending.await, "it must not be over yet");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_lost_request_is_not_executed() {
    let fake = Fake::with_fault("request-loss command=INCR next=2").await;
    assert_eq!(fake.rest("INCR n").await, Err(Broken::Closed));
    assert_eq!(fake.client().await.ask("INCR n").await, Err(Broken::Closed));
    assert_eq!(fake.rest("INCR n").await, Ok(json!(1)));
    assert_eq!(fake.effective(), [2]);
}

#[tokio::test]
async fn a_lost_reply_is_of_a_request_that_was_executed() {
    let fake = Fake::with_fault("reply-loss command=INCR next=2").await;
    assert_eq!(fake.rest("INCR n").await, Err(Broken::Closed));
    assert_eq!(fake.client().await.ask("INCR n").await, Err(Broken::Closed));
    assert_eq!(fake.rest("INCR n").await, Ok(json!(3)));
    assert_eq!(fake.effective(), [2]);
}

#[tokio::test]
async fn replies_before_a_lost_one_arrive() {
    let fake = Fake::with_fault("reply-loss command=INCR next=1").await;
    let mut client = fake.client().await;
    client.send("SET a 1").await;
    client.send("INCR a").await;
    assert_eq!(client.reply().await, Ok("+OK".into()));
    assert_eq!(client.reply().await, Err(Broken::Closed));
}

#[tokio::test]
async fn a_reset_breaks_the_connection() {
    let fake = Fake::with_fault("reset next=2").await;
    assert_eq!(fake.rest("INCR n").await, Err(Broken::Reset));
    assert_eq!(fake.client().await.ask("INCR n").await, Err(Broken::Reset));
    fake.fault("reset executed=true next=1");
    assert_eq!(fake.rest("INCR n").await, Err(Broken::Reset));
    assert_eq!(fake.rest("INCR n").await, Ok(json!(2)));
    assert_eq!(fake.effective(), [2, 1]);
}

#[tokio::test]
async fn a_hang_holds_up_its_own_connection_only() {
    let fake = Fake::with_fault("hang key=a").await;
    let mut client = fake.client().await;
    let mut rest = pin!(fake.rest("GET a"));
    let mut resp = pin!(client.ask("GET a"));
    waits(rest.as_mut()).await;
    waits(resp.as_mut()).await;
    assert_eq!(fake.rest("GET b").await, Ok(json!(null)));
    assert_eq!(fake.client().await.ask("GET b").await, Ok("nil".into()));
    assert_eq!(fake.effective(), [2]);
}

#[tokio::test]
async fn what_ends_badly_was_executed_or_not_as_its_rule_says() {
    for kind in ["reset", "hang"] {
        for executed in [false, true] {
            let rule = format!("{kind} executed={executed} command=INCR next=2");
            let fake = Fake::with_fault(&rule).await;
            let mut client = fake.client().await;
            let (mut rest, mut resp) = (pin!(fake.rest("INCR n")), pin!(client.ask("INCR n")));
            if kind == "hang" {
                waits(rest.as_mut()).await;
                waits(resp.as_mut()).await;
            } else {
                assert_eq!(rest.await, Err(Broken::Reset));
                assert_eq!(resp.await, Err(Broken::Reset));
            }
            let count = if executed { json!(2) } else { json!(0) };
            assert_eq!(fake.rest("INCRBY n 0").await, Ok(count), "{rule}");
            assert_eq!(fake.effective(), [2], "{rule}");
        }
    }
}

#[tokio::test]
async fn a_request_under_way_has_not_been_executed_yet() {
    let fake = Fake::with_fault("latency fixed=50ms command=INCR").await;
    let mut client = fake.client().await;
    let (mut rest, mut resp) = (pin!(fake.rest("INCR n")), pin!(client.ask("INCR n")));
    waits(rest.as_mut()).await;
    waits(resp.as_mut()).await;
    assert_eq!(fake.rest("EXISTS n").await, Ok(json!(0)));
    fake.advance(50);
    rest.await.unwrap();
    resp.await.unwrap();
    assert_eq!(fake.rest("GET n").await, Ok(json!("2")));
}

#[tokio::test]
async fn a_server_event_is_triggered_over_rest() {
    for rule in ["failover lose=50ms", "restart"] {
        let fake = Fake::with_fault(&format!("{rule} command=SET key=last next=1")).await;
        let mut bystander = fake.client().await;
        fake.advance(50);
        assert_eq!(bystander.ask("SET lost 1").await, Ok("+OK".into()));
        assert_eq!(fake.rest("SET last 1").await, Ok(json!("OK")));
        assert_eq!(bystander.reply().await, Err(Broken::Closed), "{rule}");
        assert_eq!(fake.rest("EXISTS lost last").await, Ok(json!(0)), "{rule}");
        assert_eq!(fake.effective(), [1], "{rule}");
    }
}

#[tokio::test]
async fn latency_follows_the_clock() {
    let fake = Fake::with_fault("latency fixed=50ms command=GET").await;
    let mut client = fake.client().await;
    let mut rest = pin!(fake.rest("GET a"));
    let mut resp = pin!(client.ask("GET a"));
    waits(rest.as_mut()).await;
    waits(resp.as_mut()).await;
    fake.advance(49);
    waits(rest.as_mut()).await;
    assert_eq!(fake.rest("SET a 1").await, Ok(json!("OK")));
    fake.advance(1);
    assert_eq!(rest.await, Ok(json!("1")));
    assert_eq!(resp.await, Ok("1".into()));
    assert_eq!(fake.effective(), [2]);
}

#[tokio::test]
async fn a_duplicate_is_executed_once_more() {
    let fake = Fake::with_fault("duplicate after=10ms command=INCR next=2").await;
    assert_eq!(fake.rest("INCR n").await, Ok(json!(1)));
    assert_eq!(fake.client().await.ask("INCR n").await, Ok(":2".into()));
    assert_eq!((fake.rest("GET n").await, fake.effective()), (Ok(json!("2")), vec![0]));
    fake.advance(10);
    while fake.effective() != [2] {
        tokio::task::yield_now().await;
    }
    assert_eq!(fake.rest("GET n").await, Ok(json!("4")));
}

#[tokio::test]
async fn a_duplicate_works_on_the_same_database() {
    let fake = Fake::with_fault("duplicate command=INCR").await;
    let mut client = fake.client().await;
    client.ask("SELECT 3").await.unwrap();
    assert_eq!(client.ask("INCR n").await, Ok(":1".into()));
    while fake.effective() != [1] {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.ask("GET n").await, Ok("2".into()));
    assert_eq!(fake.rest("EXISTS n").await, Ok(json!(0)));
}

#[tokio::test]
async fn a_fault_opens_no_door_without_a_password() {
    let settings = Settings::default().password(Password::new("p"));
    let fake = Fake::start_with(HostOptions::default().settings(settings)).await;
    assert_eq!(fake.rest("SET a secret").await, Ok(json!("OK")));
    fake.fault("stale-read lag=0ms");
    fake.fault("duplicate command=SET");
    let mut client = fake.client().await;
    let refused = Ok("-NOAUTH Authentication required.".into());
    assert_eq!(client.ask("GET a").await, refused);
    assert_eq!(client.ask("SET a changed").await, refused);
    waits(pin!(std::future::pending::<()>())).await;
    assert_eq!(fake.rest("GET a").await, Ok(json!("secret")));
    assert_eq!(fake.effective(), [0, 0]);
}

#[tokio::test]
async fn an_error_refuses_one_command() {
    let fake = Fake::with_fault("error text=OOM command=SET next=2").await;
    let text = "OOM command not allowed when used memory > 'maxmemory'.";
    assert_eq!(fake.rest("SET a 1").await, Ok(json!(text)));
    assert_eq!(fake.client().await.ask("SET a 1").await, Ok(format!("-{text}")));
    assert_eq!(fake.rest("GET a").await, Ok(json!(null)));
    assert_eq!(fake.effective(), [2]);
}

#[tokio::test]
async fn an_error_is_told_in_its_place_in_a_pipeline() {
    let fake = Fake::with_fault("error text=BUSY command=GET next=1").await;
    let body = r#"[["SET", "a", "1"], ["GET", "a"], ["GET", "a"]]"#;
    let answer = fake.ask("POST", "/pipeline", &[], body).await.unwrap();
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert_eq!(json[0], json!({"result": "OK"}));
    assert!(json[1]["error"].as_str().unwrap().starts_with("BUSY "));
    assert_eq!(json[2], json!({"result": "1"}));
}

#[tokio::test]
async fn a_status_is_answered_over_rest_only() {
    let fake = Fake::with_fault("status code=503 next=1").await;
    assert_eq!(fake.client().await.ask("PING").await, Ok("+PONG".into()));
    let answer = fake.ask("POST", "/", &[], r#"["INCR", "n"]"#).await.unwrap();
    assert_eq!((answer.status, answer.json()), (503, json!({"error": "ERR injected fault"})));
    fake.fault("status code=429 text=slow executed=true next=1");
    assert_eq!(fake.rest("INCR n").await, Ok(json!("slow")));
    assert_eq!(fake.rest("INCR n").await, Ok(json!(2)));
}

#[tokio::test]
async fn a_stale_read_lacks_the_last_writes() {
    let fake = Fake::with_fault("stale-read lag=100ms command=GET").await;
    let mut client = fake.client().await;
    assert_eq!(fake.rest("SET a old").await, Ok(json!("OK")));
    fake.advance(100);
    assert_eq!(client.ask("SET a new").await, Ok("+OK".into()));
    assert_eq!(fake.rest("GET a").await, Ok(json!("old")));
    assert_eq!(client.ask("GET a").await, Ok("old".into()));
    assert_eq!(fake.effective(), [2]);
    fake.advance(100);
    assert_eq!(fake.rest("GET a").await, Ok(json!("new")));
    assert_eq!(fake.effective(), [2], "a reply that is the same is no effect");
}

#[tokio::test]
async fn a_sync_token_makes_a_stale_read_fresh() {
    let fake = Fake::with_fault("stale-read lag=1h").await;
    let written = fake.ask("POST", "/", &[], r#"["SET", "a", "1"]"#).await.unwrap();
    let token = written.header("upstash-sync-token");
    let get = r#"["GET", "a"]"#;
    let stale = fake.ask("POST", "/", &[], get).await.unwrap();
    assert_eq!(stale.json(), json!({"result": null}));
    let fresh = fake.ask("POST", "/", &[("upstash-sync-token", token)], get).await.unwrap();
    assert_eq!(fresh.json(), json!({"result": "1"}));
    let strange = fake.ask("POST", "/", &[("upstash-sync-token", "t1")], get).await.unwrap();
    assert_eq!(strange.json(), json!({"result": null}));
}

#[tokio::test]
async fn a_failover_loses_the_last_writes_and_every_connection() {
    let fake = Fake::with_fault("failover lose=50ms command=SET key=last").await;
    let mut bystander = fake.client().await;
    assert_eq!(fake.rest("SET kept 1").await, Ok(json!("OK")));
    fake.advance(50);
    assert_eq!(bystander.ask("SET lost 1").await, Ok("+OK".into()));
    assert_eq!(fake.client().await.ask("SET last 1").await, Ok("+OK".into()));
    assert_eq!(bystander.reply().await, Err(Broken::Closed));
    assert_eq!(fake.rest("GET kept").await, Ok(json!("1")));
    assert_eq!(fake.rest("EXISTS lost last").await, Ok(json!(0)));
    assert_eq!(fake.effective(), [1]);
    assert_eq!(fake.rest("SET last 1").await, Ok(json!("OK")));
    assert_eq!(fake.effective(), [2]);
}

#[tokio::test]
async fn nobody_answers_while_a_replica_takes_over() {
    let fake = Fake::with_fault("failover down=20ms command=SET next=1").await;
    assert_eq!(fake.rest("SET a 1").await, Ok(json!("OK")));
    assert_eq!(fake.effective(), [0]);
    assert_eq!(fake.rest("GET a").await, Err(Broken::Reset));
    assert_eq!(fake.client().await.ask("GET a").await, Err(Broken::Reset));
    assert_eq!(fake.effective(), [1]);
    fake.advance(20);
    assert_eq!(fake.rest("GET a").await, Ok(json!("1")));
    assert_eq!(fake.client().await.ask("GET a").await, Ok("1".into()));
}

#[tokio::test]
async fn a_restart_forgets_data_and_scripts() {
    let fake = Fake::start().await;
    let mut client = fake.client().await;
    assert_eq!(fake.rest("SET a 1").await, Ok(json!("OK")));
    let sha = fake.rest("SCRIPT LOAD return'x'").await.unwrap();
    let evalsha = format!("EVALSHA {} 0", sha.as_str().unwrap());
    assert_eq!(fake.rest(&evalsha).await, Ok(json!("x")));
    fake.fault("restart command=PING next=1");
    assert_eq!(client.ask("PING").await, Ok("+PONG".into()));
    assert_eq!(client.reply().await, Err(Broken::Closed));
    assert_eq!(fake.rest("GET a").await, Ok(json!(null)));
    let gone = fake.rest(&evalsha).await.unwrap();
    assert!(gone.as_str().unwrap().starts_with("NOSCRIPT"), "{gone}");
    fake.fault("restart command=PING next=1");
    assert_eq!(fake.rest("PING").await, Ok(json!("PONG")));
    assert_eq!(fake.effective(), [1, 1]);
}

#[tokio::test]
async fn a_lost_reply_loses_a_whole_pipeline() {
    let fake = Fake::with_fault("reply-loss command=GET key=b next=1").await;
    let body = r#"[["INCR", "a"], ["GET", "b"], ["INCR", "a"]]"#;
    assert_eq!(fake.ask("POST", "/pipeline", &[], body).await.unwrap_err(), Broken::Closed);
    assert_eq!(fake.rest("GET a").await, Ok(json!("2")));
}

#[tokio::test]
async fn a_calm_server_is_left_alone() {
    let fake = Fake::with_fault("hang command=DEL").await;
    assert_eq!(fake.rest("SET a 1").await, Ok(json!("OK")));
    assert_eq!(fake.client().await.ask("GET a").await, Ok("1".into()));
    assert_eq!(fake.effective(), [0]);
}
