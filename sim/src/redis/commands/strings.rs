//! Strings.

use bytes::Bytes;

use super::super::{
    Entry, Resp, Value,
    command::{Answer, Call, Flags, Group, Refusal, Spec, decimal, integer},
};

pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(
        Group::String,
        "decr",
        2,
        decr,
        Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    )
    .keys(1, 1, 1)
    .about("1.0.0", "Subtracts one from the number under a key."),
    Spec::new(
        Group::String,
        "decrby",
        3,
        decr_by,
        Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    )
    .keys(1, 1, 1)
    .about("1.0.0", "Subtracts from the number under a key."),
    Spec::new(Group::String, "get", 2, get, Flags::READONLY.union(Flags::FAST))
        .keys(1, 1, 1)
        .about("1.0.0", "Answers with the string under a key."),
    Spec::new(
        Group::String,
        "incr",
        2,
        incr,
        Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    )
    .keys(1, 1, 1)
    .about("1.0.0", "Adds one to the number under a key."),
    Spec::new(
        Group::String,
        "incrby",
        3,
        incr_by,
        Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    )
    .keys(1, 1, 1)
    .about("1.0.0", "Adds to the number under a key."),
    Spec::new(Group::String, "set", -3, set, Flags::WRITE.union(Flags::DENYOOM))
        .keys(1, 1, 1)
        .about("1.0.0", "Puts a string under a key, whatever was there."),
];

fn get(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(call.string(&arguments[1])?.cloned().into())
}

fn set(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let options = SetOptions::parse(&arguments[3..])?;
    let expires_at_ms =
        options.expiry.map(|expiry| expiry.at_ms("set", call.now_ms())).transpose()?;
    let (key, value) = (&arguments[1], Value::String(arguments[2].clone()));
    let old = if options.get { call.string(key)?.cloned() } else { None };
    let found = call.entry(key);
    let stored = match options.only_if {
        None => true,
        Some(Existence::Absent) => found.is_none(),
        Some(Existence::Present) => found.is_some(),
    };
    let kept = found.filter(|_| options.keep_ttl).and_then(|entry| entry.expires_at_ms);
    if stored {
        let entry = Entry { value, expires_at_ms: expires_at_ms.or(kept) };
        call.keys().set_entry(key.clone(), Some(entry));
    }
    Ok(match (options.get, stored) {
        (true, _) => old.into(),
        (false, true) => Resp::OK,
        (false, false) => Resp::Nil,
    })
}

#[derive(Debug, Default)]
struct SetOptions {
    only_if: Option<Existence>,
    get: bool,
    keep_ttl: bool,
    expiry: Option<Expiry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Existence {
    Absent,
    Present,
}

/// `EX`, `PX`, `EXAT` or `PXAT` with its number.
#[derive(Clone, Copy, Debug)]
struct Expiry {
    number: i64,
    seconds: bool,
    relative: bool,
}

impl SetOptions {
    fn parse(mut arguments: &[Bytes]) -> Result<Self, Refusal> {
        let mut options = Self::default();
        let mut expiry = None;
        while let [option, rest @ ..] = arguments {
            arguments = rest;
            match (option.to_ascii_uppercase().as_slice(), rest) {
                (b"NX", _) if options.only_if != Some(Existence::Present) => {
                    options.only_if = Some(Existence::Absent);
                }
                (b"XX", _) if options.only_if != Some(Existence::Absent) => {
                    options.only_if = Some(Existence::Present);
                }
                (b"GET", _) => options.get = true,
                (b"KEEPTTL", _) if expiry.is_none() => options.keep_ttl = true,
                (unit @ (b"EX" | b"EXAT" | b"PX" | b"PXAT"), [number, rest @ ..])
                    if expiry.is_none() && !options.keep_ttl =>
                {
                    arguments = rest;
                    expiry = Some((number, unit[0] == b'E', unit.len() == 2));
                }
                _ => return Err(Refusal::SYNTAX),
            }
        }
        // Numbers are read only once the syntax is known to be right.
        if let Some((number, seconds, relative)) = expiry {
            options.expiry = Some(Expiry { number: integer(number)?, seconds, relative });
        }
        Ok(options)
    }
}

impl Expiry {
    fn at_ms(self, command: &str, now_ms: u64) -> Result<u64, Refusal> {
        let from_ms = if self.relative { i64::try_from(now_ms).unwrap_or(i64::MAX) } else { 0 };
        let at_ms = self.number.checked_mul(if self.seconds { 1_000 } else { 1 });
        at_ms
            .filter(|at_ms| *at_ms > 0)
            .and_then(|at_ms| at_ms.checked_add(from_ms))
            .and_then(|at_ms| u64::try_from(at_ms).ok())
            .ok_or_else(|| {
                Refusal(format!("ERR invalid expire time in '{command}' command").into())
            })
    }
}

fn incr(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    add(call, &arguments[1], 1)
}

fn incr_by(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    add(call, &arguments[1], integer(&arguments[2])?)
}

fn decr(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    add(call, &arguments[1], -1)
}

fn decr_by(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let by = integer(&arguments[2])?.checked_neg();
    add(call, &arguments[1], by.ok_or_else(|| Refusal("ERR decrement would overflow".into()))?)
}

/// Adds to the number under `key`, which keeps its time to live.
fn add(call: &mut Call<'_>, key: &Bytes, by: i64) -> Answer {
    let old = call.string(key)?.map_or(Ok(0), |text| integer(text))?;
    let new = old.checked_add(by).ok_or(Refusal::OVERFLOW)?;
    let now_ms = call.now_ms();
    let text = decimal(new);
    let kept = call.keys().modify(now_ms, key, |entry| entry.value = Value::String(text.clone()));
    if kept.is_none() {
        call.keys().set_entry(key.clone(), Some(Entry::string(text)));
    }
    Ok(Resp::Integer(new))
}
