//! How a command waits.

use bytes::Bytes;

use super::{Call, Keys, Table};
use crate::{Entry, Value};

/// Asked after a command has answered [`Nil`](crate::Resp::Nil) or
/// [`NilArray`](crate::Resp::NilArray): what it waits for, `None` if it was not told to
/// wait. It has been checked before: the function that ran it refuses a wrong timeout.
///
/// Inside a script or a transaction nothing waits, so nobody asks there.
pub(crate) type Blocks = fn(&mut Call<'_>, &[Bytes]) -> Option<Wait>;

/// What a command waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wait {
    /// For how many milliseconds; `None`: for ever. Once they are over, every command answers
    /// [`NilArray`](crate::Resp::NilArray).
    pub(crate) timeout_ms: Option<u64>,
    /// Once one of these comes, and is of the type, the command is to be run again.
    pub(crate) keys: Vec<Bytes>,
    /// As `TYPE` names it. A key of another type ends no wait.
    pub(crate) type_name: &'static str,
    /// A group that the keys, which are streams, have: the wait ends with the key or the group.
    pub(crate) group: Option<Bytes>,
    /// What to run then: the command's arguments, with `$` replaced by the last entry of now.
    pub(crate) arguments: Vec<Bytes>,
}

impl Wait {
    /// A wait of a command that can be run again as it is.
    pub(crate) fn new(
        type_name: &'static str,
        keys: &[Bytes],
        timeout_ms: Option<u64>,
        arguments: &[Bytes],
    ) -> Option<Self> {
        let (keys, arguments) = (keys.to_vec(), arguments.to_vec());
        Some(Self { timeout_ms, keys, type_name, group: None, arguments })
    }

    /// Whether to run the command again when a key holds this.
    pub(crate) fn look(&self, entry: Option<&Entry>) -> Found {
        let of_type = entry.filter(|entry| entry.value.type_name() == self.type_name);
        match (&self.group, of_type.map(|entry| &entry.value)) {
            (None, None) => Found::Nothing,
            (Some(_), None) => Found::End("UNBLOCKED the stream key no longer exists"),
            (Some(group), Some(Value::Stream(stream))) if !stream.groups.contains_key(group) => {
                let text = "NOGROUP the consumer group this client was blocked on no longer exists";
                Found::End(text)
            }
            (_, Some(_)) => Found::Something,
        }
    }
}

/// What there is for one that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Something,
    /// Nothing any more: this error ends the wait.
    End(&'static str),
}

/// A command that waits for so many keys, as if it waited for this one alone: what is run once that
/// has changed.
pub(crate) fn narrowed(
    table: &Table,
    arguments: &[Bytes],
    number: usize,
    key: &Bytes,
) -> Vec<Bytes> {
    let keys = arguments.first().and_then(|name| table.by_name(name)).map(|spec| spec.keys);
    let length = arguments.len();
    let (head, tail) = match keys {
        _ if number == 1 => return arguments.to_vec(),
        Some(Keys::Counted { count, .. }) => {
            (&[&arguments[..count], &[ONE]].concat()[..], &arguments[count + 1 + number..])
        }
        Some(Keys::Streams) => {
            let (begin, ids) = (length - 2 * number, length - number);
            let place = arguments[begin..ids].iter().position(|other| other == key).unwrap_or(0);
            (&arguments[..begin], &arguments[ids + place..=ids + place])
        }
        _ => (&arguments[..1], &arguments[1 + number..]),
    };
    head.iter().chain([key]).chain(tail).cloned().collect()
}

const ONE: Bytes = Bytes::from_static(b"1");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::TABLE;

    #[test]
    fn a_command_is_narrowed_to_the_key_that_changed() {
        let words = |line: &str| -> Vec<Bytes> {
            line.split(' ').map(|word| word.to_owned().into()).collect()
        };
        for (line, number, key, expected) in [
            ("BLPOP a b 5", 2, "b", "BLPOP b 5"),
            ("BLMPOP 5 2 a b LEFT COUNT 3", 2, "a", "BLMPOP 5 1 a LEFT COUNT 3"),
            ("XREAD BLOCK 5 STREAMS a b 1-1 2-2", 2, "b", "XREAD BLOCK 5 STREAMS b 2-2"),
            ("BLMOVE a b LEFT RIGHT 5", 1, "a", "BLMOVE a b LEFT RIGHT 5"),
        ] {
            assert_eq!(
                narrowed(&TABLE, &words(line), number, &key.to_owned().into()),
                words(expected)
            );
        }
    }
}
