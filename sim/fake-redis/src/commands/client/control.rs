//! `CLIENT`: what a connection wants for itself or does to others, short of ending them.

use bytes::Bytes;

use super::super::super::{
    Resp,
    command::{Answer, Refusal, integer},
    server::{Connection, Pause, Silence},
    session::SessionId,
};

pub(super) fn reply(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let silence = &mut connection.session_mut().silence;
    match arguments[2].to_ascii_lowercase().as_slice() {
        b"on" => {
            *silence = Silence::None;
            connection.ends_silence = true;
        }
        b"off" => *silence = Silence::All,
        b"skip" if *silence == Silence::All => {}
        b"skip" => *silence = Silence::Next,
        _ => return Err(Refusal::SYNTAX),
    }
    Ok(Resp::OK)
}

pub(super) fn no_evict(_connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    match arguments[2].to_ascii_lowercase().as_slice() {
        b"on" | b"off" => Ok(Resp::OK),
        _ => Err(Refusal::SYNTAX),
    }
}

pub(super) fn tracking(_connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    match arguments[2].to_ascii_lowercase().as_slice() {
        b"off" => Ok(Resp::OK),
        b"on" => Err(Refusal("ERR this in-memory server does not track what clients read".into())),
        _ => Err(Refusal::SYNTAX),
    }
}

pub(super) fn get_redirection(_connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(Resp::Integer(-1))
}

pub(super) fn pause(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let writes_only = match &arguments[3..] {
        [] => false,
        [mode] if mode.eq_ignore_ascii_case(b"all") => false,
        [mode] if mode.eq_ignore_ascii_case(b"write") => true,
        [_] => return Err(Refusal("ERR CLIENT PAUSE mode must be WRITE or ALL".into())),
        _ => return Err(Refusal::SYNTAX),
    };
    let until_us = connection.now_us.saturating_add(timeout_ms(&arguments[2])? * 1_000);
    let now_us = connection.now_us;
    connection.server.pause(now_us, Pause { until_us, writes_only });
    Ok(Resp::OK)
}

pub(super) fn unpause(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    let now_us = connection.now_us;
    connection.server.unpause(connection.table, now_us);
    Ok(Resp::OK)
}

pub(super) fn unblock(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let with_error = match &arguments[3..] {
        [] => false,
        [reason] if reason.eq_ignore_ascii_case(b"timeout") => false,
        [reason] if reason.eq_ignore_ascii_case(b"error") => true,
        _ => {
            let text = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR";
            return Err(Refusal(text.into()));
        }
    };
    let id = u64::try_from(integer(&arguments[2])?).map(SessionId);
    let now_us = connection.now_us;
    Ok(id.is_ok_and(|id| connection.server.unblock(now_us, id, with_error)).into())
}

/// A time in milliseconds, as an argument.
pub(in crate::commands) fn timeout_ms(text: &[u8]) -> Result<u64, Refusal> {
    let number = integer(text)
        .map_err(|_| Refusal("ERR timeout is not an integer or out of range".into()))?;
    u64::try_from(number).map_err(|_| Refusal("ERR timeout is negative".into()))
}
