//! Putting a string under a key, with its conditions and times to live.

use bytes::Bytes;

use super::{Answer, Call, Refusal, Resp, integer, owned, put, word};

pub(super) fn set(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let options = SetOptions::parse(&arguments[3..])?;
    let expires_at_ms =
        options.expiry.map(|expiry| expiry.at_ms("set", call.now_ms())).transpose()?;
    let key = &arguments[1];
    let old = if options.get { call.string(key)?.cloned() } else { None };
    let asked = options.only_if.is_some() || options.keep_ttl;
    let found = if asked { call.entry(key) } else { None };
    let stored = match options.only_if {
        None => true,
        Some(Existence::Absent) => found.is_none(),
        Some(Existence::Present) => found.is_some(),
    };
    let kept = found.filter(|_| options.keep_ttl).and_then(|entry| entry.expires_at_ms);
    if stored {
        put(call, key, owned(&arguments[2]), expires_at_ms.or(kept));
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
            match (&*word(option), rest) {
                (b"NX", _) if options.only_if != Some(Existence::Present) => {
                    options.only_if = Some(Existence::Absent);
                }
                (b"XX", _) if options.only_if != Some(Existence::Absent) => {
                    options.only_if = Some(Existence::Present);
                }
                (b"GET", _) => options.get = true,
                (b"KEEPTTL", _) if expiry.is_none() => options.keep_ttl = true,
                (unit @ (b"EX" | b"EXAT" | b"PX" | b"PXAT"), [number, rest @ ..])
                    if !options.keep_ttl && same_unit(expiry, unit) =>
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

/// The time to live that `GETEX` gives, and whether it takes it away.
fn getex_options(mut arguments: &[Bytes]) -> Result<(Option<Unread<'_>>, bool), Refusal> {
    let (mut expiry, mut persist) = (None, false);
    while let [option, rest @ ..] = arguments {
        arguments = rest;
        match (&*word(option), rest) {
            (b"PERSIST", _) if expiry.is_none() => persist = true,
            (unit @ (b"EX" | b"EXAT" | b"PX" | b"PXAT"), [number, rest @ ..])
                if !persist && same_unit(expiry, unit) =>
            {
                arguments = rest;
                expiry = Some((number, unit[0] == b'E', unit.len() == 2));
            }
            _ => return Err(Refusal::SYNTAX),
        }
    }
    Ok((expiry, persist))
}

/// The number of an [`Expiry`] as it was sent, whether it is in seconds, and whether from now on.
type Unread<'a> = (&'a Bytes, bool, bool);

/// The same unit may be named again, another one not.
fn same_unit(expiry: Option<Unread<'_>>, unit: &[u8]) -> bool {
    expiry.is_none_or(|(_, seconds, relative)| {
        (seconds, relative) == (unit[0] == b'E', unit.len() == 2)
    })
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

pub(super) fn setnx(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let absent = call.entry(&arguments[1]).is_none();
    if absent {
        put(call, &arguments[1], owned(&arguments[2]), None);
    }
    Ok(absent.into())
}

pub(super) fn set_for(
    call: &mut Call<'_>,
    arguments: &[Bytes],
    name: &str,
    seconds: bool,
) -> Answer {
    let expiry = Expiry { number: integer(&arguments[2])?, seconds, relative: true };
    let at_ms = expiry.at_ms(name, call.now_ms())?;
    put(call, &arguments[1], owned(&arguments[3]), Some(at_ms));
    Ok(Resp::OK)
}

pub(super) fn getset(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let old = call.string(&arguments[1])?.cloned();
    put(call, &arguments[1], owned(&arguments[2]), None);
    Ok(old.into())
}

pub(super) fn getex(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (expiry, persist) = getex_options(&arguments[2..])?;
    let Some(found) = call.string(&arguments[1])?.cloned() else { return Ok(Resp::Nil) };
    let now_ms = call.now_ms();
    if let Some((number, seconds, relative)) = expiry {
        let expiry = Expiry { number: integer(number)?, seconds, relative };
        let at_ms = expiry.at_ms("getex", now_ms)?;
        if at_ms > now_ms {
            call.keys().modify(now_ms, &arguments[1], |entry| entry.expires_at_ms = Some(at_ms));
        } else {
            call.keys().take(&arguments[1]);
        }
    } else if persist && call.entry(&arguments[1]).is_some_and(|it| it.expires_at_ms.is_some()) {
        call.keys().modify(now_ms, &arguments[1], |entry| entry.expires_at_ms = None);
    }
    Ok(Resp::Bulk(found))
}
