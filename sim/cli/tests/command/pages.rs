//! Stories as JSON and as pages: `--json` and `--html`.

use std::{fs, process::Command};

use crate::{
    clients::skip,
    common::{MATRIX, json, leasehold, printed},
};
use leasehold_sim::{
    catalog::{CellName, Subject},
    counterexamples::KnownCounterexamples,
    faults::Fault,
    guarantees::Guarantee,
    schedule::Schedule,
};
use leasehold_story::{Story, html};

/// The whole matrix as a page.
const MOST_OF_ALL: u64 = 2_250_000;

/// The failover that breaks exclusion.
fn failover() -> Schedule {
    let (subject, guarantee) = (Subject::LockReplicated, Guarantee::Exclusion);
    let cell = CellName { subject, guarantee, fault: Some(Fault::Failover) };
    let decisions = KnownCounterexamples::current().of(cell).unwrap().clone();
    Schedule::of(cell, decisions)
}

#[test]
fn a_replay_is_a_story_as_json_and_nothing_else() {
    let token = failover().to_string();
    let text = printed(&["replay", &token, "--json", "-"]);
    let story = Story::from_json(&text).unwrap();
    assert_eq!(story.command, Some(format!("leasehold replay {token}")));
    assert!(!story.told().unwrap().verdict.holds);
    assert_eq!(printed(&["replay", &token, "--json"]), text);
}

#[test]
fn a_page_is_written_beside_the_text_and_the_json() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let (page, data) = (path("story.html"), path("story.json"));
    let token = failover().to_string();
    let text = printed(&["replay", &token, "--html", &page, "--json", &data]);
    assert!(text.contains("\nBroken: "), "{text}");
    let story = Story::from_json(&fs::read_to_string(data).unwrap()).unwrap();
    assert_eq!(fs::read_to_string(page).unwrap(), html::story(&story));
}

#[test]
fn the_json_of_a_campaign_has_the_story_of_each_broken_cell() {
    let report = json(&["--schedules", "20", "--subject", "lock,lock-replicated", "--json", "-"]);
    let cells = report["cells"].as_array().unwrap();
    let broken = cells.iter().filter(|cell| cell["verdict"] == "broken");
    assert!(broken.clone().count() > 5);
    for cell in cells {
        assert_eq!(cell["story"].is_object(), cell["verdict"] == "broken", "{cell}");
    }
    for cell in broken {
        let story = Story::from_json(&cell["story"].to_string()).unwrap();
        let token = cell["counterexample"]["token"].as_str().unwrap();
        assert_eq!(story.command, Some(format!("leasehold replay {token}")));
        let lines: Vec<&str> = cell["counterexample"]["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line.as_str().unwrap())
            .collect();
        assert_eq!(story.told().unwrap().text, lines);
    }
}

#[test]
fn a_part_and_the_whole_tell_the_same_stories() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let campaign =
        ["--subject", "lock-replicated", "--fault", "none,failover", "--schedules", "40"];
    let (one, two, page, whole) = (path("1"), path("2"), path("html"), path("whole"));
    for (shard, file) in [("1/2", &one), ("2/2", &two)] {
        leasehold(&[&campaign[..], &["--shard", shard, "--json", file]].concat()).assert().code(0);
    }
    let merged = json(&["merge", &one, &two, "--json", "-"]);
    let _status = leasehold(&[&campaign[..], &["--json", &whole, "--html", &page]].concat())
        .output()
        .unwrap();
    let whole: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(whole).unwrap()).unwrap();
    for (merged, whole) in
        merged["cells"].as_array().unwrap().iter().zip(whole["cells"].as_array().unwrap())
    {
        assert_eq!(merged["story"].is_object(), merged["verdict"] == "broken");
        assert_eq!(merged["verdict"], whole["verdict"]);
    }
    let once = fs::read_to_string(&page).unwrap();
    let again = path("again");
    let _status = leasehold(&["merge", &one, &two, "--html", &again]).output().unwrap();
    assert!(once.starts_with("<!") && fs::read_to_string(again).unwrap().starts_with("<!"));
}

#[test]
fn the_whole_matrix_is_a_page_of_little_more_than_two_megabytes() {
    let size = MATRIX.page.len() as u64;
    assert!((500_000..MOST_OF_ALL).contains(&size), "{size} bytes");
}

#[test]
fn a_search_and_a_hunt_are_pages_too() {
    let place = tempfile::tempdir().unwrap();
    let page = place.path().join("page.html");
    let file = page.to_str().unwrap();
    let search = [
        ["explore", "--subject", "lock-replicated"],
        ["--guarantee", "exclusion", "--fault"],
        ["failover", "--decisions", "1"],
        ["--clients", "3", "--json"],
    ];
    let report = json(&[&search.concat()[..], &["-", "--html", file]].concat());
    let story = Story::from_json(&report["explored"][0]["story"].to_string()).unwrap();
    assert!(story.headline.contains("hold the lock at the same time"), "{}", story.headline);
    assert!(fs::read_to_string(&page).unwrap().starts_with("<!"));
    let report = json(&["mutants", "canary", "--campaigns", "1", "--json", "-", "--html", file]);
    let story = Story::from_json(&report["mutants"][0]["story"].to_string()).unwrap();
    assert!(!story.told().unwrap().verdict.holds);
    assert!(fs::read_to_string(&page).unwrap().starts_with("<!"));
}

#[test]
fn a_page_that_cannot_be_written_is_refused_before_any_work() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("missing").join("page.html");
    let file = file.to_str().unwrap();
    let token = failover().to_string();
    // Without the check at the start, these would run for long.
    for arguments in [
        &["--time", "300d", "--html", file][..],
        &["explore", "--html", file],
        &["mutants", "--campaigns", "100000", "--html", file],
        &["merge", "no-such-part", "--html", file],
        &["replay", &token, "--html", file],
    ] {
        let assert = leasehold(arguments).assert().code(2).stdout("");
        let text = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
        assert!(text.contains("cannot write") && text.contains("give --html"), "{text}");
    }
}

/// Needs Node.js.
#[test]
fn the_picture_of_the_readme_is_what_the_failover_looks_like_now() {
    let place = tempfile::tempdir().unwrap();
    let (data, token) = (place.path().join("story.json"), failover().to_string());
    fs::write(&data, printed(&["replay", &token, "--json", "-"])).unwrap();
    let draw = concat!(env!("CARGO_MANIFEST_DIR"), "/../story/page/picture.js");
    let drawn = Command::new("node").arg(draw).arg(&data).arg("900").output();
    let Ok(drawn) = drawn else { return skip("node does not run") };
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let kept = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../story/failover.svg")).unwrap();
    assert!(
        drawn.stdout == kept,
        "make it anew: leasehold replay {token} --json story.json && \
         node sim/story/page/picture.js story.json 900 > sim/story/failover.svg"
    );
}
