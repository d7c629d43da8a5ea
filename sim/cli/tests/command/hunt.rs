//! `leasehold hunt`, on programs in Bash and on commands that are no use.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use assert_cmd::assert::Assert;
use leasehold_story::Fate;
use serde_json::Value;

use crate::common::leasehold;

/// Connects to the server, and asks something in `ask`, whose answer is in `reply`.
const CONNECT: &str = r#"
    connect() { local at=${REDIS_URL#redis://}; exec 3<>"/dev/tcp/${at%:*}/${at#*:}"; }
    ask() { printf '%s\r\n' "$*" >&3; reply=; IFS= read -r reply <&3; reply=${reply%$'\r'}; }
    connect
"#;

/// Sets a key, and fails unless it is told that it did.
const FRAGILE: &str =
    r#"ask SET job mine NX PX 1000; echo "the reply: $reply"; [ "$reply" = +OK ]"#;

/// Does the same and minds nothing.
const ROBUST: &str = "ask SET job mine NX PX 1000; exit 0";

fn program(body: &str) -> [String; 3] {
    ["bash".into(), "-c".into(), format!("{CONNECT}{body}")]
}

fn hunt(options: &[&str], command: &[impl AsRef<str>]) -> Assert {
    let command = command.iter().map(AsRef::as_ref);
    let words: Vec<&str> =
        ["hunt"].into_iter().chain(options.iter().copied()).chain(["--"]).chain(command).collect();
    leasehold(&words).timeout(Duration::from_secs(300)).assert()
}

fn printed(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

fn complained(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

fn found(options: &[&str], body: &str) -> Value {
    let all: Vec<&str> = options.iter().copied().chain(["--json", "-"]).collect();
    let assert = hunt(&all, &program(body)).code(1);
    serde_json::from_str(&printed(&assert)).expect("it prints JSON")
}

#[test]
fn a_program_that_minds_nothing_survives() {
    let options = ["--runs", "12", "--fault", "request-loss,reset"];
    let told = printed(&hunt(&options, &program(ROBUST)).code(0));
    assert!(told.starts_with("Nothing found, in 12 runs"), "{told}");
    assert!(told.contains("with --lock"), "{told}");
    let told =
        printed(&hunt(&[&options[..], &["--lock", "lock:*"]].concat(), &program(ROBUST)).code(0));
    assert!(!told.contains("with --lock"), "{told}");
}

#[test]
fn a_fault_that_makes_a_program_fail_is_found_told_and_replayed() {
    let told = found(&["--fault", "reply-loss", "--confirm", "2"], FRAGILE);
    let replay = "h1: reply-loss command=SET next=1";
    assert_eq!((&told["outcome"], &told["replay"]), (&"found".into(), &replay.into()));
    assert_eq!((&told["failed"], &told["confirmed"]), (&2.into(), &2.into()));
    let fault = &told["faults"][0];
    assert_eq!((&fault["failed_without"], &fault["runs_without"]), (&0.into(), &2.into()));
    assert_eq!(told["output"], "the reply: \n");
    let assert = hunt(&["--replay", replay, "--confirm", "2"], &program(FRAGILE)).code(1);
    let text = printed(&assert);
    assert!(text.contains("under 1 fault, in 2 of 2 runs"), "{text}");
    assert!(text.contains("The 1st SET is executed, and its reply is lost"), "{text}");
    assert!(text.contains("leasehold serve --fault 'reply-loss command=SET next=1'"), "{text}");
    let harmless = "reply-loss command=GET next=1";
    hunt(&["--replay", harmless, "--confirm", "2"], &program(FRAGILE)).code(0);
}

#[test]
fn what_was_found_is_a_story_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let html = ["--html", page.to_str().unwrap()];
    let options = ["--fault", "reply-loss", "--confirm", "2"];
    let told = found(&[&options[..], &html].concat(), FRAGILE);
    let story = leasehold_story::Story::from_json(&told["story"].to_string()).unwrap();
    let lanes: Vec<&str> = story.lanes.iter().map(|lane| &*lane.name).collect();
    assert_eq!(lanes, ["connection 1", "server"]);
    assert_eq!((story.decisions.len(), story.runs.len()), (1, 2));
    let [run, without] = &story.runs[..] else { panic!("{story:?}") };
    assert_eq!((run.verdict.holds, without.verdict.holds), (false, true));
    assert_eq!((&run.without[..], &without.without[..]), (&[][..], &[0][..]));
    let lost = run.messages.iter().find(|message| message.fate == Fate::Lost).unwrap();
    assert_eq!((&*lost.text, lost.decision), ("reply", Some(0)));
    let applied = &run.events[lost.sent_by.unwrap()];
    assert_eq!(&*applied.text, "SET job mine NX PX 1000");
    for run in &story.runs {
        assert!(run.events.is_sorted_by_key(|event| event.at));
        for (at, event) in run.events.iter().enumerate() {
            assert!(event.causes.iter().all(|cause| *cause < at), "{event:?}");
        }
    }
    let page = fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"));
    assert!(page.contains("SET job mine NX PX 1000"));
}

#[test]
fn a_fault_that_is_not_needed_is_left_out() {
    // Whichever schedule comes first, one fault is enough.
    let told = found(&["--confirm", "1", "--seed", "7", "--timeout", "1s"], FRAGILE);
    assert_eq!(told["faults"].as_array().unwrap().len(), 1, "{told}");
}

#[test]
fn connections_are_told_apart() {
    let two = r#"connect; ask SET job mine; [ "$reply" = +OK ]"#;
    for (connection, code) in [(1, 0), (2, 1)] {
        let rule = format!("request-loss connection={connection} command=SET");
        hunt(&["--replay", &rule, "--confirm", "1"], &program(two)).code(code);
    }
}

#[test]
fn a_lock_that_is_treated_badly_fails_a_run() {
    let body = "ask SET lock:a mine; exit 0";
    let assert = hunt(&["--lock", "lock:*"], &program(body)).code(3);
    let text = printed(&assert);
    assert!(text.contains("fails without any fault: SET of connection 1 set `lock:a`"), "{text}");
    hunt(&["--lock", "lock:*", "--runs", "1"], &program("ask SET lock:a mine PX 1000; exit 0"))
        .code(0);
}

#[test]
fn a_command_that_fails_by_itself_is_told_of() {
    let assert = hunt(&[], &["sh", "-c", "echo what went wrong; exit 7"]).code(3);
    let text = printed(&assert);
    assert!(text.contains("fails without any fault: it ended with exit status: 7"), "{text}");
    assert!(text.contains("what went wrong"), "{text}");
}

#[test]
fn a_command_that_never_ends_is_ended() {
    let assert = hunt(&["--timeout", "200ms"], &["sleep", "1000"]).code(3);
    assert!(printed(&assert).contains("it did not end within 200ms"));
}

#[test]
fn a_command_that_asks_for_nothing_is_told_of() {
    for command in [&["true"][..], &["sh", "-c", "echo hello"]] {
        let assert = hunt(&[], command).code(2);
        assert!(complained(&assert).contains("made no request; is REDIS_URL read?"));
    }
    let assert = hunt(&["--env", "CACHE=resp"], &["true"]).code(2);
    assert!(complained(&assert).contains("is CACHE read?"));
}

#[test]
fn wrong_use_is_told_of() {
    let wrong = [
        (&[][..], "/no/such/command", "cannot run `/no/such/command`"),
        (&["--env", "CACHE"], "true", "write NAME=resp"),
        (&["--fault", "explode"], "true", "reply-loss"),
        (&["--replay", "h9: hang"], "true", "of version h9"),
        (&["--replay", "explode"], "true", "choose one of"),
        (&["--runs", "0"], "true", "--runs"),
        (&["--json", "/no/such/folder/file"], "true", "cannot write"),
        (&["--html", "/no/such/folder/file"], "true", "cannot write"),
    ];
    for (options, command, text) in wrong {
        let assert = hunt(options, &[command]).code(2);
        let complained = complained(&assert);
        assert!(complained.contains(text), "{options:?}: {complained}");
    }
    leasehold(&["hunt"]).assert().code(2);
}

#[test]
fn an_output_without_end_is_cut() {
    let flood = "head -c 200000000 /dev/zero | tr '\\0' x; echo; echo the end; exit 1";
    let assert = hunt(&["--json", "-"], &["sh", "-c", flood]).code(3);
    let told: Value = serde_json::from_str(&printed(&assert)).unwrap();
    assert_eq!(told["output"], "the end\n");
}

#[test]
fn nothing_is_left_running() {
    let folder = tempfile::tempdir().unwrap();
    let ways = [("child", "sleep 1000 & echo $! > \"$0\"")];
    let daemon = [("daemon", "setsid sleep 1000 >/dev/null 2>&1 & echo $! > \"$0\"")];
    let daemon = if cfg!(target_os = "linux") { &daemon[..] } else { &[] };
    for (name, body) in ways.iter().chain(daemon) {
        let file = folder.path().join(name);
        let path = file.to_str().unwrap();
        let assert = hunt(&[], &["sh", "-c", body, path]).code(2);
        assert!(complained(&assert).contains("left processes running"), "{name}");
        assert!(!is_running(&file), "{name}");
    }
}

#[test]
fn an_interrupt_ends_the_hunt_and_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("number");
    let body = "echo $$ > \"$0.new\"; mv \"$0.new\" \"$0\"; exec sleep 1000";
    let mut process = Command::new(env!("CARGO_BIN_EXE_leasehold"))
        .args(["hunt", "--", "sh", "-c", body])
        .arg(&file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !file.exists() {
        thread::yield_now();
    }
    assert!(is_running(&file));
    interrupt(&process);
    assert_eq!(process.wait().unwrap().code(), Some(130));
    assert!(!is_running(&file));
}

/// Whether the process runs whose number is in a file.
fn is_running(file: &Path) -> bool {
    let number = fs::read_to_string(file).unwrap();
    let output = Command::new("ps").args(["-o", "stat=", "-p", number.trim()]).output().unwrap();
    let state = String::from_utf8_lossy(&output.stdout);
    // A zombie has ended; whoever has adopted it will notice.
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

fn interrupt(process: &Child) {
    let number = process.id().to_string();
    assert!(Command::new("kill").args(["-INT", &number]).status().unwrap().success());
}
