//! A client of upstream's debounce: a ticket from a counter, a wait, and a look whether it is still
//! the last.

use leasehold_fake_redis::Resp;

use super::{UpstreamCommand, backoff, number};
use crate::{
    catalog::DEBOUNCE_WAIT,
    decide::{DecisionKind, DecisionSource},
    history::{Act, CallAnswer, CallId, DebounceEvent, Event},
    systems::{Answer as Reply, Asked, Request, Response, Turn, Write},
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

    pub(crate) fn is_busy(&self) -> bool {
        self.stage != Stage::Idle
    }
}

impl<C: DecisionSource, W: Observer> Turn<'_, '_, UpstreamDebounceProgram, C, W> {
    pub(in crate::systems) fn alarm(&mut self, _alarm: Alarm) {
        match self.stage {
            Stage::Idle => self.call(),
            Stage::Counting | Stage::Looking { .. } => self.transmit(),
            Stage::Waiting { ticket } => {
                self.stage = Stage::Looking { ticket };
                let call = self.call;
                self.ask(UpstreamCommand::IsLast { call, ticket });
            }
            Stage::Running { fails } => self.end_of_run(fails),
        }
    }

    pub(in crate::systems) fn reply(&mut self, _answered: Answered, response: Response) {
        let value = match response {
            Response::Answer(Reply::Upstream(value)) => value,
            Response::Broken | Response::Refused => return self.broken(),
            Response::Answer(Reply::Ours(_)) => unreachable!("nothing else was asked"),
        };
        if let Resp::Error(_) = value {
            return self.throws();
        }
        self.request = None;
        match self.stage {
            Stage::Counting => {
                let ticket = number(&value).unwrap_or_default();
                self.stage = Stage::Waiting { ticket };
                self.wake(Alarm::Work, DEBOUNCE_WAIT);
                self.awaited();
            }
            Stage::Looking { ticket } if number(&value) == Some(ticket) => self.run(),
            Stage::Looking { .. } => {
                self.tell_return(CallAnswer::TakenCareOf);
                self.rest();
            }
            Stage::Idle | Stage::Running { .. } | Stage::Waiting { .. } => {
                unreachable!("no reply is due in {:?}", self.stage)
            }
        }
    }

    pub(in crate::systems) fn cancel(&mut self, handle: bool) {
        if !handle {
            self.step.cancelling(self.me);
        }
        self.vanish();
    }

    pub(in crate::systems) fn restarted(&mut self, _life: u32) {
        self.tell_return(CallAnswer::Dropped);
        *self.program = UpstreamDebounceProgram {
            round: self.round,
            calls: self.calls,
            ..UpstreamDebounceProgram::new()
        };
    }

    fn vanish(&mut self) {
        self.step.host(self.me).forget_calls();
        self.request = None;
        self.tell_return(CallAnswer::Dropped);
        self.rest();
    }

    fn call(&mut self) {
        if u32::from(self.calls) >= self.scenario().calls.min(CALLS.into()) {
            return;
        }
        self.calls += 1;
        self.call = CallId::of(self.me, self.calls);
        self.returned = false;
        let call = self.call;
        self.emit(Event::Debounce(DebounceEvent::Called { client: self.me, call }));
        self.stage = Stage::Counting;
        self.ask(UpstreamCommand::Increment { call });
    }

    fn run(&mut self) {
        let fails = self.choose(DecisionKind::Behaviour, self.round, 2) == 1;
        self.stage = Stage::Running { fails };
        let call = self.call;
        self.emit(Event::Debounce(DebounceEvent::RunBegan { client: self.me, call, fence: 0 }));
        self.wake(Alarm::Work, RUN);
    }

    fn end_of_run(&mut self, fails: bool) {
        let (call, success) = (self.call, !fails);
        if success {
            self.step.write(self.me, Write::Debounce { call, fence: 0 }, false);
        }
        self.emit(Event::Debounce(DebounceEvent::RunEnded { client: self.me, call, success }));
        // A callback that throws makes the call throw: the others were told that all is well.
        self.tell_return(if fails { CallAnswer::Open } else { CallAnswer::TakenCareOf });
        self.rest();
    }

    fn ask(&mut self, command: UpstreamCommand) {
        self.tries = 0;
        self.request = Some(command);
        self.transmit();
    }

    fn transmit(&mut self) {
        if let Some(command) = self.request.clone() {
            self.step.host(self.me).forget_calls();
            let asked = Asked::Upstream(command);
            self.step.send(
                self.me,
                0,
                Request { act: Act::Other, token: None, behalf: None, asked },
            );
            self.awaited();
        }
    }

    fn awaited(&mut self) {
        if self.step.awaiting(self.me, true) != Cancelled::No {
            self.vanish();
        }
    }

    /// The REST client sends every request again, whatever it was.
    fn broken(&mut self) {
        if let Some(pause) = backoff(self.tries) {
            self.tries += 1;
            return self.wake(Alarm::Work, pause);
        }
        self.throws();
    }

    fn throws(&mut self) {
        self.request = None;
        self.tell_return(CallAnswer::Open);
        self.rest();
    }

    fn rest(&mut self) {
        self.stage = Stage::Idle;
        self.round += 1;
        self.rest_before(self.round, self.scenario().idle);
    }

    fn tell_return(&mut self, answer: CallAnswer) {
        if !core::mem::replace(&mut self.returned, true) {
            let call = self.call;
            self.emit(Event::Debounce(DebounceEvent::Returned { client: self.me, call, answer }));
        }
    }
}
