//! What the driver loop is in production, for a machine on a simulated client.

use leasehold_core::{Action, Cause, Command, Event, Machine, Reply, StoreError};

use crate::{
    decide::Chance,
    faults::Cancelled,
    history::{Act, Client, TokenId},
    world::{Alarm, Request, Response, Step, Watch},
};

/// What became of an event.
pub(super) enum Fed<O> {
    /// The machine awaits a reply or an alarm.
    Awaiting,
    /// It did, but the caller has gone away: with its handle, if so said.
    Vanished { handle: bool },
    /// It is done.
    Done(O),
}

/// Hands `event` to the machine and carries out what it answers.
pub(super) fn feed<M: Machine, C: Chance, W: Watch>(
    machine: &mut M,
    step: &mut Step<'_, C, W>,
    me: Client,
    event: Event<M::Request>,
    meaning: impl FnOnce(&Command) -> (Act, Option<TokenId>),
) -> Fed<M::Outcome> {
    let mut action = machine.step(step.local(me), event);
    if let Action::Watch { .. } = action {
        // The simulated wire carries no hints, so waiters look by themselves.
        action = machine.step(step.local(me), Event::Watching(false));
    }
    match action {
        Action::Call { command, give_up_at } => {
            let (act, token) = meaning(&command);
            step.send(me, act, token, token, Request::Ours(command));
            step.set_alarm(me, Alarm::Machine, give_up_at);
        }
        Action::Watch { .. } => unreachable!("a watch is asked for once"),
        Action::SleepUntil(deadline) => step.set_alarm(me, Alarm::Machine, deadline),
        Action::Done(outcome) => {
            step.clear_alarm(me, Alarm::Machine);
            return Fed::Done(outcome);
        }
    }
    match step.cancels(me) {
        Cancelled::No => Fed::Awaiting,
        Cancelled::Future => Fed::Vanished { handle: false },
        Cancelled::Handle => Fed::Vanished { handle: true },
    }
}

/// What the machine's alarm means to it.
pub(super) fn rung<R, C: Chance, W: Watch>(step: &mut Step<'_, C, W>, me: Client) -> Event<R> {
    if step.host(me).awaiting {
        step.give_up(me);
        Event::Replied(Err(StoreError::Unknown(Cause::TimedOut)))
    } else {
        Event::Woke
    }
}

/// What a response means to a machine.
pub(super) fn replied<R, C: Chance, W: Watch>(
    step: &mut Step<'_, C, W>,
    me: Client,
    response: Response,
) -> Event<R> {
    step.clear_alarm(me, Alarm::Machine);
    let result: Result<Reply, StoreError> = match response {
        Response::Ours(result) => result,
        Response::Broken => Err(StoreError::Unknown(Cause::Disconnected)),
        Response::Refused => Err(StoreError::NotSent(Cause::Unreachable)),
        Response::Upstream(_) | Response::Remote => unreachable!("nothing else was asked"),
    };
    Event::Replied(result)
}

/// The caller went away from what the machine awaits.
pub(super) fn abandon<C: Chance, W: Watch>(step: &mut Step<'_, C, W>, me: Client) {
    step.host(me).awaiting = false;
    step.clear_alarm(me, Alarm::Machine);
}
