//! Every twin equals its script, over generated servers.

mod debounces;

use std::sync::Arc;

use bytes::Bytes;
use leasehold_core::{
    Command, Fence, Token,
    lock::{IfHeld, LockCommand, LockKeys},
    redis::{Invocation, Request, encode},
};
use proptest::prelude::*;

use super::{
    super::{Engine, Redis},
    Pin, debounce, lock, run,
};

const PINS: &[&[Pin]] = &[lock::PINS, debounce::PINS];

/// Where exact whole numbers end in Lua.
const EXACT: u64 = 1 << 53;

#[derive(Clone, Debug)]
enum Step {
    Apply(Command),
    /// Something else writes to one of the keys.
    Foreign(Vec<Bytes>),
    Pass {
        micros: u64,
    },
    /// The clock goes to so many microseconds around the nth time in a hash.
    ToField {
        nth: usize,
        offset_us: i64,
    },
    /// The clock goes to so many milliseconds around the expiry of the nth key.
    ToExpiry {
        nth: usize,
        offset_ms: i64,
    },
    Back {
        millis: u64,
    },
}

fn keys() -> impl Strategy<Value = String> {
    (lock_keys(), tokens(), 0..4).prop_map(|(keys, token, which)| match which {
        0 => keys.lock().into(),
        1 => keys.fence().into(),
        2 => keys.waiting().into(),
        _ => keys.tombstone(token.series().0),
    })
}

fn lock_keys() -> impl Strategy<Value = Arc<LockKeys>> {
    prop::sample::select(vec!["job", "a{b}c"]).prop_map(|id| Arc::new(LockKeys::of(id)))
}

fn tokens() -> impl Strategy<Value = Token> {
    let texts = vec!["t#1", "t#2", "t#12", "u#2", "t1", "0", "0#", "released", "é\u{0}\n"];
    prop::sample::select(texts).prop_map(|text| Token::new(text).unwrap())
}

/// Times to live that a lock asks for.
fn usual_millis() -> BoxedStrategy<u64> {
    prop_oneof![3 => 1_u64..6, 1 => 6_u64..3_000].boxed()
}

/// And such as it never does.
fn any_millis() -> BoxedStrategy<u64> {
    let odd = vec![0, EXACT - 1, EXACT, i64::MAX as u64, u64::MAX];
    prop_oneof![16 => usual_millis(), 1 => prop::sample::select(odd)].boxed()
}

fn lock_commands(
    millis: BoxedStrategy<u64>,
    fences: BoxedStrategy<u64>,
) -> impl Strategy<Value = LockCommand> {
    prop_oneof![
        4 => (lock_keys(), tokens(), millis.clone(), millis.clone(), millis.clone()).prop_map(
            |(keys, token, lease_ms, fence_life_ms, tombstone_ms)| {
                LockCommand::Acquire { keys, token, lease_ms, fence_life_ms, tombstone_ms }
            }
        ),
        2 => (lock_keys(), tokens(), millis.clone())
            .prop_map(|(keys, token, lease_ms)| LockCommand::Extend { keys, token, lease_ms }),
        3 => (lock_keys(), tokens(), millis.clone()).prop_map(|(keys, token, tombstone_ms)| {
            LockCommand::Release { keys, token, tombstone_ms }
        }),
        3 => (lock_keys(), tokens(), millis.clone(), if_held(millis.clone())).prop_map(
            |(keys, token, lease_ms, held)| {
                LockCommand::AcquireLean { keys, token, lease_ms, held }
            }
        ),
        2 => (lock_keys(), tokens())
            .prop_map(|(keys, token)| LockCommand::ReleaseLean { keys, token }),
        2 => (lock_keys(), tokens(), fences.prop_map(Fence), millis).prop_map(
            |(keys, token, fence, fence_life_ms)| {
                LockCommand::RaiseFence { keys, token, fence, fence_life_ms }
            }
        ),
        2 => (lock_keys(), prop::option::of(tokens()))
            .prop_map(|(keys, token)| LockCommand::Inspect { keys, token }),
    ]
}

