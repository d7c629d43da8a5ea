//! Right and wrong use of the command, and its exit status.

use crate::common::{leasehold, printed};
use leasehold_sim::{
    catalog::{CellName, Subject},
    decide::Decisions,
    faults::Fault,
    guarantees::Guarantee,
    schedule::Schedule,
};

const QUICK: [&str; 6] = ["--schedules", "400", "--subject", "lock", "--fault", "none,latency"];

/// What a refused command says.
fn refusal(arguments: &[&str]) -> String {
    let assert = leasehold(arguments).assert().code(2).stdout("");
    String::from_utf8(assert.get_output().stderr.clone()).expect("it prints text")
}

#[test]
fn cells_as_claimed_are_a_success_with_and_without_the_word_check() {
    leasehold(&QUICK).assert().success();
    leasehold(&[&["check"], &QUICK[..]].concat()).assert().success();
    leasehold(&["--version"]).assert().success();
}

#[test]
fn a_cell_that_is_not_as_claimed_fails_and_is_listed_with_its_replay() {
    // So few schedules cannot show all that is claimed.
    let arguments = ["check", "--subject", "upstream", "--schedules", "1"];
    let assert = leasehold(&arguments).assert().code(1);
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert!(text.contains("differ from what is claimed") && text.contains("claimed: "), "{text}");
    let token = text.split_whitespace().find(|word| word.starts_with("lh1_")).unwrap();
    assert!(printed(&["replay", token]).contains("\nBroken: "));
}

#[test]
fn a_part_of_a_campaign_does_not_fail_for_what_it_misses() {
    // Of one schedule, the second of two parts has none.
    leasehold(&["--schedules", "1", "--shard", "2/2"]).assert().code(0);
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_one() {
    let text = refusal(&["--subject", "lock-replicate"]);
    assert!(text.contains("lock-replicated"), "{text}");
    let text = refusal(&["check", "--guarantee", "exclusion,fence-ordr"]);
    assert!(text.contains("'fence-order'"), "{text}");
    let text = refusal(&["--fault", "fail-over"]);
    assert!(text.contains("'failover'"), "{text}");
    assert!(refusal(&["chekc"]).contains("check"));
}

#[test]
fn wrong_numbers_are_refused() {
    for wrong in [
        ["--schedules", "0"],
        ["--schedules", "many"],
        ["--jobs", "0"],
        ["--shard", "3/2"],
        ["--shard", "0/2"],
        ["--shard", "1"],
        ["--time", "0s"],
        ["--time", "soon"],
        ["--seed", "-1"],
    ] {
        assert!(!refusal(&wrong).is_empty(), "{wrong:?}");
    }
    refusal(&["workload", "--schedules", "0"]);
}

#[test]
fn a_file_that_cannot_be_written_is_refused_before_any_work() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("missing").join("report.json");
    // Without the check at the start, this would run for a year.
    let text = refusal(&["--time", "300d", "--json", file.to_str().unwrap()]);
    assert!(text.contains("cannot write"), "{text}");
}

#[test]
fn a_schedule_that_is_none_is_refused() {
    let cell = CellName {
        subject: Subject::LockReplicated,
        guarantee: Guarantee::Exclusion,
        fault: Some(Fault::Failover),
    };
    let word = Schedule::of(cell, Decisions::new()).to_string();
    leasehold(&["replay", &word]).assert().success();
    let cut = &word[..word.len() - 2];
    assert!(refusal(&["replay", cut]).contains("damaged or cut off"));
    assert!(refusal(&["replay", "hello"]).contains("not a schedule"));
    refusal(&["replay"]);
}
