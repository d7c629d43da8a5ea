//! Other names and other databases for a key.

use bytes::Bytes;

use super::{
    super::super::command::integer_of_32_bits, Answer, Call, Entry, Refusal, Resp, count, word,
};

pub(super) fn rename(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    rename_key(call, arguments, true)?;
    Ok(Resp::OK)
}

pub(super) fn rename_nx(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(rename_key(call, arguments, false)?.into())
}

fn rename_key(call: &mut Call<'_>, arguments: &[Bytes], over: bool) -> Result<bool, Refusal> {
    let (old, new) = (&arguments[1], &arguments[2]);
    if call.entry(old).is_none() {
        return Err(Refusal::NO_SUCH_KEY);
    }
    if old == new {
        return Ok(over);
    }
    if !over && call.entry(new).is_some() {
        return Ok(false);
    }
    let entry = call.keys().take(old);
    // The other name comes as a new one, for those who wait for it.
    call.keys().take(new);
    call.keys().set_entry(new.clone(), entry);
    Ok(true)
}

pub(super) fn copy(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (source, target) = (&arguments[1], &arguments[2]);
    let (mut database, mut replace) = (call.redis.selected(), false);
    let mut options = &arguments[3..];
    while let [option, rest @ ..] = options {
        options = rest;
        match (&*word(option), rest) {
            (b"REPLACE", _) => replace = true,
            (b"DB", [number, rest @ ..]) => {
                options = rest;
                database = self::database(number)?;
            }
            _ => return Err(Refusal::SYNTAX),
        }
    }
    if database == call.redis.selected() && source == target {
        return if call.redis.is_upstash() { Ok(count(0)) } else { Err(same_object()) };
    }
    let Some(entry) = call.entry(source).cloned() else { return Ok(count(0)) };
    Ok(place(call, database, target, entry, replace)?.into())
}

pub(super) fn move_key(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let database = database(&arguments[2])?;
    if database == call.redis.selected() {
        return Err(same_object());
    }
    // A number out of range is refused even if there is nothing to move.
    let Some(entry) = call.entry(&arguments[1]).cloned() else {
        call.redis.with_database(database, |_| ()).ok_or_else(no_database)?;
        return Ok(count(0));
    };
    let placed = place(call, database, &arguments[1], entry, false)?;
    if placed {
        call.keys().take(&arguments[1]);
    }
    Ok(placed.into())
}

/// Puts an entry into a database; whether the name was free, or may be replaced.
fn place(
    call: &mut Call<'_>,
    database: usize,
    key: &Bytes,
    entry: Entry,
    replace: bool,
) -> Result<bool, Refusal> {
    let now_ms = call.now_ms();
    let placed = call.redis.with_database(database, |redis| {
        let free = replace || redis.keyspace.peek(now_ms, key).is_none();
        if free {
            redis.keyspace.take(key);
            redis.keyspace.set_entry(key.clone(), Some(entry));
        }
        free
    });
    placed.ok_or_else(no_database)
}

fn database(number: &[u8]) -> Result<usize, Refusal> {
    usize::try_from(integer_of_32_bits(number)?).map_err(|_| no_database())
}

fn no_database() -> Refusal {
    Refusal("ERR DB index is out of range".into())
}

fn same_object() -> Refusal {
    Refusal("ERR source and destination objects are the same".into())
}
