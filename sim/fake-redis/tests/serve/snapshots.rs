//! Going back to a snapshot.

use crate::serve_support::{Broken, Fake, frozen, in_time};
use leasehold_fake_redis::serve::faults::ServerEventKind;
use serde_json::{Value, json};
use std::time::Duration;

async fn call(fake: &Fake, target: &str, body: &str) -> (u16, Value) {
    let answer = fake.order("POST", target, body).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn a_restore_brings_back_the_keys_and_the_time() {
    let fake = Fake::start().await;
    let mut client = fake.client().await;
    for line in ["SET a 1 PX 1000", "RPUSH list x y", "SELECT 3", "SET b 2", "CLIENT SETNAME me"] {
        client.ask(line).await.unwrap();
    }
    let time = fake.rest("TIME").await;
    assert_eq!(call(&fake, "/snapshot", "").await, (200, json!({"id": "1"})));
    fake.advance(5_000);
    for line in ["LPOP list", "SET c 3", "FLUSHDB", "SELECT 5", "SET d 4"] {
        client.ask(if line == "LPOP list" { "SWAPDB 0 7" } else { line }).await.unwrap();
    }
    assert_eq!(call(&fake, "/restore", r#"{"id": "1"}"#).await, (200, json!({})));
    assert_eq!(fake.rest("TIME").await, time);
    assert_eq!(fake.rest("PTTL a").await, Ok(json!(1_000)));
    assert_eq!(fake.rest("LRANGE list 0 -1").await, Ok(json!(["x", "y"])));
    assert_eq!(client.ask("DBSIZE").await, Ok(":0".into()), "database 5 was empty");
    assert_eq!(client.ask("CLIENT GETNAME").await, Ok("me".into()));
    client.ask("SELECT 3").await.unwrap();
    assert_eq!(client.ask("DBSIZE").await, Ok(":1".into()));
    // What happens after it leaves the snapshot as it was.
    fake.advance(2_000);
    assert_eq!(fake.rest("GET a").await, Ok(json!(null)));
    call(&fake, "/restore", r#"{"id": "1"}"#).await;
    assert_eq!(fake.rest("PTTL a").await, Ok(json!(1_000)));
}

#[tokio::test]
async fn to_who_watches_a_key_a_restore_has_changed_it() {
    let fake = Fake::start().await;
    let mut client = fake.client().await;
    for key in ["there", "gone", "neither"] {
        let (exec, change) = match key {
            "there" => ("*-1", "SET there 1"),
            "gone" => ("*-1", "DEL gone"),
            _ => ("*0", "PING"),
        };
        call(&fake, "/flush", "").await;
        if key == "gone" {
            client.ask("SET gone 1").await.unwrap();
        }
        let (_, taken) = call(&fake, "/snapshot", "").await;
        fake.rest(change).await.unwrap();
        client.ask(&format!("WATCH {key}")).await.unwrap();
        assert_eq!(call(&fake, "/restore", &taken.to_string()).await.0, 200);
        client.ask("MULTI").await.unwrap();
        assert_eq!(client.ask("EXEC").await, Ok(exec.into()), "{key}");
    }
}

#[tokio::test]
async fn who_waits_for_a_list_gets_what_comes_with_a_restore() {
    let fake = Fake::start().await;
    fake.rest("RPUSH queue job").await.unwrap();
    call(&fake, "/snapshot", "").await;
    call(&fake, "/flush", "").await;
    let mut client = fake.client().await;
    client.send("BLPOP queue 10").await;
    fake.until_a_wait_begins().await;
    call(&fake, "/restore", r#"{"id": "1"}"#).await;
    assert!(in_time(client.reply()).await.unwrap().starts_with("*2"));
    assert_eq!(fake.rest("LLEN queue").await, Ok(json!(0)));
}

#[tokio::test]
async fn a_failover_may_lack_a_restore() {
    let fake = Fake::start().await;
    fake.rest("SET old 1").await.unwrap();
    call(&fake, "/snapshot", "").await;
    call(&fake, "/flush", "").await;
    fake.rest("SET new 1").await.unwrap();
    fake.advance(1_000);
    call(&fake, "/restore", r#"{"id": "1"}"#).await;
    let lose = Duration::from_millis(500);
    let lost = fake.host.trigger(ServerEventKind::Failover { lose }, Duration::ZERO).await;
    assert_eq!(lost.writes, 1);
    let keys = (fake.rest("EXISTS old").await, fake.rest("EXISTS new").await);
    assert_eq!(keys, (Ok(json!(0)), Ok(json!(1))));
}

#[tokio::test]
async fn faults_stay_and_their_time_goes_on() {
    let fake = Fake::start().await;
    fake.fault("latency fixed=10s command=GET");
    call(&fake, "/snapshot", "").await;
    fake.advance(60_000);
    let mut client = fake.client().await;
    client.send("GET a").await;
    in_time(async {
        while fake.effective() != [1] {
            tokio::task::yield_now().await
        }
    })
    .await;
    call(&fake, "/restore", r#"{"id": "1"}"#).await;
    fake.advance(10_000);
    assert_eq!(in_time(client.reply()).await, Ok("nil".into()));
}

#[tokio::test]
async fn the_last_sixteen_are_kept() {
    let fake = Fake::start().await;
    for number in 1..=17 {
        fake.rest(&format!("SET number {number}")).await.unwrap();
        call(&fake, "/snapshot", "").await;
    }
    for (id, status) in [("1", 404), ("2", 200), ("17", 200), ("18", 404), ("x", 404)] {
        let (found, told) = call(&fake, "/restore", &json!({ "id": id }).to_string()).await;
        assert_eq!(found, status, "{id}");
        if status == 200 {
            assert_eq!(fake.rest("GET number").await, Ok(json!(id)));
        } else {
            let text = format!("there is no snapshot `{id}`");
            assert!(told["error"].as_str().unwrap().contains(&text), "{told}");
        }
    }
    for (body, text) in [("", "missing field `id`"), (r#"{"ID": 1}"#, "unknown field `ID`")] {
        let (status, told) = call(&fake, "/restore", body).await;
        assert_eq!(status, 400);
        assert!(told["error"].as_str().unwrap().contains(text), "{told}");
    }
    assert_eq!(fake.order("GET", "/snapshot", "").await.status, 405);
}

#[tokio::test]
async fn nothing_of_before_a_reset_is_executed_after_it() {
    let fake = Fake::start().await;
    for rule in
        ["duplicate after=1s command=INCR", "latency fixed=1s command=SET", "hold command=APPEND"]
    {
        fake.fault(rule);
    }
    let mut copied = fake.client().await;
    assert_eq!(copied.ask("INCR copied").await, Ok(":1".into()));
    assert_eq!(fake.rest("INCR copied").await, Ok(json!(2)));
    let (mut delayed, mut held) = (fake.client().await, fake.client().await);
    delayed.send("SET delayed 1").await;
    held.send("APPEND held 1").await;
    let over_rest = async {
        let (delayed, held, ()) =
            tokio::join!(fake.rest("SET delayed 1"), fake.rest("APPEND held 1"), async {
                let arrived = || fake.host.requests().len() >= 6;
                while !arrived() {
                    tokio::task::yield_now().await;
                }
                call(&fake, "/reset", "").await;
                fake.host.clock().set(&frozen()).unwrap();
                fake.advance(60_000);
            });
        [delayed, held]
    };
    assert_eq!(in_time(over_rest).await, [Err(Broken::Closed), Err(Broken::Closed)]);
    assert_eq!(in_time(delayed.reply()).await, Err(Broken::Closed));
    assert_eq!(in_time(held.reply()).await, Err(Broken::Closed));
    assert_eq!(fake.rest("DBSIZE").await, Ok(json!(0)));
    assert_eq!(fake.rest("INCR copied").await, Ok(json!(1)));
}

#[tokio::test]
async fn a_failover_does_not_go_back_beyond_a_reset() {
    let fake = Fake::start().await;
    fake.rest("SET before 1").await.unwrap();
    call(&fake, "/reset", "").await;
    fake.rest("SET after 1").await.unwrap();
    let lose = Duration::from_secs(600);
    let lost = fake.host.trigger(ServerEventKind::Failover { lose }, Duration::ZERO).await;
    assert_eq!((lost.writes, lost.keys), (1, 1));
    assert_eq!(fake.rest("DBSIZE").await, Ok(json!(0)));
}
