//! How a rule names a connection.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{Request, Transport};

/// One connection, or all requests over REST.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Connection {
    /// The one of this number, from 1 in the order of connecting.
    Number(u64),
    /// All that their clients call so (`CLIENT SETNAME`); `rest` is every request over REST.
    Name(String),
}

impl Connection {
    pub(super) fn sent(&self, request: &Request<'_>) -> bool {
        match (self, request.transport) {
            (Self::Number(number), Transport::Resp) => *number == request.connection,
            (Self::Name(name), Transport::Resp) => name == request.name,
            (Self::Name(name), Transport::Rest) => name == "rest",
            (Self::Number(_), Transport::Rest) => false,
        }
    }
}

impl<'de> Deserialize<'de> for Connection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Connection;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a connection: a number from 1, or a name as of CLIENT SETNAME")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Connection, E> {
        if number == 0 {
            return Err(E::invalid_value(de::Unexpected::Unsigned(number), &self));
        }
        Ok(Connection::Number(number))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Connection, E> {
        if name.is_empty() {
            return Err(E::invalid_value(de::Unexpected::Str(name), &self));
        }
        Ok(Connection::Name(name.into()))
    }
}
