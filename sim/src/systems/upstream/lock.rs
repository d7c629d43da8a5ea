//! A client of upstream's lock. Clients 0 and 1 are two tasks of one process that share the object.

use super::{UpstreamCommand, UpstreamLock, backoff};
use crate::{
    decide::{DecisionKind, DecisionSource},
    history::{Act, Answer, Ask, Client, End, Event, TokenId},
    systems::{Answer as Reply, Asked, Plan, Request, Response, Step, Write},
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
    pub(crate) fn new(_plan: &Plan, _client: Client) -> Self {
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

    pub(crate) fn alarm<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        alarm: Alarm,
    ) {
        match (alarm, self.stage) {
            (Alarm::Machine, Stage::Delaying { attempt }) => self.next_try(step, me, attempt + 1),
            (Alarm::Machine, _) => self.transmit(step, me),
            (Alarm::Work, Stage::Working { left }) => self.act(step, me, left),
            (Alarm::Work, _) => self.acquire(step, me),
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
        self.request = None;
        if let Resp::Error(_) = value {
            return self.throws(step, me);
        }
        let yes = value == Resp::Integer(1) || value == Resp::OK;
        match self.stage {
            Stage::Acquiring { .. } if yes => self.acquired(step, me),
            Stage::Acquiring { attempt } => {
                self.stage = Stage::Delaying { attempt };
                let wake = step.local(me).plus_micros(step.core.plan.scenario.delay);
                step.set_alarm(me, Alarm::Machine, wake);
                self.awaited(step, me);
            }
            Stage::Extending => self.extended(step, me, yes),
            Stage::Releasing => {
                let answer = if yes { Answer::Released } else { Answer::NotHeld };
                self.object(step, me).token = None;
                self.told(step, me, answer);
                self.rest(step, me);
            }
            Stage::Delaying { .. } | Stage::Idle | Stage::Working { .. } => {
                unreachable!("no reply is due in {:?}", self.stage)
            }
        }
    }

    /// An abort makes the REST client answer "Aborted", which is none of the expected values.
    pub(crate) fn cancel<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        handle: bool,
    ) {
        if !handle {
            step.cancelling(me);
        }
        self.abort(step, me);
    }

    pub(crate) fn restarted<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        life: u32,
    ) {
        self.end(step, me, End::Gone);
        let round = self.round;
        *self = Self { round, life, ..Self::new(&step.core.plan, me) };
        // The object belongs to the other task, too, and lives on with it.
        self.object(step, me).token = None;
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.stage != Stage::Idle
    }

    fn abort<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        step.host(me).forget_calls();
        step.clear_alarm(me, Alarm::Machine);
        self.request = None;
        match self.stage {
            Stage::Acquiring { .. } | Stage::Delaying { .. } => self.not_acquired(step, me),
            Stage::Extending => self.extended(step, me, false),
            Stage::Releasing => {
                self.told(step, me, Answer::NotHeld);
                self.rest(step, me);
            }
            Stage::Idle | Stage::Working { .. } => {}
        }
    }

    fn acquire<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        self.ask(step, me, Ask::Acquire);
        self.made += 1;
        self.token = format!("{}.{}#1", TokenId::owner(me, self.life), self.made);
        self.next_try(step, me, 1);
    }

    fn next_try<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        attempt: u32,
    ) {
        if attempt > step.core.plan.scenario.attempts {
            return self.not_acquired(step, me);
        }
        self.stage = Stage::Acquiring { attempt };
        let lease_ms = self.object(step, me).lease_ms;
        let token = self.token.clone();
        let meant_ms = step.core.plan.scenario.lease / 1_000;
        let command = UpstreamCommand::SetIfAbsent { token, lease_ms, meant_ms };
        self.request(step, me, Act::Acquire, command);
    }

    fn acquired<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        let token = self.token.clone();
        let object = self.object(step, me);
        object.token = Some(token);
        let until = self.sent_at + object.lease_ms * 1_000;
        self.told(step, me, Answer::Acquired);
        if let Some(token) = self.token_id() {
            self.held = Some((token, until));
            step.emit(Event::Held { client: me, token, fence: 0, until });
        }
        // One extension is enough to see that it lengthens every later lease, too.
        let extended = self.object(step, me).lease_ms > step.core.plan.scenario.lease / 1_000;
        let behaviours = match (step.core.healed, extended) {
            (true, _) => 1,
            (false, true) => step.core.plan.scenario.behaviours.min(2),
            (false, false) => step.core.plan.scenario.behaviours.min(3),
        };
        self.style = match step.choose(DecisionKind::Behaviour, me, self.round, behaviours) {
            0 => Behaviour::Brief,
            1 => Behaviour::Overstay,
            _ => Behaviour::Extend,
        };
        self.act(step, me, 1);
    }

    /// Works at once: there is no deadline to check.
    fn act<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        left: u8,
    ) {
        if let Some((token, _)) = self.held {
            step.emit(Event::Acted { client: me, token });
            step.write(me, Write::Lock { token, fence: 0 }, true);
        }
        let Some(left) = left.checked_sub(1) else {
            return match self.style {
                Behaviour::Extend => self.extend(step, me),
                Behaviour::Brief | Behaviour::Overstay => self.release(step, me),
            };
        };
        self.stage = Stage::Working { left };
        let plan = &step.core.plan.scenario;
        let overstay = self.style == Behaviour::Overstay;
        let rest = if overstay { plan.lease + plan.lease / 4 } else { plan.hold };
        let wake = step.local(me).plus_micros(rest);
        step.set_alarm(me, Alarm::Work, wake);
    }

    fn extend<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        self.ask(step, me, Ask::Extend);
        self.stage = Stage::Extending;
        let token = self.object(step, me).token.clone();
        let by = step.core.plan.scenario.lease;
        let rest = self.held.map_or(0, |(_, until)| until.saturating_sub(step.core.now));
        let meant_ms = (rest + by).div_ceil(1_000) + ROUNDING_MS;
        let command = UpstreamCommand::AddSeconds { token, seconds: by / 1_000_000, meant_ms };
        self.request(step, me, Act::Extend, command);
    }

    fn extended<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        yes: bool,
    ) {
        self.told(step, me, if yes { Answer::Extended } else { Answer::Taken });
        if yes {
            let by = step.core.plan.scenario.lease;
            self.object(step, me).lease_ms += by / 1_000;
            if let Some((token, until)) = &mut self.held {
                *until += by;
                let (token, until) = (*token, *until);
                step.emit(Event::Held { client: me, token, fence: 0, until });
            }
        }
        self.style = Behaviour::Brief;
        self.act(step, me, 1);
    }

    fn release<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        self.end(step, me, End::Releasing);
        self.ask(step, me, Ask::Release);
        self.stage = Stage::Releasing;
        let token = self.object(step, me).token.clone();
        self.request(step, me, Act::Release, UpstreamCommand::DeleteIfMine { token });
    }

    fn not_acquired<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
    ) {
        self.object(step, me).token = None;
        self.told(step, me, Answer::NotAcquired);
        self.rest(step, me);
    }

    fn request<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        act: Act,
        command: UpstreamCommand,
    ) {
        self.tries = 0;
        self.sent_at = step.core.now;
        self.request = Some((act, command));
        self.transmit(step, me);
    }

    fn transmit<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        let Some((act, command)) = self.request.clone() else { return };
        let behalf = self.token_id();
        let token = match act {
            Act::Acquire => behalf,
            Act::Extend | Act::Other | Act::Release => self.object(step, me).token_id(),
        };
        step.host(me).forget_calls();
        step.send(me, 0, Request { act, token, behalf, asked: Asked::Upstream(command) });
        self.awaited(step, me);
    }

    fn awaited<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        if step.awaiting(me, true) != Cancelled::No {
            self.abort(step, me);
        }
    }

    /// The REST client sends every request again, whatever it was.
    fn broken<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        if let Some(pause) = backoff(self.tries) {
            self.tries += 1;
            let wake = step.local(me).plus_micros(pause);
            step.set_alarm(me, Alarm::Machine, wake);
            return;
        }
        // All tries failed.
        self.throws(step, me);
    }

    fn throws<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        self.request = None;
        self.told(step, me, Answer::Unknown);
        if self.stage == Stage::Extending {
            self.style = Behaviour::Brief;
            return self.act(step, me, 1);
        }
        self.rest(step, me);
    }

    fn rest<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        self.stage = Stage::Idle;
        self.round += 1;
        let plan = &step.core.plan.scenario;
        if self.round >= plan.calls {
            return step.clear_alarm(me, Alarm::Work);
        }
        let (mut idle, idle_step, choices) = (plan.idle, plan.idle_step, plan.idle_choices);
        if step.core.healed {
            idle *= 5;
        }
        let choice = step.choose(DecisionKind::Idle, me, self.round, choices);
        let wake = step.local(me).plus_micros(idle + u64::from(choice) * idle_step);
        step.set_alarm(me, Alarm::Work, wake);
    }

    fn ask<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        ask: Ask,
    ) {
        self.asked = Some(ask);
        let by = step.core.now + PATIENCE;
        step.emit(Event::Asked { client: me, ask, by });
    }

    fn told<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        answer: Answer,
    ) {
        if let Some(ask) = self.asked.take() {
            step.emit(Event::Returned { client: me, ask, answer, token: self.token_id() });
        }
    }

    fn end<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        end: End,
    ) {
        if let Some((token, _)) = self.held.take() {
            step.emit(Event::Ended { client: me, token, end });
        }
    }

    fn token_id(&self) -> Option<TokenId> {
        TokenId::parse(self.token.as_bytes())
    }

    fn object<'a, C: DecisionSource, W: Observer>(
        &self,
        step: &'a mut Step<'_, C, W>,
        me: Client,
    ) -> &'a mut UpstreamLock {
        &mut step.core.shared.upstream_locks[usize::from(me / 2)]
    }
}
