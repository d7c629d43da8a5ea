//! Transactions.

use bytes::Bytes;

use super::super::{
    Resp,
    command::{Answer, Flags, Group, Refusal, Spec},
    server::{Connection, OnConnection},
};

const ANYTIME: Flags =
    Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE).union(Flags::ALLOW_BUSY);
const QUICK: Flags = ANYTIME.union(Flags::FAST);

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::of_connection(Group::Transactions, "discard", 1, &OnConnection(discard), QUICK)
        .about("2.0.0", "Forgets the commands that were queued."),
    Spec::of_connection(Group::Transactions, "exec", 1, &OnConnection(exec),
        Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE).union(Flags::SKIP_SLOWLOG))
        .about("1.2.0", "Runs the commands that were queued, all or none."),
    Spec::of_connection(Group::Transactions, "multi", 1, &OnConnection(multi), QUICK)
        .about("1.2.0", "Begins to queue commands."),
    Spec::of_connection(Group::Transactions, "unwatch", 1, &OnConnection(unwatch), QUICK)
        .about("2.2.0", "Forgets the watched keys."),
    Spec::of_connection(Group::Transactions, "watch", -2, &OnConnection(watch), QUICK)
        .keys(1, -1, 1).access("RO")
        .about("2.2.0", "Makes the next EXEC run nothing if one of these keys changes before it."),
];

fn multi(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    let transaction = &mut connection.session_mut().transaction;
    if transaction.is_some() {
        return Err(Refusal("ERR MULTI calls can not be nested".into()));
    }
    *transaction = Some(Box::default());
    Ok(Resp::OK)
}

fn exec(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    connection.exec()
}

fn discard(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    if connection.session_mut().transaction.take().is_none() {
        return Err(Refusal("ERR DISCARD without MULTI".into()));
    }
    connection.unwatch();
    Ok(Resp::OK)
}

fn watch(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    if connection.session().transaction.is_some() {
        return Err(Refusal("ERR WATCH inside MULTI is not allowed".into()));
    }
    arguments[1..].iter().for_each(|key| connection.watch(key));
    Ok(Resp::OK)
}

fn unwatch(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    connection.unwatch();
    Ok(Resp::OK)
}
