//! A server or a link goes silent without an error.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    words::{request, span},
    world::{Faults, Message, Silence, Step, System, Watch},
};

/// How long a silent server sits on a request before it applies it after all.
const STUCK: u64 = 1_500_000;

/// The fault of this file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hang {}

impl<S: System> Faults<S> for Hang {
    #[inline]
    fn serving<C: Chance, W: Watch>(
        step: &mut Step<'_, S, C, W>,
        message: &Message<S>,
    ) -> Silence {
        let (client, call) = (message.client, message.call);
        let choice = step.strikes(Fault::Hang, client, call, 3);
        if choice == 0 {
            return Silence::None;
        }
        step.struck(Fault::Hang, Some(client), choice, step.now());
        step.bit(Fault::Hang, Some(client), call);
        if choice == 1 {
            return Silence::Applied;
        }
        let length = step.lasts(Fault::Hang, client, call, STUCK);
        step.send_copy(message, step.now() + length);
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
