//! The JSON of a campaign, and joining its parts.

use std::{fs, path::Path};

use crate::common::{MATRIX, leasehold};
use leasehold_sim::{catalog::Subject, faults::Fault, guarantees::Guarantee};
use serde_json::Value;

const CAMPAIGN: [&str; 6] =
    ["--subject", "lock-replicated", "--fault", "none,failover", "--schedules", "301"];

fn run(more: &[&str]) {
    let status =
        leasehold(&[&CAMPAIGN[..], more].concat()).output().expect("the command starts").status;
    assert_ne!(status.code(), Some(2));
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("the report was written");
    serde_json::from_str(&text).expect("the report is JSON")
}

#[test]
fn the_json_has_the_promised_shape() {
    let report = &MATRIX.json;
    assert!(report["version"].is_string());
    assert_eq!(report["seed"], 7);
    assert!(report["schedules"].as_u64().unwrap() >= 3);
    let (mut told, mut proven) = (0, 0);
    for cell in report["cells"].as_array().unwrap() {
        let known = |names: &[&str], key: &str| names.contains(&cell[key].as_str().unwrap());
        assert!(Subject::ALL.iter().any(|subject| known(&[subject.name()], "subject")));
        assert!(Guarantee::ALL.iter().any(|guarantee| known(&[guarantee.name()], "guarantee")));
        let faults: Vec<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        assert!(known(&faults, "fault") || known(&["none"], "fault"));
        let verdicts = ["holds", "broken", "not-exercised"];
        assert!(known(&verdicts, "verdict") && known(&verdicts, "claim"));
        assert!(cell["schedules"].is_u64() && cell["effects"].is_u64());
        let exhausted = &cell["exhausted"];
        if exhausted.is_object() {
            proven += 1;
            assert!(exhausted["name"].is_string() && exhausted["states"].as_u64() > Some(1_000));
            assert!(exhausted["bound"].as_str().unwrap().contains("at most "));
            assert_ne!(cell["verdict"], "broken");
        }
        let example = &cell["counterexample"];
        assert_eq!(cell["verdict"] == "broken", example.is_object());
        if example.is_object() {
            told += 1;
            assert!(example["token"].as_str().unwrap().starts_with("lh1_"));
            assert!(example["events"].as_array().unwrap().iter().all(Value::is_string));
            for decision in example["decisions"].as_array().unwrap() {
                assert!(decision["kind"].is_string() && decision["text"].is_string());
                assert!(decision["actor"].is_u64() && decision["occurrence"].is_u64());
                assert!(decision["choice"].as_u64().unwrap() > 0);
            }
        }
    }
    assert!(told > 0, "something is broken in the matrix");
    assert!(proven > 50, "only {proven} cells are exhausted");
}

#[test]
fn parts_that_are_joined_say_what_the_whole_says() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    run(&["--json", &text("whole")]);
    for part in ["1", "2", "3"] {
        run(&["--shard", &format!("{part}/3"), "--json", &text(part)]);
    }
    let arguments = ["merge", &text("2"), &text("1"), &text("3"), "--json", &text("joined")];
    let joined_status = leasehold(&arguments).output().unwrap().status;
    let (whole, joined) = (read(&path("whole")), read(&path("joined")));
    for key in ["version", "seed", "schedules"] {
        assert_eq!(whole[key], joined[key], "{key}");
    }
    let (cells, joined_cells) = (&whole["cells"], &joined["cells"]);
    let mut surprises = 0;
    for (index, cell) in cells.as_array().unwrap().iter().enumerate() {
        surprises += u32::from(cell["verdict"] != cell["claim"]);
        for key in ["subject", "guarantee", "fault", "verdict", "claim", "schedules", "effects"] {
            assert_eq!(cell[key], joined_cells[index][key], "{key} of {cell}");
        }
        assert_eq!(
            cell["counterexample"].is_null(),
            joined_cells[index]["counterexample"].is_null()
        );
    }
    assert_eq!(joined_status.code(), Some(i32::from(surprises > 0)));
}

#[test]
fn what_does_not_belong_together_is_not_joined() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    for (name, seed, shard) in [("a", "1", "1/2"), ("b", "2", "2/2")] {
        let part = ["--subject", "lock", "--fault", "none", "--schedules", "4", "--seed", seed];
        let more = ["--shard", shard, "--json", &path(name)];
        leasehold(&[&part[..], &more[..]].concat()).output().unwrap();
    }
    let refused = |arguments: &[&str]| {
        let assert = leasehold(&[&["merge"], arguments].concat()).assert().code(2).stdout("");
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    };
    assert!(refused(&[&path("a"), &path("b")]).contains("seed 2"));
    assert!(refused(&[&path("a"), &path("a")]).contains("shard 1 once more"));
    assert!(refused(&[&path("missing")]).contains("missing"));
    fs::write(path("c"), "{}").unwrap();
    assert!(refused(&[&path("c")]).contains("not a report"));
}
