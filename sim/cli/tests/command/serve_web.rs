//! The command `leasehold serve` with REST, admin endpoint and faults.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use crate::serve_support::{Broken, request};
use serde_json::{Value, json};

struct Serving(Child, Value);

impl Serving {
    fn with(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_leasehold"))
            .args(["serve", "--rest", "127.0.0.1:0", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addresses = serde_json::from_str(&line).unwrap();
        Self(child, addresses)
    }

    fn address(&self, name: &str) -> SocketAddr {
        self.1[name].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn get(to: SocketAddr, target: &str, token: &str) -> Result<(u16, Value), Broken> {
    let bearer = format!("Bearer {token}");
    let answer = request(to, "GET", target, &[("authorization", &bearer)], "".into()).await?;
    Ok((answer.status, answer.json()))
}

#[tokio::test]
async fn faults_and_clock_come_from_the_command_line() {
    let serving = Serving::with(&[
        "--token",
        "t",
        "--admin",
        "127.0.0.1:0",
        "--admin-token",
        "a",
        "--clock",
        "frozen",
        "--fault",
        "reply-loss command=INCR next=1",
        "--latency",
        "0ms",
    ]);
    assert_eq!(serving.1.get("resp"), None, "only what was asked for is opened");
    let (rest, admin) = (serving.address("rest"), serving.address("admin"));
    assert_eq!(get(rest, "/incr/n", "t").await, Err(Broken::Closed));
    assert_eq!(get(rest, "/incr/n", "t").await, Ok((200, json!({"result": 2}))));
    assert_eq!(get(rest, "/incr/n", "wrong").await.unwrap().0, 401);
    let (_, report) = get(admin, "/faults", "a").await.unwrap();
    assert_eq!(report["rules"][1]["effective"], json!(1));
    assert_eq!(get(admin, "/clock", "a").await.unwrap().1["rate"], json!(0.0));
}

#[tokio::test]
async fn a_browser_is_shown_what_happened_once_it_has_said_the_token_and_may_do_no_more() {
    let serving = Serving::with(&["--admin", "127.0.0.1:0", "--admin-token", "a"]);
    let admin = serving.address("admin");
    let get = async |target, authorization: &str| {
        request(admin, "GET", target, &[("authorization", authorization)], "".into()).await.unwrap()
    };
    // Any name, and the token as its password.
    for shown in ["Basic bWU6YQ==", "Basic OmE=", "Bearer a"] {
        let page = get("/", shown).await;
        assert_eq!(page.status, 200);
        assert!(page.text().starts_with("<!doctype html>"), "{}", page.text());
    }
    for wrong in ["", "Basic bWU6Yg==", "Basic YQ==", "Basic !", "Bearer b"] {
        let refused = get("/", wrong).await;
        assert_eq!(refused.status, 401, "{wrong}");
        assert!(refused.header("www-authenticate").starts_with("Basic"), "{wrong}");
    }
    let faults = get("/faults", "Basic bWU6YQ==").await;
    assert_eq!((faults.status, faults.header("www-authenticate")), (401, ""));
}

#[tokio::test]
async fn without_a_token_everybody_is_served() {
    let serving = Serving::with(&[]);
    let answer = get(serving.address("rest"), "/ping", "anything").await;
    assert_eq!(answer, Ok((200, json!({"result": "PONG"}))));
}

#[test]
fn wrong_use_is_told() {
    let wrong = [
        (&["--fault", "explode"][..], "choose one of latency"),
        (&["--fault", "hang id=1", "--fault", "hang id=1"], "there is a rule `1`"),
        (&["--latency", "soon"], "write a time such as 20ms"),
        (&["--clock", "fast"], "write real, frozen"),
        (&["--admin", "127.0.0.1:0"], "give --admin-token too"),
    ];
    for (arguments, text) in wrong {
        let output = Command::new(env!("CARGO_BIN_EXE_leasehold"))
            .args(["serve", "--rest", "127.0.0.1:0"])
            .args(arguments)
            .env_remove("LEASEHOLD_ADMIN_TOKEN")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(text), "{arguments:?}: {error}");
    }
}
