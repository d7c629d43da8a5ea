//! `ACL`, `LATENCY`, `MEMORY`, `MODULE` and `SLOWLOG`, as far as programs ask at their start.

use bytes::Bytes;

use super::super::{
    Resp, Value,
    command::{Answer, Call, Flags, Group, Refusal, Spec, integer},
    resp::count,
    server::Connection,
};

const OPERATOR: Flags =
    Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE);

pub(super) const COMMANDS: &[Spec] = &[
    Spec::container(Group::Server, "acl", ACL).about("6.0.0", "Users."),
    Spec::container(Group::Server, "latency", LATENCY).about("2.8.13", "What was slow."),
    Spec::container(Group::Server, "memory", MEMORY).about("4.0.0", "What takes how much memory."),
    Spec::container(Group::Server, "module", MODULE).about("4.0.0", "Modules."),
    Spec::container(Group::Server, "slowlog", SLOW_LOG).about("2.2.12", "What was slow."),
];

const ACL: &[Spec] = &[
    Spec::of_connection(Group::Server, "list", 2, acl_list, OPERATOR)
        .about("6.0.0", "Lists the users with their rights."),
    Spec::of_connection(Group::Server, "users", 2, acl_users, OPERATOR)
        .about("6.0.0", "Lists the users."),
    Spec::of_connection(
        Group::Server,
        "whoami",
        2,
        acl_whoami,
        Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE),
    )
    .about("6.0.0", "Tells the name of the user."),
];

const LATENCY: &[Spec] = &[
    Spec::new(Group::Server, "history", 3, nothing, OPERATOR).about("2.8.13", "Nothing was slow."),
    Spec::new(Group::Server, "latest", 2, nothing, OPERATOR).about("2.8.13", "Nothing was slow."),
    Spec::new(Group::Server, "reset", -2, zero, OPERATOR).about("2.8.13", "Forgets what was slow."),
];

const MEMORY: &[Spec] = &[
    Spec::new(Group::Server, "purge", 2, done, Flags::empty()).about("4.0.0", "Does nothing."),
    Spec::new(Group::Server, "usage", -3, memory_usage, Flags::READONLY)
        .keys(2, 2, 1)
        .about("4.0.0", "About how many bytes a key takes."),
];

const MODULE: &[Spec] =
    &[Spec::new(Group::Server, "list", 2, nothing, Flags::ADMIN.union(Flags::NOSCRIPT))
        .about("4.0.0", "There are none.")];

const SLOW: Flags = Flags::ADMIN.union(Flags::LOADING).union(Flags::STALE);

const SLOW_LOG: &[Spec] = &[
    Spec::new(Group::Server, "get", -2, slow_log_get, SLOW).about("2.2.12", "Nothing was slow."),
    Spec::new(Group::Server, "len", 2, zero, SLOW).about("2.2.12", "Nothing was slow."),
    Spec::new(Group::Server, "reset", 2, done, SLOW).about("2.2.12", "Forgets what was slow."),
];

fn acl_whoami(_connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(Resp::Bulk("default".into()))
}

fn acl_users(_connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(Resp::Array(vec![Resp::Bulk("default".into())]))
}

fn acl_list(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    // The password's hash, which a real server shows here, is none of a client's business.
    let secret = if connection.server.has_password() { "(secret)" } else { "nopass" };
    let user = format!("user default on {secret} ~* &* +@all");
    Ok(Resp::Array(vec![Resp::Bulk(user.into())]))
}

fn nothing(_call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(Resp::Array(Vec::new()))
}

fn zero(_call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(Resp::Integer(0))
}

fn done(_call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(Resp::OK)
}

fn slow_log_get(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    match &arguments[2..] {
        [] => nothing(call, arguments),
        [most] if integer(most).is_ok_and(|most| most >= -1) => nothing(call, arguments),
        [_] => Err(Refusal("ERR count should be greater than or equal to -1".into())),
        _ => Err(Refusal("ERR wrong number of arguments for 'slowlog|get' command".into())),
    }
}

fn memory_usage(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    match &arguments[3..] {
        [] => {}
        [option, samples] if option.eq_ignore_ascii_case(b"samples") => {
            if integer(samples)? < 0 {
                return Err(Refusal::SYNTAX);
            }
        }
        _ => return Err(Refusal::SYNTAX),
    }
    let key = &arguments[2];
    let size = call.entry(key).map(|entry| size_of(&entry.value) + key.len() + 56);
    Ok(size.map_or(Resp::Nil, count))
}

/// About how many bytes a value takes beside its key.
fn size_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::List(items) => items.iter().map(|item| item.len() + 16).sum(),
        _ => 64,
    }
}
