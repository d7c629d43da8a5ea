//! The examples of SERVE.md and TESTING.md, on a server with the admin endpoint and 100,000 keys.
//! The suites in JavaScript and Python are run by the tests of the command.

use leasehold_fake_redis::Entry;
use serde_json::Value;

use crate::serve_support::{Fake, in_time};

const SERVE: &str = include_str!("../../SERVE.md");
const TESTING: &str = include_str!("../../TESTING.md");
const KEYS: usize = 100_000;

async fn full() -> Fake {
    let fake = Fake::start().await;
    fill(&fake);
    fake
}

/// Sees to it that there are so many keys.
fn fill(fake: &Fake) {
    fake.host.with_server(|server| {
        let keyspace = &mut server.redis_mut().keyspace;
        for number in 0..KEYS {
            keyspace.set_entry(format!("key:{number}").into(), Some(Entry::string("value")));
        }
    });
}

/// The lines of the blocks of shell commands, with those that go on behind a backslash joined.
fn shell_lines(page: &str) -> Vec<String> {
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let joined = blocks.map(|block| block.replace("\\\n", " "));
    joined.flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The words of a line as a shell splits them, without a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quoted, mut blank) = (false, true);
    for letter in line.chars() {
        match letter {
            '\'' => quoted = !quoted,
            '#' if blank && !quoted => break,
            ' ' if !quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
        blank = letter == ' ' && !quoted;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The call of the admin endpoint that a line makes: method, path and body.
fn admin_call(line: &str) -> Option<(String, String, String)> {
    let words = words(line);
    let body = words.iter().position(|word| word == "-d").map(|at| words[at + 1].clone());
    let path = match words.first().map(String::as_str) {
        Some("admin") => words[1].clone(),
        Some("curl") => {
            let address = words.iter().find_map(|word| word.split_once(":8078"))?;
            address.1.to_owned()
        }
        _ => return None,
    };
    let method = words.iter().position(|word| word == "-X").map(|at| words[at + 1].clone());
    let method = method.unwrap_or_else(|| if body.is_some() { "POST" } else { "GET" }.into());
    Some((method, path, body.unwrap_or_default()))
}

/// What is between backticks in the tables whose rows begin with one of these words.
fn in_backticks(page: &str, begins: &str) -> Vec<String> {
    let rows = page.lines().filter(|line| line.starts_with(begins));
    rows.flat_map(|row| row.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_call_of_the_admin_endpoint_is_answered() {
    let fake = full().await;
    let lines = [shell_lines(SERVE), shell_lines(TESTING)].concat();
    let calls: Vec<_> = lines.iter().filter_map(|line| admin_call(line)).collect();
    assert!(calls.len() >= 9, "{calls:?}");
    for (method, path, body) in calls {
        fill(&fake);
        let answer = in_time(fake.order(&method, &path, &body)).await;
        assert_eq!(answer.status, 200, "{method} {path} {body}: {}", answer.text());
    }
}

#[tokio::test]
async fn every_order_of_the_table_of_tests_is_obeyed() {
    let fake = full().await;
    let cells = in_backticks(TESTING, "| `");
    let rules: Vec<_> = cells.iter().filter(|cell| cell.starts_with("{\"kind\"")).collect();
    assert!(rules.len() >= 5, "{rules:?}");
    for rule in rules {
        let answer = in_time(fake.order("POST", "/faults", rule)).await;
        assert_eq!(answer.status, 200, "{rule}: {}", answer.text());
    }
    fake.order("DELETE", "/faults", "").await;
    for path in ["/failover", "/restart"] {
        assert!(cells.contains(&format!("POST {path}")), "{path}");
    }
    let failover =
        in_time(fake.order("POST", "/failover", r#"{"lose": "1s", "down": "0s"}"#)).await;
    assert_eq!((failover.status, failover.json()["keys"].as_u64()), (200, Some(KEYS as u64)));
    fill(&fake);
    let restart = in_time(fake.order("POST", "/restart", "{}")).await;
    assert_eq!((restart.status, restart.json()["keys"].as_u64()), (200, Some(KEYS as u64)));
}

#[tokio::test]
async fn every_example_of_a_fault_sees_the_request_that_it_is_about() {
    let (_, table) = SERVE.split_once("| kind | fields |").expect("the table of kinds");
    let kinds = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let examples: Vec<_> = kinds.filter_map(|row| row.rsplit('`').nth(1)).collect();
    assert!(examples.len() >= 11, "{examples:?}");
    for example in examples {
        let fake = full().await;
        fake.fault(example);
        let command = example.split(' ').find_map(|word| word.strip_prefix("command="));
        let line = match command {
            Some("SET") => "SET lock:1 token".to_owned(),
            Some("EVALSHA") => format!("EVALSHA {} 1 lock:1", "0".repeat(40)),
            Some(command) => format!("{command} lock:1"),
            None => "GET lock:1".into(),
        };
        // Whether and when it is answered is for the fault to say.
        let mut client = fake.client().await;
        client.send(&line).await;
        if example.starts_with("status") {
            // Only REST has one.
            let told = in_time(fake.rest(&line)).await;
            assert!(told.is_ok(), "{example}: {told:?}");
        }
        let seen = async {
            while seen(&fake).await == 0 {
                tokio::task::yield_now().await;
            }
        };
        in_time(seen).await;
    }
}

async fn seen(fake: &Fake) -> u64 {
    let report: Value = fake.order("GET", "/faults", "").await.json();
    report["rules"][0]["seen"].as_u64().unwrap()
}

#[tokio::test]
async fn every_line_for_an_operator_does_what_it_says() {
    let fake = full().await;
    let mut client = fake.client().await;
    let lines: Vec<_> = shell_lines(SERVE)
        .iter()
        .filter(|line| line.starts_with("redis-cli"))
        .map(|it| words(it))
        .collect();
    assert!(lines.len() >= 6, "{lines:?}");
    for line in lines {
        let line = line[1..].join(" ");
        client.send(&line).await;
        if line.starts_with("DEBUG SLEEP") {
            // Which call has come is known once it is among the requests.
            let noted = async {
                while !fake.order("GET", "/requests", "").await.text().contains("DEBUG") {
                    tokio::task::yield_now().await;
                }
            };
            in_time(noted).await;
            fake.advance(2_000);
        }
        assert_eq!(in_time(client.reply()).await.as_deref(), Ok("+OK"), "{line}");
    }
    // With the limit of one byte nothing stays, and without replicas nothing is written.
    let reply = in_time(client.ask("SET a b")).await.unwrap();
    assert_eq!(reply, "-OOM command not allowed when used memory > 'maxmemory'.");
    assert_eq!(in_time(client.ask("DBSIZE")).await.as_deref(), Ok(":0"));
    assert_eq!(in_time(client.ask("AUTH worker pw")).await.as_deref(), Ok("+OK"));
    let reply = in_time(client.ask("EVAL x 0")).await.unwrap();
    assert_eq!(reply, "-NOPERM this user has no permissions to run the 'eval' command");
}
