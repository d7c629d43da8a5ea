//! What a server in trouble refuses, what it leaves behind, and what the caller is told: the table
//! in the README.

use std::{fs, path::PathBuf, sync::Arc};

use leasehold_core::{
    Cause, Command, Fence, RejectionKind, Reply, Store, StoreError, Token,
    debounce::{DebounceCommand, DebounceKeys, DebounceReply, Retention, Timing},
    lock::{LockCommand, LockReply},
};
use leasehold_upstash::{RetryPolicy, Tcp, TcpBuilder, redis::Value};

use crate::{LIMIT, locks, redis_server::RedisServer};

const LIFE_MS: u64 = 600_000;
const LEASE_MS: u64 = 60_000;
const RETENTION: Retention = Retention { armed_ms: LIFE_MS, settled_ms: LIFE_MS, memo_ms: LIFE_MS };
/// Every command that the scripts run.
const NEEDED: &str = "+evalsha +eval +get +set +del +pttl +pexpire +time +publish +exists +hmget \
                      +hset +hdel +hexists";

fn token(text: &str) -> Token {
    Token::new(text).unwrap()
}

fn acquire(id: &str, text: &str) -> Command {
    let (keys, token) = (locks(id), token(text));
    let (lease_ms, fence_life_ms, tombstone_ms) = (LEASE_MS, LIFE_MS, LIFE_MS);
    Command::Lock(LockCommand::Acquire { keys, token, lease_ms, fence_life_ms, tombstone_ms })
}

fn extend(id: &str, text: &str) -> Command {
    Command::Lock(LockCommand::Extend {
        keys: locks(id),
        token: token(text),
        lease_ms: LEASE_MS * 2,
    })
}

fn release(id: &str, text: &str) -> Command {
    let (keys, token) = (locks(id), token(text));
    Command::Lock(LockCommand::Release { keys, token, tombstone_ms: LIFE_MS })
}

fn call(id: &str, text: &str) -> Command {
    Command::Debounce(DebounceCommand::Call {
        keys: Arc::new(DebounceKeys::of(id)),
        call: token(text),
        args: Arc::from(&b"args"[..]),
        seq: 0,
        timing: Timing { wait_ms: 0, max_wait_ms: None, leading: false, trailing: true },
        retention: RETENTION,
    })
}

fn claim(id: &str, text: &str) -> Command {
    Command::Debounce(DebounceCommand::Claim {
        keys: Arc::new(DebounceKeys::of(id)),
        runner: token(text),
        seq: 0,
        run_lease_ms: LEASE_MS,
        retention: RETENTION,
    })
}

fn finish(id: &str, text: &str, seq: u64, fence: Fence, success: bool) -> Command {
    Command::Debounce(DebounceCommand::Finish {
        keys: Arc::new(DebounceKeys::of(id)),
        runner: token(text),
        seq,
        fence,
        success,
        retry_ms: 1,
        retention: RETENTION,
    })
}

/// A server on which `held` is locked, a call of `due` is due, and calls of `run` and `failed` run.
pub(crate) struct Scene {
    pub(crate) server: RedisServer,
    pub(crate) store: Tcp,
    runs: Vec<(u64, Fence)>,
}

/// What becomes of one command.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    /// It is applied.
    Yes,
    Refused(RejectionKind),
    NotSent,
}

impl Scene {
    pub(crate) async fn start() -> Option<Self> {
        let server = RedisServer::start(&[])?;
        let store = store(&server.url());
        let mut scene = Self { server, store, runs: Vec::new() };
        scene.ask(acquire("held", "a.1#1")).await;
        scene.ask(acquire("held too", "a.1#1")).await;
        for id in ["due", "run", "failed"] {
            scene.ask(call(id, "c.1#1")).await;
        }
        for id in ["run", "failed"] {
            let Reply::Debounce(DebounceReply::Claimed { seq, fence, .. }) =
                scene.ask(claim(id, "r.1#1")).await
            else {
                panic!("{id} was due")
            };
            scene.runs.push((seq, fence));
        }
        Some(scene)
    }

    async fn ask(&self, command: Command) -> Reply {
        self.store.execute(command).await.unwrap()
    }

    /// From now on, as a user who may not run `command`.
    async fn deny(&mut self, command: &str) {
        let rule = format!("ACL SETUSER weak on >feeble ~* &* {NEEDED} -{command}");
        self.server.run(&rule).await;
        self.store = store(&self.server.url().replace("//", "//weak:feeble@"));
    }

