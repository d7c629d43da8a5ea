//! `CLIENT KILL`.

use bytes::Bytes;

use super::{
    super::super::{
        Resp,
        command::{Answer, Refusal, integer},
        resp::count,
        server::{Connection, Session},
        session::SessionId,
    },
    Kind,
};

/// Which connections are to end: those that match all that is said.
#[derive(Debug, Default)]
struct Filter {
    id: Option<u64>,
    address: Option<String>,
    local_address: Option<String>,
    kind: Option<Kind>,
    user: Option<Bytes>,
    spare_me: bool,
}

pub(super) fn kill(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    match &arguments[2..] {
        [address] => {
            let address = Some(String::from_utf8_lossy(address).into_owned());
            match end(connection, &Filter { address, ..Filter::default() }) {
                0 => Err(Refusal("ERR No such client".into())),
                _ => Ok(Resp::OK),
            }
        }
        options => {
            let users = connection.server.users().into_iter().map(|(name, _)| name);
            let filter = Filter::parse(options, &users.collect::<Vec<_>>())?;
            Ok(count(end(connection, &filter)))
        }
    }
}

/// Ends those that match; how many.
fn end(connection: &mut Connection<'_>, filter: &Filter) -> usize {
    let me = connection.id;
    let matching = |(id, session): &(SessionId, &Session)| filter.matches(*id, session, me);
    let ids: Vec<_> = connection.server.sessions().filter(matching).map(|(id, _)| id).collect();
    for id in &ids {
        if *id == me {
            connection.close();
        } else {
            connection.server.kill(*id);
        }
    }
    ids.len()
}

impl Filter {
    fn parse(options: &[Bytes], users: &[Bytes]) -> Result<Self, Refusal> {
        let (pairs, rest) = options.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(Refusal::SYNTAX);
        }
        let mut filter = Self { spare_me: true, ..Self::default() };
        for [option, value] in pairs {
            let text = || String::from_utf8_lossy(value).into_owned();
            match option.to_ascii_lowercase().as_slice() {
                b"id" => filter.id = Some(parse_id(value)?),
                b"addr" => filter.address = Some(text()),
                b"laddr" => filter.local_address = Some(text()),
                b"type" => filter.kind = Some(Kind::parse(value)?),
                b"user" if users.contains(value) => filter.user = Some(value.clone()),
                b"user" => {
                    return Err(Refusal(format!("ERR No such user '{}'", text()).into()));
                }
                b"skipme" if value.eq_ignore_ascii_case(b"yes") => filter.spare_me = true,
                b"skipme" if value.eq_ignore_ascii_case(b"no") => filter.spare_me = false,
                _ => return Err(Refusal::SYNTAX),
            }
        }
        Ok(filter)
    }

    fn matches(&self, id: SessionId, session: &Session, me: SessionId) -> bool {
        let is = |wanted: &Option<String>, text| wanted.as_ref().is_none_or(|it| it == text);
        self.id.is_none_or(|wanted| wanted == id.number())
            && is(&self.address, &session.address)
            && is(&self.local_address, &session.local_address)
            && self.kind.is_none_or(|kind| kind == Kind::of(session))
            && self.user.as_ref().is_none_or(|wanted| *wanted == session.user_name())
            && !(self.spare_me && id == me)
    }
}

fn parse_id(text: &[u8]) -> Result<u64, Refusal> {
    let id = integer(text).ok().and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0);
    id.ok_or_else(|| Refusal("ERR client-id should be greater than 0".into()))
}