fn if_held(millis: BoxedStrategy<u64>) -> impl Strategy<Value = IfHeld> {
    prop_oneof![Just(IfHeld::Unsaid), Just(IfHeld::Say), millis.prop_map(IfHeld::Wait)]
}

/// Fences that a quorum of such servers writes back.
fn usual_fences() -> BoxedStrategy<u64> {
    prop_oneof![0_u64..9, 1_699_999_999_000_000_u64..1_700_000_900_000_000].boxed()
}

/// And such as it never does.
fn any_fences() -> BoxedStrategy<u64> {
    let odd = vec![EXACT - 2, EXACT - 1, EXACT, u64::MAX];
    prop_oneof![8 => usual_fences(), 1 => prop::sample::select(odd)].boxed()
}

fn foreign() -> impl Strategy<Value = Vec<Bytes>> {
    let texts = vec![
        "", "t1", "t2", "0", "00", "007", "12", "-3", "+3", " 5", "0x10", "1e3", "abc", "nan",
        "0 released", "00 released", "1 released", "2 released", "2 released ", "2x", " released",
        "9007199254740990", "9007199254740991", "9007199254740992", "9007199254740993",
        "99999999999999999999",
    ];
    let command = prop::sample::select(vec!["SET", "SETPX", "HSET", "DEL", "PERSIST", "PEXPIRE"]);
    (command, keys(), prop::sample::select(texts), 1_u64..5).prop_map(
        |(command, key, text, ttl)| {
            let ttl = ttl.to_string();
            let words = match command {
                "SETPX" => vec!["SET", &key, text, "PX", &ttl],
                "SET" => vec!["SET", &key, text],
                "HSET" => vec!["HSET", &key, "field", text],
                "PEXPIRE" => vec!["PEXPIRE", &key, &ttl],
                command => vec![command, &key],
            };
            words.into_iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()
        },
    )
}

fn lock_steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        10 => lock_commands(any_millis(), any_fences()).prop_map(Command::Lock).prop_map(Step::Apply),
        3 => foreign().prop_map(Step::Foreign),
        2 => (0_u64..3_000).prop_map(|micros| Step::Pass { micros }),
        1 => (0_u64..200_000_000).prop_map(|micros| Step::Pass { micros }),
        2 => (0_usize..6, -1_i64..=1).prop_map(|(nth, offset_ms)| Step::ToExpiry { nth, offset_ms }),
        1 => (0_u64..5).prop_map(|millis| Step::Back { millis }),
    ];
    prop::collection::vec(step, 1..40)
}

fn starts() -> impl Strategy<Value = u64> {
    let odd = vec![0, EXACT - 2_000, EXACT - 1, EXACT];
    prop_oneof![6 => Just(1_700_000_000_000_123), 1 => prop::sample::select(odd)]
}

/// The time after a step that is about time.
fn moved(now_us: u64, step: &Step, redis: &Redis) -> u64 {
    match step {
        Step::Pass { micros } => now_us + micros,
        Step::Back { millis } => now_us.saturating_sub(millis * 1_000),
        Step::ToField { nth, offset_us } => {
            let near = debounces::times(redis).filter(|at_us| at_us.abs_diff(now_us) < 10_000_000);
            let at_us = near.cycle().nth(*nth);
            at_us.map_or(now_us, |at_us| at_us.saturating_add_signed(*offset_us))
        }
        Step::ToExpiry { nth, offset_ms } => {
            let expiries = redis.keyspace.iter().filter_map(|(_, entry)| entry.expires_at_ms);
            let near = expiries.filter(|at_ms| *at_ms < EXACT).nth(*nth);
            near.map_or(now_us, |at_ms| at_ms.saturating_add_signed(*offset_ms) * 1_000)
        }
        Step::Apply(_) | Step::Foreign(_) => now_us,
    }
}

