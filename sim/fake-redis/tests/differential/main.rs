//! The fake Redis answers as a real one does: random commands go to both, and every reply is
//! compared.
//!
//! Needs `redis-server` 7.0 and libfaketime; without them the tests say so and pass, unless
//! `LEASEHOLD_REQUIRE_REAL=1`. `LEASEHOLD_DIFFERENTIAL_COMMANDS` says how many commands (at
//! least), `LEASEHOLD_DIFFERENTIAL_SEED` which ones: by default always the same, so that the gate
//! is no lottery.
#![cfg(unix)]

mod case;
mod chance;
mod compare;
#[path = "../../../tests/simulator/effort.rs"]
mod effort;
mod fake;
mod generate;
mod grammar;
mod judge;
mod monitored;
mod real;
mod reply;
mod settings;
mod step;
mod table;
mod tally;
mod watched;
mod wire;
mod words;

use std::{cell::RefCell, collections::BTreeSet, env, str::FromStr};

use bytes::Bytes;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use case::Cases;
use effort::effort;
use fake::Fake;
use generate::Generator;
use grammar::Form;
use judge::Judge;
use real::RealRedis;
use reply::Reply;
use step::Step;

const LONGEST_CASE: usize = 120;

/// Commands that are not sent: they end the server or the connection, answer with what other
/// connections do, or are about files, users and other servers: those have tests of their own.
const UNTOLD: [&str; 15] = [
    "acl", "asking", "bgrewriteaof", "bgsave", "cluster", "debug", "module", "monitor", "quit",
    "readonly", "readwrite", "replicaof", "save", "shutdown", "slaveof",
];

/// So many different findings are enough to begin with.
const MOST_FINDINGS: usize = 12;

/// A case without a step too many, and the difference at its end.
struct Finding {
    steps: Vec<Step>,
    difference: String,
}

#[test]
fn every_reply_is_that_of_a_real_server() {
    let Some(real) = RealRedis::start() else { return };
    let mut judge = Judge::new(real);
    let commands = setting("LEASEHOLD_DIFFERENTIAL_COMMANDS", effort(40_000).into());
    let first = setting("LEASEHOLD_DIFFERENTIAL_SEED", 1);
    let (mut forms, mut findings) = (forms(|_| true), Vec::new());
    let everything = forms.clone();
    for seed in first.. {
        if let Some(finding) = search(&mut judge, &forms, seed, 100) {
            // Once a command is known to differ, what else does?
            let last = finding.steps.last().map(Step::to_string).unwrap_or_default().to_uppercase();
            forms.retain(|form| !last.contains(form.name()[0]));
            findings.push(format!("seed {seed}:\n{}", finding.difference));
        }
        let enough = judge.tally.total() >= commands;
        if enough || findings.len() >= MOST_FINDINGS || forms.is_empty() {
            break;
        }
    }
    println!("{}{} commands", judge.tally, judge.tally.total());
    assert!(findings.is_empty(), "\n{}", findings.join("\n\n"));
    let mute = everything.iter().map(|form| form.name()[0]);
    let mute: BTreeSet<_> = mute.filter(|name| judge.tally.answered(name) == 0).collect();
    assert!(mute.is_empty(), "never answered without an error: {mute:?}");
    let unsent = table::names(&mut Fake::new());
    let unsent: Vec<_> = unsent
        .iter()
        .filter(|name| judge.tally.sent(name) == 0 && !UNTOLD.contains(&name.as_str()))
        .collect();
    assert!(unsent.is_empty(), "never sent: {unsent:?}");
}

#[test]
fn the_table_says_of_each_command_what_a_real_server_says() {
    let Some(real) = RealRedis::start() else { return };
    let differences = table::differences(&mut Fake::new(), &mut real.connect());
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn whoever_watches_is_told_of_what_a_real_server_tells() {
    let Some(real) = RealRedis::start() else { return };
    let differences = watched::differences(&real, "");
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    assert_eq!(watched::differences(&real, "SADD t a").len(), 1);
}

#[test]
fn a_monitor_hears_what_it_hears_from_a_real_server() {
    let Some(real) = RealRedis::start() else { return };
    let found = monitored::difference(&real, &Generator::new(forms(|_| true)), 3_000);
    assert!(found.is_none(), "\n{}", found.unwrap_or_default());
}

#[test]
fn every_setting_takes_what_a_real_server_takes() {
    let Some(real) = RealRedis::start() else { return };
    let differences = settings::differences(&mut Fake::new(), &mut real.connect());
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn a_planted_difference_is_found_and_shrunk() {
    let Some(real) = RealRedis::start() else { return };
    let mut judge = Judge::new(real);
    judge.planted = Some(forget_the_second_field);
    let forms = forms(|name| ["HSET", "HDEL", "HLEN", "HGET", "SET", "GET", "DEL"].contains(&name));
    let found = search(&mut judge, &forms, 7, 400).expect("HLEN is one too low");
    let last = found.steps.last().map(Step::to_string).unwrap_or_default();
    assert!(last.to_uppercase().contains("HLEN"), "{}", found.difference);
    assert!(found.steps.len() <= 3, "{}", found.difference);
}

/// A bug that shows only once something else was done.
fn forget_the_second_field(words: &[Bytes], reply: &mut Reply) {
    if words[0].eq_ignore_ascii_case(b"hlen") && *reply == Reply::Integer(2) {
        *reply = Reply::Integer(1);
    }
}

/// Runs random cases until two replies differ, and shrinks the case that led there.
fn search(judge: &mut Judge, forms: &[Form], seed: u64, cases: u32) -> Option<Finding> {
    let strategy = Cases { generator: Generator::new(forms.to_vec()), longest: LONGEST_CASE };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let judge = RefCell::new(judge);
    let result = TestRunner::new_with_rng(config, random).run(&strategy, |steps| {
        let judged = judge.borrow_mut().run(&steps);
        judged.map_err(|difference| TestCaseError::fail(difference.to_string()))
    });
    match result {
        Ok(()) => None,
        Err(TestError::Fail(difference, steps)) => {
            Some(Finding { steps, difference: difference.message().to_owned() })
        }
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

/// The forms of the commands that the fake has, by their names.
fn forms(wanted: impl Fn(&str) -> bool) -> Vec<Form> {
    let mut fake = Fake::new();
    let mut forms = grammar::parse(include_str!("grammar.txt"));
    forms.retain(|form| wanted(form.name()[0]) && fake.knows(&form.name()));
    forms
}

fn setting(name: &str, default: u64) -> u64 {
    match env::var(name) {
        Ok(text) => u64::from_str(&text).unwrap_or_else(|_| panic!("{name} must be a number")),
        Err(_) => default,
    }
}
