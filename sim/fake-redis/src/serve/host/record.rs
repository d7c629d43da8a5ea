//! The last requests, for a test to look at.

use bytes::Bytes;
use serde::Serialize;

use crate::{
    Facts,
    serve::faults::{KEYS_TOLD, Request, Transport, cut},
};

/// How many are remembered.
const REMEMBERED: u64 = 1_000;

/// What a place for a request keeps of its memory, in bytes.
const SMALL: usize = 1_024;

/// How many commands of a request are told.
const COMMANDS_TOLD: usize = 32;

/// A request that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its number, from 1.
    pub id: u64,
    /// When, in milliseconds since the Unix epoch, by the server's clock.
    pub unix_ms: u64,
    /// By which way.
    pub transport: Transport,
    /// The address of the client.
    pub client: String,
    /// What it asked for, in order: the first 32 commands.
    pub commands: Vec<SeenCommand>,
}

/// A command, without the arguments that may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeenCommand {
    /// Its name, in upper case.
    pub name: String,
    /// Its keys, at most 32.
    pub keys: Vec<String>,
}

/// The last thousand requests, each as bytes in a place that is used again and again.
#[derive(Debug, Default)]
pub(super) struct Record {
    noted: Vec<Noted>,
    count: u64,
}

/// A request: the client, and for each command how many keys it has, its name and the keys.
#[derive(Debug)]
struct Noted {
    unix_ms: u64,
    transport: Transport,
    bytes: Vec<u8>,
}

impl Record {
    pub(super) fn add(&mut self, request: &Request<'_>) {
        let Request { transport, client, unix_ms, commands, .. } = *request;
        let place = (self.count % REMEMBERED) as usize;
        self.count += 1;
        if place == self.noted.len() {
            self.noted.push(Noted { unix_ms, transport, bytes: Vec::new() });
        }
        let noted = &mut self.noted[place];
        (noted.unix_ms, noted.transport) = (unix_ms, transport);
        noted.bytes.clear();
        // A large request leaves no large place to many small ones.
        noted.bytes.shrink_to(SMALL);
        noted.put(client.as_bytes());
        for command in commands.iter().take(COMMANDS_TOLD) {
            noted.put_command(command);
        }
    }

    /// Oldest first.
    pub(super) fn seen(&self) -> Vec<Seen> {
        let first = self.count.saturating_sub(REMEMBERED);
        (first..self.count)
            .map(|index| self.noted[(index % REMEMBERED) as usize].seen(index + 1))
            .collect()
    }
}

impl Noted {
    fn put_command(&mut self, command: &[Bytes]) {
        let begin = self.bytes.len();
        self.bytes.push(0);
        self.put(command.first().map_or(&[][..], |name| cut(name)));
        let mut keys = 0;
        Facts::each_key(command, |key| {
            if usize::from(keys) < KEYS_TOLD {
                keys += 1;
                self.put(cut(key));
            }
        });
        self.bytes[begin] = keys;
    }

    /// Adds a text, which is short.
    fn put(&mut self, text: &[u8]) {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(&text[..length.into()]);
    }

    fn seen(&self, id: u64) -> Seen {
        let mut rest = &self.bytes[..];
        let client = take(&mut rest).unwrap_or_default();
        let mut commands = Vec::new();
        while let Some((keys, behind)) = rest.split_first() {
            rest = behind;
            let name = take(&mut rest).unwrap_or_default().to_uppercase();
            let keys = (0..*keys).filter_map(|_| take(&mut rest)).collect();
            commands.push(SeenCommand { name, keys });
        }
        Seen { id, unix_ms: self.unix_ms, transport: self.transport, client, commands }
    }
}

/// The text in front.
fn take(rest: &mut &[u8]) -> Option<String> {
    let (length, behind) = rest.split_first_chunk()?;
    let (text, behind) = behind.split_at_checked(u16::from_le_bytes(*length).into())?;
    *rest = behind;
    Some(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(client: &'a str, commands: &'a [&'a [Bytes]]) -> Request<'a> {
        let (transport, name) = (Transport::Resp, "");
        Request { transport, client, connection: 0, name, unix_ms: 7, commands }
    }

    #[test]
    fn what_is_noted_is_told_and_the_oldest_is_forgotten() {
        let mut record = Record::default();
        let long = "k".repeat(300);
        let words = |text: &str| text.split(' ').map(|it| Bytes::from(it.to_owned())).collect();
        let (set, eval, wrong): (Vec<_>, Vec<_>, Vec<_>) =
            (words(&format!("set {long} v")), words("Eval return 2 a b c"), words("nope x"));
        for _ in 0..1_000 {
            record.add(&request("1.2.3.4:5", &[&set]));
        }
        record.add(&request("", &[&eval, &wrong, &[]]));
        let seen = record.seen();
        assert_eq!((seen.len(), seen[0].id, seen[999].id), (1_000, 2, 1_001));
        let told = |seen: &Seen| -> Vec<_> {
            seen.commands.iter().map(|it| (it.name.clone(), it.keys.clone())).collect()
        };
        assert_eq!(seen[998].client, "1.2.3.4:5");
        assert_eq!(told(&seen[998]), [("SET".into(), vec![long[..256].into()])]);
        let last = [("EVAL", vec!["a", "b"]), ("NOPE", vec![]), ("", vec![])];
        let last =
            last.map(|(name, keys)| (name.into(), keys.into_iter().map(Into::into).collect()));
        assert_eq!(told(&seen[999]), last);
        assert_eq!((seen[999].client.as_str(), seen[999].unix_ms), ("", 7));
    }
}
