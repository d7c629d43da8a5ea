//! What others get while a script runs for longer than `lua-time-limit`.

use std::{sync::Arc, time::Duration};

use leasehold_fake_redis::{
    Password, Settings,
    serve::{HostOptions, faults::Faults},
};
use serde_json::Value;

use crate::serve_support::{Broken, Client, Fake, in_time};

const BUSY: &str =
    "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const ENDLESS: &str = "EVAL while\ttrue\tdo\tend 0";
const WRITES: &str = "EVAL redis.call('SET','a','1')\twhile\ttrue\tdo\tend 0";

/// Runs a test as `leasehold serve` runs: on one thread that can hand over its tasks.
fn with_fake(options: HostOptions, test: impl AsyncFnOnce(Fake)) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let fake = Fake::start_with(options).await;
        let host = Arc::clone(&fake.host);
        in_time(test(fake)).await;
        in_time(host.shut_down()).await;
    });
}

/// A client that has sent a script, once another is told that it is late.
async fn late(fake: &Fake, script: &str) -> (Client, Client) {
    let (mut runner, mut other) = (fake.client().await, fake.client().await);
    assert_eq!(other.ask("CONFIG SET lua-time-limit 1").await.unwrap(), "+OK");
    assert_eq!(other.ask("SET before 1").await.unwrap(), "+OK");
    runner.send(script).await;
    until_busy(&mut other).await;
    (runner, other)
}

async fn until_busy(other: &mut Client) {
    while other.ask("PING").await.unwrap() != BUSY {}
}

#[test]
fn others_are_told_that_it_is_busy_until_it_is_killed() {
    with_fake(HostOptions::default(), async |fake| {
        let (mut runner, mut other) = late(&fake, ENDLESS).await;
        let mut newcomer = fake.client().await;
        for (words, reply) in [
            ("PING", BUSY),
            ("GET before", BUSY),
            ("SHUTDOWN", BUSY),
            ("NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: "),
            ("SCRIPT KILL x", "-ERR wrong number of arguments for 'script|kill' command"),
            ("SCRIPT KILL", "+OK"),
        ] {
            assert_eq!(newcomer.ask(words).await.unwrap().trim_end(), reply.trim_end());
        }
        let killed = runner.reply().await.unwrap();
        assert!(killed.starts_with("-ERR Script killed by user with SCRIPT KILL..."), "{killed}");
        let text = "-NOTBUSY No scripts in execution right now.";
        while newcomer.ask("SCRIPT KILL").await.unwrap() != text {}
        for client in [&mut runner, &mut other, &mut newcomer] {
            assert_eq!(client.ask("GET before").await.unwrap(), "1");
        }
    });
}

#[test]
fn a_script_can_be_killed_whatever_it_catches_and_works_on() {
    for script in [
        "EVAL while\ttrue\tdo\tpcall(function()while\ttrue\tdo\tend\tend)end 0",
        "EVAL local\ts=string.rep('x',10000000)while\ttrue\tdo\ts:upper()end 0",
        "EVAL local\ts=string.rep('x',10000000)while\ttrue\tdo\tlocal\tt=s..'x'end 0",
        // One call, in which no instruction of Lua is run.
        "EVAL string.find(string.rep('a',100000),'.-.-.-.-b') 0",
    ] {
        with_fake(HostOptions::default(), async |fake| {
            let (mut runner, mut other) = late(&fake, script).await;
            assert_eq!(other.ask("SCRIPT KILL").await.unwrap(), "+OK");
            let killed = runner.reply().await.unwrap();
            assert!(killed.starts_with("-ERR Script killed by user"), "{killed}");
        });
    }
}

#[test]
fn what_has_written_goes_on_until_the_server_ends() {
    with_fake(HostOptions::default(), async |fake| {
        let (mut runner, mut other) = late(&fake, WRITES).await;
        let reply = other.ask("SCRIPT KILL").await.unwrap();
        assert!(reply.starts_with("-UNKILLABLE "), "{reply}");
        assert_eq!(other.ask("PING").await.unwrap(), BUSY);
        assert_eq!(other.ask("SHUTDOWN NOSAVE").await, Err(Broken::Closed));
        fake.host.stopping().await;
        let stopped = runner.reply().await.unwrap();
        assert!(stopped.starts_with("-ERR Script stopped: the server shuts down"), "{stopped}");
    });
}

#[test]
fn what_nobody_ends_is_stopped_in_the_end() {
    let options = || HostOptions::default().script_patience(Duration::ZERO);
    for script in [ENDLESS, WRITES] {
        with_fake(options(), async |fake| {
            let mut client = fake.client().await;
            assert_eq!(client.ask("CONFIG SET lua-time-limit 1").await.unwrap(), "+OK");
            let stopped = client.ask(script).await.unwrap();
            let text = "-ERR Script stopped: it ran longer than lua-time-limit";
            assert!(stopped.starts_with(text), "{stopped}");
            assert_eq!(client.ask("PING").await.unwrap(), "+PONG");
        });
    }
}

