//! What the command prints for people: how long and how wide it is, when it comes, and how it ends.

use std::{fs, path::Path};

use crate::common::{MATRIX, leasehold, printed};
use leasehold_sim::{catalog::Subject, faults::Fault, guarantees::Guarantee};

fn assert_narrow(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
}

/// What is refused, which must say why and do nothing.
fn refusal(arguments: &[&str]) -> String {
    let assert = leasehold(arguments).assert().code(2);
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

#[test]
fn a_bare_command_ends_with_a_summary_a_story_and_where_the_rest_is() {
    let text = &MATRIX.text;
    assert_narrow(text);
    let (summary, rest) = text.split_once("\n\n").unwrap();
    assert!(summary.lines().count() <= 30, "{summary}");
    for subject in Subject::ALL {
        let title = format!("\n{}: {}\n", subject.name(), subject.title());
        assert!(summary.contains(&title), "{title}");
    }
    for guarantee in Guarantee::ALL {
        assert!(summary.contains(guarantee.name()), "{}", guarantee.name());
    }
    assert!(summary.contains("✗ exclusion: client-pause, server-clock, restart, failover"));
    assert!(rest.starts_with("How lock-replicated × exclusion × failover breaks:"), "{rest}");
    assert!(rest.contains("--matrix") && rest.contains("--html"), "{rest}");
    assert!(!text.contains('\x1b'), "colour, though nobody sees it");
}

#[test]
fn the_matrix_has_every_cell_in_as_many_columns_as_a_terminal_has() {
    let text = printed(&["--matrix", "--schedules", "1"]);
    assert_narrow(&text);
    for fault in Fault::ALL {
        assert!(text.contains(fault.name()), "{}", fault.name());
    }
    // A row has its name and a mark for each fault and none.
    let row = text.lines().find(|line| line.starts_with("fence-order")).unwrap();
    assert_eq!(row.split_whitespace().count(), Fault::ALL.len() + 2, "{row}");
}

#[test]
fn a_selection_in_which_nothing_is_exercised_is_refused() {
    let text = refusal(&["--subject", "lock", "--fault", "failover"]);
    assert!(text.contains("lock cannot suffer failover"), "{text}");
    assert!(text.contains("--subject lock-replicated"), "{text}");
    let never = ["--subject", "lock", "--fault", "none", "--guarantee", "no-zombie"];
    let text = refusal(&[&never[..], &["--schedules", "30"]].concat());
    assert!(text.contains("nothing was exercised"), "{text}");
    let text = refusal(&[&["explore"], &never[..4], &["--guarantee", "no-zombie"]].concat());
    assert!(text.contains("none"), "{text}");
    // Where only a part is idle, the rest counts.
    leasehold(&["--subject", "lock,quorum", "--fault", "none,failover", "--schedules", "100"])
        .assert()
        .code(0);
}

#[test]
fn a_file_that_cannot_be_written_is_refused_at_once_by_each_option() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("missing").join("file");
    let file = file.to_str().unwrap();
    let commands: [&[&str]; 6] = [
        &["check", "--time", "300d", "--save-regressions", file],
        &["check", "--time", "300d", "--counterexamples", file],
        &["explore", "--save-regressions", file],
        &["explore", "--record", file, "--because", "it is tried"],
        &["mutants", "--json", file],
        &["merge", "no-such-part", "--save-regressions", file],
    ];
    for arguments in commands {
        let text = refusal(arguments);
        assert!(text.contains("cannot write") && text.contains(file), "{arguments:?}: {text}");
    }
}

#[test]
fn a_file_to_write_that_was_not_needed_is_not_there() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("kept.txt");
    let kept = ["--save-regressions", file.to_str().unwrap()];
    let quick = ["--subject", "lock", "--fault", "none", "--schedules", "100"];
    leasehold(&[&quick[..], &kept].concat()).assert().code(0);
    assert!(!file.exists());
}

#[test]
fn a_token_is_read_from_standard_input_and_one_of_a_cluster_is_told_apart() {
    let text =
        printed(&["--subject", "lock-replicated", "--fault", "failover", "--schedules", "1"]);
    let token = text.split_whitespace().find(|word| word.starts_with("lh1_")).unwrap();
    let story = printed(&["replay", token]);
    assert_narrow(&story);
    let read = leasehold(&["replay", "-"]).write_stdin(format!(" {token}\n")).output().unwrap();
    assert_eq!(String::from_utf8(read.stdout).unwrap(), story);
    leasehold(&["replay", "-"]).write_stdin("").assert().code(2);
    let text = refusal(&["replay", "lc1_AAAA"]);
    assert!(text.contains("Cluster") && text.contains(".replay("), "{text}");
}

