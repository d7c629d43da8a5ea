//! What the simulator of this project shares with the machines. **Unstable**: any release may change
//! or remove it.

pub use crate::{
    debounce::record::{Applied, DebounceRecord, Life, Memo, Pending, Running},
    quorum::machine::{Progress, QuorumMachine},
};
