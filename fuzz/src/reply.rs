//! Whatever a store replies, decoding it ends, and only the right shape is taken for an answer.

use leasehold_core::{
    Command, Reply, StoreError, Token,
    lock::{LockCommand, LockKeys, LockReply},
    redis::{Value, decode},
};

use crate::bytes::Bytes;

/// Decodes arbitrary replies to each command of a lock.
///
/// # Panics
///
/// If a reply answers a question that was not asked, if an error is taken for an answer, or if a
/// shape that no script has is said to mean that nothing was applied.
pub fn reply(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let command = command(bytes.byte());
    let value = bytes.value();
    let decoded = decode(&Command::Lock(command.clone()), value.clone());
    match (&value, decoded) {
        (Value::Error(_), Ok(reply)) => panic!("an error was taken for {reply:?}"),
        (Value::Error(_), Err(StoreError::NotSent(_) | StoreError::Rejected(_))) => {}
        (_, Ok(Reply::Lock(reply))) => assert!(answers(&command, &reply), "{command:?}: {reply:?}"),
        (_, Err(StoreError::Unknown(_))) => {}
        (value, other) => panic!("{value:?} was taken for {other:?}"),
    }
}

fn command(choice: u8) -> LockCommand {
    let keys = LockKeys::of("job").into();
    let token = Token::new("token").expect("it is not empty");
    match choice % 4 {
        0 => LockCommand::Acquire { keys, token, lease_ms: 1, fence_life_ms: 1 },
        1 => LockCommand::Extend { keys, token, lease_ms: 1 },
        2 => LockCommand::Release { keys, token, tombstone_ms: 1 },
        _ => LockCommand::Inspect { keys, token: Some(token) },
    }
}

fn answers(command: &LockCommand, reply: &LockReply) -> bool {
    match command {
        LockCommand::Acquire { .. } => {
            matches!(reply, LockReply::Acquired { .. } | LockReply::Busy { .. } | LockReply::Gone)
        }
        LockCommand::Extend { .. } => matches!(reply, LockReply::Extended | LockReply::NotHeld),
        LockCommand::Release { .. } => matches!(reply, LockReply::Released | LockReply::NotHeld),
        LockCommand::Inspect { .. } => matches!(reply, LockReply::Holder(_)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_inputs_all_pass() {
        reply(&[]);
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                reply(&[first, second]);
                reply(&[first, 7, 3, 3, second, 2, 9, 2, 3]);
            }
        }
    }

    #[test]
    fn long_inputs_all_pass() {
        // An odd multiplier walks through every value of a byte, in an order without a pattern.
        let mut state = 1_u64;
        for _ in 0..20_000 {
            let bytes = [(); 64].map(|()| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            });
            reply(&bytes);
        }
    }

    #[test]
    fn the_inputs_reach_real_answers() {
        let acquired = [0, 7, 3, 3, 0, 2, 9, 2, 3];
        let mut bytes = Bytes(&acquired[1..]);
        let command = Command::Lock(command(0));
        assert!(matches!(
            decode(&command, bytes.value()),
            Ok(Reply::Lock(LockReply::Acquired { fresh: true, .. }))
        ));
    }
}
