//! A session as a connection of the crate `redis`, async and blocking.

use std::io;

use ::redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, Value, aio};
use bytes::Bytes;

use super::{FakeConnection, LostReply};
use crate::Resp;

/// The session speaks RESP2, as a connection of that crate does unless its address asks for more.
impl aio::ConnectionLike for FakeConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let words = commands(&command.get_packed_command())?;
            let reply = self.send_bytes(words.first().map_or(&[], Vec::as_slice)).await?;
            value(reply).and_then(Value::extract_error)
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let mut values = Vec::new();
            for words in commands(&pipeline.get_packed_pipeline())? {
                values.push(value(self.send_bytes(&words).await?)?);
            }
            Ok(wanted(values, offset, count))
        })
    }

    fn get_db(&self) -> i64 {
        0
    }
}

/// Nothing waits here: a command that would have to is answered as if its time had run out.
impl ::redis::ConnectionLike for FakeConnection {
    fn req_packed_command(&mut self, command: &[u8]) -> RedisResult<Value> {
        let mut values = self.req_packed_commands(command, 0, 1)?;
        values.pop().unwrap_or_default().extract_error()
    }

    fn req_packed_commands(
        &mut self,
        packed: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let commands = commands(packed)?;
        let values = commands.iter().map(|words| value(self.try_command(words)?));
        Ok(wanted(values.collect::<RedisResult<_>>()?, offset, count))
    }

    fn get_db(&self) -> i64 {
        0
    }

    fn check_connection(&mut self) -> bool {
        true
    }

    fn is_open(&self) -> bool {
        true
    }
}

/// A lost reply is an I/O error, as it is to a client of a socket.
impl From<LostReply> for RedisError {
    fn from(lost: LostReply) -> Self {
        io::Error::from(lost).into()
    }
}

fn wanted(values: Vec<Value>, offset: usize, count: usize) -> Vec<Value> {
    values.into_iter().skip(offset).take(count).collect()
}

/// The words of each of the commands that the crate `redis` has packed.
///
/// # Errors
///
/// If they are not commands.
pub fn commands(mut packed: &[u8]) -> RedisResult<Vec<Vec<Bytes>>> {
    // It reads ahead, so it has to be one for all of them, and tells the end by an error.
    let mut parser = ::redis::Parser::new();
    let mut commands = Vec::new();
    loop {
        let words = match parser.parse_value(&mut packed) {
            Ok(Value::Array(words)) => words,
            Ok(_) => return Err(unexpected("a command is a list")),
            Err(end) if end.is_io_error() => return Ok(commands),
            Err(error) => return Err(error),
        };
        let word = |word| match word {
            Value::BulkString(word) => Ok(Bytes::from(word)),
            _ => Err(unexpected("a command's words are strings")),
        };
        commands.push(words.into_iter().map(word).collect::<RedisResult<_>>()?);
    }
}

fn unexpected(what: &'static str) -> RedisError {
    (ErrorKind::Client, what).into()
}

/// A reply as that crate has it in RESP2: an error of the server is its error.
///
/// # Errors
///
/// If it is, or holds, an error of the server.
// What only the crate's parser can make goes through its parser.
pub fn value(reply: Resp) -> RedisResult<Value> {
    Ok(match reply.plain() {
        Resp::Nil | Resp::NilArray => Value::Nil,
        Resp::Integer(number) => Value::Int(number),
        Resp::Bulk(bytes) => Value::BulkString(bytes.into()),
        Resp::Array(replies) => Value::Array(all(replies)?),
        Resp::Simple(status) if status == "OK" => Value::Okay,
        Resp::Simple(status) => {
            Value::SimpleString(String::from_utf8_lossy(&Resp::bytes_of(&status)).into_owned())
        }
        Resp::Error(message) => {
            let line = [b"-", &*Resp::bytes_of(&message), b"\r\n"].concat();
            ::redis::parse_redis_value(&line)?
        }
        _ => return Err(unexpected("a plain reply has only kinds of RESP2")),
    })
}

fn all(replies: Vec<Resp>) -> RedisResult<Vec<Value>> {
    replies.into_iter().map(value).collect()
}
