//! `ACL`: users, and what each may do.

use bytes::Bytes;

use super::{
    super::{
        Resp,
        acl::{CATEGORIES, Context, Denial, Line, Reason, Selector, User, full_name},
        command::{Answer, Call, Flags, Group, NotFound, Refusal, Spec, integer, owned},
        number::double,
        resp::{count, text_of},
        server::{Connection, OnConnection},
    },
    config::setting,
};

const ANYBODY: Flags = Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE);
const OPERATOR: Flags = ANYBODY.union(Flags::ADMIN);

pub(super) const COMMANDS: &[Spec] =
    &[Spec::container(Group::Server, "acl", SUBCOMMANDS).about("6.0.0", "Users.")];

const SUBCOMMANDS: &[Spec] = &[
    Spec::new(Group::Server, "cat", -2, categories, ANYBODY)
        .about("6.0.0", "Lists the categories, or the commands of one."),
    Spec::of_connection(Group::Server, "deluser", -3, &OnConnection(delete), OPERATOR)
        .about("6.0.0", "Removes users, and ends their sessions."),
    Spec::of_connection(Group::Server, "dryrun", -4, &OnConnection(dry_run), OPERATOR)
        .about("7.0.0", "Says whether a user may run a command."),
    Spec::new(Group::Server, "genpass", -2, generate, ANYBODY).about("6.0.0", "Draws a password."),
    Spec::of_connection(Group::Server, "getuser", 3, &OnConnection(get), OPERATOR)
        .about("6.0.0", "Tells the rights of a user."),
    Spec::help(Group::Server, "6.0.0"),
    Spec::of_connection(Group::Server, "list", 2, &OnConnection(list), OPERATOR)
        .about("6.0.0", "Lists the users with their rights."),
    Spec::of_connection(Group::Server, "load", 2, &OnConnection(no_file), OPERATOR)
        .about("6.0.0", "Refused: there is no file."),
    Spec::of_connection(Group::Server, "log", -2, &OnConnection(log), OPERATOR)
        .about("6.0.0", "Lists what was denied."),
    Spec::of_connection(Group::Server, "save", 2, &OnConnection(no_file), OPERATOR)
        .about("6.0.0", "Refused: there is no file."),
    Spec::of_connection(Group::Server, "setuser", -3, &OnConnection(set), OPERATOR)
        .about("6.0.0", "Changes the rights of a user."),
    Spec::of_connection(Group::Server, "users", 2, &OnConnection(users), OPERATOR)
        .about("6.0.0", "Lists the users."),
    Spec::of_connection(Group::Server, "whoami", 2, &OnConnection(who_am_i), ANYBODY)
        .about("6.0.0", "Tells the name of the user."),
];

fn bulk(text: impl Into<Bytes>) -> Resp {
    Resp::Bulk(text.into())
}

fn categories(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let wanted = match &arguments[2..] {
        [] => {
            return Ok(Resp::Array(CATEGORIES.iter().map(|name| bulk(*name)).collect()));
        }
        [name] => name.to_ascii_lowercase(),
        _ => return Err(wrong_number(arguments)),
    };
    if !CATEGORIES.iter().any(|name| name.as_bytes() == wanted) {
        let name = text_of(&arguments[2]);
        return Err(Refusal(format!("ERR Unknown category '{name}'").into()));
    }
    let within = |row: &Spec| row.categories().iter().any(|it| it.as_bytes() == wanted);
    let is_container = |row: &Spec| row.subcommands().next().is_some();
    let rows = call.table.all_with_subcommands();
    let names = rows
        .filter(|(row, _)| !is_container(row) && within(row))
        .map(|(row, container)| bulk(row.full_name(container)));
    Ok(Resp::Array(names.collect()))
}

fn wrong_number(arguments: &[Bytes]) -> Refusal {
    let name = text_of(&arguments[1]);
    let text =
        format!("ERR unknown subcommand or wrong number of arguments for '{name}'. Try ACL HELP.");
    Refusal(text.into())
}

fn set(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let name = &arguments[2];
    if name.is_empty() || name.iter().any(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Err(Refusal("ERR Usernames can't contain spaces or null characters".into()));
    }
    let all_channels = setting(connection.server, "acl-pubsub-default") == "allchannels";
    let known = connection.server.user(name);
    let mut user = known.map_or_else(|| User::new(all_channels), |user| (*user).clone());
    user.apply(connection.table, &arguments[3..], all_channels)
        .map_err(|why| Refusal(format!("ERR {why}").into()))?;
    connection.server.acl_mut().set(owned(name), user);
    connection.server.end_forbidden_listeners(name);
    Ok(Resp::OK)
}

fn delete(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    if arguments[2..].iter().any(|name| *name == "default") {
        return Err(Refusal("ERR The 'default' user cannot be removed".into()));
    }
    let asking = connection.id;
    let removed = arguments[2..].iter().filter(|name| connection.server.remove_user(name, asking));
    Ok(count(removed.count()))
}

