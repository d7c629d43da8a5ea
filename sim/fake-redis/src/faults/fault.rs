//! What a kind of fault is.

use rand_chacha::ChaCha8Rng;
use serde::{Serialize, de::DeserializeOwned};

use super::{Effects, InjectionId};

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
    /// Whether it is injected only into a command that reads.
    const READS_ONLY: bool = false;
    /// Whether only REST knows it.
    const REST_ONLY: bool = false;
    /// What it changes whenever it is injected; `None` if that shows only later.
    const EFFECT: Option<&'static str>;

    /// Refuses what cannot be injected.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// Puts itself into the effects; `false` if something else came first.
    fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool;
}

/// Where a fault may be injected.
pub(super) struct Opportunity<'a> {
    pub(super) effects: &'a mut Effects,
    /// The number of the command that it is injected into.
    pub(super) command: usize,
    pub(super) id: InjectionId,
    pub(super) random: &'a mut ChaCha8Rng,
}
