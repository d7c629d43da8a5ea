//! The lines of the README that give a user its rights give all that each store needs.

use std::fs;

use leasehold_core::{
    Command, Reply, Store, StoreError,
    lock::{Guarantee, Holder, Lock, LockCommand, LockOptions, LockReply, NotAcquired},
};
use leasehold_upstash::{Connected, Notification, Notifications, Tcp, TcpBuilder};

use crate::{
    LIMIT,
    cluster::nodes::alone,
    locks, next,
    redis_server::{RedisServer, connect},
    refusals::Scene,
    take, take_lean,
};

/// What the README tells to run for users of this store, for locks of other names.
fn line(store: &str) -> String {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let heading = format!("# {store}\n");
    let line = readme.split_once(&heading).expect(&heading).1.lines().next().unwrap();
    assert!(line.starts_with("ACL SETUSER leasehold "), "{line}");
    line.replace("~nightly-report", "~held* ~free ~job")
}

fn user(url: &str) -> String {
    url.replace("//", "//leasehold:SECRET@")
}

fn tcp(url: &str) -> Tcp {
    let builder = TcpBuilder::new(&user(url)).unwrap();
    builder.timeout(LIMIT).connect_timeout(LIMIT).build().unwrap()
}

/// That notifications come, and that there is a subscription.
async fn are_heard(mut notifications: Notifications) {
    assert_eq!(next(&mut notifications).await, Some(Notification::Gap), "it may not listen");
}

async fn confirmed(store: &Tcp) {
    let confirm = LockCommand::Confirm { keys: locks("job"), replicas: 0, timeout_ms: 1 };
    let reply = store.execute(Command::Lock(confirm)).await;
    assert!(matches!(reply, Ok(Reply::Lock(LockReply::Confirmed { .. }))), "{reply:?}");
}

#[tokio::test]
async fn of_one_server() {
    for name in ["Tcp", "Upstash"] {
        let Some(mut scene) = Scene::start().await else { return };
        scene.server.run(&line(name)).await;
        scene.store = tcp(&scene.server.url());
        scene.applies_all().await;
        assert_eq!(take_lean(&scene.store, "job").await, Ok(()));
        are_heard(scene.store.notifications(&locks("job").channel())).await;
        // Another lock is none of its business.
        assert!(take(&scene.store, "salaries").await.is_err());
    }
}

#[tokio::test]
async fn of_one_server_with_replicas() {
    let Some(server) = RedisServer::start(&[]) else { return };
    server.run(&line("Tcp, waiting for replicas")).await;
    let store = tcp(&server.url());
    assert_eq!(take(&store, "job").await, Ok(()));
    confirmed(&store).await;
}

#[tokio::test]
async fn of_a_cluster() {
    let Some(server) = alone().await else { return };
    server.run(&line("Tcp, in a Cluster")).await;
    let builder = TcpBuilder::cluster([&*user(&server.url())]).unwrap();
    let store = builder.timeout(LIMIT).connect_timeout(LIMIT).build().unwrap();
    assert_eq!(take_lean(&store, "job").await, Ok(()));
    assert_eq!(take(&store, "job").await, Ok(()));
    confirmed(&store).await;
    are_heard(store.notifications(&locks("job").channel())).await;
}

#[tokio::test]
async fn of_a_connection_that_is_handed_in() {
    let Some(server) = RedisServer::start(&[]) else { return };
    server.run(&line("Connected")).await;
    let store = Connected::new(connect(&user(&server.url())).await.unwrap());
    assert_eq!(take_lean(&store, "job").await, Ok(()));
    assert_eq!(take(&store, "job").await, Ok(()));
}

/// A lean acquire runs its commands itself: what the server applied before it refused is not denied.
#[tokio::test]
async fn a_lean_acquire_without_a_fence_is_unknown_and_taken_back() {
    let Some(server) = RedisServer::start(&[]) else { return };
    server.run(&line("Tcp").replace("+time ", "")).await;
    let store = tcp(&server.url());
    let refused = take_lean(&store, "job").await;
    assert!(matches!(refused, Err(StoreError::Unknown(_))), "{refused:?}");
    assert!(format!("{refused:?}").contains("NOPERM"), "{refused:?}");
    let options = LockOptions::new().guarantee(Guarantee::Lean).attempts(1);
    let lock = Lock::with_options(store.clone(), "free", &options).unwrap();
    assert!(matches!(lock.acquire().await, Err(NotAcquired::Unavailable(_))));
    assert_eq!(lock.status().await, Ok(Holder::Free));
}
