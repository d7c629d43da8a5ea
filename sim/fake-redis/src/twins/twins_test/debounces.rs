//! What the test does to debounced calls.

use std::{str, sync::Arc};

use bytes::Bytes;
use leasehold_core::{
    Command, Fence, Token,
    debounce::{DebounceCommand, DebounceKeys, Retention, Timing},
};
use proptest::prelude::*;

use super::{
    super::super::{Redis, Value},
    EXACT, Step, debounce, script,
};

const FIELDS: &[&str] = &[
    "args", "done", "due", "fence", "fired", "first", "lead", "lease", "max", "run_args",
    "run_seq", "runner", "seq", "until", "wait", "window",
];

/// What the number of a call or a fence stands for until [`resolved`].
const RELATIVE: u64 = 8;

/// Commands, foreign writes and a clock that jumps, also back.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        24 => commands(any_millis(), true).prop_map(Command::Debounce).prop_map(Step::Apply),
        1 => foreign().prop_map(Step::Foreign),
        8 => moves(),
        1 => (0_u64..10).prop_map(|millis| Step::Back { millis }),
    ];
    prop::collection::vec(step, 1..40)
}

/// Commands as a machine sends them, under any clock.
pub(super) fn usual_steps() -> impl Strategy<Value = Vec<Step>> {
    let command = commands(usual_millis(), false).prop_map(Command::Debounce);
    let step = prop_oneof![
        3 => command.prop_map(Step::Apply),
        1 => moves(),
        1 => (0_u64..10).prop_map(|millis| Step::Back { millis }),
    ];
    prop::collection::vec(step, 1..40)
}

fn moves() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0_u64..8_000).prop_map(|micros| Step::Pass { micros }),
        1 => (0_u64..200_000).prop_map(|micros| Step::Pass { micros }),
        4 => (0_usize..16, -1_i64..=1)
            .prop_map(|(nth, offset_us)| Step::ToField { nth, offset_us }),
        1 => (0_usize..6, -1_i64..=1)
            .prop_map(|(nth, offset_ms)| Step::ToExpiry { nth, offset_ms }),
    ]
}

/// The times, and other numbers, in all records.
pub(super) fn times(redis: &Redis) -> impl Iterator<Item = u64> + Clone {
    let mut times = Vec::new();
    for (_, entry) in redis.keyspace.iter() {
        if let Value::Hash(fields) = &entry.value {
            let texts = fields.iter().filter_map(|(_, text)| str::from_utf8(text).ok());
            times.extend(texts.filter_map(|text| text.parse::<u64>().ok()));
        }
    }
    times.into_iter()
}

/// `command` with numbers that mean something to the record that `redis` holds.
pub(super) fn resolved(command: &Command, now_us: u64, redis: &Redis) -> Command {
    let Command::Debounce(command) = command else { return command.clone() };
    let mut command = command.clone();
    let names = script(&Command::Debounce(command.clone())).keys;
    let fields = match redis.keyspace.peek(now_us / 1_000, &names[0]).map(|entry| &entry.value) {
        Some(Value::Hash(fields)) => fields.clone(),
        _ => Arc::default(),
    };
    let field = |name: &str| {
        let text = fields.get(name.as_bytes()).and_then(|text| str::from_utf8(text).ok());
        text.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
    };
    let number = |code: u64, first: &str, second: &str| match code {
        1 | 2 => field(first),
        3 => field(first).saturating_add(1),
        4 => field(first).saturating_sub(1),
        5 => field(second),
        6 => now_us,
        code => code,
    };
    match &mut command {
        DebounceCommand::Call { seq, .. } | DebounceCommand::Claim { seq, .. } => {
            *seq = number(*seq, "seq", "run_seq");
        }
        DebounceCommand::Finish { seq, fence, .. } => {
            *seq = number(*seq, "run_seq", "seq");
            *fence = Fence(number(fence.0, "fence", "done"));
            // A machine that knows no number knows no fence.
            if *seq == 0 {
                *fence = Fence(0);
            }
        }
        _ => {}
    }
    Command::Debounce(command)
}

fn keys() -> impl Strategy<Value = Arc<DebounceKeys>> {
    prop_oneof![5 => Just("job"), 1 => Just("a{b}c")].prop_map(|id| Arc::new(DebounceKeys::of(id)))
}

/// Tokens of one kind of request, and `shared` ones.
fn tokens(kind: char, shared: bool) -> BoxedStrategy<Token> {
    let own = (0..4).prop_map(move |number| format!("{kind}{number}"));
    let odd = prop::sample::select(vec!["x", "é\u{0}\n"]).prop_map(String::from);
    let text = if shared { prop_oneof![12 => own, 1 => odd].boxed() } else { own.boxed() };
    text.prop_map(|text| Token::new(text).unwrap()).boxed()
}

fn usual_millis() -> BoxedStrategy<u64> {
    prop_oneof![4 => 1_u64..6, 1 => 6_u64..300].boxed()
}

fn any_millis() -> BoxedStrategy<u64> {
    let limits = [40, 52, 53].map(|bits| 1 << bits);
    let odd = [vec![0, EXACT - 1, i64::MAX as u64, u64::MAX], limits.into()].concat();
    prop_oneof![200 => usual_millis(), 1 => prop::sample::select(odd)].boxed()
}

fn numbers() -> impl Strategy<Value = u64> {
    prop_oneof![4 => Just(0), 20 => 1..RELATIVE]
}

