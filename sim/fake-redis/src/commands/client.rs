//! `CLIENT`: the connections, seen by one of them.

mod control;
mod kill;

use bytes::Bytes;

pub(super) use control::timeout_ms;

use super::{
    super::{
        Resp,
        command::{Answer, Flags, Group, Refusal, Spec, integer},
        resp::text_of,
        server::{Connection, OnConnection, Session, describe},
        session::SessionId,
    },
    connection::check_name,
};

const OWN: Flags = Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE);
const OTHERS: Flags = OWN.union(Flags::ADMIN);

pub(super) const COMMANDS: &[Spec] =
    &[Spec::container(Group::Connection, "client", SUBCOMMANDS).about("2.4.0", "Connections.")];

const SUBCOMMANDS: &[Spec] = &[
    Spec::of_connection(
        Group::Connection,
        "getredir",
        2,
        &OnConnection(control::get_redirection),
        OWN,
    )
    .about("6.0.0", "Tells where invalidations go: nowhere."),
    Spec::of_connection(Group::Connection, "getname", 2, &OnConnection(get_name), OWN)
        .about("2.6.9", "Tells the name of the connection."),
    Spec::help(Group::Connection, "5.0.0"),
    Spec::of_connection(Group::Connection, "id", 2, &OnConnection(id), OWN)
        .about("5.0.0", "Tells the number of the connection."),
    Spec::of_connection(Group::Connection, "info", 2, &OnConnection(info), OWN)
        .about("6.2.0", "Describes the connection."),
    Spec::of_connection(Group::Connection, "kill", -3, &OnConnection(kill::kill), OTHERS)
        .about("2.4.0", "Ends connections."),
    Spec::of_connection(Group::Connection, "list", -2, &OnConnection(list), OTHERS)
        .about("2.4.0", "Describes the connections."),
    Spec::of_connection(Group::Connection, "no-evict", 3, &OnConnection(control::no_evict), OTHERS)
        .about("7.0.0", "Does nothing: no connection is ended for want of memory."),
    Spec::of_connection(Group::Connection, "pause", -3, &OnConnection(control::pause), OTHERS)
        .about("3.0.0", "Holds commands back for some milliseconds."),
    Spec::of_connection(Group::Connection, "reply", 3, &OnConnection(control::reply), OWN)
        .about("3.2.0", "Says whether commands are answered."),
    Spec::of_connection(Group::Connection, "setname", 3, &OnConnection(set_name), OWN)
        .about("2.6.9", "Names the connection."),
    Spec::of_connection(Group::Connection, "tracking", -3, &OnConnection(control::tracking), OWN)
        .about("6.0.0", "Refused, unless it is to be off."),
    Spec::of_connection(Group::Connection, "unblock", -3, &OnConnection(control::unblock), OTHERS)
        .about("5.0.0", "Ends another connection's wait."),
    Spec::of_connection(Group::Connection, "unpause", 2, &OnConnection(control::unpause), OTHERS)
        .about("6.2.0", "Ends a pause."),
];

fn get_name(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    let name = &connection.session().name;
    Ok(if name.is_empty() { Resp::Nil } else { Resp::Bulk(name.clone()) })
}

fn id(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(Resp::Integer(i64::try_from(connection.id.number()).unwrap_or(i64::MAX)))
}

fn info(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    let line = describe(connection.server, connection.id, connection.session(), connection.now_us);
    Ok(Resp::Verbatim(format!("{line}\n").into()))
}

fn set_name(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    check_name(&arguments[2])?;
    connection.session_mut().name = arguments[2].clone();
    Ok(Resp::OK)
}

fn list(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let wanted = match &arguments[2..] {
        [] => Wanted::All,
        [option, kind] if option.eq_ignore_ascii_case(b"type") => Wanted::Kind(Kind::parse(kind)?),
        [option, ids @ ..] if option.eq_ignore_ascii_case(b"id") && !ids.is_empty() => {
            let id = |id: &Bytes| integer(id).map_err(|_| Refusal("ERR Invalid client ID".into()));
            Wanted::Ids(ids.iter().map(id).collect::<Result<_, _>>()?)
        }
        _ => return Err(Refusal::SYNTAX),
    };
    let sessions = connection.server.sessions();
    let lines = sessions
        .filter(|(id, session)| wanted.includes(*id, session))
        .map(|(id, session)| describe(connection.server, id, session, connection.now_us) + "\n");
    Ok(Resp::Verbatim(lines.collect::<String>().into()))
}

enum Wanted {
    All,
    Kind(Kind),
    Ids(Vec<i64>),
}

impl Wanted {
    fn includes(&self, id: SessionId, session: &Session) -> bool {
        match self {
            Self::All => true,
            Self::Kind(kind) => *kind == Kind::of(session),
            Self::Ids(ids) => i64::try_from(id.number()).is_ok_and(|id| ids.contains(&id)),
        }
    }
}

/// A kind of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Normal,
    PubSub,
    /// Another server: never one of ours.
    Server,
}

impl Kind {
    fn parse(text: &[u8]) -> Result<Self, Refusal> {
        match text.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(Self::Normal),
            b"pubsub" => Ok(Self::PubSub),
            b"master" | b"replica" | b"slave" => Ok(Self::Server),
            _ => {
                let text = text_of(text);
                Err(Refusal(format!("ERR Unknown client type '{text}'").into()))
            }
        }
    }

    fn of(session: &Session) -> Self {
        if session.is_listening() { Self::PubSub } else { Self::Normal }
    }
}
