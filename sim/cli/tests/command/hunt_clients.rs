//! The examples of `leasehold hunt` in TESTING.md, with published clients, and what mends them.

use std::{fs, path::Path, time::Duration};

use serde_json::Value;

use crate::{
    clients::{PAGE, javascript, python, skip},
    common::leasehold,
    effort::effort,
};

/// How many schedules what is mended has to survive. By hand, 500.
fn runs() -> String {
    effort(12).to_string()
}

/// The block of the page in this language.
fn example(language: &str) -> &'static str {
    let block = PAGE.split_once(&format!("```{language}\n"));
    block.and_then(|(_, rest)| rest.split_once("```")).expect("an example").0
}

/// What a hunt says of a command in a folder, and its exit status.
fn hunt(folder: &Path, options: &[&str], command: &[&str]) -> (Option<i32>, Value) {
    let head = ["hunt", "--json", "-"].into_iter();
    let words: Vec<&str> =
        head.chain(options.iter().copied()).chain(["--"]).chain(command.iter().copied()).collect();
    let mut hunt = leasehold(&words);
    hunt.current_dir(folder).env("PYTHONPATH", folder.join("installed"));
    let output = hunt.timeout(Duration::from_secs(600)).output().expect("it was built");
    let told = serde_json::from_slice(&output.stdout);
    (output.status.code(), told.unwrap_or_else(|_| panic!("{output:?}")))
}

fn is_found(told: &(Option<i32>, Value)) {
    let (code, told) = told;
    assert_eq!(*code, Some(1), "{told}");
    let faults = told["faults"].as_array().unwrap().len();
    assert!((1..=2).contains(&faults), "{told}");
}

#[test]
fn a_hunt_finds_what_is_wrong_with_a_lock_over_rest() {
    let folder = match javascript() {
        Ok(installed) => installed.folder,
        Err(why) => return skip(&why),
    };
    fs::write(folder.join("lock.test.mjs"), example("javascript")).unwrap();
    is_found(&hunt(&folder, &[], &["node", "--test", "lock.test.mjs"]));
    let (code, told) =
        hunt(&folder, &["--runs", &runs()], &["node", "--test", "hunted_and_mended.test.mjs"]);
    assert_eq!(code, Some(0), "{told}");
}

#[test]
fn a_hunt_finds_a_delete_without_compare() {
    let folder = match python() {
        Ok(installed) => installed.folder,
        Err(why) => return skip(&why),
    };
    fs::write(folder.join("job.py"), example("py")).unwrap();
    let lock = ["--lock", "lock:*"];
    let told = hunt(&folder, &lock, &["python3", "job.py"]);
    is_found(&told);
    let failure = told.1["failure"].as_str().unwrap();
    assert!(failure.contains("deleted `lock:job` without naming its value"), "{failure}");
    let runs = runs();
    let options = [&lock[..], &["--runs", &runs]].concat();
    let (code, told) = hunt(&folder, &options, &["python3", "hunted_and_mended.py"]);
    assert_eq!(code, Some(0), "{told}");
}
