//! The debounce's scripts, their arguments and their replies.

use super::{Invocation, Value};
use crate::{
    debounce::{DebounceCommand, DebounceReply},
    store::StoreError,
};

pub(super) fn encode(command: &DebounceCommand) -> Invocation {
    match *command {}
}

pub(super) fn decode(
    command: &DebounceCommand,
    _value: &Value,
) -> Result<DebounceReply, StoreError> {
    match *command {}
}
