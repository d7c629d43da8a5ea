//! `leasehold explore`: what it says, and its exit status.

use crate::common::{json, leasehold, printed};

const FAILOVER: [&str; 7] =
    ["explore", "--subject", "lock-replicated", "--fault", "failover", "--guarantee", "exclusion"];

const LOST_REPLIES: [&str; 7] =
    ["explore", "--subject", "lock", "--fault", "reply-loss:2", "--decisions", "2"];

fn finding(arguments: &[&str]) -> serde_json::Value {
    json(&[arguments, &["--json", "-"]].concat())["explored"][0].clone()
}

#[test]
fn a_space_without_a_counterexample_is_a_proof_within_its_bounds() {
    let text = printed(&LOST_REPLIES);
    assert!(text.contains("no counterexample in the whole bounded model"), "{text}");
    let bound = "2 clients call once in 3 s, reply-loss within 600 ms; at most 2 decisions";
    assert!(text.contains(bound), "{text}");
    let found = finding(&LOST_REPLIES);
    assert_eq!((&found["finding"], &found["complete"]), (&"exhausted".into(), &2.into()));
    assert!(found["states"].as_u64() > Some(50) && found["cut"].is_null());
}

#[test]
fn a_counterexample_is_told_and_its_word_replays_in_the_small_cluster() {
    // Exclusion is claimed to break under a failover.
    let text = printed(&[&FAILOVER[..], &["--clients", "3"]].concat());
    assert!(text.contains("the shortest counterexample has 1 decision"), "{text}");
    assert!(text.contains("Broken: client A acts under the lock while client"), "{text}");
    let token = text.split_whitespace().find(|word| word.starts_with("lh1_")).unwrap();
    let story = printed(&["replay", token]);
    assert!(story.contains("cluster:   3 clients call once"), "{story}");
    assert!(story.contains("without this, it holds") && story.contains("\nBroken: "), "{story}");
}

#[test]
fn bounds_can_be_written_in_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let text = "subject = 'lock'\nguarantees = ['exclusion']\nclients = 2\ncalls = 1\n\
                faults-end-ms = 100\nend-ms = 500\ndecisions = 1\nfaults = { hang = { times = 1 } }\n";
    std::fs::write(file.path(), text).unwrap();
    let found = finding(&["explore", "--bounds", path]);
    assert_eq!((&found["finding"], &found["decisions"]), (&"exhausted".into(), &1.into()));
    std::fs::write(file.path(), text.replace("hang", "bang")).unwrap();
    leasehold(&["explore", "--bounds", path]).assert().code(2);
}

#[test]
fn a_search_that_is_cut_short_says_so_and_claims_nothing() {
    let cut = [&LOST_REPLIES[..], &["--states", "5"]].concat();
    let assert = leasehold(&cut).assert().code(3);
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert!(text.contains("cut short") && !text.contains("whole bounded model"), "{text}");
    let assert = leasehold(&[&cut[..], &["--json", "-"]].concat()).assert().code(3);
    let found: serde_json::Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    assert_eq!(found["explored"][0]["finding"], "cut-short");
    assert_eq!(found["explored"][0]["cut"], "states");
}

#[test]
fn wrong_use_is_refused() {
    for wrong in [
        &["explore", "--only", "everything"][..],
        &["explore", "--fault", "hang"],
        &["explore", "--subject", "lock", "--fault", "hang:many"],
        &["explore", "--subject", "lock", "--fault", "behaviour"],
        &["explore", "--subject", "lock", "--workload", "hang"],
        &["explore", "--subject", "lock", "--guarantee", "debounce-fires"],
        &["explore", "--subject", "lock", "--clients", "9"],
        &["explore", "--subject", "lock", "--end", "1ms"],
        &["explore", "--memory", "much"],
        &["explore", "--bounds", "there-is-no-such-file.toml"],
    ] {
        leasehold(wrong).assert().code(2).stdout("");
    }
}