#[test]
fn a_time_without_a_unit_is_refused_everywhere() {
    let commands: [&[&str]; 7] = [
        &["check", "--time", "60"],
        &["explore", "--time", "60"],
        &["explore", "--subject", "lock", "--end", "3"],
        &["serve", "--latency", "20"],
        &["serve", "--latency", "5..20ms"],
        &["serve", "--fault", "failover down=20"],
        &["serve", "--fault", r#"{"kind": "stale-read", "lag": 100}"#],
    ];
    for arguments in commands {
        let text = refusal(arguments);
        let form = ["time unit needed", "20ms", "with its unit"];
        assert!(form.iter().any(|form| text.contains(form)), "{arguments:?}: {text}");
    }
}

#[test]
fn an_unknown_field_of_a_fault_is_refused_with_the_nearest_and_with_all() {
    let text = refusal(&["serve", "--fault", "stale-read lga=1s"]);
    assert!(text.contains("did you mean `lag`?") && text.contains("probability"), "{text}");
}

#[test]
fn each_shell_gets_its_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&["completions", shell]);
        for word in ["leasehold", "matrix", "explore"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    assert!(refusal(&["completions", "tcsh"]).contains("zsh"));
}

#[test]
fn there_is_a_manual_page_of_each_command() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("man1");
    leasehold(&["man", folder.to_str().unwrap()]).assert().code(0).stdout("");
    for name in ["leasehold", "leasehold-check", "leasehold-serve", "leasehold-man"] {
        let page = fs::read_to_string(folder.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".TH") && page.contains("Example"), "{name}: {page}");
    }
    assert!(printed(&["man"]).contains(".TH leasehold"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    assert!(refusal(&["man", file.to_str().unwrap()]).contains("cannot write"));
}

#[cfg(unix)]
mod interrupted {
    use std::{
        io::{BufRead, BufReader, Read},
        process::{Command, Stdio},
    };

    use super::*;
    use crate::common::json;

    /// Interrupts the command once it has said that it is at work; its status and what it printed.
    fn interrupt(arguments: &[&str]) -> (Option<i32>, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_leasehold"))
            .args(arguments)
            .env("LEASEHOLD_SIGN_OF_LIFE_MS", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut signs = BufReader::new(child.stderr.take().unwrap()).lines();
        let sign = signs.next().unwrap().unwrap();
        assert!(sign.contains(": begun") || sign.contains(" % done"), "{sign}");
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        // It must not wait for whoever reads its signs of life.
        let rest = std::thread::spawn(move || signs.map_while(Result::ok).collect::<Vec<_>>());
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        let status = child.wait().unwrap().code();
        let signs = rest.join().unwrap();
        assert!(signs.iter().any(|line| line.starts_with("interrupted: ")), "{signs:?}");
        (status, text)
    }

    #[test]
    fn a_campaign_says_what_it_knows() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("part.json");
        let file = file.to_str().unwrap();
        let subjects = ["--subject", "lock-replicated,quorum", "--time", "10h", "--json", file];
        let (status, text) = interrupt(&subjects);
        assert_eq!(status, Some(130));
        assert!(text.contains("\nlock-replicated: ") && text.contains("Interrupted"), "{text}");
        assert!(!text.contains("\nquorum: "), "it was not begun: {text}");
        // The file says so, and nobody takes it for a whole campaign.
        let merge = leasehold(&["merge", file]).output().unwrap();
        assert!(String::from_utf8_lossy(&merge.stderr).contains("interrupted"));
        assert_eq!(merge.status.code(), Some(0));
        assert_eq!(json(&["merge", file, "--json", "-"])["interrupted"], true);
    }

    #[test]
    fn a_search_is_cut_short() {
        let (status, text) = interrupt(&["explore"]);
        assert_eq!(status, Some(130));
        assert_eq!(text.matches("cut short").count(), 1, "{text}");
    }

    #[test]
    fn planted_bugs_are_told_of_as_far_as_they_were_looked_for() {
        let (status, text) = interrupt(&["mutants", "--campaigns", "1000"]);
        assert_eq!(status, Some(130));
        assert!(text.contains("planted bug"), "{text}");
    }
}
