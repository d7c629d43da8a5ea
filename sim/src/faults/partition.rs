//! A client's link to a server drops everything for a while, in one or both directions.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    history::Client,
    words::{client, pick, span},
    world::{Fate, Faults, Link, Message, Observer, Step, System},
};

/// Shorter than a time-out, longer than one, longer than a lease.
const LENGTHS: [u64; 3] = [100_000, 600_000, 1_600_000];

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Partition {}

impl<S: System> Faults<S> for Partition {
    #[inline]
    fn sending<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        client: Client,
        node: u8,
        call: u32,
    ) {
        let choice = step.injects(Fault::Partition, client, call, 10);
        if choice == 0 {
            return;
        }
        let (direction, length) = ((choice - 1) / 3, LENGTHS[(choice as usize - 1) % 3]);
        let length = step.lasts(Fault::Partition, client, call, length);
        let until = (step.now() + length).min(step.settings().faults_end);
        let link = &mut step.host(client).links[usize::from(node)];
        if direction != 1 {
            link.requests_cut_until = until;
        }
        if direction != 0 {
            link.replies_cut_until = until;
        }
        step.injected(Fault::Partition, Some(client), choice, until);
    }

    #[inline]
    fn request_fate<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        message: &Message<S>,
    ) -> Fate {
        let cannot_connect = step.cannot_connect(message);
        let fate = cut(step, message, |link| link.requests_cut_until);
        if cannot_connect {
            return Fate::Refused;
        }
        if fate == Fate::Arrives {
            step.host(message.client).links[usize::from(message.node)].is_broken = false;
        }
        fate
    }

    #[inline]
    fn reply_fate<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        message: &Message<S>,
    ) -> Fate {
        cut(step, message, |link| link.replies_cut_until)
    }

    /// Only a link that may be cut has to be made anew.
    #[inline]
    fn broken<C: DecisionSource, W: Observer>(step: &mut Step<'_, S, C, W>, message: &Message<S>) {
        if step.may_occur(Fault::Partition) && !message.is_remote() {
            step.host(message.client).links[usize::from(message.node)].is_broken = true;
        }
    }

    fn loses_notification<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        client: Client,
        node: u8,
        _number: u32,
    ) -> bool {
        let cut = step.now() < step.host(client).links[usize::from(node)].replies_cut_until;
        if cut {
            step.took_effect(Fault::Partition, Some(client), 0);
        }
        cut
    }
}

fn cut<S: System, C: DecisionSource, W: Observer>(
    step: &mut Step<'_, S, C, W>,
    message: &Message<S>,
    until: impl Fn(Link) -> u64,
) -> Fate {
    let (client, call) = (message.client, message.call);
    if step.now() >= until(step.host(client).links[usize::from(message.node)]) {
        return Fate::Arrives;
    }
    step.took_effect(Fault::Partition, Some(client), call);
    Fate::Lost
}

pub(crate) fn describe(address: Address, choice: u32) -> String {
    let call = address.occurrence;
    let who = format!("client {}", client(address.actor));
    format!("as it sends request {call}, {}", injection(&who, choice))
}

pub(crate) fn injection(who: &str, choice: u32) -> String {
    let way = match choice.saturating_sub(1) / 3 {
        0 => "all requests",
        1 => "all replies",
        _ => "everything",
    };
    let length = pick(&LENGTHS, choice.saturating_sub(1) % 3);
    format!("the link of {who} drops {way} for {}", span(length))
}

pub(crate) fn effect(who: &str, call: u32) -> Option<String> {
    Some(match call {
        0 => format!("a notification of {who} is lost on the cut link"),
        _ => format!("request {call} of {who}, or the reply to it, is lost on the cut link"),
    })
}
