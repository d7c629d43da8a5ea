//! A client of upstream's debounce: a ticket from a counter, a wait, and a look whether it is still
//! the last.

use leasehold_fake_redis::Resp;

use super::{UpstreamCommand, backoff, number};
use crate::{
    catalog::DEBOUNCE_WAIT,
    decide::{DecisionKind, DecisionSource},
    history::{Act, CallAnswer, CallId, Client, DebounceEvent, Event},
    systems::{Answer as Reply, Asked, Request, Response, Step, Write},
    world::{Alarm, Answered, Cancelled, Observer},
};

/// How many calls a client makes: enough to see that steady calls are never run.
const CALLS: u16 = 6;

/// How long a run takes.
const RUN: u64 = 40_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    Counting,
    Waiting {
        ticket: i64,
    },
    Looking {
        ticket: i64,
    },
    /// `fails`: the callback throws.
    Running {
        fails: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct UpstreamDebounceProgram {
    stage: Stage,
    round: u32,
    calls: u16,
    call: CallId,
    returned: bool,
    request: Option<UpstreamCommand>,
    tries: u32,
}

impl UpstreamDebounceProgram {
    pub(crate) fn new() -> Self {
        Self {
            stage: Stage::Idle,
            round: 0,
            calls: 0,
            call: CallId::of(0, 0),
            returned: true,
            request: None,
            tries: 0,
        }
    }

    pub(crate) fn alarm<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        _alarm: Alarm,
    ) {
        match self.stage {
            Stage::Idle => self.call(step, me),
            Stage::Counting | Stage::Looking { .. } => self.transmit(step, me),
            Stage::Waiting { ticket } => {
                self.stage = Stage::Looking { ticket };
                let call = self.call;
                self.ask(step, me, UpstreamCommand::IsLast { call, ticket });
            }
            Stage::Running { fails } => self.end_of_run(step, me, fails),
        }
    }

    pub(crate) fn reply<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        _answered: Answered,
        response: Response,
    ) {
        let value = match response {
            Response::Answer(Reply::Upstream(value)) => value,
            Response::Broken | Response::Refused => return self.broken(step, me),
            Response::Answer(Reply::Ours(_)) => unreachable!("nothing else was asked"),
        };
        if let Resp::Error(_) = value {
            return self.throws(step, me);
        }
        self.request = None;
        match self.stage {
            Stage::Counting => {
                let ticket = number(&value).unwrap_or_default();
                self.stage = Stage::Waiting { ticket };
                let wake = step.local(me).plus_micros(DEBOUNCE_WAIT);
                step.set_alarm(me, Alarm::Work, wake);
                self.awaited(step, me);
            }
            Stage::Looking { ticket } if number(&value) == Some(ticket) => self.run(step, me),
            Stage::Looking { .. } => {
                self.tell_return(step, me, CallAnswer::TakenCareOf);
                self.rest(step, me);
            }
            Stage::Idle | Stage::Running { .. } | Stage::Waiting { .. } => {
                unreachable!("no reply is due in {:?}", self.stage)
            }
        }
    }

    pub(crate) fn cancel<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        handle: bool,
    ) {
        if !handle {
            step.cancelling(me);
        }
        self.vanish(step, me);
    }

    pub(crate) fn restarted<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        _life: u32,
    ) {
        self.tell_return(step, me, CallAnswer::Dropped);
        *self = Self { round: self.round, calls: self.calls, ..Self::new() };
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.stage != Stage::Idle
    }

    fn vanish<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        step.host(me).forget_calls();
        self.request = None;
        self.tell_return(step, me, CallAnswer::Dropped);
        self.rest(step, me);
    }

    fn call<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        if u32::from(self.calls) >= step.core.plan.scenario.calls.min(CALLS.into()) {
            return;
        }
        self.calls += 1;
        self.call = CallId::of(me, self.calls);
        self.returned = false;
        let call = self.call;
        step.emit(Event::Debounce(DebounceEvent::Called { client: me, call }));
        self.stage = Stage::Counting;
        self.ask(step, me, UpstreamCommand::Increment { call });
    }

    fn run<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        let fails = step.choose(DecisionKind::Behaviour, me, self.round, 2) == 1;
        self.stage = Stage::Running { fails };
        let call = self.call;
        step.emit(Event::Debounce(DebounceEvent::RunBegan { client: me, call, fence: 0 }));
        let end = step.local(me).plus_micros(RUN);
        step.set_alarm(me, Alarm::Work, end);
    }

    fn end_of_run<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        fails: bool,
    ) {
        let (call, success) = (self.call, !fails);
        if success {
            step.write(me, Write::Debounce { call, fence: 0 }, false);
        }
        step.emit(Event::Debounce(DebounceEvent::RunEnded { client: me, call, success }));
        // A callback that throws makes the call throw: the others were told that all is well.
        self.tell_return(step, me, if fails { CallAnswer::Open } else { CallAnswer::TakenCareOf });
        self.rest(step, me);
    }

    fn ask<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        command: UpstreamCommand,
    ) {
        self.tries = 0;
        self.request = Some(command);
        self.transmit(step, me);
    }

    fn transmit<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        if let Some(command) = self.request.clone() {
            step.host(me).forget_calls();
            let asked = Asked::Upstream(command);
            step.send(me, 0, Request { act: Act::Other, token: None, behalf: None, asked });
            self.awaited(step, me);
        }
    }

    fn awaited<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        if step.awaiting(me, true) != Cancelled::No {
            self.vanish(step, me);
        }
    }

    /// The REST client sends every request again, whatever it was.
    fn broken<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        if let Some(pause) = backoff(self.tries) {
            self.tries += 1;
            let wake = step.local(me).plus_micros(pause);
            step.set_alarm(me, Alarm::Work, wake);
            return;
        }
        self.throws(step, me);
    }

    fn throws<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        self.request = None;
        self.tell_return(step, me, CallAnswer::Open);
        self.rest(step, me);
    }

    fn rest<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        self.stage = Stage::Idle;
        self.round += 1;
        let plan = &step.core.plan.scenario;
        let (idle, idle_step, choices) = (plan.idle, plan.idle_step, plan.idle_choices);
        let choice = step.choose(DecisionKind::Idle, me, self.round, choices);
        let wake = step.local(me).plus_micros(idle + u64::from(choice) * idle_step);
        step.set_alarm(me, Alarm::Work, wake);
    }

    fn tell_return<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        answer: CallAnswer,
    ) {
        if !core::mem::replace(&mut self.returned, true) {
            let call = self.call;
            step.emit(Event::Debounce(DebounceEvent::Returned { client: me, call, answer }));
        }
    }
}
