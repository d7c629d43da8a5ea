//! Merging changes no verdict, the order is by decisions, and what is said of a search is true.

use std::{cell::Cell, collections::BTreeSet};

use super::{node::State, open_choices::Scripted, search::Search, *};
use crate::{
    decide::{Address, DecisionKind, DecisionSource, Fault, Replay, Seeded},
    systems::Run,
};

/// Small spaces of every sort: with and without a counterexample, of every subject.
const SMALL: [&str; 7] = [
    "subject = 'lock'
     guarantees = ['exclusion', 'truthful-outcome', 'no-zombie', 'idempotence', 'liveness']
     clients = 2
     calls = 2
     faults-end-ms = 700
     end-ms = 2500
     decisions = 2
     faults = { reply-loss = { times = 2 }, duplicate = { times = 1, choices = [2, 4] } }
     workload = { behaviour = { times = 1, choices = [2] }, order = { times = 1 } }",
    "subject = 'lock'
     guarantees = ['fenced-exclusion', 'timely-loss', 'orphan-bound']
     clients = 2
     calls = 1
     faults-end-ms = 600
     end-ms = 3000
     decisions = 3
     faults = { client-pause = { times = 1, choices = [1, 3] }, cancellation = { times = 2 } }",
    "subject = 'lock'
     guarantees = ['exclusion']
     clients = 2
     calls = 5
     faults-end-ms = 2500
     end-ms = 3500
     decisions = 2
     faults = { client-pause = { times = 1 }, duplicate = { times = 1, choices = [2] } }",
    "subject = 'lock-replicated'
     guarantees = ['ownership', 'fence-order', 'timely-loss']
     clients = 3
     calls = 1
     faults-end-ms = 400
     end-ms = 2500
     decisions = 2
     faults = { failover = { times = 2 }, hang = { times = 1 } }",
    "subject = 'debounce'
     guarantees = ['debounce-fires', 'debounce-single-run', 'debounce-truth', 'debounce-max-wait']
     clients = 3
     calls = 1
     faults-end-ms = 1000
     end-ms = 4000
     decisions = 2
     faults = { client-crash = { times = 1 }, duplicate = { times = 1, choices = [3] } }
     workload = { behaviour = { times = 1 }, idle = { times = 1, choices = [3] } }",
    "subject = 'upstream'
     guarantees = ['idempotence', 'no-zombie']
     clients = 2
     calls = 1
     faults-end-ms = 1000
     end-ms = 3000
     decisions = 2
     faults = { duplicate = { times = 1 }, reply-loss = { times = 1 } }
     workload = { behaviour = { times = 1 } }",
    "subject = 'lock'
     guarantees = ['fence-order', 'timely-loss']
     clients = 2
     calls = 1
     faults-end-ms = 500
     end-ms = 2500
     decisions = 2
     faults = { client-clock = { times = 1, choices = [3, 4] }, duplicate = { times = 1 } }",
];

fn bounds(text: &str) -> Bounds {
    toml::from_str(text).unwrap()
}

fn explored(bounds: &Bounds, limits: Limits) -> Explored {
    explore(bounds, &limits, &())
}

fn length(explored: &Explored) -> Option<usize> {
    explored.counterexample.as_ref().map(|schedule| schedule.decisions.len())
}

#[test]
fn merging_changes_neither_the_verdict_nor_the_states_that_are_reached() {
    let mut broken = BTreeSet::new();
    for text in SMALL {
        let bounds = bounds(text);
        let merged = explored(&bounds, Limits::default());
        let all = explored(&bounds, Limits { merging: false, ..Limits::default() });
        assert!(merged.merged > 0 && merged.steps < all.steps, "nothing is merged: {text}");
        assert_eq!(merged.states, all.states, "{text}");
        assert_eq!(length(&merged), length(&all), "{text}");
        assert_eq!(merged.exercised, all.exercised, "{text}");
        assert_eq!(merged.took_effect, all.took_effect, "{text}");
        assert_eq!((merged.complete, merged.cut), (all.complete, all.cut), "{text}");
        broken.insert(length(&merged));
    }
    assert!(broken.contains(&None) && broken.len() > 1, "verdicts of one sort only: {broken:?}");
}

