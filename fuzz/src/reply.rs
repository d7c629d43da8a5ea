//! Whatever a store replies, decoding it ends, and only the right shape is taken for an answer.

mod commands;

use leasehold_core::{
    Command, Reply, StoreError,
    debounce::{DebounceCommand, DebounceReply},
    lock::{LockCommand, LockReply},
    redis::{Request, Value, decode, encode},
};

use crate::bytes::Bytes;

/// Decodes an arbitrary reply to one of the commands.
///
/// # Panics
///
/// If a reply answers a question that was not asked, if an error is taken for an answer, or if a
/// shape that no script has is said to mean that nothing was applied.
pub fn reply(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let command = commands::choose(bytes.byte());
    let value = bytes.value();
    match (&value, decode(&command, value.clone())) {
        (Value::Error(_), Err(StoreError::NotSent(_) | StoreError::Rejected(_))) => {}
        (Value::Error(_), other) => panic!("an error was taken for {other:?}"),
        // Of a pipeline, the first command was refused, which is the one that takes the lock.
        (Value::Array(replies), Err(StoreError::NotSent(_) | StoreError::Rejected(_)))
            if is_pipeline(&command) && matches!(replies[..], [Value::Error(_), _]) => {}
        (_, Ok(reply)) => assert!(answers(&command, &reply), "{command:?}: {reply:?}"),
        (_, Err(StoreError::Unknown(_))) => {}
        (value, other) => panic!("{value:?} was taken for {other:?}"),
    }
}

fn is_pipeline(command: &Command) -> bool {
    matches!(encode(command), Request::Pipeline(_))
}

fn answers(command: &Command, reply: &Reply) -> bool {
    match (command, reply) {
        (Command::Lock(command), Reply::Lock(reply)) => answers_lock(command, reply),
        (Command::Debounce(command), Reply::Debounce(reply)) => answers_debounce(command, reply),
        (Command::Lock(_), Reply::Debounce(_)) | (Command::Debounce(_), Reply::Lock(_)) => false,
    }
}

fn answers_lock(command: &LockCommand, reply: &LockReply) -> bool {
    use LockReply as R;
    match command {
        LockCommand::Acquire { .. } => {
            matches!(reply, R::Acquired { .. } | R::Busy { .. } | R::Revoked)
        }
        LockCommand::AcquireLean { .. } => {
            matches!(reply, R::Acquired { .. } | R::Busy { .. } | R::Taken)
        }
        LockCommand::Extend { .. } => matches!(reply, R::Extended | R::NotHeld),
        LockCommand::Release { .. } | LockCommand::ReleaseLean { .. } => {
            matches!(reply, R::Released | R::NotHeld)
        }
        LockCommand::Inspect { .. } => matches!(reply, R::Holder(_)),
        LockCommand::RaiseFence { .. } => matches!(reply, R::FenceRaised | R::NotHeld),
        LockCommand::Confirm { .. } => matches!(reply, R::Confirmed { .. }),
    }
}

fn answers_debounce(command: &DebounceCommand, reply: &DebounceReply) -> bool {
    use DebounceReply as R;
    match command {
        DebounceCommand::Call { .. } => matches!(reply, R::Armed { .. } | R::Suppressed { .. }),
        DebounceCommand::Claim { .. } => matches!(
            reply,
            R::Claimed { .. }
                | R::NotDue { .. }
                | R::Running { .. }
                | R::Settled { .. }
                | R::Missing
                | R::Idle
                | R::Revoked
        ),
        DebounceCommand::Finish { .. } => {
            matches!(reply, R::Finished | R::Rearmed { .. } | R::Dropped | R::Stale)
        }
        DebounceCommand::Cancel { .. } => matches!(reply, R::Cancelled { .. }),
        DebounceCommand::Flush { .. } => matches!(reply, R::Flushed { .. }),
        DebounceCommand::Inspect { .. } => matches!(reply, R::Status(_)),
    }
}

#[cfg(test)]
mod tests {
    use leasehold_core::Fence;

    use super::*;
    use crate::noise::{corpus, inputs, neighbours};

    /// `"9"`, in the encoding of [`Bytes::value`].
    const FENCE: [u8; 2] = [5, 9];
    /// `["held", "9"]`.
    const HELD: [u8; 6] = [7, 2, 3, 0, 5, 9];

    #[test]
    fn short_inputs_all_pass() {
        reply(&[]);
        for command in 0..=u8::MAX {
            for byte in 0..=u8::MAX {
                reply(&[command, byte]);
                reply(&[command, 7, 2, 3, byte, 5, 9]);
            }
        }
    }

    #[test]
    fn noise_and_the_corpus_all_pass() {
        for seed in corpus("reply") {
            neighbours(&seed).for_each(|bytes| reply(&bytes));
        }
        inputs(50_000, 64).for_each(|bytes| reply(&bytes));
    }

    #[test]
    fn the_inputs_reach_real_answers() {
        for (bytes, fresh) in [(&FENCE[..], true), (&HELD, false)] {
            let decoded = decode(&commands::choose(0), Bytes(bytes).value());
            let granted = LockReply::Acquired { fence: Fence(9), fresh };
            assert_eq!(decoded, Ok(Reply::Lock(granted)));
        }
    }

    #[test]
    fn an_answer_to_another_question_is_seen() {
        assert!(answers(&commands::choose(1), &Reply::Lock(LockReply::Extended)));
        assert!(!answers(&commands::choose(0), &Reply::Lock(LockReply::Extended)));
        assert!(!answers(&commands::choose(0), &Reply::Debounce(DebounceReply::Idle)));
    }
}
