//! The failure of a user's own code as typed events, and as a page.

use std::{env, fs, process::Command, time::Duration};

use leasehold_core::lock::Lock;
use leasehold_fake_redis::Resp;
use leasehold_sim::{
    cluster::{Cluster, Failure, Process, Section, Setup},
    faults::Fault,
    world::Topology,
};
use leasehold_story::{Event, EventKind, Fate, LaneKind, Run, Span, SpanKind, Story};

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

/// Works for 200 ms under a lock whose key is there for `lease` milliseconds, or for ever.
async fn worker(me: Process, section: Section, lease: Option<&str>) {
    let (redis, name) = (me.redis(), me.name());
    let set = match lease {
        Some(lease) => vec!["SET", "lock:job", &name, "NX", "PX", lease],
        None => vec!["SETNX", "lock:job", &name],
    };
    for _ in 0..8 {
        if matches!(redis.send(&set).await, Ok(Resp::Simple(_) | Resp::Integer(1))) {
            let _inside = section.enter(&me);
            me.sleep(Duration::from_millis(200)).await;
            let _best_effort = redis.send(&["DEL", "lock:job"]).await;
            return;
        }
        me.sleep(Duration::from_millis(40)).await;
    }
}

fn workers(lease: Option<&'static str>) -> Cluster {
    Cluster::new(move |setup: &mut Setup| {
        let section = setup.mutex("job");
        for _ in 0..2 {
            let section = section.clone();
            setup.process(move |me| worker(me, section.clone(), lease));
        }
    })
}

/// The spans of a kind, in order of their beginnings.
fn spans(run: &Run, kind: SpanKind) -> Vec<&Span> {
    run.spans.iter().filter(|span| span.kind == kind).collect()
}

#[test]
fn a_key_has_a_bar_while_it_lives_and_a_process_while_it_is_in_a_section() {
    let failure = workers(Some("100")).report(100).failure.expect("the lease is too short");
    let story = failure.told();
    let run = story.told().unwrap();
    let is_server = |span: &Span| story.lanes[span.lane.unwrap()].kind == LaneKind::Server;
    let [first, second] = spans(run, SpanKind::Key)[..] else { panic!("{:?}", run.spans) };
    assert!(is_server(first) && is_server(second));
    // A key is gone once the server's clock is past its last millisecond.
    assert!(first.to - first.from > 100_000 && first.to - first.from <= 102_000, "{first:?}");
    assert!(first.to <= second.from && second.to == run.end, "{second:?}");
    assert_eq!(run.verdict.text, "Process A and process B are in `job` at once.");
    assert!(story.headline.contains("process A and process B are in `job` at once"));
    let expiry = run.events.iter().find(|event| event.text == "`lock:job` expires").unwrap();
    assert_eq!((expiry.at, &expiry.grant), (first.to, &first.grant));
    let [older, newer] = spans(run, SpanKind::Lease)[..] else { panic!("{:?}", run.spans) };
    assert_eq!(
        (older.grant.as_ref(), newer.grant.as_ref()),
        (first.grant.as_ref(), second.grant.as_ref())
    );
    assert!(older.to == run.end && older.text == "is in `job`", "{older:?}");
    // The one that breaks the promise enters at the very end.
    assert_eq!((newer.from, newer.to), (run.end, run.end));
    let sent = run.events.iter().find(|event| event.grant == first.grant).unwrap();
    assert_eq!((sent.kind, sent.lane), (EventKind::Send, older.lane.unwrap()));
}

#[test]
fn a_key_that_was_set_where_there_was_none_has_a_bar_for_ever_and_one_that_is_deleted_until_then() {
    let fails = Cluster::new(|setup: &mut Setup| {
        let section = setup.mutex("job");
        setup.process(move |me| {
            let section = section.clone();
            async move {
                worker(me.clone(), section, None).await;
                let _ok = me.redis().send(&["SETNX", "lock:other", "x"]).await;
                panic!("and that is all");
            }
        });
    });
    let failure = fails.report(1).failure.unwrap();
    let run = failure.told().told().unwrap();
    let [job, other] = spans(run, SpanKind::Key)[..] else { panic!("{:?}", run.spans) };
    let deleted = run.events.iter().find(|event| event.text == "deletes `lock:job`").unwrap();
    assert_eq!((&*job.text, job.to), ("has `lock:job`: A", deleted.at));
    assert_eq!((&*other.text, other.to), ("has `lock:other`: x", run.end));
    assert!(run.events.iter().any(|event| event.text == "`lock:other` = x for ever"));
    let [inside] = spans(run, SpanKind::Lease)[..] else { panic!("{:?}", run.spans) };
    assert!(inside.to > deleted.at, "it leaves when it knows: {inside:?}");
}

#[test]
fn a_key_that_a_failover_forgets_is_there_no_more() {
    let failing = workers(Some("5000")).topology(Topology::Replicated).faults([Fault::Failover]);
    let failure = failing.report(2_000).failure.expect("a failover forgets the key");
    let run = failure.told().told().unwrap();
    let gone = run.events.iter().find(|event| event.text == "does not have `lock:job`").unwrap();
    assert!(gone.decision.is_some(), "{gone:?}");
    // It was there for no time at all: only the other process's key has a bar.
    let set = |event: &&Event| event.text.starts_with("`lock:job` = ");
    let set: Vec<_> = run.events.iter().filter(set).collect();
    assert!(set.len() == 2 && set[0].at <= gone.at && gone.at < set[1].at, "{set:?}");
    let [key] = spans(run, SpanKind::Key)[..] else { panic!("{:?}", run.spans) };
    assert_eq!((key.from, &key.grant), (set[1].at, &set[1].grant));
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
