//! `COMMAND`: what commands there are, from the table.

use bytes::Bytes;

use super::super::{
    Resp,
    command::{Answer, Call, Flags, Group, Keys, Refusal, Spec, Table, word},
    glob::matches,
    resp::count,
};

pub(super) const COMMANDS: &[Spec] = &[Spec::container(Group::Connection, "command", SUBCOMMANDS)
    .or_alone()
    .about("2.8.13", "Describes the commands.")];

const SUBCOMMANDS: &[Spec] = &[
    row("", 1, list_all, "2.8.13", "Describes every command."),
    row("count", 2, count_all, "2.8.13", "Counts the commands."),
    row("docs", -2, docs, "7.0.0", "Documents commands."),
    row("getkeys", -4, getkeys, "2.8.13", "Finds the keys in a command."),
    row(
        "getkeysandflags",
        -4,
        getkeysandflags,
        "7.0.0",
        "Finds the keys in a command, with their use.",
    ),
    Spec::help(Group::Connection, "5.0.0"),
    row("info", -2, info, "2.8.13", "Describes commands."),
    row("list", -2, list, "7.0.0", "Lists the names of commands."),
];

const fn row(
    name: &'static str,
    arity: i32,
    function: fn(&mut Call<'_>, &[Bytes]) -> Answer,
    since: &'static str,
    about: &'static str,
) -> Spec {
    let flags = Flags::LOADING.union(Flags::STALE);
    Spec::new(Group::Connection, name, arity, function, flags).about(since, about)
}

fn list_all(call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(Resp::Array(call.table.all().into_iter().map(|row| row.info(None)).collect()))
}

fn count_all(call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(count(call.table.all().len()))
}

fn info(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    if arguments.len() == 2 {
        return list_all(call, arguments);
    }
    let one = |name: &Bytes| {
        named(call.table, name).map_or(Resp::Nil, |(row, container)| row.info(container))
    };
    Ok(Resp::Array(arguments[2..].iter().map(one).collect()))
}

fn docs(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let rows = if arguments.len() == 2 {
        call.table.all().into_iter().map(|row| (row, None)).collect()
    } else {
        arguments[2..].iter().filter_map(|name| named(call.table, name)).collect::<Vec<_>>()
    };
    Ok(Resp::Map(rows.into_iter().map(|(row, container)| row.docs(container)).collect()))
}

/// The row of a command, or of a subcommand named `container|name`, with its container.
fn named(table: &Table, name: &[u8]) -> Option<(&'static Spec, Option<&'static str>)> {
    match name.iter().position(|byte| *byte == b'|') {
        None => table.by_name(name).map(|row| (row, None)),
        Some(at) => {
            let container = table.by_name(&name[..at])?;
            let same = |row: &&Spec| row.name.as_bytes().eq_ignore_ascii_case(&name[at + 1..]);
            container.subcommands().find(same).map(|row| (row, Some(container.name)))
        }
    }
}

fn list(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let wanted = |row: &Spec, name: &str| match &arguments[2..] {
        [] => Ok(true),
        [filter, by, value] if &*word(filter) == b"FILTERBY" => match &*word(by) {
            b"MODULE" => Ok(false),
            b"ACLCAT" => Ok(row
                .categories()
                .iter()
                .any(|category| category.as_bytes().eq_ignore_ascii_case(value))),
            b"PATTERN" => Ok(matches(&value.to_ascii_lowercase(), name.as_bytes())),
            _ => Err(Refusal::SYNTAX),
        },
        _ => Err(Refusal::SYNTAX),
    };
    let mut names = Vec::new();
    for (row, container) in call.table.all_with_subcommands() {
        let name = row.full_name(container);
        if wanted(row, &name)? {
            names.push(Resp::Bulk(name.into()));
        }
    }
    Ok(Resp::Array(names))
}

fn getkeys(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let keys = keys_of(call.table, arguments)?;
    Ok(Resp::Array(keys.into_iter().map(|(key, _)| Resp::Bulk(key.clone())).collect()))
}

fn getkeysandflags(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let one = |(key, words): (&Bytes, Vec<&'static str>)| {
        let words = words.into_iter().map(|word| Resp::Simple(word.into())).collect();
        Resp::Array(vec![Resp::Bulk(key.clone()), Resp::Set(words)])
    };
    Ok(Resp::Array(keys_of(call.table, arguments)?.into_iter().map(one).collect()))
}

/// The keys of the command behind the first two arguments, and what is done to each.
fn keys_of<'a>(
    table: &'static Table,
    arguments: &'a [Bytes],
) -> Result<Vec<(&'a Bytes, Vec<&'static str>)>, Refusal> {
    let refused = |text: &'static str| Refusal(text.into());
    let row = table.find_by_name(&arguments[2..]);
    let row = row.map_err(|_| refused("ERR Invalid command specified"))?;
    if matches!(row.keys, Keys::None | Keys::Hashed { .. }) {
        return Err(refused("ERR The command has no key arguments"));
    }
    if !row.takes(arguments.len() - 2) {
        return Err(refused("ERR Invalid number of arguments specified for command"));
    }
    let keys = row.keys_with_access(&arguments[2..]);
    if keys.is_empty() && !row.flags.contains(Flags::NO_MANDATORY_KEYS) {
        return Err(refused("ERR Invalid arguments specified for command"));
    }
    Ok(keys)
}
