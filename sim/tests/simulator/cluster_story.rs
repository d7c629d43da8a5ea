//! The failure of a user's own code as typed events, and as a page.

use std::{env, fs, process::Command, time::Duration};

use leasehold_core::lock::Lock;
use leasehold_sim::{
    cluster::{Cluster, Failure, Process, Setup},
    faults::Fault,
};
use leasehold_story::{EventKind, Fate, LaneKind, Story};

/// Takes the lock, and is wrong if it does not get it.
async fn hurried(lock: Lock, me: Process) {
    me.note("wants the <lock>");
    let mut lease = lock.acquire().await.expect("the lock is free");
    let _best_effort = lease.release().await;
}

fn cluster() -> Cluster {
    Cluster::new(|setup: &mut Setup| {
        setup.process(|me| hurried(me.lock("job").unwrap(), me));
    })
    .faults([Fault::RequestLoss])
    .lasting(Duration::from_secs(1), Duration::from_secs(2))
}

fn failure() -> Failure {
    cluster().report(2_000).failure.expect("three lost requests in a row")
}

#[test]
fn a_failure_is_told_as_events_messages_and_alternatives() {
    let failure = failure();
    let story = Story::from_json(&failure.to_json()).unwrap();
    assert_eq!(&story, failure.told());
    let kinds: Vec<LaneKind> = story.lanes.iter().map(|lane| lane.kind).collect();
    assert_eq!(kinds, [LaneKind::Client, LaneKind::Server]);
    assert_eq!(story.lanes[0].name, "process A");
    let told = story.told().unwrap();
    assert!(!told.verdict.holds && told.verdict.text.starts_with("Panicked"), "{:?}", told.verdict);
    let texts: Vec<&str> = told.events.iter().map(|event| &*event.text).collect();
    assert!(texts.contains(&"wants the <lock>"), "{texts:?}");
    assert!(texts.contains(&"sends: acquire job"), "{texts:?}");
    let asked = told.messages.iter().filter(|message| message.text == "acquire job");
    assert!(asked.clone().count() >= 3 && asked.into_iter().all(|it| it.fate == Fate::Lost));
    assert!(told.events.iter().any(|event| event.kind == EventKind::Fault));
    assert!(told.text.len() > 3);
    for (index, decision) in story.decisions.iter().enumerate() {
        assert_eq!((&*decision.kind, decision.fault), ("request-loss", true));
        let without = story.runs.iter().find(|run| run.without == [index]).unwrap();
        assert!(without.verdict.holds, "{:?}", without.verdict);
        let delivered = |fate: Fate| fate == Fate::Delivered;
        assert!(without.messages.iter().any(|message| delivered(message.fate)));
    }
    assert!(
        story.headline.contains("because") && story.headline.contains("process A"),
        "{}",
        story.headline
    );
}

#[test]
fn a_failure_is_the_same_story_each_time() {
    assert_eq!(failure().to_json(), failure().to_json());
}

/// The variable by which a test knows that it is to fail.
const FAILS: &str = "CLUSTER_STORY_FAILS";

/// Runs a test below in a process of its own, and returns what it prints.
fn child(name: &str, folder: &str) -> String {
    let test = format!("cluster_story::{name}");
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", &test, "--nocapture"])
        .env(FAILS, "1")
        .env("LEASEHOLD_HTML", folder)
        .output()
        .unwrap();
    assert!(!output.status.success(), "it fails");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// Fails in a process of its own: its page is what other tests look at.
#[test]
fn fails_and_leaves_a_page() {
    if env::var_os(FAILS).is_some() {
        cluster().check(2_000);
    }
}

#[test]
fn a_failing_check_leaves_a_page_where_the_variable_says() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("pages");
    let text = child("fails_and_leaves_a_page", pages.to_str().unwrap());
    let file = pages.join("cluster_story-fails_and_leaves_a_page.html");
    assert!(text.contains(file.to_str().unwrap()), "{text}");
    let page = fs::read_to_string(file).unwrap();
    assert!(page.starts_with("<!") && !page.contains("<lock>"), "it is escaped");
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_any_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let text = child("fails_and_leaves_a_page", file.to_str().unwrap());
    assert!(text.contains("LEASEHOLD_HTML: cannot write to"), "{text}");
}
