//! A client that takes the lock again and again, works under it, and gives it up.

mod settings;

use core::time::Duration;

use leasehold_core::{
    Event as MachineEvent, Instant, Tokens,
    lock::{AcquireRequest, ExtendError, LockConfig, LockMachine, LockOutcome, LockRequest},
};

use settings::answer;
pub(super) use settings::{lease, options, renewals};

use super::{
    LOCK_ID, Plan, Response, Step, Write,
    driver::{self, Driven},
    quorum_call::{QuorumCall, QuorumProgress},
};
use crate::{
    decide::{DecisionKind, DecisionSource},
    history::{Act, Answer, Ask, Client, End, Event, TokenId},
    mutants::PlantedLock,
    world::{Alarm, Answered, Cancelled, Observer, Topology},
};

/// What the client does with the lock once it has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Behaviour {
    /// Works, and gives it up.
    Brief,
    /// Works on until the lease is over, and notices.
    Overstay,
    /// Extends the lease by itself, once.
    Extend,
    /// Has the lease renewed in the background while it works for longer than it.
    Keep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    Acquiring,
    /// Between two pieces of work; `left` more are to come.
    Working {
        left: u8,
    },
    /// The lease was checked, and the next step acts.
    Acting {
        left: u8,
    },
    Extending,
    Releasing,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LockProgram {
    machine: PlantedLock,
    /// The call under way, if several servers are asked.
    quorum_call: Option<Box<QuorumCall>>,
    request: AcquireRequest,
    /// The longest that a call may take, in µs of the local clock.
    longest_call: u64,
    stage: Stage,
    style: Behaviour,
    round: u32,
    /// The lease as it was last told: its token and its deadline.
    held: Option<(TokenId, Instant)>,
    last_token: Option<TokenId>,
    asked: Option<Ask>,
    next_work: Instant,
}

impl LockProgram {
    pub(crate) fn new(plan: &Plan, client: Client, life: u32) -> Self {
        let options = options(plan, client);
        let config = LockConfig::new(LOCK_ID, &options).expect("the plan is a valid setting");
        let request = config.acquire();
        let longest_call =
            (config.longest_acquire(&request).as_micros() as u64).max(plan.scenario.waits);
        let tokens = Tokens::of_owner(TokenId::owner(client, life));
        let seed = u64::from(client) << 8 | u64::from(life);
        let machine = LockMachine::new(config, tokens, seed);
        Self {
            machine: PlantedLock::new(machine, plan.scenario.mutant, client, life),
            quorum_call: None,
            request,
            longest_call,
            stage: Stage::Idle,
            style: Behaviour::Brief,
            round: 0,
            held: None,
            last_token: None,
            asked: None,
            next_work: Instant::ORIGIN,
        }
    }

