//! Every example runs to its end over either store, and prints what happened.
//!
//! `cargo test -p leasehold-upstash` builds the examples before it runs this.
#![allow(clippy::unwrap_used)]

#[path = "serving/mod.rs"]
mod serving;

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
};

use serving::{Served, TOKEN};

/// What it prints over TCP, and then over REST.
fn run(example: &str) -> [Vec<String>; 2] {
    let served = Served::start();
    let rest = served.rest();
    let over_rest =
        [("UPSTASH_REDIS_REST_URL", rest.as_str()), ("UPSTASH_REDIS_REST_TOKEN", TOKEN)];
    [run_with(example, &[("REDIS_URL", &served.resp())]), run_with(example, &over_rest)]
}

fn run_with(example: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let mut command = Command::new(built(example));
    command.env_remove("REDIS_URL").envs(environment.iter().copied());
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (printed, complaints) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{example} failed: {printed}{complaints}");
    printed.lines().map(str::to_owned).collect()
}

/// Cargo puts the examples beside the folder of the tests.
fn built(example: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let target = test.parent().and_then(|tests| tests.parent()).unwrap();
    let name = format!("{example}{}", env::consts::EXE_SUFFIX);
    let path = target.join("examples").join(name);
    assert!(
        path.exists(),
        "no {}: run `cargo build -p leasehold-upstash --examples`",
        path.display()
    );
    path
}

/// Without the numbers that differ each time.
fn without_numbers(line: &str) -> String {
    line.replace(|letter: char| letter.is_ascii_digit(), "")
}

#[test]
fn of_three_machines_one_runs_the_job_and_one_after_a_failure() {
    for printed in run("cron") {
        assert_eq!(
            printed,
            [
                "machine 1: failed (the printer is on fire), and leaves the slot to another",
                "machine 2: reported 12 pages",
                "machine 3: the slot is taken, nothing to do",
            ]
        );
    }
}

#[test]
fn a_leader_that_stalled_cannot_undo_its_successor() {
    for printed in run("leader") {
        assert_eq!(
            printed,
            [
                "the first leader sets the rate to 10",
                "the second leader sets the rate to 20",
                "the first leader is refused: there is a newer one",
                "the rate is 20",
            ]
        );
    }
}

#[test]
fn a_lease_that_was_handed_over_is_released_by_its_receiver() {
    for printed in run("handoff") {
        let [given, received, done, free] = printed.try_into().unwrap();
        let fence = given.strip_prefix("the giver holds the lock, fence ").unwrap();
        assert_eq!(received, format!("the receiver holds the lock, fence {fence}"));
        assert_eq!(done, "the receiver is done: Released");
        assert_eq!(free, "the lock is free again: Released");
    }
}

#[test]
fn a_burst_of_pushes_is_indexed_once_with_the_last() {
    for printed in run("webhook") {
        let mut expected = vec!["listening at http://...:/pushed".to_owned()];
        expected.extend((1..=5).map(|_| "pushed commit :  Accepted".to_owned()));
        expected.push("indexing commit , fence ".to_owned());
        let shown: Vec<String> = printed.iter().map(|line| without_numbers(line)).collect();
        assert_eq!(shown, expected);
        assert!(printed.last().unwrap().starts_with("indexing commit 5, "), "{printed:?}");
    }
}

/// Posts `body` to the service and returns what it answers.
fn post(address: &str, path: &str, body: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n");
    write!(connection, "{head}connection: close\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

/// A service that is ended with its test.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

#[test]
fn a_service_imports_indexes_a_burst_once_and_shuts_down() {
    let served = Served::start();
    let rest = served.rest();
    let over_rest =
        [("UPSTASH_REDIS_REST_URL", rest.as_str()), ("UPSTASH_REDIS_REST_TOKEN", TOKEN)];
    for environment in [&[("REDIS_URL", served.resp().as_str())][..], &over_rest] {
        let mut command = Command::new(built("service"));
        command.env_remove("REDIS_URL").envs(environment.iter().copied());
        command.env("LISTEN", "127.0.0.1:0").stdout(Stdio::piped());
        let mut service = Service(command.spawn().unwrap());
        let mut lines = BufReader::new(service.0.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let address = first.strip_prefix("listening at ").unwrap();
        let imported = post(address, "/import", "");
        assert!(imported.ends_with("imported"), "{imported}");
        let burst: Vec<_> = (1..=3)
            .map(|page| {
                let address = address.to_owned();
                thread::spawn(move || post(&address, "/changed", &format!("page {page}")))
            })
            .collect();
        let answers: Vec<_> = burst.into_iter().map(|call| call.join().unwrap()).collect();
        assert!(answers.iter().all(|answer| answer.starts_with("HTTP/1.1 200")), "{answers:?}");
        let process = service.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &process]).status().unwrap().success());
        assert!(service.0.wait().unwrap().success());
        let saved: Vec<_> = lines.map(Result::unwrap).collect();
        let of = |what: &str| saved.iter().filter(|line| line.contains(what)).count();
        assert_eq!((of("the import"), of("the report"), of("the page")), (1, 1, 1), "{saved:?}");
    }
}

#[test]
fn either_pair_of_variables_names_a_database() {
    let served = Served::start();
    let rest = served.rest();
    for (url, token) in [
        ("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"),
        ("KV_REST_API_URL", "KV_REST_API_TOKEN"),
    ] {
        let printed = run_with("handoff", &[(url, rest.as_str()), (token, TOKEN)]);
        assert!(printed.last().unwrap().starts_with("the lock is free again"), "{printed:?}");
    }
}

#[test]
fn an_example_without_a_store_says_which_variables_to_set() {
    let mut command = Command::new(built("cron"));
    for variable in ["REDIS_URL", "UPSTASH_REDIS_REST_URL", "KV_REST_API_URL"] {
        command.env_remove(variable);
    }
    let output = command.output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    for variable in [" UPSTASH_REDIS_REST_URL", " REDIS_URL"] {
        assert!(complaint.contains(variable), "{complaint}");
    }
}
