//! What a kind of fault is.

use rand_chacha::ChaCha8Rng;
use serde::{Serialize, de::DeserializeOwned};

use super::{Orders, StrikeId};

/// What a rule is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// A request, once, whatever the number of its commands.
    Request,
    /// Each command of a request.
    Command,
}

/// One kind of fault. A file each; its fields are what a rule may say about it.
pub(super) trait Fault: DeserializeOwned + Serialize {
    /// Its name in a rule.
    const NAME: &'static str;
    const SCOPE: Scope = Scope::Request;
    /// Whether only a command that reads can be struck.
    const READS_ONLY: bool = false;
    /// Whether only REST knows it.
    const REST_ONLY: bool = false;
    /// What it changes whenever it strikes; `None` if that shows only later.
    const EFFECT: Option<&'static str>;

    /// Refuses what cannot be ordered.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// Puts itself into the orders; `false` if something else came first.
    fn strike(&self, order: &mut Strike<'_>) -> bool;
}

/// Where a fault puts itself.
pub(super) struct Strike<'a> {
    pub(super) orders: &'a mut Orders,
    /// The number of the command that is struck.
    pub(super) command: usize,
    pub(super) id: StrikeId,
    pub(super) random: &'a mut ChaCha8Rng,
}
