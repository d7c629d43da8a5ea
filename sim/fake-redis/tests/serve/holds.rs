//! Requests that are held, connections that rules name, and a clock that a fault sets.

use std::{future::Future, pin::pin, task::Poll};

use crate::serve_support::{Client, Fake, in_time};
use serde_json::{Value, json};

/// Runs everything else until so many faults have been injected.
async fn injected(fake: &Fake, count: u64) {
    let seen = || -> u64 {
        fake.host.with_faults(|faults| faults.report().map(|rule| rule.injected).sum())
    };
    in_time(async {
        while seen() != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn is_waiting(mut future: std::pin::Pin<&mut impl Future>) -> bool {
    for _ in 0..200 {
        let poll = |context: &mut std::task::Context<'_>| {
            Poll::Ready(future.as_mut().poll(context).is_pending())
        };
        if !std::future::poll_fn(poll).await {
            return false;
        }
        tokio::task::yield_now().await;
    }
    true
}

async fn call(fake: &Fake, method: &str, target: &str, body: &str) -> (u16, Value) {
    let answer = fake.order(method, target, body).await;
    (answer.status, answer.json())
}

/// Clients that connect one after the other.
async fn clients(fake: &Fake) -> [Client; 2] {
    let (mut one, mut two) = (fake.client().await, fake.client().await);
    one.ask("PING").await.unwrap();
    two.ask("PING").await.unwrap();
    [one, two]
}

#[tokio::test]
async fn a_test_orders_the_commands_of_two_clients() {
    for over_rest in [false, true] {
        let fake = Fake::with_fault("hold id=gate command=SET next=1").await;
        let [mut one, mut two] = clients(&fake).await;
        let held = async {
            if over_rest {
                fake.rest("SET job one NX").await.map(|reply| reply.to_string())
            } else {
                one.ask("SET job one NX").await
            }
        };
        let mut held = pin!(held);
        assert!(is_waiting(held.as_mut()).await);
        injected(&fake, 1).await;
        assert_eq!(two.ask("SET job two NX").await, Ok("+OK".into()));
        assert_eq!(fake.effective(), [0]);
        let released = call(&fake, "POST", "/release/gate", "").await;
        assert_eq!(released, (200, json!({ "released": 1 })));
        let lost = if over_rest { "null" } else { "nil" };
        assert_eq!(held.await, Ok(lost.into()));
        assert_eq!(fake.effective(), [1]);
        assert_eq!(call(&fake, "POST", "/release/gate", "").await.1, json!({ "released": 0 }));
    }
}

#[tokio::test]
async fn a_release_of_no_rule_is_a_mistake() {
    let fake = Fake::start().await;
    let (status, error) = call(&fake, "POST", "/release/gate", "").await;
    assert_eq!(status, 404);
    assert!(error["error"].as_str().unwrap().contains("there is no rule `gate`"));
    assert_eq!(call(&fake, "GET", "/release/gate", "").await.0, 405);
}

#[tokio::test]
async fn a_request_is_held_until_another_one_is_executed() {
    let fake = Fake::with_fault("hold until=next connection=1 command=SET next=1").await;
    let [mut one, mut two] = clients(&fake).await;
    let mut held = pin!(one.ask("SET job one NX"));
    assert!(is_waiting(held.as_mut()).await);
    injected(&fake, 1).await;
    assert_eq!(two.ask("SET job two NX").await, Ok("+OK".into()));
    assert_eq!(in_time(held).await, Ok("nil".into()));
    assert_eq!(fake.effective(), [1]);
}

#[tokio::test]
async fn a_request_is_held_for_a_time_of_the_servers_clock() {
    let fake = Fake::with_fault("hold for=50ms command=GET next=1").await;
    let mut one = fake.client().await;
    let mut held = pin!(one.ask("GET a"));
    assert!(is_waiting(held.as_mut()).await);
    injected(&fake, 1).await;
    fake.advance(49);
    assert!(is_waiting(held.as_mut()).await);
    fake.advance(1);
    assert_eq!(in_time(held).await, Ok("nil".into()));
}

#[tokio::test]
async fn whoever_is_held_goes_on_once_the_rule_is_gone() {
    for end in ["/faults/gate", "/faults"] {
        let fake = Fake::with_fault("hold id=gate").await;
        let mut one = fake.client().await;
        let mut held = pin!(one.ask("PING"));
        assert!(is_waiting(held.as_mut()).await);
        injected(&fake, 1).await;
        assert_eq!(call(&fake, "DELETE", end, "").await.0, 200);
        assert_eq!(in_time(held).await, Ok("+PONG".into()));
    }
}

#[tokio::test]
async fn a_rule_hits_the_connection_that_it_names() {
    let fake = Fake::start().await;
    let [mut one, mut two] = clients(&fake).await;
    two.ask("CLIENT SETNAME worker").await.unwrap();
    fake.fault("error text=OOM connection=1 command=SET");
    fake.fault("error text=BUSY connection=worker command=SET");
    fake.fault("error text=LOADING connection=rest command=SET");
    let mut errors = Vec::new();
    errors.push(one.ask("SET a 1").await.unwrap());
    errors.push(two.ask("SET a 1").await.unwrap());
    errors.push(fake.rest("SET a 1").await.unwrap().to_string());
    let begin = ["-OOM", "-BUSY", "\"LOADING"];
    for (error, begin) in errors.iter().zip(begin) {
        assert!(error.starts_with(begin), "{error}");
    }
    assert_eq!(fake.client().await.ask("SET a 1").await, Ok("+OK".into()));
}

#[tokio::test]
async fn the_clock_is_set_right_before_a_request() {
    let fake = Fake::start().await;
    fake.rest("SET job one PX 1000").await.unwrap();
    fake.fault("server-clock forward=1001ms command=SET next=1");
    assert_eq!(fake.rest("SET job two NX").await, Ok(json!("OK")));
    let time = |reply: Value| reply[0].as_str().unwrap().parse::<u64>().unwrap();
    let before = time(fake.rest("TIME").await.unwrap());
    fake.fault("server-clock back=1h command=TIME");
    let after = time(fake.rest("TIME").await.unwrap());
    assert_eq!(before - after, 3_600);
    assert_eq!(fake.effective(), [1, 1]);
}

#[tokio::test]
async fn a_reset_puts_data_faults_and_clock_back() {
    let fake = Fake::with_fault("hold id=gate command=GET").await;
    let mut one = fake.client().await;
    one.ask("SET a 1").await.unwrap();
    let mut held = pin!(one.ask("GET a"));
    assert!(is_waiting(held.as_mut()).await);
    injected(&fake, 1).await;
    let before = fake.host.clock().reading();
    call(&fake, "POST", "/clock", r#"{"jump_ms": 3600000}"#).await;
    assert_eq!(call(&fake, "POST", "/reset", "").await, (200, json!({})));
    // What was sent before a reset is not executed after it.
    assert!(in_time(held).await.is_err());
    let after = fake.host.clock().reading();
    assert!(after.unix_ms.abs_diff(before.unix_ms) < 600_000, "{before:?} {after:?}");
    let none = json!({ "rules": [], "injections": [] });
    assert_eq!(call(&fake, "GET", "/faults", "").await, (200, none));
}
