//! What the driver loop is in production, for a machine on a simulated client.

use leasehold_core::{
    Action, Cause, Command, Event, Instant, Machine, Reply, StoreError, lock::LockCommand,
};

use crate::{
    decide::DecisionSource,
    history::{Act, Client, TokenId},
    mutants::Sender,
    world::{Alarm, Cancelled, Observer},
};

use super::{Answer, Asked, Request, Response, Step};

/// There was no answer in time.
pub(super) const TIMED_OUT: StoreError = StoreError::Unknown(Cause::TIMED_OUT);

/// What became of an event.
pub(super) enum Driven<O> {
    /// The machine awaits a reply or an alarm.
    Awaiting,
    /// It did, but the caller has gone away: with its handle, if so said.
    Vanished { handle: bool },
    /// It is done.
    Done(O),
}

/// Hands `event` to the machine and carries out what it answers.
pub(super) fn feed<M: Machine, C: DecisionSource, W: Observer>(
    machine: &mut M,
    step: &mut Step<'_, C, W>,
    me: Client,
    event: Event<M::Request>,
    call: impl FnOnce(&mut Step<'_, C, W>, Command, Instant),
) -> Driven<M::Outcome> {
    let mut action = machine.step(step.local(me), event);
    if let Action::SleepUntil(_) = action
        && step.takes_notification(me)
    {
        action = machine.step(step.local(me), Event::Notified);
    }
    match action {
        Action::Call { command, give_up_at } => call(step, command, give_up_at),
        Action::Subscribe { .. } => {
            step.subscribe(me, 0);
            let in_place = step.local(me).plus_micros(2 * step.core.plan.settings.latency);
            step.set_alarm(me, Alarm::Machine, in_place);
        }
        Action::SleepUntil(deadline) => step.set_alarm(me, Alarm::Machine, deadline),
        Action::Done(outcome) => {
            step.clear_alarm(me, Alarm::Machine);
            step.unsubscribe(me);
            return Driven::Done(outcome);
        }
    }
    match step.awaiting(me, true) {
        Cancelled::No => Driven::Awaiting,
        Cancelled::Future => Driven::Vanished { handle: false },
        Cancelled::Handle => Driven::Vanished { handle: true },
    }
}

/// Carries out a call at the only server.
pub(super) fn call<C: DecisionSource, W: Observer>(
    step: &mut Step<'_, C, W>,
    me: Client,
    command: Command,
    (act, token): (Act, Option<TokenId>),
    give_up_at: Instant,
) {
    step.host(me).forget_calls();
    let command = subverted(step, me, command);
    step.send(me, 0, request(act, token, command));
    step.set_alarm(me, Alarm::Machine, give_up_at);
}

/// What is sent in place of `command`: another one only if a bug is planted.
fn subverted<C: DecisionSource, W: Observer>(
    step: &mut Step<'_, C, W>,
    me: Client,
    command: Command,
) -> Command {
    let Some(mutant) = step.scenario().mutant else { return command };
    let wall_offset_us = step.host(me).clock.wall_offset_us;
    let shared_token = &mut step.core.shared.upstream_locks[usize::from(me / 2)].token;
    mutant.subverted(Sender { shared_token, wall_offset_us }, command)
}

/// One of our commands as a request.
pub(super) fn request(act: Act, token: Option<TokenId>, command: Command) -> Request {
    Request { act, token, behalf: token, asked: Asked::Ours(command) }
}

/// What the machine's alarm means to it.
pub(super) fn rung<R, C: DecisionSource, W: Observer>(
    step: &mut Step<'_, C, W>,
    me: Client,
) -> Event<R> {
    if step.host(me).awaited() > 0 {
        step.give_up(me);
        Event::Replied(Err(TIMED_OUT))
    } else if step.is_newly_subscribed(me) {
        Event::Subscribed(true)
    } else {
        Event::Woke
    }
}

/// What a response means to a machine.
pub(super) fn replied<R, C: DecisionSource, W: Observer>(
    step: &mut Step<'_, C, W>,
    me: Client,
    response: Response,
) -> Event<R> {
    step.clear_alarm(me, Alarm::Machine);
    Event::Replied(result(response))
}

/// What a response means to whoever asked in our words.
pub(super) fn result(response: Response) -> Result<Reply, StoreError> {
    match response {
        Response::Answer(Answer::Ours(result)) => result,
        Response::Broken => Err(StoreError::Unknown(Cause::Disconnected("".into()))),
        Response::Refused => Err(StoreError::NotSent(Cause::Unreachable("refused".into()))),
        Response::Answer(Answer::Upstream(_)) => unreachable!("nothing else was asked"),
    }
}

/// The caller went away from what the machine awaits.
pub(super) fn abandon<C: DecisionSource, W: Observer>(step: &mut Step<'_, C, W>, me: Client) {
    step.host(me).forget_calls();
    step.clear_alarm(me, Alarm::Machine);
    step.unsubscribe(me);
}

/// What a command does, and under which token.
pub(super) fn meaning(command: &Command) -> (Act, Option<TokenId>) {
    let Command::Lock(command) = command else { return (Act::Other, None) };
    match command {
        LockCommand::Acquire { token, .. } | LockCommand::AcquireLean { token, .. } => {
            (Act::Acquire, Some(TokenId::of(token)))
        }
        LockCommand::Extend { token, .. } => (Act::Extend, Some(TokenId::of(token))),
        LockCommand::Release { token, .. } | LockCommand::ReleaseLean { token, .. } => {
            (Act::Release, Some(TokenId::of(token)))
        }
        LockCommand::Confirm { .. }
        | LockCommand::Inspect { .. }
        | LockCommand::RaiseFence { .. } => (Act::Other, None),
    }
}