#[test]
fn a_signal_ends_it() {
    with_fake(HostOptions::default(), async |fake| {
        let (mut runner, _other) = late(&fake, WRITES).await;
        // What the command does when it is interrupted.
        fake.host.shut_down().await;
        assert!(runner.reply().await.unwrap().starts_with("-ERR Script stopped: "));
    });
}

#[test]
fn a_transaction_that_was_refused_a_command_is_not_run() {
    with_fake(HostOptions::default(), async |fake| {
        let mut other = fake.client().await;
        for (words, reply) in [("MULTI", "+OK"), ("SET a 1", "+QUEUED")] {
            assert_eq!(other.ask(words).await.unwrap(), reply);
        }
        let (runner, mut killer) = late(&fake, ENDLESS).await;
        assert_eq!(other.ask("SET b 1").await.unwrap(), BUSY);
        other.send("EXEC").await;
        assert_eq!(killer.ask("SCRIPT KILL").await.unwrap(), "+OK");
        let text = "-EXECABORT Transaction discarded because of previous errors.";
        assert_eq!(other.reply().await.unwrap(), text);
        drop(runner);
    });
}

#[test]
fn a_newcomer_has_to_say_the_password() {
    let settings = Settings::default().password(Password::new("secret"));
    with_fake(HostOptions::default().settings(settings), async |fake| {
        let mut runner = fake.client().await;
        for words in ["AUTH secret", "CONFIG SET lua-time-limit 1"] {
            assert_eq!(runner.ask(words).await.unwrap(), "+OK");
        }
        runner.send(ENDLESS).await;
        let mut newcomer = fake.client().await;
        assert_eq!(newcomer.ask("SCRIPT KILL").await.unwrap(), "-NOAUTH Authentication required.");
        assert!(newcomer.ask("AUTH wrong").await.unwrap().starts_with("-WRONGPASS"));
        assert_eq!(newcomer.ask("SCRIPT KILL").await.unwrap(), "-NOAUTH Authentication required.");
        assert_eq!(newcomer.ask("AUTH secret").await.unwrap(), "+OK");
        until_busy(&mut newcomer).await;
        assert_eq!(newcomer.ask("SCRIPT KILL").await.unwrap(), "+OK");
        assert!(runner.reply().await.unwrap().starts_with("-ERR Script killed"));
        assert_eq!(newcomer.ask("SET a 1").await.unwrap(), "+OK");
    });
}

#[test]
fn a_client_that_leaves_meanwhile_is_gone_afterwards() {
    with_fake(HostOptions::default(), async |fake| {
        let (runner, mut other) = late(&fake, ENDLESS).await;
        let mut leaving = fake.client().await;
        assert_eq!(leaving.ask("PING").await.unwrap(), BUSY);
        drop((leaving, runner));
        assert_eq!(other.ask("SCRIPT KILL").await.unwrap(), "+OK");
        while !other.ask("INFO clients").await.unwrap().contains("connected_clients:1\r\n") {}
    });
}

#[test]
fn rest_is_told_the_same() {
    with_fake(HostOptions::default(), async |fake| {
        let (mut runner, _other) = late(&fake, ENDLESS).await;
        let busy = Value::from(&BUSY[1..]);
        assert_eq!(fake.rest("GET before").await.unwrap(), busy);
        let pipeline = fake.ask("POST", "/pipeline", &[], "[[\"PING\"]]").await.unwrap();
        assert_eq!((pipeline.status, &pipeline.json()["error"]), (400, &busy));
        assert_eq!(fake.rest("SCRIPT KILL").await.unwrap(), "OK");
        assert!(runner.reply().await.unwrap().starts_with("-ERR Script killed"));
        assert_eq!(fake.rest("GET before").await.unwrap(), "1");
    });
}

#[test]
fn the_admin_endpoint_waits_and_faults_go_on() {
    with_fake(HostOptions::default().faults(Faults::new(7)), async |fake| {
        let (_runner, mut other) = late(&fake, ENDLESS).await;
        let order = fake.order("POST", "/faults", "{\"kind\":\"error\",\"text\":\"LOADING\"}");
        let kill = async { other.ask("SCRIPT KILL").await.unwrap() };
        let (answer, killed) = tokio::join!(order, kill);
        assert_eq!((answer.status, &*killed), (200, "+OK"), "{answer:?}");
        assert!(other.ask("GET before").await.unwrap().starts_with("-LOADING"));
    });
}

#[test]
fn scripts_of_one_packet_are_each_killed() {
    const SCRIPTS: usize = 40;
    with_fake(HostOptions::default(), async |fake| {
        let (mut runner, mut other) = late(&fake, ENDLESS).await;
        for _ in 1..SCRIPTS {
            runner.send(ENDLESS).await;
        }
        for _ in 0..SCRIPTS {
            until_busy(&mut other).await;
            assert_eq!(other.ask("SCRIPT KILL").await.unwrap(), "+OK");
            assert!(runner.reply().await.unwrap().starts_with("-ERR Script killed"));
        }
    });
}
