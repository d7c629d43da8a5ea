//! One seed, one trace: in this process, in another one, and on another day.

use crate::common::{json, printed};

/// Fails with the first line in which two texts differ.
fn assert_same(one: &str, other: &str) {
    for (number, (left, right)) in one.lines().zip(other.lines()).enumerate() {
        assert_eq!(left, right, "the first difference is in line {}", number + 1);
    }
    assert_eq!(one.lines().count(), other.lines().count(), "one ends early");
}

#[test]
fn the_same_seed_gives_the_same_trace_in_another_process() {
    let arguments = ["workload", "--schedules", "2", "--json", "-"];
    let (one, other) = (json(&arguments), json(&arguments));
    for key in ["messages", "acquisitions", "simulated_s", "trace_hash"] {
        assert!(!one[key].is_null());
        assert_eq!(one[key], other[key], "{key}");
    }
    assert!(one["cpu_s"].as_f64().unwrap() >= 0.0);
    let another = json(&["workload", "--schedules", "2", "--seed", "2", "--json", "-"]);
    assert_ne!(one["trace_hash"], another["trace_hash"]);
}

#[test]
fn the_same_schedule_has_the_same_events_in_another_process() {
    for (subject, faults) in
        [("upstream", "hang,failover"), ("lock-handle", "client-pause,restart")]
    {
        let arguments = ["--subject", subject, "--fault", faults, "--schedules", "60"];
        let report = json(&[&arguments[..], &["--json", "-"]].concat());
        let examples = report["cells"].as_array().unwrap().iter();
        let tokens: Vec<&str> =
            examples.filter_map(|cell| cell["counterexample"]["token"].as_str()).take(4).collect();
        assert!(!tokens.is_empty());
        for token in tokens {
            let emit = || printed(&["replay", token, "--all"]);
            let story = emit();
            assert!(story.contains("trace hash ") && story.contains("Finished"), "{story}");
            assert_same(&story, &emit());
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let run = |jobs| {
        let arguments = ["--subject", "lock-replicated", "--fault", "failover,client-pause"];
        printed(&[&arguments[..], &["--schedules", "250", "--json", "-", "--jobs", jobs]].concat())
    };
    assert_same(&run("1"), &run("3"));
}
