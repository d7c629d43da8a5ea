//! A caller drops the future it awaits, or the whole handle.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    history::Client,
    words::{client, span},
    world::{Cancelled, Faults, Observer, Step, System},
};

/// Long enough for a request to arrive, too short for its reply.
const SOON: u64 = 1_500;

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cancellation {}

impl<S: System> Faults<S> for Cancellation {
    #[inline]
    fn awaiting<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        client: Client,
        with_handle: bool,
    ) -> Cancelled {
        if !step.may_occur(Fault::Cancellation) {
            return Cancelled::No;
        }
        let host = step.host(client);
        host.awaits_number += 1;
        let (awaiting, call) = (host.awaits_number, host.calls);
        let ways = if with_handle { 4 } else { 3 };
        let choice = step.injects(Fault::Cancellation, client, awaiting, ways);
        if choice == 0 {
            return Cancelled::No;
        }
        if choice == 2 {
            step.cancel_at(client, step.now() + SOON);
            return Cancelled::No;
        }
        step.injected(Fault::Cancellation, Some(client), choice, step.now());
        step.took_effect(Fault::Cancellation, Some(client), call);
        if choice == 1 { Cancelled::Future } else { Cancelled::Handle }
    }

    fn cancelling<C: DecisionSource, W: Observer>(step: &mut Step<'_, S, C, W>, client: Client) {
        let call = step.host(client).calls;
        step.injected(Fault::Cancellation, Some(client), 2, step.now());
        step.took_effect(Fault::Cancellation, Some(client), call);
    }
}

pub(crate) fn describe(address: Address, choice: u32) -> String {
    format!(
        "at its await {}, the caller in client {} {}",
        address.occurrence,
        client(address.actor),
        remote_call(choice)
    )
}

pub(crate) fn injection(who: &str, choice: u32) -> String {
    format!("the caller in {who} {}", remote_call(choice))
}

pub(crate) fn effect(_who: &str, _call: u32) -> Option<String> {
    None
}

fn remote_call(choice: u32) -> String {
    match choice {
        1 => "drops the future as soon as it waits".into(),
        2 => format!("drops the future {} after it began to wait", span(SOON)),
        _ => "drops the future and the lock with it".into(),
    }
}
