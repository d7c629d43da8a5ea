//! A server or a link goes silent without an error.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    words::{request, span},
    world::{Message, Step, Watch, What},
};

/// How long a silent server sits on a request before it applies it after all.
const STUCK: u64 = 1_500_000;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// It is applied and answered.
    None,
    /// It is applied and never answered.
    Applied,
    /// It is applied much later and never answered.
    Stuck,
}

impl<C: Chance, W: Watch> Step<'_, C, W> {
    #[inline]
    pub(crate) fn hangs(&mut self, message: &Message) -> Silence {
        let (client, call) = (message.client, message.call);
        let choice = self.strikes(Fault::Hang, client, call, 3);
        if choice == 0 {
            return Silence::None;
        }
        self.struck(Fault::Hang, Some(client), choice, self.core.now);
        self.bit(Fault::Hang, Some(client), call);
        if choice == 1 {
            return Silence::Applied;
        }
        let length = self.lasts(Fault::Hang, client, call, STUCK);
        let mut stuck = Box::new(message.clone());
        stuck.copy = 1;
        self.core.queue.push(self.core.now + length, What::Request(stuck));
        Silence::Stuck
    }
}

pub(crate) fn describe(site: Site, choice: u32) -> String {
    format!("{} {}", request(site), fate(choice))
}

pub(crate) fn strike(who: &str, choice: u32) -> String {
    format!("a request of {who} {}", fate(choice))
}

pub(crate) fn bite(_who: &str, _call: u32) -> Option<String> {
    None
}

fn fate(choice: u32) -> String {
    match choice {
        1 => "is applied, but never answered".into(),
        _ => format!("is stuck in the silent server for {}, and never answered", span(STUCK)),
    }
}
