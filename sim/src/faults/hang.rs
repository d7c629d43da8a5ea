//! A server or a link goes silent without an error.

use super::{
    Fault,
    reply_loss::{is_of_notification, lost_notification},
};
use crate::{
    decide::{Address, DecisionSource},
    history::Client,
    words::{message, request, span},
    world::{Faults, Message, Observer, Silence, Step, System},
};

/// How long a silent server sits on a request before it applies it after all.
const STUCK: u64 = 1_500_000;

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hang {}

impl<S: System> Faults<S> for Hang {
    #[inline]
    fn serving<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        message: &Message<S>,
    ) -> Silence {
        let (client, call) = (message.client, message.call);
        let choice = step.injects(Fault::Hang, client, call, 3);
        if choice == 0 {
            return Silence::None;
        }
        step.injected(Fault::Hang, Some(client), choice, step.now());
        step.took_effect(Fault::Hang, Some(client), call);
        if choice == 1 {
            return Silence::Applied;
        }
        let length = step.lasts(Fault::Hang, client, call, STUCK);
        step.hold_back(message, step.now() + length);
        Silence::Stuck
    }

    fn loses_notification<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        client: Client,
        _node: u8,
        number: u32,
    ) -> bool {
        lost_notification(step, Fault::Hang, client, number)
    }
}

pub(crate) fn describe(address: Address, choice: u32) -> String {
    if is_of_notification(address) {
        return format!("{} is never sent, and nobody says so", message(address));
    }
    format!("{} {}", request(address), fate(choice))
}

pub(crate) fn injection(who: &str, choice: u32) -> String {
    format!("a request of {who} {}", fate(choice))
}

pub(crate) fn effect(who: &str, call: u32) -> Option<String> {
    (call == 0).then(|| format!("a notification of {who} is never sent, and nobody says so"))
}

fn fate(choice: u32) -> String {
    match choice {
        1 => "is applied, but never answered".into(),
        _ => format!("is stuck in the silent server for {}, and never answered", span(STUCK)),
    }
}