/// Chooses as a seed does, but only what the bounds allow.
struct Within<'a> {
    bounds: &'a Bounds,
    source: Seeded,
    taken: Taken,
}

impl Within<'_> {
    fn left(&self, kind: DecisionKind) -> bool {
        let spent = self.taken.iter().filter(|(address, _)| address.kind == kind).count();
        self.taken.len() < self.bounds.decisions as usize
            && self.bounds.allowed.get(&kind).is_some_and(|allowed| spent < allowed.times.into())
    }
}

impl DecisionSource for Within<'_> {
    fn choose(&mut self, address: Address, options: u32) -> u32 {
        // Often, but spread over the run.
        let injects = self.source.choose(Address { kind: DecisionKind::Idle, ..address }, 12) == 0;
        if !injects || !self.left(address.kind) {
            return 0;
        }
        let named = &self.bounds.allowed[&address.kind].choices;
        let choices: Vec<u32> =
            (1..options).filter(|choice| named.is_empty() || named.contains(choice)).collect();
        let Some(last) = choices.len().checked_sub(1) else { return 0 };
        let pick =
            self.source.choose(Address { kind: DecisionKind::Idle, ..address }, last as u32 + 1);
        let choice = choices[pick as usize];
        self.taken.push((address, choice));
        choice
    }
}

/// The fingerprints that a run of these decisions passes, where something is open.
fn passed(search: &Search<'_>, bounds: &Bounds, taken: &Taken) -> Vec<u128> {
    let open_choices = bounds.open_choices();
    let decisions = decisions(taken);
    let mut state = State::new(bounds.plan());
    let mut imprints = Vec::new();
    let mut spent = [0; DecisionKind::ALL.len()];
    let more = Cell::new(true);
    while more.get() {
        let mut open = Vec::new();
        let mut scripted = Scripted { open_choices: &open_choices, script: &[], open: &mut open };
        let mut both =
            Both { replay: Replay::of(&decisions), scripted: &mut scripted, spent: &mut spent };
        more.set(state.step(&mut both));
        if state.broken(&bounds.guarantees).is_some() {
            break;
        }
        if !open.is_empty() {
            imprints.push(search.fingerprint(&state, &spent));
        }
    }
    imprints
}

/// Replays, and notes what is open and what is spent.
struct Both<'a, 'b> {
    replay: Replay<'a>,
    scripted: &'a mut Scripted<'b>,
    spent: &'a mut [u8; DecisionKind::ALL.len()],
}

impl DecisionSource for Both<'_, '_> {
    fn choose(&mut self, address: Address, options: u32) -> u32 {
        self.scripted.choose(address, options);
        let choice = self.replay.choose(address, options);
        self.spent[address.kind as usize] += u8::from(choice > 0);
        choice
    }
}

#[test]
fn every_state_that_a_random_run_within_the_bounds_passes_was_reached() {
    for text in SMALL {
        let bounds = bounds(text);
        let limits = Limits::default();
        let (explored, search) = Search::new(&bounds, &limits).run_and_keep();
        let mut checked = 0;
        for number in 0..150 {
            let source = Seeded::new(11, number);
            let mut within = Within { bounds: &bounds, source, taken: Taken::new() };
            let run = Run::of(bounds.plan(), &mut within);
            let broken = bounds.guarantees.iter().any(|&known| run.violation(known).is_some());
            assert!(!broken || length(&explored) <= Some(within.taken.len()), "{text}");
            if explored.counterexample.is_some() {
                // The search was over at once.
                continue;
            }
            for fingerprint in passed(&search, &bounds, &within.taken) {
                assert!(search.has_reached(fingerprint), "run {number}: {:?} {text}", within.taken);
                checked += 1;
            }
        }
        assert!(explored.counterexample.is_some() || checked > 1_000, "{checked}: {text}");
    }
}

#[test]
fn the_counterexample_has_the_fewest_decisions_and_replays() {
    let bounds = bounds(SMALL[2]);
    let found = explored(&bounds, Limits::default()).counterexample.unwrap();
    assert_eq!(found.decisions.len(), 1);
    assert_eq!(found.cell.guarantee, Guarantee::Exclusion);
    let word: Schedule = found.to_string().parse().unwrap();
    let run = Run::replayed(word.plan(), &word.decisions);
    assert!(run.violation(Guarantee::Exclusion).is_some() && run.effects(Fault::ClientPause) > 0);
}

