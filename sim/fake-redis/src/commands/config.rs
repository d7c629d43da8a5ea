//! `CONFIG`: what can be asked and set while the server runs.

mod table;

use bytes::Bytes;

use super::super::{
    Password, Resp,
    command::{Answer, Flags, Group, Refusal, Spec},
    glob::matches,
    server::{Connection, Server, Statistics},
};
use table::{Kind, Option as Setting, TABLE};

const OPERATOR: Flags =
    Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE);

pub(super) const COMMANDS: &[Spec] =
    &[Spec::container(Group::Server, "config", SUBCOMMANDS).about("2.0.0", "Settings.")];

const SUBCOMMANDS: &[Spec] = &[
    Spec::of_connection(Group::Server, "get", -3, get, OPERATOR)
        .about("2.0.0", "Tells the settings whose names match patterns."),
    Spec::of_connection(Group::Server, "resetstat", 2, reset_statistics, OPERATOR)
        .about("2.0.0", "Begins to count anew."),
    Spec::of_connection(Group::Server, "rewrite", 2, rewrite, OPERATOR)
        .about("2.8.0", "Refused: there is no file."),
    Spec::of_connection(Group::Server, "set", -4, set, OPERATOR)
        .about("2.0.0", "Changes settings."),
];

fn get(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let named = |setting: &Setting| {
        let wanted =
            |pattern: &&Bytes| matches(&pattern.to_ascii_lowercase(), setting.name.as_bytes());
        let pattern = arguments[2..].iter().find(wanted)?;
        // Who asks for a name in his own way is answered in it.
        let same = pattern.eq_ignore_ascii_case(setting.name.as_bytes());
        Some(if same { pattern.clone() } else { setting.name.into() })
    };
    let pairs = TABLE.iter().filter_map(|setting| {
        let value = value_of(connection.server, setting);
        Some((Resp::Bulk(named(setting)?), Resp::Bulk(value)))
    });
    Ok(Resp::Map(pairs.collect()))
}

fn value_of(server: &Server, setting: &Setting) -> Bytes {
    match setting.name {
        "port" => server.settings().port.to_string().into(),
        name => server.config(name).cloned().unwrap_or_else(|| setting.default.into()),
    }
}

fn set(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let (pairs, rest) = arguments[2..].as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Refusal("ERR wrong number of arguments for 'config|set' command".into()));
    }
    let mut changes: Vec<(&Setting, Bytes)> = Vec::new();
    for [name, value] in pairs {
        let setting = TABLE.iter().find(|row| row.name.as_bytes().eq_ignore_ascii_case(name));
        let setting = setting.ok_or_else(|| unknown(name))?;
        if changes.iter().any(|(other, _)| other.name == setting.name) {
            return Err(wrong(setting, "duplicate parameter"));
        }
        let value = setting.kind.read(value).map_err(|why| wrong(setting, &why))?;
        changes.push((setting, value));
    }
    for (setting, value) in changes {
        apply(connection.server, setting, value);
    }
    Ok(Resp::OK)
}

fn apply(server: &mut Server, setting: &Setting, value: Bytes) {
    if setting.kind == Kind::Password {
        server.set_password((!value.is_empty()).then(|| Password::new(value)));
    } else {
        server.take_effect(setting.name, &value);
        server.set_config(setting.name, value);
    }
}

fn unknown(name: &[u8]) -> Refusal {
    let name = String::from_utf8_lossy(name);
    Refusal(format!("ERR Unknown option or number of arguments for CONFIG SET - '{name}'").into())
}

fn wrong(setting: &Setting, why: &str) -> Refusal {
    let name = setting.name;
    let text = format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {why}");
    Refusal(text.into())
}

fn reset_statistics(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    connection.server.statistics = Statistics::default();
    Ok(Resp::OK)
}

fn rewrite(_connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    Err(Refusal("ERR The server is running without a config file".into()))
}
