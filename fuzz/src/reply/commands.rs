//! One command of each kind: what is in it does not matter to the meaning of its reply.

use std::sync::Arc;

use leasehold_core::{
    Command, Fence, Token,
    debounce::{DebounceCommand, DebounceKeys, Retention, Timing},
    lock::{IfHeld, LockCommand, LockKeys},
};

pub(super) fn choose(choice: u8) -> Command {
    match choice % 15 {
        choice @ 0..9 => Command::Lock(lock(choice)),
        choice => Command::Debounce(debounce(choice - 9)),
    }
}

fn lock(choice: u8) -> LockCommand {
    let (keys, token) = (LockKeys::of("job").into(), token());
    match choice {
        0 => LockCommand::Acquire { keys, token, lease_ms: 1, fence_life_ms: 1, tombstone_ms: 1 },
        1 => LockCommand::Extend { keys, token, lease_ms: 1 },
        2 => LockCommand::Release { keys, token, tombstone_ms: 1 },
        3 => LockCommand::RaiseFence { keys, token, fence: Fence(1), fence_life_ms: 1 },
        4 => LockCommand::Confirm { keys, replicas: 1, timeout_ms: 1 },
        5 => LockCommand::AcquireLean { keys, token, lease_ms: 1, held: IfHeld::Unsaid },
        6 => LockCommand::AcquireLean { keys, token, lease_ms: 1, held: IfHeld::Wait(1) },
        7 => LockCommand::ReleaseLean { keys, token },
        _ => LockCommand::Inspect { keys, token: Some(token) },
    }
}

fn debounce(choice: u8) -> DebounceCommand {
    let keys = Arc::new(DebounceKeys::of("job"));
    let retention = Retention { armed_ms: 1, settled_ms: 1, memo_ms: 1 };
    match choice {
        0 => {
            let timing = Timing { wait_ms: 1, max_wait_ms: None, leading: false, trailing: true };
            let args = b"".as_slice().into();
            DebounceCommand::Call { keys, call: token(), args, seq: 0, timing, retention }
        }
        1 => DebounceCommand::Claim { keys, runner: token(), seq: 1, run_lease_ms: 1, retention },
        2 => DebounceCommand::Finish {
            keys,
            runner: token(),
            seq: 1,
            fence: Fence(1),
            success: true,
            retry_ms: 1,
            retention,
        },
        3 => DebounceCommand::Cancel { keys, request: token(), retention },
        4 => DebounceCommand::Flush { keys, request: token(), retention },
        _ => DebounceCommand::Inspect { keys },
    }
}

fn token() -> Token {
    Token::new("token").expect("it is not empty")
}
