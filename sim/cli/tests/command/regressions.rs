//! What broke once is run again.

use std::{fs, panic, path::Path};

use crate::common::{json, leasehold, printed};
use leasehold_sim::regressions;

/// What `replay` says about this file, if it fails.
fn complaint(file: &Path) -> Option<String> {
    let replayed = panic::catch_unwind(|| regressions::replay(file));
    replayed.err().map(|panic| *panic.downcast::<String>().unwrap())
}

#[test]
fn what_broke_once_holds() {
    regressions::replay(Path::new(env!("CARGO_MANIFEST_DIR")).join("../regressions.txt"));
}

#[test]
fn the_example_of_the_forgotten_fence_catches_it() {
    crate::forgotten_fence::main();
}

#[test]
fn a_schedule_that_breaks_against_its_claim_ends_up_in_the_file_and_fails_there() {
    let folder = tempfile::tempdir().unwrap();
    let (part, file) = (folder.path().join("part.json"), folder.path().join("kept.txt"));
    // A report in which a failover that breaks exclusion was claimed not to.
    let cell = ["--subject", "lock-replicated", "--guarantee", "exclusion", "--fault", "failover"];
    let mut report = json(&[&["check", "--schedules", "50", "--json", "-"][..], &cell].concat());
    report["cells"][0]["claim"] = "holds".into();
    fs::write(&part, report.to_string()).unwrap();
    let merge = ["merge", part.to_str().unwrap(), "--save-regressions", file.to_str().unwrap()];
    leasehold(&merge).assert().code(1);
    let kept = fs::read_to_string(&file).unwrap();
    let word = report["cells"][0]["counterexample"]["token"].as_str().unwrap();
    assert!(kept.starts_with('#') && kept.ends_with(&format!("\n{word}\n")), "{kept}");
    // It is added once.
    leasehold(&merge).assert().code(1);
    assert_eq!(fs::read_to_string(&file).unwrap(), kept);
    let told = complaint(&file).expect("it breaks still");
    assert!(told.starts_with("a regression of") && told.contains("Broken: client"), "{told}");
}

#[test]
fn what_is_claimed_to_break_is_no_regression() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.txt");
    let path = file.to_str().unwrap();
    let cell = ["--subject", "lock-replicated", "--guarantee", "exclusion", "--fault", "failover"];
    printed(&[&["check", "--schedules", "50", "--save-regressions", path][..], &cell].concat());
    printed(&[&["explore", "--save-regressions", path][..], &cell].concat());
    assert!(!file.exists());
}

#[test]
fn a_file_that_is_not_one_of_regressions_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.txt");
    assert!(complaint(&file).unwrap().starts_with("cannot read"));
    fs::write(&file, "# a comment\n\nlh1_nonsense\n").unwrap();
    assert!(complaint(&file).unwrap().contains("lh1_nonsense: this schedule is damaged"));
    fs::write(&file, "# a comment\n\n").unwrap();
    assert_eq!(complaint(&file), None);
}