#[test]
fn the_outcome_is_the_same_with_any_number_of_threads() {
    let bounds = bounds(SMALL[1]);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        format!("{:?}", pool.install(|| explored(&bounds, Limits::default())))
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn little_memory_costs_time_and_changes_no_verdict() {
    for text in [SMALL[0], SMALL[1], SMALL[2]] {
        let bounds = bounds(text);
        let (plenty, little) = (
            explored(&bounds, Limits::default()),
            explored(&bounds, Limits { memory: 10_000, ..Limits::default() }),
        );
        assert!(little.steps > plenty.steps, "{text}");
        assert_eq!(length(&little), length(&plenty));
        assert_eq!(
            (little.is_exhausted(), little.complete),
            (plenty.is_exhausted(), plenty.complete)
        );
    }
}

#[test]
fn a_search_that_is_cut_short_proves_nothing() {
    let bounds = bounds(SMALL[1]);
    let by_states = explored(&bounds, Limits { states: Some(50), ..Limits::default() });
    assert_eq!(by_states.cut, Some(Cut::States));
    let time = Some(Duration::ZERO);
    let by_time = explored(&bounds, Limits { time, ..Limits::default() });
    assert_eq!((by_time.cut, by_time.complete), (Some(Cut::Time), None));
    for cut in [by_states, by_time] {
        assert!(!cut.is_exhausted() && cut.complete < Some(bounds.decisions));
    }
    assert!(explored(&bounds, Limits::default()).is_exhausted());
}

#[test]
fn bounds_that_make_no_sense_are_refused() {
    for (from, to) in [
        ("subject = 'lock'", "subject = 'locks'"),
        ("'timely-loss'", "'debounce-fires'"),
        ("client-pause", "client-nap"),
        ("clients = 2", "clients = 9"),
        ("end-ms = 3000", "end-ms = 300"),
        ("[1, 3]", "[0, 3]"),
        ("calls = 1", "call = 1"),
    ] {
        let text = SMALL[1].replace(from, to);
        assert_ne!(text, SMALL[1]);
        assert!(toml::from_str::<Bounds>(&text).is_err(), "{to}");
    }
}

#[test]
fn a_key_that_lives_longer_does_not_make_up_for_one_that_lives_shorter() {
    // Found by comparing a merged search with one that merges nothing.
    use leasehold_fake_redis::{Entry, Keyspace, Value};
    use std::hash::BuildHasher;
    let keyspace = |expiries: [u64; 2]| {
        let mut keys = Keyspace::default();
        for (name, at_ms) in ["job", "mark"].into_iter().zip(expiries) {
            let entry = Entry { value: Value::String("me".into()), expires_at_ms: Some(at_ms) };
            keys.set_entry(name.into(), Some(entry));
        }
        foldhash::fast::FixedState::default().hash_one(keys)
    };
    assert_ne!(
        keyspace([1_767_225_611_223, 1_767_225_611_234]),
        keyspace([1_767_225_611_203, 1_767_225_611_254])
    );
}

#[test]
fn what_a_judge_remembers_tells_two_states_apart() {
    use crate::history::{Answer, Ask, Event, TokenId};
    let mut bounds = bounds(SMALL[0]);
    let imprints = |bounds: &Bounds| {
        let (limits, state) = (Limits::default(), State::new(bounds.plan()));
        let search = Search::new(bounds, &limits);
        let mut other = state.clone();
        other.checkers.observe(
            7,
            &Event::Returned {
                client: 1,
                ask: Ask::Release,
                answer: Answer::Released,
                token: TokenId::parse(b"1-0.1#1"),
            },
        );
        let spent = [0; DecisionKind::ALL.len()];
        (search.fingerprint(&state, &spent), search.fingerprint(&other, &spent))
    };
    bounds.guarantees = vec![Guarantee::NoZombie];
    let (before, after) = imprints(&bounds);
    assert_ne!(before, after);
    // A judge who is not asked need not remember.
    bounds.guarantees = vec![Guarantee::FenceOrder];
    let (before, after) = imprints(&bounds);
    assert_eq!(before, after);
}