fn get(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let Some(user) = connection.server.user(&arguments[2]) else { return Ok(Resp::NilArray) };
    let flags = user.flags().into_iter().map(|flag| Resp::Bulk(flag.into())).collect();
    let passwords = user.secrets.iter().map(|secret| bulk(secret.hash())).collect();
    let of_selector = |selector: &Selector| {
        vec![
            (bulk("commands"), bulk(selector.commands.text())),
            (bulk("keys"), bulk(selector.keys_text())),
            (bulk("channels"), bulk(selector.channels_text().join(" "))),
        ]
    };
    let mut told =
        vec![(bulk("flags"), Resp::Set(flags)), (bulk("passwords"), Resp::Array(passwords))];
    told.extend(of_selector(&user.selectors[0]));
    let further = user.selectors[1..].iter().map(|it| Resp::Map(of_selector(it)));
    told.push((bulk("selectors"), Resp::Array(further.collect())));
    Ok(Resp::Map(told))
}

fn list(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    let line = |(name, user): &(Bytes, std::sync::Arc<User>)| {
        bulk(format!("user {} {}", String::from_utf8_lossy(name), user.text()))
    };
    Ok(Resp::Array(connection.server.users().iter().map(line).collect()))
}

fn users(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    let names = connection.server.users().into_iter().map(|(name, _)| Resp::Bulk(name));
    Ok(Resp::Array(names.collect()))
}

fn who_am_i(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(Resp::Bulk(connection.session().user_name()))
}

fn dry_run(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let shown = |name: &Bytes| String::from_utf8_lossy(name).into_owned();
    let user = connection
        .server
        .user(&arguments[2])
        .ok_or_else(|| Refusal(format!("ERR User '{}' not found", shown(&arguments[2])).into()))?;
    let command = &arguments[3..];
    let spec = connection.table.find(command).map_err(|reason| match reason {
        NotFound::Arity(_) => reason.refusal(command),
        _ => Refusal(format!("ERR Command '{}' not found", shown(&command[0])).into()),
    })?;
    let Err(denial) = user.check(spec, command) else { return Ok(Resp::OK) };
    let what = match denial {
        Denial::Command => format!("run the '{}' command", full_name(spec)),
        Denial::Key(key) => format!("access the '{}' key", shown(&key)),
        Denial::Channel(name) => format!("access the '{}' channel", shown(&name)),
    };
    Ok(bulk(format!("This user has no permissions to {what}")))
}

fn generate(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let bits = match &arguments[2..] {
        [] => 256,
        [bits] => integer(bits)?,
        _ => return Err(wrong_number(arguments)),
    };
    if !(1..=4_096).contains(&bits) {
        let text = "ERR ACL GENPASS argument must be the number of bits for the output password, a \
                    positive number up to 4096";
        return Err(Refusal(text.into()));
    }
    let digit = |_| char::from_digit(call.redis.random.below(16) as u32, 16);
    Ok(bulk((0..(bits + 3) / 4).filter_map(digit).collect::<String>()))
}

fn no_file(_connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    Err(Refusal(
        "ERR This Redis instance is not configured to use an ACL file. You may want to specify \
         users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a \
         Redis configuration file set) in order to store users in the Redis configuration."
            .into(),
    ))
}

fn log(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let most = match &arguments[2..] {
        [] => 10,
        [word] if word.eq_ignore_ascii_case(b"reset") => {
            connection.server.denied.clear();
            return Ok(Resp::OK);
        }
        [most] => usize::try_from(integer(most)?).unwrap_or(0),
        _ => return Err(wrong_number(arguments)),
    };
    let now_us = connection.now_us;
    let lines = connection.server.denied.iter().take(most);
    Ok(Resp::Array(lines.map(|line| of_line(line, now_us)).collect()))
}

fn of_line(line: &Line, now_us: u64) -> Resp {
    let reason = match line.denied.reason {
        Reason::Auth => "auth",
        Reason::Channel => "channel",
        Reason::Command => "command",
        Reason::Key => "key",
    };
    let context = match line.denied.context {
        Context::Lua => "lua",
        Context::Multi => "multi",
        Context::TopLevel => "toplevel",
    };
    let age_ms = now_us.saturating_sub(line.at_us) / 1_000;
    Resp::Map(vec![
        (bulk("count"), Resp::Integer(i64::try_from(line.count).unwrap_or(i64::MAX))),
        (bulk("reason"), bulk(reason)),
        (bulk("context"), bulk(context)),
        (bulk("object"), Resp::Bulk(line.denied.object.clone())),
        (bulk("username"), Resp::Bulk(line.user.clone())),
        (bulk("age-seconds"), Resp::Double(double(age_ms as f64 / 1_000.0))),
        (bulk("client-info"), bulk(line.client.clone())),
    ])
}
