//! How a command waits.

use bytes::Bytes;

use super::Call;

/// Asked after a command has answered [`Nil`](crate::redis::Resp::Nil) or
/// [`NilArray`](crate::redis::Resp::NilArray): what it waits for, `None` if it was not told to
/// wait. It has been checked before: the function that ran it refuses a wrong timeout.
///
/// Inside a script or a transaction nothing waits, so nobody asks there.
pub(in crate::redis) type Blocks = fn(&mut Call<'_>, &[Bytes]) -> Option<Wait>;

/// What a command waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::redis) struct Wait {
    /// For how many milliseconds; `None`: for ever. Once they are over, every command answers
    /// [`NilArray`](crate::redis::Resp::NilArray).
    pub(in crate::redis) timeout_ms: Option<u64>,
    /// Once one of these changes, and is of the type, the command is to be run again.
    pub(in crate::redis) keys: Vec<Bytes>,
    /// As `TYPE` names it. A key of another type ends no wait.
    pub(in crate::redis) type_name: &'static str,
    /// What to run then: the command's arguments, with `$` replaced by the last entry of now.
    pub(in crate::redis) arguments: Vec<Bytes>,
}

impl Wait {
    /// A wait of a command that can be run again as it is.
    pub(in crate::redis) fn new(
        type_name: &'static str,
        keys: &[Bytes],
        timeout_ms: Option<u64>,
        arguments: &[Bytes],
    ) -> Option<Self> {
        let (keys, arguments) = (keys.to_vec(), arguments.to_vec());
        Some(Self { timeout_ms, keys, type_name, arguments })
    }
}