    pub(crate) fn alarm<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        alarm: Alarm,
    ) {
        match alarm {
            Alarm::Machine => {
                if let Some(mut quorum_call) = self.quorum_call.take() {
                    let progress = quorum_call.rung(step, me);
                    return self.count(step, me, quorum_call, progress);
                }
                let event = driver::rung(step, me);
                self.feed(step, me, event);
            }
            Alarm::Work => self.work(step, me),
        }
    }

    pub(crate) fn reply<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        answered: Answered,
        response: Response,
    ) {
        if let Some(mut quorum_call) = self.quorum_call.take() {
            let progress = quorum_call.replied(step, me, answered.node, response);
            return self.count(step, me, quorum_call, progress);
        }
        let event = driver::replied(step, me, response);
        self.feed(step, me, event);
    }

    pub(crate) fn notified<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
    ) {
        self.feed(step, me, MachineEvent::Notified);
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
        self.vanish(step, me, handle);
    }

    pub(crate) fn restarted<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        life: u32,
    ) {
        self.end(step, me, End::Gone);
        let round = self.round;
        *self = Self::new(&step.core.plan, me, life);
        self.round = round;
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.stage != Stage::Idle
    }

    fn feed<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        event: MachineEvent<LockRequest>,
    ) {
        let Self { machine, last_token, quorum_call, .. } = self;
        let fed = driver::feed(machine, step, me, event, |step, command, give_up_at| {
            let meaning = driver::meaning(&command);
            if let (Act::Acquire, token) = meaning {
                *last_token = token;
            }
            if step.core.plan.settings.topology == Topology::Independent {
                *quorum_call = Some(Box::new(QuorumCall::open(step, me, command, give_up_at)));
            } else {
                driver::call(step, me, command, meaning, give_up_at);
            }
        });
        self.notice_renewal(step, me);
        match fed {
            Driven::Awaiting => {}
            Driven::Vanished { handle } => self.vanish(step, me, handle),
            Driven::Done(outcome) => self.done(step, me, outcome),
        }
    }

    /// Goes on as the servers' answers decide.
    fn count<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        quorum_call: Box<QuorumCall>,
        progress: QuorumProgress<LockRequest>,
    ) {
        match progress {
            QuorumProgress::Waiting => self.quorum_call = Some(quorum_call),
            QuorumProgress::NextRound => {
                self.quorum_call = Some(quorum_call);
                match step.awaiting(me, true) {
                    Cancelled::No => {}
                    Cancelled::Future => self.vanish(step, me, false),
                    Cancelled::Handle => self.vanish(step, me, true),
                }
            }
            QuorumProgress::Decided(event) => self.feed(step, me, event),
        }
    }

    fn vanish<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        handle: bool,
    ) {
        driver::abandon(step, me);
        self.quorum_call = None;
        self.told(step, me, Answer::Dropped);
        if handle {
            let host = step.host(me);
            host.life += 1;
            let life = host.life;
            self.restarted(step, me, life);
            return self.rest(step, me);
        }
        match self.stage {
            Stage::Extending => self.give_up_lock(step, me, End::Releasing),
            Stage::Acting { .. } | Stage::Working { .. } => {
                self.end(step, me, End::Gone);
                self.rest(step, me);
            }
            Stage::Acquiring | Stage::Idle | Stage::Releasing => self.rest(step, me),
        }
    }

    fn done<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        outcome: LockOutcome,
    ) {
        match self.stage {
            Stage::Acquiring => {
                if let LockOutcome::Acquire(Ok(_)) = outcome {
                    self.elected(step);
                }
                self.told(step, me, answer(&outcome));
                if let LockOutcome::Acquire(Ok(_)) = outcome {
                    self.notice_renewal(step, me);
                    self.begin_work(step, me);
                } else {
                    self.rest(step, me);
                }
            }
            Stage::Extending => {
                self.told(step, me, answer(&outcome));
                if let LockOutcome::Extend(Err(ExtendError::Lost(_))) = outcome {
                    self.give_up_lock(step, me, End::Lost);
                } else {
                    self.next_work = step.local(me) + micros(step.core.plan.scenario.hold);
                    self.stage = Stage::Working { left: 0 };
                    self.watch_lease(step, me);
                }
            }
            Stage::Acting { .. } | Stage::Working { .. } => {
                self.give_up_lock(step, me, End::Lost);
            }
            Stage::Releasing => {
                self.told(step, me, answer(&outcome));
                self.rest(step, me);
            }
            Stage::Idle => unreachable!("nothing was asked"),
        }
    }

    /// Tells of a grant by a majority, which no single server can.
    fn elected<C: DecisionSource, W: Observer>(&self, step: &mut Step<'_, C, W>) {
        if let Some(grant) = self.machine.grant() {
            step.elected(TokenId::of(grant.token()), grant.fence().0);
        }
    }

    fn work<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        let now = step.local(me);
        match self.stage {
            Stage::Idle => {
                self.ask(step, me, Ask::Acquire);
                self.stage = Stage::Acquiring;
                let request = match step.core.plan.scenario.waits {
                    0 => self.request.clone(),
                    waits => self.request.clone().until(now.plus_micros(waits), false),
                };
                self.feed(step, me, MachineEvent::Start(LockRequest::Acquire(request)));
            }
            Stage::Working { .. } if self.is_over(now) => self.give_up_lock(step, me, End::Lost),
            Stage::Working { .. } if now < self.next_work => self.watch_lease(step, me),
            Stage::Working { left: 1 } if self.style == Behaviour::Extend => {
                self.ask(step, me, Ask::Extend);
                self.stage = Stage::Extending;
                let by_ms = step.core.plan.scenario.lease / 1_000;
                self.feed(step, me, MachineEvent::Start(LockRequest::Extend { by_ms }));
            }
            Stage::Working { left } => {
                // The lease was good just now; a pause may fall between this step and the next.
                self.stage = Stage::Acting { left };
                step.set_alarm(me, Alarm::Work, now.plus_micros(1));
            }
            Stage::Acting { left } => self.act(step, me, left),
            Stage::Acquiring | Stage::Extending | Stage::Releasing => {
                unreachable!("no work is due in {:?}", self.stage)
            }
        }
    }

    fn act<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        left: u8,
    ) {
        if let Some((token, _)) = self.held
            && step.core.plan.scenario.acts
        {
            let fence = self.machine.grant().map_or(0, |grant| grant.fence().0);
            step.emit(Event::Acted { client: me, token });
            step.write(me, Write::Lock { token, fence: self.machine.shown_fence(fence) }, true);
        }
        let Some(left) = left.checked_sub(1) else {
            return self.give_up_lock(step, me, End::Releasing);
        };
        self.stage = Stage::Working { left };
        let plan = &step.core.plan.scenario;
        let rest = match self.style {
            Behaviour::Brief | Behaviour::Extend => plan.hold,
            Behaviour::Overstay => plan.lease + plan.lease / 4,
            Behaviour::Keep => plan.lease / 2,
        };
        self.next_work = step.local(me) + micros(rest);
        self.watch_lease(step, me);
    }

    fn begin_work<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
    ) {
        let behaviours = if step.core.healed { 1 } else { step.core.plan.scenario.behaviours };
        self.style = match step.choose(DecisionKind::Behaviour, me, self.round, behaviours) {
            0 => Behaviour::Brief,
            1 => Behaviour::Overstay,
            2 => Behaviour::Extend,
            _ => Behaviour::Keep,
        };
        let left = match self.style {
            Behaviour::Brief | Behaviour::Overstay => 1,
            Behaviour::Extend => 2,
            Behaviour::Keep => 4,
        };
        self.next_work = step.local(me);
        self.stage = Stage::Working { left };
        if self.style == Behaviour::Keep {
            self.feed(step, me, MachineEvent::Start(LockRequest::Keep));
        }
        if matches!(self.stage, Stage::Working { .. }) {
            self.work(step, me);
        }
    }

    /// Wakes for the next piece of work, or when the lease is over.
    fn watch_lease<C: DecisionSource, W: Observer>(&self, step: &mut Step<'_, C, W>, me: Client) {
        step.set_alarm(me, Alarm::Work, self.next_work.min(self.deadline()));
    }

    fn is_over(&self, now: Instant) -> bool {
        now >= self.deadline()
    }

    /// When to stop work without being told.
    fn deadline(&self) -> Instant {
        match self.held {
            Some(_) if self.machine.leaves_loss_to_renewals() => Instant::NEVER,
            Some((_, deadline)) => deadline,
            None => Instant::ORIGIN,
        }
    }

    fn give_up_lock<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        end: End,
    ) {
        self.end(step, me, end);
        step.clear_alarm(me, Alarm::Work);
        step.host(me).forget_calls();
        self.quorum_call = None;
        self.ask(step, me, Ask::Release);
        self.stage = Stage::Releasing;
        self.feed(step, me, MachineEvent::Start(LockRequest::Release));
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
            // Enough to see that everybody is served, and no more.
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
        let by = step.truth(me, step.local(me).plus_micros(self.longest_call));
        step.emit(Event::Asked { client: me, ask, by });
    }

    fn told<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        answer: Answer,
    ) {
        if let Some(ask) = self.asked.take() {
            step.emit(Event::Returned { client: me, ask, answer, token: self.last_token });
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

    /// Tells when the machine's lease is new, or lasts longer than it did.
    fn notice_renewal<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
    ) {
        let Some(grant) = self.machine.grant() else { return };
        let told = self.held.map(|(_, deadline)| deadline);
        if told == Some(grant.deadline()) || self.stage == Stage::Idle {
            return;
        }
        let (token, deadline) = (TokenId::of(grant.token()), grant.deadline());
        let fence = grant.fence().0;
        self.held = Some((token, deadline));
        let until = step.truth(me, deadline);
        step.emit(Event::Held { client: me, token, fence, until });
    }
}

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}
