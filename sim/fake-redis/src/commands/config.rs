//! `CONFIG`: what can be asked and set while the server runs.

mod effects;
mod kind;
mod table;

use bytes::Bytes;

use super::super::{
    Password, Resp,
    command::{Answer, Flags, Group, Refusal, Spec, integer},
    glob::matches,
    resp::text_of,
    server::{Connection, OnConnection, Server},
    service::{Classes, Statistics},
};
use kind::Kind;
use table::{Effect, Setting, TABLE};

const OPERATOR: Flags =
    Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE);

pub(super) const COMMANDS: &[Spec] =
    &[Spec::container(Group::Server, "config", SUBCOMMANDS).about("2.0.0", "Settings.")];

const SUBCOMMANDS: &[Spec] = &[
    Spec::of_connection(Group::Server, "get", -3, &OnConnection(get), OPERATOR)
        .about("2.0.0", "Tells the settings whose names match patterns."),
    Spec::help(Group::Server, "5.0.0"),
    Spec::of_connection(Group::Server, "resetstat", 2, &OnConnection(reset_statistics), OPERATOR)
        .about("2.0.0", "Begins to count anew."),
    Spec::of_connection(Group::Server, "rewrite", 2, &OnConnection(rewrite), OPERATOR)
        .about("2.8.0", "Refused: there is no file."),
    Spec::of_connection(Group::Server, "set", -4, &OnConnection(set), OPERATOR)
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

fn value_of(server: &Server, row: &Setting) -> Bytes {
    match row.alias_of.unwrap_or(row.name) {
        "port" => server.settings().port.to_string().into(),
        name => setting(server, name),
    }
}

/// What a setting is.
pub(super) fn setting(server: &Server, name: &str) -> Bytes {
    let default = || TABLE.iter().find(|row| row.name == name).map_or("", |row| row.default);
    server.config(name).cloned().unwrap_or_else(|| default().into())
}

/// The same, if it is a number.
pub(super) fn setting_number(server: &Server, name: &str) -> i64 {
    integer(&setting(server, name)).unwrap_or(i64::MAX)
}

fn set(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let (pairs, rest) = arguments[2..].as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Refusal("ERR wrong number of arguments for 'config|set' command".into()));
    }
    let mut changes: Vec<(&Setting, Bytes, &Bytes)> = Vec::new();
    for [name, value] in pairs {
        let asked = named(name).ok_or_else(|| unknown(name))?;
        let row = asked.alias_of.and_then(|of| named(of.as_bytes())).unwrap_or(asked);
        if changes.iter().any(|(other, ..)| other.name == row.name) {
            return Err(wrong(asked, "duplicate parameter"));
        }
        let raw = value;
        let value = row.kind.read(raw).map_err(|why| wrong(asked, &why))?;
        let value = kind::kept(row.name, value);
        if row.effect == Effect::Refused && value != value_of(connection.server, row) {
            let text = "this fake Redis does nothing by this setting, so that it cannot be changed";
            return Err(wrong(asked, text));
        }
        changes.push((row, value, raw));
    }
    for (row, value, raw) in changes {
        if row.kind == Kind::Events {
            // Not all of the classes are told.
            let classes = Classes::parse(raw).unwrap_or_default();
            connection.server.service_mut().classes = classes;
        }
        if row.kind == Kind::Password {
            let password = (!value.is_empty()).then(|| Password::new(value));
            connection.server.set_password(password);
        } else {
            connection.server.set_config(row.name, value);
        }
    }
    effects::apply(connection.server);
    Ok(Resp::OK)
}

fn named(name: &[u8]) -> Option<&'static Setting> {
    TABLE.iter().find(|row| row.name.as_bytes().eq_ignore_ascii_case(name))
}

fn unknown(name: &[u8]) -> Refusal {
    let name = text_of(name);
    Refusal(format!("ERR Unknown option or number of arguments for CONFIG SET - '{name}'").into())
}

fn wrong(setting: &Setting, why: &str) -> Refusal {
    let name = setting.name;
    let text = format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {why}");
    Refusal(text.into())
}

fn reset_statistics(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    connection.server.service_mut().statistics = Statistics::default();
    Ok(Resp::OK)
}

fn rewrite(_connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    Err(Refusal("ERR The server is running without a config file".into()))
}