/// Applies each step to a server with the Lua and to one with the twins.
fn check_equal(start_us: u64, steps: &[Step]) -> Result<(), TestCaseError> {
    let (mut lua, mut native) = (Redis::default(), Redis::default());
    lua.keyspace.watch_changes(true);
    native.keyspace.watch_changes(true);
    let mut now_us = start_us;
    for step in steps {
        now_us = moved(now_us, step, &lua);
        match step {
            Step::Apply(command) => {
                let command = debounces::resolved(command, now_us, &lua);
                let expected = lua.apply(now_us, &command, Engine::Lua);
                prop_assert_eq!(native.apply(now_us, &command, Engine::Native), expected);
            }
            Step::Foreign(words) => {
                let expected = lua.execute(now_us, words);
                prop_assert_eq!(native.execute(now_us, words), expected);
            }
            _ => {}
        }
        prop_assert_eq!(native.keyspace.take_changes(), lua.keyspace.take_changes());
        prop_assert_eq!(&native.keyspace, &lua.keyspace);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn each_twin_of_a_lock_equals_its_script_in_reply_and_keys_and_changes(
        start_us in starts(),
        steps in lock_steps(),
    ) {
        check_equal(start_us, &steps)?;
    }

    #[test]
    fn each_twin_of_a_debounce_equals_its_script_in_reply_and_keys_and_changes(
        start_us in starts(),
        steps in debounces::steps(),
    ) {
        check_equal(start_us, &steps)?;
    }

    #[test]
    fn a_twin_of_a_lock_answers_on_a_keyspace_that_only_leasehold_writes_to(
        commands in prop::collection::vec(lock_commands(usual_millis(), usual_fences()), 1..40),
    ) {
        let mut redis = Redis::default();
        for command in commands {
            let command = Command::Lock(command);
            prop_assert!(run(&mut redis.keyspace, 1_700_000_000_000_000, &command).is_some());
        }
    }

    #[test]
    fn a_twin_of_a_debounce_answers_on_a_keyspace_that_only_leasehold_writes_to(
        steps in debounces::usual_steps(),
    ) {
        let mut redis = Redis::default();
        let mut now_us = 1_700_000_000_000_000;
        for step in &steps {
            now_us = moved(now_us, step, &redis);
            if let Step::Apply(command) = step {
                let command = debounces::resolved(command, now_us, &redis);
                prop_assert!(run(&mut redis.keyspace, now_us, &command).is_some());
            }
        }
    }
}

/// The script that `command` runs.
fn script(command: &Command) -> Invocation {
    match encode(command) {
        Request::Script(invocation) => invocation,
        request => panic!("{request:?} is no script"),
    }
}

#[test]
fn no_twin_is_stale() {
    let stale: Vec<_> =
        PINS.iter().flat_map(|pins| pins.iter()).filter(|pin| !pin.fits()).collect();
    assert!(stale.is_empty(), "bring these twins up to date with their scripts: {stale:?}");
}

#[test]
fn a_pin_on_another_text_is_stale() {
    let pin = Pin { name: "lock.acquire", sha1: "0000000000000000000000000000000000000000" };
    assert!(!pin.fits());
    assert!(!Pin { name: "lock.nothing", ..pin }.fits());
}

#[test]
fn each_twin_is_pinned_to_the_script_that_its_command_sends() {
    let keys = Arc::new(LockKeys::of("job"));
    let token = Token::new("t").unwrap();
    for (pin, command) in lock::PINS.iter().zip([
        LockCommand::Acquire {
            keys: keys.clone(),
            token: token.clone(),
            lease_ms: 1,
            fence_life_ms: 1,
            tombstone_ms: 1,
        },
        LockCommand::Extend { keys: keys.clone(), token: token.clone(), lease_ms: 1 },
        LockCommand::Inspect { keys: keys.clone(), token: None },
        LockCommand::RaiseFence {
            keys: keys.clone(),
            token: token.clone(),
            fence: Fence(1),
            fence_life_ms: 1,
        },
        LockCommand::Release { keys: keys.clone(), token: token.clone(), tombstone_ms: 1 },
        LockCommand::AcquireLean {
            keys: keys.clone(),
            token: token.clone(),
            lease_ms: 1,
            held: IfHeld::Say,
        },
        LockCommand::ReleaseLean { keys, token },
    ]) {
        assert_eq!(script(&Command::Lock(command)).script.name, pin.name);
    }
}
