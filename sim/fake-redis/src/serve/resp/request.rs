//! Bytes to commands, within limits: what a client claims costs nothing until it has sent it.

use std::borrow::Cow;

use bytes::{Buf, Bytes, BytesMut};
use redis_protocol::resp2::{decode::decode_range, types::RangeFrame};

use super::words::words;

/// The longest argument, `proto-max-bulk-len` of Redis.
const ARGUMENT_MAX: usize = 512 << 20;
/// The most arguments.
const ARGUMENTS_MAX: i64 = 1 << 20;
/// The longest command in all, `client-query-buffer-limit` of Redis.
const COMMAND_MAX: usize = 1 << 30;
/// The longest line: a command as people type it, or a number.
const LINE_MAX: usize = 64 << 10;
/// The same for those who have not said the password.
const STRANGERS_ARGUMENT_MAX: usize = 16 << 10;
const STRANGERS_ARGUMENTS_MAX: i64 = 10;

/// The command that is being received.
#[derive(Debug, Default)]
pub(super) struct Requests {
    arguments: Vec<Bytes>,
    /// How many arguments are still to come.
    missing: usize,
    /// How long the arguments are together.
    size: usize,
}

/// Why a client cannot be understood any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// It is told, in these words.
    Told(Cow<'static, str>),
    /// It is sending without end.
    Endless,
}

type Parsed<T> = Result<T, Malformed>;

impl Requests {
    /// Takes a whole command from the front of `input`, if there is one: then
    /// [`Requests::arguments`] has it. Copies what it takes, so that `input` can be used again.
    pub(super) fn next(&mut self, input: &mut BytesMut, stranger: bool) -> Parsed<bool> {
        if self.missing == 0 {
            self.arguments.clear();
            self.size = 0;
        }
        while self.missing == 0 {
            match input.first() {
                None => return Ok(false),
                Some(b'*') => {
                    let Some(number) = count_of_arguments(input, stranger)? else {
                        return Ok(false);
                    };
                    self.missing = number;
                }
                Some(_) => {
                    let Some(line) = take_line(input, "inline request")? else { return Ok(false) };
                    let unbalanced = Malformed::Told("unbalanced quotes in request".into());
                    self.arguments = words(&line).ok_or(unbalanced)?;
                    if !self.arguments.is_empty() {
                        return Ok(true);
                    }
                }
            }
        }
        self.receive(input, stranger)
    }

    /// The command that was received last.
    pub(super) fn arguments(&self) -> &[Bytes] {
        &self.arguments
    }

    fn receive(&mut self, input: &mut BytesMut, stranger: bool) -> Parsed<bool> {
        let mut consumed = 0;
        while self.missing > 0 {
            let Some((argument, length)) = argument(&input[consumed..], stranger)? else { break };
            self.size += argument.len();
            self.arguments.push(argument);
            self.missing -= 1;
            consumed += length;
        }
        input.advance(consumed);
        if self.size + input.len() > COMMAND_MAX && self.missing > 0 {
            return Err(Malformed::Endless);
        }
        Ok(self.missing == 0)
    }
}

/// The number behind `*`. A command of none is passed over.
fn count_of_arguments(input: &mut BytesMut, stranger: bool) -> Parsed<Option<usize>> {
    let Some(end) = line_end(input, "mbulk count string")? else { return Ok(None) };
    let number = integer(&input[1..end]);
    skip_line(input, end);
    let number = number.filter(|number| *number <= ARGUMENTS_MAX);
    let number = number.ok_or_else(|| Malformed::Told("invalid multibulk length".into()))?;
    if stranger && number > STRANGERS_ARGUMENTS_MAX {
        return Err(Malformed::Told("unauthenticated multibulk length".into()));
    }
    Ok(Some(usize::try_from(number).unwrap_or(0)))
}

/// The argument at the front of `input`, with how many bytes it takes there.
fn argument(input: &[u8], stranger: bool) -> Parsed<Option<(Bytes, usize)>> {
    match input.first() {
        None => return Ok(None),
        Some(b'$') => {}
        Some(&other) => {
            let text = format!("expected '$', got '{}'", char::from(other));
            return Err(Malformed::Told(text.into()));
        }
    }
    match decode_range(input) {
        Ok(Some((RangeFrame::BulkString((from, to)), length)))
            if input[1] != b'+' && (!stranger || to - from <= STRANGERS_ARGUMENT_MAX) =>
        {
            Ok(Some((Bytes::copy_from_slice(&input[from..to]), length)))
        }
        _ => check_length(input, stranger).map(|()| None),
    }
}

/// Refuses the length of an argument that is not there yet, if it never can be.
fn check_length(input: &[u8], stranger: bool) -> Parsed<()> {
    let Some(end) = line_end(input, "bulk count string")? else { return Ok(()) };
    let length = integer(&input[1..end]).and_then(|length| usize::try_from(length).ok());
    match length {
        Some(length) if stranger && length > STRANGERS_ARGUMENT_MAX => {
            Err(Malformed::Told("unauthenticated bulk length".into()))
        }
        Some(length) if length <= ARGUMENT_MAX => Ok(()),
        _ => Err(Malformed::Told("invalid bulk length".into())),
    }
}

