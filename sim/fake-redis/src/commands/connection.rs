//! The connection itself: who is at the other end, and what it speaks.

use bytes::Bytes;

use super::super::{
    Protocol, Resp,
    command::{Answer, Call, Flags, Group, Refusal, Spec, integer, owned},
    resp::{count, text_of},
    server::{Connection, OnConnection, Session},
};

const ANYTIME: Flags = Flags::NOSCRIPT
    .union(Flags::LOADING)
    .union(Flags::STALE)
    .union(Flags::FAST)
    .union(Flags::ALLOW_BUSY);

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::of_connection(Group::Connection, "auth", -2, &OnConnection(auth),
        ANYTIME.union(Flags::NO_AUTH))
        .about("1.0.0", "Says the password."),
    Spec::new(Group::Connection, "echo", 2, echo,
        Flags::LOADING.union(Flags::STALE).union(Flags::FAST))
        .about("1.0.0", "Answers with its argument."),
    Spec::of_connection(Group::Connection, "hello", -1, &OnConnection(hello),
        ANYTIME.union(Flags::NO_AUTH))
        .about("6.0.0", "Chooses the version of the protocol, and may say password and name."),
    Spec::new(Group::Connection, "ping", -1, ping, Flags::FAST)
        .about("1.0.0", "Answers PONG, or with its argument."),
    Spec::of_connection(Group::Connection, "quit", -1, &OnConnection(quit),
        ANYTIME.union(Flags::NO_AUTH))
        .about("1.0.0", "Ends the connection."),
    Spec::of_connection(Group::Connection, "reset", 1, &OnConnection(reset),
        ANYTIME.union(Flags::NO_AUTH))
        .about("6.2.0", "Makes the connection as it was at first."),
    Spec::of_connection(Group::Connection, "select", 2, &OnConnection(select),
        Flags::LOADING.union(Flags::STALE).union(Flags::FAST))
        .about("1.0.0", "Changes to another database."),
];

fn auth(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    match &arguments[1..] {
        [password] => {
            if !connection.server.has_password() {
                return Err(Refusal(
                    "ERR AUTH <password> called without any password configured for the default \
                     user. Are you sure your configuration is correct?"
                        .into(),
                ));
            }
            authenticate(connection, b"default", password)?;
        }
        [user, password] => authenticate(connection, user, password)?,
        _ => return Err(Refusal::SYNTAX),
    }
    Ok(Resp::OK)
}

/// Without a password, the user `default` may say any.
fn authenticate(
    connection: &mut Connection<'_>,
    user: &[u8],
    password: &[u8],
) -> Result<(), Refusal> {
    if !connection.server.accepts(user, password) {
        connection.note_wrong_password(user);
        let text = "WRONGPASS invalid username-password pair or user is disabled.";
        return Err(Refusal(text.into()));
    }
    let session = connection.session_mut();
    session.authenticated = true;
    session.user = if *user == *b"default" { Bytes::new() } else { owned(user) };
    Ok(())
}

fn echo(_call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(Resp::Bulk(arguments[1].clone()))
}

fn hello(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let (protocol, options) = match &arguments[1..] {
        [] => (connection.session().protocol, &[][..]),
        [version, options @ ..] => (protocol(version)?, options),
    };
    let name = greeting(connection, options)?;
    if !connection.session().authenticated {
        return Err(Refusal(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the \
             HELLO AUTH <user> <pass> option can be used to authenticate the client and select \
             the RESP protocol version at the same time"
                .into(),
        ));
    }
    let session = connection.session_mut();
    session.protocol = protocol;
    if let Some(name) = name {
        session.name = name;
    }
    Ok(introduction(connection))
}

fn protocol(version: &[u8]) -> Result<Protocol, Refusal> {
    match integer(version) {
        Ok(2) => Ok(Protocol::Resp2),
        Ok(3) => Ok(Protocol::Resp3),
        Ok(_) => Err(Refusal("NOPROTO unsupported protocol version".into())),
        Err(_) => Err(Refusal("ERR Protocol version is not an integer or out of range".into())),
    }
}

/// Obeys the options of `HELLO`, and gives the name that is to be set.
fn greeting(connection: &mut Connection<'_>, options: &[Bytes]) -> Result<Option<Bytes>, Refusal> {
    let (mut rest, mut new_name) = (options, None);
    while let [option, behind @ ..] = rest {
        rest = match behind {
            [user, password, behind @ ..] if option.eq_ignore_ascii_case(b"auth") => {
                authenticate(connection, user, password)?;
                behind
            }
            [name, behind @ ..] if option.eq_ignore_ascii_case(b"setname") => {
                check_name(name)?;
                new_name = Some(name.clone());
                behind
            }
            _ => {
                let option = text_of(option);
                let text = format!("ERR Syntax error in HELLO option '{option}'");
                return Err(Refusal(text.into()));
            }
        };
    }
    Ok(new_name)
}

fn introduction(connection: &Connection<'_>) -> Resp {
    let text = |text: &'static str| Resp::Bulk(text.into());
    let version = match connection.session().protocol {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    };
    Resp::Map(vec![
        (text("server"), text("redis")),
        (text("version"), text(super::super::VERSION)),
        (text("proto"), Resp::Integer(version)),
        (text("id"), count(usize::try_from(connection.id.number()).unwrap_or(usize::MAX))),
        (text("mode"), text("standalone")),
        (text("role"), text("master")),
        (text("modules"), Resp::Array(Vec::new())),
    ])
}

/// A client's name is shown in lines and columns.
pub(super) fn check_name(name: &[u8]) -> Result<(), Refusal> {
    if name.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
        return Ok(());
    }
    let text = "ERR Client names cannot contain spaces, newlines or special characters.";
    Err(Refusal(text.into()))
}

fn ping(_call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    match &arguments[1..] {
        [] => Ok(Resp::Simple("PONG".into())),
        [message] => Ok(Resp::Bulk(message.clone())),
        _ => Err(Refusal("ERR wrong number of arguments for 'ping' command".into())),
    }
}

fn quit(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    connection.close();
    Ok(Resp::OK)
}

fn reset(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    connection.stop_listening();
    connection.unwatch();
    let id = connection.id;
    connection.server.stop_monitoring(id);
    let authenticated = !connection.server.has_password();
    let session = connection.session_mut();
    *session = Session {
        authenticated,
        address: std::mem::take(&mut session.address),
        local_address: std::mem::take(&mut session.local_address),
        connected_at_us: session.connected_at_us,
        active_at_us: session.active_at_us,
        last_command: session.last_command,
        ..Session::default()
    };
    Ok(Resp::Simple("RESET".into()))
}

fn select(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let database = connection.server.select(&arguments[1])?;
    connection.session_mut().database = database;
    Ok(Resp::OK)
}
