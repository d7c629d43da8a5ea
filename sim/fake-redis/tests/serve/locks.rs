//! What a host sees of locks, and what it does not blame anybody for.

use crate::serve_support::{Client, Fake};

/// A host that watches `lock:*`, with three clients.
async fn watched() -> (Fake, [Client; 3]) {
    let fake = Fake::start().await;
    fake.host.observe(&["lock:*".to_owned()]);
    let mut clients = [fake.client().await, fake.client().await, fake.client().await];
    for client in &mut clients {
        client.ask("PING").await.unwrap();
    }
    (fake, clients)
}

fn violations(fake: &Fake) -> Vec<String> {
    fake.host.observations().violations.into_iter().map(|violation| violation.text).collect()
}

const COMPARE: &str = "EVAL if(redis.call('get',KEYS[1])==ARGV[1])then(redis.call)('del',KEYS[1])end \
                       1 lock:a";

#[tokio::test]
async fn locks_that_are_treated_well_are_no_matter() {
    let (fake, [mut one, mut two, mut three]) = watched().await;
    one.ask("SET lock:a mine NX PX 100").await.unwrap();
    two.ask("SET lock:a theirs NX PX 100").await.unwrap();
    // A pool may send the release on another connection.
    three.ask("DEL lock:a").await.unwrap();
    two.ask("SET lock:a theirs NX PX 100").await.unwrap();
    fake.advance(101);
    one.ask("SET lock:a mine NX PX 100").await.unwrap();
    let release = |token: &str| format!("{COMPARE} {token}");
    two.ask(&release("theirs")).await.unwrap();
    three.ask(&release("mine")).await.unwrap();
    one.ask("SET other x").await.unwrap();
    assert_eq!(violations(&fake), [""; 0]);
}

#[tokio::test]
async fn a_release_of_somebody_elses_lock_is_seen() {
    for (wrong, what) in [
        ("DEL lock:a", "DEL of connection 1 deleted `lock:a`"),
        ("SET lock:a other PX 50", "SET of connection 1 overwrote `lock:a`"),
        ("PEXPIRE lock:a 5000", "PEXPIRE of connection 1 extended `lock:a`"),
        ("EVAL return(redis.call('del',KEYS[1])) 1 lock:a", "EVAL of connection 1 deleted"),
    ] {
        let (fake, [mut one, mut two, _]) = watched().await;
        one.ask("SET lock:a mine NX PX 100").await.unwrap();
        fake.advance(101);
        assert_eq!(two.ask("SET lock:a theirs NX PX 100").await, Ok("+OK".into()));
        one.ask(wrong).await.unwrap();
        let seen = violations(&fake);
        assert!(seen.len() == 1 && seen[0].starts_with(what), "{wrong}: {seen:?}");
    }
}

#[tokio::test]
async fn a_connection_that_several_owners_use_is_nobodys_own() {
    for (shared, seen) in [(false, 0), (true, 1)] {
        let (fake, [mut one, mut two, _]) = watched().await;
        one.ask("SET lock:a mine NX PX 100").await.unwrap();
        if shared {
            assert_eq!(two.ask("SET lock:a hers NX PX 100").await, Ok("nil".into()));
        }
        fake.advance(101);
        two.ask("SET lock:a theirs NX PX 100").await.unwrap();
        two.ask("DEL lock:a").await.unwrap();
        assert_eq!(violations(&fake).len(), seen, "shared: {shared}");
    }
}

#[tokio::test]
async fn a_transaction_that_names_the_value_knows_the_owner() {
    for (named, seen) in [(true, 0), (false, 1)] {
        let (fake, [mut one, mut two, _]) = watched().await;
        one.ask("SET lock:a mine NX PX 100").await.unwrap();
        fake.advance(101);
        two.ask("SET lock:a theirs NX PX 100").await.unwrap();
        one.ask("MULTI").await.unwrap();
        one.ask(if named { "ECHO theirs" } else { "ECHO x" }).await.unwrap();
        one.ask("DEL lock:a").await.unwrap();
        one.send("EXEC").await;
        one.reply().await.unwrap();
        assert_eq!(violations(&fake).len(), seen, "{named}");
    }
}

#[tokio::test]
async fn a_lock_that_a_restart_lost_is_nobodys_fault() {
    let (fake, [mut one, mut two, mut three]) = watched().await;
    one.ask("SET lock:a mine NX PX 100").await.unwrap();
    fake.host.flush();
    two.ask("SET lock:a theirs NX PX 100").await.unwrap();
    three.ask("DEL lock:a").await.unwrap();
    let seen = violations(&fake);
    assert!(seen.len() == 1 && seen[0].contains("still believed"), "{seen:?}");
}

#[tokio::test]
async fn a_late_copy_of_a_release_is_seen() {
    let (fake, [mut one, ..]) = watched().await;
    fake.fault("duplicate command=DEL after=50ms next=1");
    one.ask("SET lock:a mine NX PX 100").await.unwrap();
    one.ask("DEL lock:a").await.unwrap();
    one.ask("SET lock:a again NX PX 100").await.unwrap();
    fake.advance(50);
    while one.ask("EXISTS lock:a").await != Ok(":0".into()) {
        tokio::task::yield_now().await;
    }
    let seen = violations(&fake);
    assert!(seen.len() == 1 && seen[0].contains("a late copy of a request"), "{seen:?}");
}

#[tokio::test]
async fn a_lock_without_an_end_is_seen() {
    for wrong in ["SET lock:a mine", "PERSIST lock:a", "SETNX lock:b mine"] {
        let (fake, [mut one, ..]) = watched().await;
        one.ask("SET lock:a mine PX 100").await.unwrap();
        one.ask(wrong).await.unwrap();
        let seen = violations(&fake);
        assert!(seen[0].contains("without an end"), "{wrong}: {seen:?}");
        assert!(seen[1].contains("still there after the run"), "{wrong}: {seen:?}");
    }
}