/// The line at the front, without its end.
fn take_line(input: &mut BytesMut, what: &str) -> Parsed<Option<BytesMut>> {
    let Some(end) = line_end(input, what)? else { return Ok(None) };
    let line = input.split_to(end);
    skip_line(input, 0);
    Ok(Some(line))
}

/// Drops the line at the front, which ends at `end`.
fn skip_line(input: &mut BytesMut, end: usize) {
    let ending = if input.get(end) == Some(&b'\r') { 2 } else { 1 };
    input.advance((end + ending).min(input.len()));
}

/// Where the line at the front ends.
fn line_end(input: &[u8], what: &str) -> Parsed<Option<usize>> {
    let searched = &input[..input.len().min(LINE_MAX)];
    match searched.iter().position(|&byte| byte == b'\n') {
        Some(end) if end > 0 && input[end - 1] == b'\r' => Ok(Some(end - 1)),
        Some(end) => Ok(Some(end)),
        None if input.len() > LINE_MAX => Err(Malformed::Told(format!("too big {what}").into())),
        None => Ok(None),
    }
}

/// An integer as Redis writes it: no `+`, no space.
fn integer(digits: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(digits).ok()?;
    text.parse().ok().filter(|_| !text.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands in `bytes`, which arrive in pieces of `size`.
    fn commands(bytes: &[u8], size: usize) -> Parsed<Vec<Vec<Bytes>>> {
        let (mut requests, mut input) = (Requests::default(), BytesMut::new());
        let mut commands = Vec::new();
        for piece in bytes.chunks(size) {
            input.extend_from_slice(piece);
            while requests.next(&mut input, false)? {
                commands.push(requests.arguments().to_vec());
            }
        }
        Ok(commands)
    }

    #[test]
    fn commands_are_the_same_however_they_are_cut() {
        let bytes = b"*2\r\n$4\r\nECHO\r\n$4\r\na\r\nb\r\n\r\n*0\r\nset a \"b c\"\r\n*1\r\n$0\r\n\r\nPING\n";
        let whole = commands(bytes, bytes.len()).unwrap();
        let expected: [&[&str]; 4] = [&["ECHO", "a\r\nb"], &["set", "a", "b c"], &[""], &["PING"]];
        assert_eq!(whole, expected);
        for size in 1..bytes.len() {
            assert_eq!(commands(bytes, size).unwrap(), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn what_cannot_become_a_command_is_refused_in_the_words_of_redis() {
        let long = "1".repeat(LINE_MAX + 1);
        for (bytes, text) in [
            ("*1048577\r\n", "invalid multibulk length"),
            ("*abc\r\n", "invalid multibulk length"),
            ("*1\r\n:1\r\n", "expected '$', got ':'"),
            ("*1\r\n*1\r\n*1\r\n", "expected '$', got '*'"),
            ("*1\r\n$-1\r\n", "invalid bulk length"),
            ("*1\r\n$+2\r\nab\r\n", "invalid bulk length"),
            ("*1\r\n$536870913\r\n", "invalid bulk length"),
            ("*1\r\n$9223372036854775807\r\n", "invalid bulk length"),
            ("*1\r\n$99999999999999999999\r\n", "invalid bulk length"),
            ("SET a \"b\r\n", "unbalanced quotes in request"),
            (&long, "too big inline request"),
            (&format!("*{long}"), "too big mbulk count string"),
            (&format!("*1\r\n${long}"), "too big bulk count string"),
        ] {
            let refused = Err(Malformed::Told(text.into()));
            assert_eq!(commands(bytes.as_bytes(), bytes.len()), refused);
            let in_pieces = commands(bytes.as_bytes(), bytes.len().min(100).div_ceil(9));
            assert_eq!(in_pieces, refused);
        }
    }

    #[test]
    fn a_claim_of_much_costs_nothing() {
        let (mut requests, mut input) = (Requests::default(), BytesMut::new());
        input.extend_from_slice(b"*1048576\r\n$536870912\r\nabc");
        assert_eq!(requests.next(&mut input, false), Ok(false));
        assert!(requests.arguments.capacity() < 100 && input.capacity() < 100);
    }

    #[test]
    fn a_stranger_may_say_little() {
        let refusal = |bytes: &[u8]| Requests::default().next(&mut BytesMut::from(bytes), true);
        let told = |text: &'static str| Err(Malformed::Told(text.into()));
        assert_eq!(refusal(b"*11\r\n"), told("unauthenticated multibulk length"));
        assert_eq!(refusal(b"*10\r\n$16384\r\n"), Ok(false));
        assert_eq!(refusal(b"*10\r\n$16385\r\n"), told("unauthenticated bulk length"));
    }
}