    async fn told(&self, command: Command) -> Told {
        match self.store.execute(command.clone()).await {
            Ok(Reply::Lock(
                LockReply::Acquired { fresh: true, .. } | LockReply::Extended | LockReply::Released,
            ))
            | Ok(Reply::Debounce(
                DebounceReply::Armed { .. }
                | DebounceReply::Claimed { .. }
                | DebounceReply::Finished
                | DebounceReply::Rearmed { .. },
            )) => Yes,
            Err(StoreError::Rejected(refused)) => Refused(refused.kind),
            Err(StoreError::NotSent(Cause::TooFewReplicas(_))) => NotSent,
            other => panic!("{command:?} was answered by {other:?}"),
        }
    }

    /// Of an acquire, an extension, a release, a call, a claim, and a run that ends well or fails.
    async fn all_told(&self) -> [Told; 7] {
        let [run, failed] = self.runs[..] else { panic!("two run") };
        [
            self.told(acquire("free", "b.1#1")).await,
            self.told(extend("held too", "a.1#1")).await,
            self.told(release("held", "a.1#1")).await,
            self.told(call("new", "c.1#2")).await,
            self.told(claim("due", "r.1#2")).await,
            self.told(finish("run", "r.1#1", run.0, run.1, true)).await,
            self.told(finish("failed", "r.1#1", failed.0, failed.1, false)).await,
        ]
    }

    /// That each command that there is is applied.
    pub(crate) async fn applies_all(&self) {
        assert_eq!(self.all_told().await, [Yes; 7]);
        let (keys, request) = (|| Arc::new(DebounceKeys::of("new")), token("q.1#1"));
        for command in [
            DebounceCommand::Inspect { keys: keys() },
            DebounceCommand::Flush { keys: keys(), request, retention: RETENTION },
            DebounceCommand::Cancel { keys: keys(), request: token("q.1#2"), retention: RETENTION },
        ] {
            self.ask(Command::Debounce(command)).await;
        }
        let inspect = LockCommand::Inspect { keys: locks("held"), token: None };
        self.ask(Command::Lock(inspect)).await;
    }

    async fn number(&self, words: &str) -> i64 {
        match self.server.run(words).await {
            Value::Int(number) => number,
            other => panic!("{words}: {other:?}"),
        }
    }

    async fn exists(&self, key: &str) -> bool {
        let mut exists = redis::cmd("EXISTS");
        exists.arg(key);
        let mut connection = self.server.connection().await;
        exists.query_async::<i64>(&mut connection).await.unwrap() == 1
    }

    /// Every key, its time to live (if it has none: `None`) and what is in it. What changes by
    /// itself is not shown.
    async fn keys(&self) -> Vec<String> {
        let script = "local all = redis.call('KEYS', '*') table.sort(all)
            for i, key in ipairs(all) do
              local lives = redis.call('PEXPIRETIME', key)
              all[i] = key .. ' ' .. lives .. ' ' .. redis.sha1hex(redis.call('DUMP', key))
            end return all";
        let mut eval = redis::cmd("EVAL");
        eval.arg(script).arg(0);
        eval.query_async(&mut self.server.connection().await).await.unwrap()
    }

    /// That all are refused in this way, and that nothing changes.
    async fn refuses_all(&self, told: Told) {
        let before = self.keys().await;
        assert_eq!(self.all_told().await, [told; 7]);
        assert_eq!(self.keys().await, before);
    }

    /// That no key stays for ever.
    async fn every_key_ends(&self) {
        for line in self.keys().await {
            assert!(!line.contains(" -1 "), "{line}");
        }
    }
}

fn store(url: &str) -> Tcp {
    let builder = TcpBuilder::new(url).unwrap().retry(RetryPolicy::new().retries(0));
    builder.timeout(LIMIT).connect_timeout(LIMIT).build().unwrap()
}

use RejectionKind::{DiskError, NotAllowed, OutOfMemory, ReadOnly};
use Told::{NotSent, Refused, Yes};

#[tokio::test]
async fn out_of_memory_refuses_only_what_is_new() {
    let Some(scene) = Scene::start().await else { return };
    scene.server.run("CONFIG SET maxmemory 1").await;
    let no = Refused(OutOfMemory);
    assert_eq!(scene.all_told().await, [no, Yes, Yes, no, Yes, Yes, Yes]);
    for id in ["held", "free", "leasehold:debounce:{new}:new"] {
        assert!(!scene.exists(id).await, "{id}");
    }
    assert_eq!(
        scene.number("PTTL leasehold:gone:{held}:held:a.1").await.signum(),
        1,
        "its tombstone"
    );
    // A copy of the release says the same, and what is not ours is left to a time with memory.
    assert_eq!(scene.told(release("held", "a.1#1")).await, Yes);
    assert_eq!(scene.told(release("held", "b.1#1")).await, no);
    scene.every_key_ends().await;
}

