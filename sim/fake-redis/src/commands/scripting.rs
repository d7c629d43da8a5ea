//! Scripts.

use bytes::Bytes;

use super::super::{
    Resp,
    command::{Answer, Call, Flags, Group, Keys, Refusal, Spec, integer},
    lua::{self, Script},
    script::Sha1,
};

const SCRIPT: Flags =
    Flags::STALE.union(Flags::SKIP_MONITOR).union(Flags::NO_MANDATORY_KEYS).union(Flags::NOSCRIPT);

pub(super) const COMMANDS: &[Spec] = &[
    script("eval", eval, SCRIPT.union(Flags::MAY_REPLICATE)).about("2.6.0", "Runs a script."),
    script("evalsha", eval_sha, SCRIPT.union(Flags::MAY_REPLICATE))
        .about("2.6.0", "Runs a script that the server has seen."),
    script("evalsha_ro", eval_sha_ro, SCRIPT.union(Flags::READONLY))
        .about("7.0.0", "Runs a script that the server has seen and that only reads."),
    script("eval_ro", eval_ro, SCRIPT.union(Flags::READONLY))
        .about("7.0.0", "Runs a script that only reads."),
    Spec::container(Group::Scripting, "script", SUBCOMMANDS),
];

const SUBCOMMANDS: &[Spec] = &[
    Spec::new(Group::Scripting, "debug", 3, script_debug, Flags::NOSCRIPT)
        .about("3.2.0", "Refused: there is no debugger."),
    Spec::new(Group::Scripting, "exists", -3, script_exists, Flags::NOSCRIPT)
        .about("2.6.0", "Says which scripts the server has seen."),
    Spec::new(Group::Scripting, "flush", -2, script_flush, Flags::NOSCRIPT)
        .about("2.6.0", "Forgets all scripts."),
    Spec::new(Group::Scripting, "help", 2, script_help, Flags::LOADING.union(Flags::STALE))
        .about("5.0.0", "Lists the subcommands."),
    Spec::new(Group::Scripting, "kill", 2, script_kill, Flags::NOSCRIPT.union(Flags::ALLOW_BUSY))
        .about("2.6.0", "Ends the script that runs, if it has not written."),
    Spec::new(Group::Scripting, "load", 3, script_load, Flags::STALE.union(Flags::NOSCRIPT))
        .about("2.6.0", "Shows the server a script."),
];

const HELP: &[&str] = &[
    "SCRIPT <subcommand> [<arg> ...]. Subcommands are:",
    "DEBUG (YES|SYNC|NO)",
    "    Refused, but for NO: this server has no debugger.",
    "EXISTS <sha1> [<sha1> ...]",
    "    Say for each script whether the server has seen it.",
    "FLUSH [ASYNC|SYNC]",
    "    Forget all scripts. Both modes do the same here.",
    "KILL",
    "    Stop the running script, if it has not written.",
    "LOAD <script>",
    "    Remember a script without running it.",
    "HELP",
    "    Print this help.",
];

const fn script(
    name: &'static str,
    function: fn(&mut Call<'_>, &[Bytes]) -> Answer,
    flags: Flags,
) -> Spec {
    Spec::new(Group::Scripting, name, -3, function, flags)
        .keys_are(Keys::Counted { count: 2, also: None })
}

fn eval(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    eval_text(call, arguments, false)
}

fn eval_ro(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    eval_text(call, arguments, true)
}

fn eval_sha(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    eval_known(call, arguments, false)
}

fn eval_sha_ro(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    eval_known(call, arguments, true)
}

fn eval_text(call: &mut Call<'_>, arguments: &[Bytes], read_only: bool) -> Answer {
    let (keys, args) = keys_and_args(arguments)?;
    let sha1 = load(call, &arguments[1])?;
    lua::run(call, &Script { sha1: &sha1, text: &arguments[1], read_only }, keys, args)
}

fn eval_known(call: &mut Call<'_>, arguments: &[Bytes], read_only: bool) -> Answer {
    let unknown = || Refusal("NOSCRIPT No matching script. Please use EVAL.".into());
    // What is no hash at all is refused before anything else is looked at.
    if arguments[1].len() != 40 {
        return Err(unknown());
    }
    let (keys, args) = keys_and_args(arguments)?;
    let known = Sha1::parse(&arguments[1])
        .and_then(|sha1| call.redis.scripts.get(&sha1).cloned().map(|text| (sha1, text)));
    let (sha1, text) = known.ok_or_else(unknown)?;
    lua::run(call, &Script { sha1: &sha1, text: &text, read_only }, keys, args)
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
    lua::compile(&sha1, text, call.redis.script_rules)?;
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

fn script_kill(_: &mut Call<'_>, _: &[Bytes]) -> Answer {
    Err(Refusal("NOTBUSY No scripts in execution right now.".into()))
}

fn script_debug(_: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let is = |mode: &[u8]| arguments[2].eq_ignore_ascii_case(mode);
    if is(b"no") {
        Ok(Resp::OK)
    } else if is(b"yes") || is(b"sync") {
        Err(Refusal("ERR SCRIPT DEBUG is not supported by this server".into()))
    } else {
        Err(Refusal("ERR Use SCRIPT DEBUG YES/SYNC/NO".into()))
    }
}

fn script_help(_: &mut Call<'_>, _: &[Bytes]) -> Answer {
    Ok(Resp::Array(HELP.iter().map(|line| Resp::Simple((*line).into())).collect()))
}