fn retentions(millis: &BoxedStrategy<u64>) -> BoxedStrategy<Retention> {
    let life = prop_oneof![1 => millis.clone(), 3 => 100_u64..500].boxed();
    (life.clone(), life, millis.clone())
        .prop_map(|(armed_ms, settled_ms, memo_ms)| Retention { armed_ms, settled_ms, memo_ms })
        .boxed()
}

fn timings(millis: &BoxedStrategy<u64>) -> impl Strategy<Value = Timing> + use<> {
    let wait = prop_oneof![9 => millis.clone(), 1 => Just(0)];
    let max_wait = prop_oneof![
        2 => Just(None),
        2 => millis.clone().prop_map(Some),
        1 => (0_u64..12).prop_map(Some),
    ];
    (wait, max_wait, any::<bool>(), any::<bool>()).prop_map(
        |(wait_ms, max_wait_ms, leading, trailing)| Timing {
            wait_ms,
            max_wait_ms,
            leading,
            trailing,
        },
    )
}

fn commands(millis: BoxedStrategy<u64>, shared: bool) -> impl Strategy<Value = DebounceCommand> {
    let retention = retentions(&millis);
    let request = (keys(), tokens('q', shared), retention.clone()).boxed();
    let retry = prop_oneof![3 => millis.clone(), 1 => Just(0)];
    let args = prop::sample::select(vec![&b""[..], b"a", b"\0\xff", b"17"]);
    let again = prop_oneof![3 => Just(0), 2 => numbers()];
    let call = (keys(), tokens('c', shared), args, again, timings(&millis), retention.clone());
    let runner = tokens('r', shared);
    prop_oneof![
        6 => call.prop_map(|(keys, call, args, seq, timing, retention)| {
            DebounceCommand::Call { keys, call, args: args.into(), seq, timing, retention }
        }),
        6 => (keys(), runner.clone(), numbers(), millis, retention.clone()).prop_map(
            |(keys, runner, seq, run_lease_ms, retention)| {
                DebounceCommand::Claim { keys, runner, seq, run_lease_ms, retention }
            }
        ),
        4 => (keys(), runner, numbers(), numbers(), any::<bool>(), retry, retention).prop_map(
            |(keys, runner, seq, fence, success, retry_ms, retention)| {
                let fence = Fence(fence);
                DebounceCommand::Finish { keys, runner, seq, fence, success, retry_ms, retention }
            }
        ),
        1 => request.clone().prop_map(|(keys, request, retention)| {
            DebounceCommand::Cancel { keys, request, retention }
        }),
        1 => request.prop_map(|(keys, request, retention)| {
            DebounceCommand::Flush { keys, request, retention }
        }),
        1 => keys().prop_map(|keys| DebounceCommand::Inspect { keys }),
    ]
}

fn foreign() -> impl Strategy<Value = Vec<Bytes>> {
    let texts = vec![
        "", "0", "1", "2", "00", "007", "-3", "+3", " 5", "0x10", "1e3", "abc", "nan", "r1", "1.5",
        "1700000000000123", "4503599627370495", "4503599627370496", "9007199254740991",
        "9007199254740993", "suppressed", "finished", "rearmed", "dropped", "stale", "é",
    ];
    let command = prop::sample::select(vec![
        "HSET", "HSET", "HSET", "HDEL", "HDEL", "SET", "SET", "DEL", "PERSIST", "PEXPIRE",
    ]);
    let token = "[crqx]".prop_flat_map(|kind| tokens(kind.chars().next().unwrap(), false));
    let field = prop::sample::select(FIELDS);
    let key = (keys(), token, any::<bool>()).prop_map(|(keys, token, memo)| {
        (keys.record().to_owned(), memo.then(|| keys.memo(&token)))
    });
    (command, key, field, prop::sample::select(texts)).prop_map(
        |(command, (record, memo), field, text)| {
            let key = memo.unwrap_or_else(|| record.clone());
            let words = match command {
                "HSET" => vec!["HSET", &record, field, text],
                "HDEL" => vec!["HDEL", &record, field],
                "SET" => vec!["SET", &key, text],
                "PEXPIRE" => vec!["PEXPIRE", &key, "3"],
                command => vec![command, &key],
            };
            words.into_iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()
        },
    )
}

#[test]
fn each_twin_is_pinned_to_the_script_that_its_command_sends() {
    let keys = || Arc::new(DebounceKeys::of("job"));
    let token = || Token::new("t").unwrap();
    let retention = Retention { armed_ms: 1, settled_ms: 1, memo_ms: 1 };
    let timing = Timing { wait_ms: 1, max_wait_ms: None, leading: true, trailing: true };
    for (pin, command) in debounce::PINS.iter().zip([
        DebounceCommand::Call {
            keys: keys(),
            call: token(),
            args: Arc::default(),
            seq: 0,
            timing,
            retention,
        },
        DebounceCommand::Cancel { keys: keys(), request: token(), retention },
        DebounceCommand::Claim {
            keys: keys(),
            runner: token(),
            seq: 0,
            run_lease_ms: 1,
            retention,
        },
        DebounceCommand::Finish {
            keys: keys(),
            runner: token(),
            seq: 0,
            fence: Fence(0),
            success: true,
            retry_ms: 1,
            retention,
        },
        DebounceCommand::Flush { keys: keys(), request: token(), retention },
        DebounceCommand::Inspect { keys: keys() },
    ]) {
        assert_eq!(script(&Command::Debounce(command)).script.name, pin.name);
    }
}
