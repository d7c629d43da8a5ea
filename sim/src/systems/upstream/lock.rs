//! A client of upstream's lock. Clients 0 and 1 are two tasks of one process that share the object.

use super::{UpstreamCommand, UpstreamLock, backoff};
use crate::{
    decide::{DecisionKind, DecisionSource},
    history::{Act, Answer, Ask, End, Event, TokenId},
    systems::{Answer as Reply, Asked, Request, Response, Turn, Write},
    world::{Alarm, Answered, Cancelled, Observer},
};
use leasehold_fake_redis::Resp;

/// How long any caller would expect to wait at most.
const PATIENCE: u64 = 6_000_000;

/// Whole seconds are off by as much, and that is no news.
const ROUNDING_MS: u64 = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    Acquiring {
        attempt: u32,
    },
    /// Between two tries.
    Delaying {
        attempt: u32,
    },
    Working {
        left: u8,
    },
    Extending,
    Releasing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Behaviour {
    Brief,
    Overstay,
    Extend,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct UpstreamLockProgram {
    stage: Stage,
    style: Behaviour,
    round: u32,
    life: u32,
    made: u32,
    asked: Option<Ask>,
    /// The token of this task's last acquire.
    token: String,
    held: Option<(TokenId, u64)>,
    sent_at: u64,
    /// The request under way, to be sent again when the connection breaks.
    request: Option<(Act, UpstreamCommand)>,
    tries: u32,
}

impl UpstreamLockProgram {
    pub(crate) fn new() -> Self {
        Self {
            stage: Stage::Idle,
            style: Behaviour::Brief,
            round: 0,
            life: 0,
            made: 0,
            asked: None,
            token: String::new(),
            held: None,
            sent_at: 0,
            request: None,
            tries: 0,
        }
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.stage != Stage::Idle
    }
}

impl<C: DecisionSource, W: Observer> Turn<'_, '_, UpstreamLockProgram, C, W> {
    pub(in crate::systems) fn alarm(&mut self, alarm: Alarm) {
        match (alarm, self.stage) {
            (Alarm::Machine, Stage::Delaying { attempt }) => self.next_try(attempt + 1),
            (Alarm::Machine, _) => self.transmit(),
            (Alarm::Work, Stage::Working { left }) => self.act(left),
            (Alarm::Work, _) => self.acquire(),
        }
    }

    pub(in crate::systems) fn reply(&mut self, _answered: Answered, response: Response) {
        let value = match response {
            Response::Answer(Reply::Upstream(value)) => value,
            Response::Broken | Response::Refused => return self.broken(),
            Response::Answer(Reply::Ours(_)) => unreachable!("nothing else was asked"),
        };
        self.request = None;
        if let Resp::Error(_) = value {
            return self.throws();
        }
        let yes = value == Resp::Integer(1) || value == Resp::OK;
        match self.stage {
            Stage::Acquiring { .. } if yes => self.acquired(),
            Stage::Acquiring { attempt } => {
                self.stage = Stage::Delaying { attempt };
                self.wake(Alarm::Machine, self.scenario().delay);
                self.awaited();
            }
            Stage::Extending => self.extended(yes),
            Stage::Releasing => {
                let answer = if yes { Answer::Released } else { Answer::NotHeld };
                self.object().token = None;
                self.told(answer);
                self.rest();
            }
            Stage::Delaying { .. } | Stage::Idle | Stage::Working { .. } => {
                unreachable!("no reply is due in {:?}", self.stage)
            }
        }
    }

    /// An abort makes the REST client answer "Aborted", which is none of the expected values.
    pub(in crate::systems) fn cancel(&mut self, handle: bool) {
        if !handle {
            self.step.cancelling(self.me);
        }
        self.abort();
    }

    pub(in crate::systems) fn restarted(&mut self, life: u32) {
        self.end(End::Gone);
        *self.program =
            UpstreamLockProgram { round: self.round, life, ..UpstreamLockProgram::new() };
        // The object belongs to the other task, too, and lives on with it.
        self.object().token = None;
    }

    fn abort(&mut self) {
        self.step.host(self.me).forget_calls();
        self.clear_alarm(Alarm::Machine);
        self.request = None;
        match self.stage {
            Stage::Acquiring { .. } | Stage::Delaying { .. } => self.not_acquired(),
            Stage::Extending => self.extended(false),
            Stage::Releasing => {
                self.told(Answer::NotHeld);
                self.rest();
            }
            Stage::Idle | Stage::Working { .. } => {}
        }
    }

    fn acquire(&mut self) {
        self.ask(Ask::Acquire);
        self.made += 1;
        self.token = format!("{}.{}#1", TokenId::owner(self.me, self.life), self.made);
        self.next_try(1);
    }

    fn next_try(&mut self, attempt: u32) {
        if attempt > self.scenario().attempts {
            return self.not_acquired();
        }
        self.stage = Stage::Acquiring { attempt };
        let lease_ms = self.object().lease_ms;
        let token = self.token.clone();
        let meant_ms = self.scenario().lease / 1_000;
        let command = UpstreamCommand::SetIfAbsent { token, lease_ms, meant_ms };
        self.request(Act::Acquire, command);
    }

    fn acquired(&mut self) {
        self.object().token = Some(self.token.clone());
        let until = self.sent_at + self.object().lease_ms * 1_000;
        self.told(Answer::Acquired);
        if let Some(token) = self.token_id() {
            self.held = Some((token, until));
            self.emit(Event::Held { client: self.me, token, fence: 0, until });
        }
        // One extension is enough to see that it lengthens every later lease, too.
        let extended = self.object().lease_ms > self.scenario().lease / 1_000;
        let behaviours = match (self.step.core.healed, extended) {
            (true, _) => 1,
            (false, true) => self.scenario().behaviours.min(2),
            (false, false) => self.scenario().behaviours.min(3),
        };
        self.style = match self.choose(DecisionKind::Behaviour, self.round, behaviours) {
            0 => Behaviour::Brief,
            1 => Behaviour::Overstay,
            _ => Behaviour::Extend,
        };
        self.act(1);
    }

    /// Works at once: there is no deadline to check.
    fn act(&mut self, left: u8) {
        if let Some((token, _)) = self.held {
            self.emit(Event::Acted { client: self.me, token });
            self.step.write(self.me, Write::Lock { token, fence: 0 }, true);
        }
        let Some(left) = left.checked_sub(1) else {
            return match self.style {
                Behaviour::Extend => self.extend(),
                Behaviour::Brief | Behaviour::Overstay => self.release(),
            };
        };
        self.stage = Stage::Working { left };
        let plan = self.scenario();
        let overstay = self.style == Behaviour::Overstay;
        let rest = if overstay { plan.lease + plan.lease / 4 } else { plan.hold };
        self.wake(Alarm::Work, rest);
    }

    fn extend(&mut self) {
        self.ask(Ask::Extend);
        self.stage = Stage::Extending;
        let token = self.object().token.clone();
        let by = self.scenario().lease;
        let rest = self.held.map_or(0, |(_, until)| until.saturating_sub(self.step.core.now));
        let meant_ms = (rest + by).div_ceil(1_000) + ROUNDING_MS;
        let command = UpstreamCommand::AddSeconds { token, seconds: by / 1_000_000, meant_ms };
        self.request(Act::Extend, command);
    }

    fn extended(&mut self, yes: bool) {
        self.told(if yes { Answer::Extended } else { Answer::Taken });
        if yes {
            let by = self.scenario().lease;
            self.object().lease_ms += by / 1_000;
            if let Some((token, until)) = &mut self.held {
                *until += by;
                let (token, until) = (*token, *until);
                self.emit(Event::Held { client: self.me, token, fence: 0, until });
            }
        }
        self.style = Behaviour::Brief;
        self.act(1);
    }

    fn release(&mut self) {
        self.end(End::Releasing);
        self.ask(Ask::Release);
        self.stage = Stage::Releasing;
        let token = self.object().token.clone();
        self.request(Act::Release, UpstreamCommand::DeleteIfMine { token });
    }

    fn not_acquired(&mut self) {
        self.object().token = None;
        self.told(Answer::NotAcquired);
        self.rest();
    }

    fn request(&mut self, act: Act, command: UpstreamCommand) {
        self.tries = 0;
        self.sent_at = self.step.core.now;
        self.request = Some((act, command));
        self.transmit();
    }

    fn transmit(&mut self) {
        let Some((act, command)) = self.request.clone() else { return };
        let behalf = self.token_id();
        let token = match act {
            Act::Acquire => behalf,
            Act::Extend | Act::Other | Act::Release => self.object().token_id(),
        };
        self.step.host(self.me).forget_calls();
        self.step.send(self.me, 0, Request { act, token, behalf, asked: Asked::Upstream(command) });
        self.awaited();
    }

    fn awaited(&mut self) {
        if self.step.awaiting(self.me, true) != Cancelled::No {
            self.abort();
        }
    }

    /// The REST client sends every request again, whatever it was.
    fn broken(&mut self) {
        if let Some(pause) = backoff(self.tries) {
            self.tries += 1;
            return self.wake(Alarm::Machine, pause);
        }
        // All tries failed.
        self.throws();
    }

    fn throws(&mut self) {
        self.request = None;
        self.told(Answer::Unknown);
        if self.stage == Stage::Extending {
            self.style = Behaviour::Brief;
            return self.act(1);
        }
        self.rest();
    }

    fn rest(&mut self) {
        self.stage = Stage::Idle;
        self.round += 1;
        if self.round >= self.scenario().calls {
            return self.clear_alarm(Alarm::Work);
        }
        let slower = if self.step.is_healed() { 5 } else { 1 };
        self.rest_before(self.round, slower * self.scenario().idle);
    }

    fn ask(&mut self, ask: Ask) {
        self.asked = Some(ask);
        let by = self.step.core.now + PATIENCE;
        self.emit(Event::Asked { client: self.me, ask, by });
    }

    fn told(&mut self, answer: Answer) {
        if let Some(ask) = self.asked.take() {
            self.emit(Event::Returned { client: self.me, ask, answer, token: self.token_id() });
        }
    }

    fn end(&mut self, end: End) {
        if let Some((token, _)) = self.held.take() {
            self.emit(Event::Ended { client: self.me, token, end });
        }
    }

    fn token_id(&self) -> Option<TokenId> {
        TokenId::parse(self.token.as_bytes())
    }

    fn object(&mut self) -> &mut UpstreamLock {
        &mut self.step.core.shared.upstream_locks[usize::from(self.me / 2)]
    }
}
