//! Scripts.

use bytes::Bytes;

use super::super::{
    Resp,
    command::{Answer, Call, Flags, Group, Keys, Refusal, Spec, integer},
    lua,
    script::Sha1,
};

pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(
        Group::Scripting,
        "eval",
        -3,
        eval,
        Flags::STALE
            .union(Flags::SKIP_MONITOR)
            .union(Flags::MAY_REPLICATE)
            .union(Flags::NO_MANDATORY_KEYS)
            .union(Flags::MOVABLEKEYS)
            .union(Flags::NOSCRIPT),
    )
    .keys_are(Keys::Counted { count: 2, also: None })
    .about("2.6.0", "Runs a script."),
    Spec::new(
        Group::Scripting,
        "evalsha",
        -3,
        eval_sha,
        Flags::STALE
            .union(Flags::SKIP_MONITOR)
            .union(Flags::MAY_REPLICATE)
            .union(Flags::NO_MANDATORY_KEYS)
            .union(Flags::MOVABLEKEYS)
            .union(Flags::NOSCRIPT),
    )
    .keys_are(Keys::Counted { count: 2, also: None })
    .about("2.6.0", "Runs a script that the server has seen."),
    Spec::container(Group::Scripting, "script", SUBCOMMANDS),
];

const SUBCOMMANDS: &[Spec] = &[
    Spec::new(Group::Scripting, "exists", -3, script_exists, Flags::NOSCRIPT)
        .about("2.6.0", "Says which scripts the server has seen."),
    Spec::new(Group::Scripting, "flush", -2, script_flush, Flags::NOSCRIPT)
        .about("2.6.0", "Forgets all scripts."),
    Spec::new(Group::Scripting, "load", 3, script_load, Flags::STALE.union(Flags::NOSCRIPT))
        .about("2.6.0", "Shows the server a script."),
];

fn eval(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (keys, args) = keys_and_args(arguments)?;
    let sha1 = load(call, &arguments[1])?;
    Ok(lua::run(call, &sha1, &arguments[1], keys, args))
}

fn eval_sha(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (keys, args) = keys_and_args(arguments)?;
    let known = Sha1::parse(&arguments[1])
        .and_then(|sha1| call.redis.scripts.get(&sha1).cloned().map(|text| (sha1, text)));
    let (sha1, text) =
        known.ok_or_else(|| Refusal("NOSCRIPT No matching script. Please use EVAL.".into()))?;
    Ok(lua::run(call, &sha1, &text, keys, args))
}

/// What follows the script: the number of keys, the keys, and the rest.
fn keys_and_args(arguments: &[Bytes]) -> Result<(&[Bytes], &[Bytes]), Refusal> {
    let number = integer(&arguments[2])?;
    let number = usize::try_from(number)
        .map_err(|_| Refusal("ERR Number of keys can't be negative".into()))?;
    arguments[3..]
        .split_at_checked(number)
        .ok_or_else(|| Refusal("ERR Number of keys can't be greater than number of args".into()))
}

fn script_load(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let sha1 = load(call, &arguments[2])?;
    Ok(Resp::Bulk(Bytes::copy_from_slice(sha1.as_bytes())))
}

/// Compiles a script and remembers it.
fn load(call: &mut Call<'_>, text: &Bytes) -> Result<Sha1, Refusal> {
    let sha1 = Sha1::of(text);
    lua::compile(&sha1, text)?;
    call.redis.scripts.add(sha1, text);
    Ok(sha1)
}

fn script_exists(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let known =
        |text| Sha1::parse(text).is_some_and(|sha1| call.redis.scripts.get(&sha1).is_some());
    Ok(Resp::Array(arguments[2..].iter().map(|text| known(text).into()).collect()))
}

fn script_flush(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    match &arguments[2..] {
        [] => {}
        [mode] if mode.eq_ignore_ascii_case(b"sync") || mode.eq_ignore_ascii_case(b"async") => {}
        _ => return Err(Refusal("ERR SCRIPT FLUSH only support SYNC|ASYNC option".into())),
    }
    call.redis.scripts.clear();
    Ok(Resp::OK)
}