#[tokio::test]
async fn a_full_disk_refuses_all_writes() {
    let Some(scene) = Scene::start().await else { return };
    let mut connection = scene.server.connection().await;
    let mut folder = redis::cmd("CONFIG");
    folder.arg(&["GET", "dir"]);
    let answer: Vec<String> = folder.query_async(&mut connection).await.unwrap();
    // A snapshot cannot take the place of a folder.
    fs::create_dir_all(PathBuf::from(&answer[1]).join("dump.rdb/full")).unwrap();
    scene.server.run("BGSAVE").await;
    let failed = |info: &str| info.contains("rdb_last_bgsave_status:err");
    scene.server.run_until("INFO persistence", failed).await;
    scene.refuses_all(Refused(DiskError)).await;
}

#[tokio::test]
async fn too_few_replicas_refuse_all_writes_until_they_are_back() {
    let Some(scene) = Scene::start().await else { return };
    scene.server.run("CONFIG SET min-replicas-to-write 1").await;
    scene.refuses_all(NotSent).await;
    scene.server.run("CONFIG SET min-replicas-to-write 0").await;
    assert_eq!(scene.all_told().await, [Yes; 7]);
    scene.every_key_ends().await;
}

#[tokio::test]
async fn a_replica_refuses_all_writes() {
    let Some(scene) = Scene::start().await else { return };
    scene.server.run("REPLICAOF 127.0.0.1 1").await;
    scene.refuses_all(Refused(ReadOnly)).await;
}

/// What is refused to a user who may not run the command, in the order of [`Scene::all_told`].
const DENIED: [(&str, [bool; 7]); 8] = [
    ("get", [true, true, true, true, false, true, true]),
    ("set", [true, false, false, true, false, true, true]),
    ("del", [false, false, true, false, false, false, false]),
    ("pexpire", [false, true, false, true, true, true, true]),
    ("time", [true, false, false, true, true, true, true]),
    ("publish", [false; 7]),
    ("hset", [false, false, false, true, true, true, true]),
    ("hdel", [false, false, false, false, true, true, true]),
];

#[tokio::test]
async fn what_an_acl_refuses_inside_a_script_is_not_allowed_and_leaves_no_key_without_end() {
    for (command, refused) in DENIED {
        let Some(mut scene) = Scene::start().await else { return };
        scene.deny(command).await;
        let told = refused.map(|refused| if refused { Refused(NotAllowed) } else { Yes });
        assert_eq!(scene.all_told().await, told, "{command}");
        scene.every_key_ends().await;
        // The lock is free unless it may not be deleted, or not even be looked at.
        let held = matches!(command, "get" | "del");
        assert_eq!(scene.exists("held").await, held, "{command}");
        // A refused acquire leaves no lock.
        assert_eq!(scene.exists("free").await, !refused[0], "{command}");
        // A refused call is not armed, unless only the memo of it is refused.
        let armed = !refused[3] || command == "set";
        assert_eq!(scene.exists("leasehold:debounce:{new}:new").await, armed, "{command}");
        let claimed = !refused[4] || command == "hdel";
        let claims = scene.number("HEXISTS leasehold:debounce:{due}:due runner").await;
        assert_eq!(claims == 1, claimed, "{command}");
        let counts = !refused[5] || matches!(command, "set" | "hdel");
        let fired = scene.number("HEXISTS leasehold:debounce:{run}:run fired").await;
        assert_eq!(fired == 1, counts, "{command}");
        let has_tombstone = !refused[2] && command != "set";
        assert_eq!(
            scene.exists("leasehold:gone:{held}:held:a.1").await,
            has_tombstone,
            "{command}"
        );
    }
}

#[tokio::test]
async fn a_busy_try_sent_twice_is_busy_and_then_revoked() {
    let Some(scene) = Scene::start().await else { return };
    let answer = async || scene.ask(acquire("held", "b.1#1")).await;
    assert!(matches!(answer().await, Reply::Lock(LockReply::Busy { .. })));
    assert_eq!(answer().await, Reply::Lock(LockReply::Revoked));
}
