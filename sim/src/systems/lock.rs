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
    LOCK_ID, Plan, Response, Turn, Write,
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

    pub(crate) fn is_busy(&self) -> bool {
        self.stage != Stage::Idle
    }
}

impl<C: DecisionSource, W: Observer> Turn<'_, '_, LockProgram, C, W> {
    pub(super) fn alarm(&mut self, alarm: Alarm) {
        match alarm {
            Alarm::Machine => {
                if let Some(mut quorum_call) = self.quorum_call.take() {
                    let progress = quorum_call.rung(self.step, self.me);
                    return self.count(quorum_call, progress);
                }
                let event = driver::rung(self.step, self.me);
                self.feed(event);
            }
            Alarm::Work => self.work(),
        }
    }

    pub(super) fn reply(&mut self, answered: Answered, response: Response) {
        if let Some(mut quorum_call) = self.quorum_call.take() {
            let progress = quorum_call.replied(self.step, self.me, answered.node, response);
            return self.count(quorum_call, progress);
        }
        let event = driver::replied(self.step, self.me, response);
        self.feed(event);
    }

    pub(super) fn notified(&mut self) {
        self.feed(MachineEvent::Notified);
    }

    pub(super) fn cancel(&mut self, handle: bool) {
        if !handle {
            self.step.cancelling(self.me);
        }
        self.vanish(handle);
    }

    pub(super) fn restarted(&mut self, life: u32) {
        self.end(End::Gone);
        let program = LockProgram::new(&self.step.core.plan, self.me, life);
        *self.program = LockProgram { round: self.round, ..program };
    }

    fn feed(&mut self, event: MachineEvent<LockRequest>) {
        let LockProgram { machine, last_token, quorum_call, .. } = &mut *self.program;
        let me = self.me;
        let fed = driver::feed(machine, self.step, me, event, |step, command, give_up_at| {
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
        self.notice_renewal();
        match fed {
            Driven::Awaiting => {}
            Driven::Vanished { handle } => self.vanish(handle),
            Driven::Done(outcome) => self.done(outcome),
        }
    }

    /// Goes on as the servers' answers decide.
    fn count(&mut self, quorum_call: Box<QuorumCall>, progress: QuorumProgress<LockRequest>) {
        match progress {
            QuorumProgress::Waiting => self.quorum_call = Some(quorum_call),
            QuorumProgress::NextRound => {
                self.quorum_call = Some(quorum_call);
                match self.step.awaiting(self.me, true) {
                    Cancelled::No => {}
                    Cancelled::Future => self.vanish(false),
                    Cancelled::Handle => self.vanish(true),
                }
            }
            QuorumProgress::Decided(event) => self.feed(event),
        }
    }

    fn vanish(&mut self, handle: bool) {
        driver::abandon(self.step, self.me);
        self.quorum_call = None;
        self.told(Answer::Dropped);
        if handle {
            let life = self.next_life();
            self.restarted(life);
            return self.rest();
        }
        match self.stage {
            Stage::Extending => self.give_up_lock(End::Releasing),
            Stage::Acting { .. } | Stage::Working { .. } => {
                self.end(End::Gone);
                self.rest();
            }
            Stage::Acquiring | Stage::Idle | Stage::Releasing => self.rest(),
        }
    }

    fn done(&mut self, outcome: LockOutcome) {
        match self.stage {
            Stage::Acquiring => {
                if let LockOutcome::Acquire(Ok(_)) = outcome {
                    self.elected();
                }
                self.told(answer(&outcome));
                if let LockOutcome::Acquire(Ok(_)) = outcome {
                    self.notice_renewal();
                    self.begin_work();
                } else {
                    self.rest();
                }
            }
            Stage::Extending => {
                self.told(answer(&outcome));
                if let LockOutcome::Extend(Err(ExtendError::Lost(_))) = outcome {
                    self.give_up_lock(End::Lost);
                } else {
                    self.next_work = self.now() + micros(self.scenario().hold);
                    self.stage = Stage::Working { left: 0 };
                    self.watch_lease();
                }
            }
            Stage::Acting { .. } | Stage::Working { .. } => {
                self.give_up_lock(End::Lost);
            }
            Stage::Releasing => {
                self.told(answer(&outcome));
                self.rest();
            }
            Stage::Idle => unreachable!("nothing was asked"),
        }
    }

    /// Tells of a grant by a majority, which no single server can.
    fn elected(&mut self) {
        if let Some(grant) = self.machine.grant() {
            self.step.elected(TokenId::of(grant.token()), grant.fence().0);
        }
    }

    fn work(&mut self) {
        let now = self.now();
        match self.stage {
            Stage::Idle => {
                self.ask(Ask::Acquire);
                self.stage = Stage::Acquiring;
                let request = match self.scenario().waits {
                    0 => self.request.clone(),
                    waits => self.request.clone().until(now.plus_micros(waits), false),
                };
                self.feed(MachineEvent::Start(LockRequest::Acquire(request)));
            }
            Stage::Working { .. } if self.is_over(now) => self.give_up_lock(End::Lost),
            Stage::Working { .. } if now < self.next_work => self.watch_lease(),
            Stage::Working { left: 1 } if self.style == Behaviour::Extend => {
                self.ask(Ask::Extend);
                self.stage = Stage::Extending;
                let by_ms = self.scenario().lease / 1_000;
                self.feed(MachineEvent::Start(LockRequest::Extend { by_ms }));
            }
            Stage::Working { left } => {
                // The lease was good just now; a pause may fall between this step and the next.
                self.stage = Stage::Acting { left };
                self.set_alarm(Alarm::Work, now.plus_micros(1));
            }
            Stage::Acting { left } => self.act(left),
            Stage::Acquiring | Stage::Extending | Stage::Releasing => {
                unreachable!("no work is due in {:?}", self.stage)
            }
        }
    }

    fn act(&mut self, left: u8) {
        if let Some((token, _)) = self.held
            && self.scenario().acts
        {
            let fence = self.machine.grant().map_or(0, |grant| grant.fence().0);
            self.emit(Event::Acted { client: self.me, token });
            self.step.write(
                self.me,
                Write::Lock { token, fence: self.machine.shown_fence(fence) },
                true,
            );
        }
        let Some(left) = left.checked_sub(1) else {
            return self.give_up_lock(End::Releasing);
        };
        self.stage = Stage::Working { left };
        let plan = self.scenario();
        let rest = match self.style {
            Behaviour::Brief | Behaviour::Extend => plan.hold,
            Behaviour::Overstay => plan.lease + plan.lease / 4,
            Behaviour::Keep => plan.lease / 2,
        };
        self.next_work = self.now() + micros(rest);
        self.watch_lease();
    }

    fn begin_work(&mut self) {
        let behaviours = if self.step.core.healed { 1 } else { self.scenario().behaviours };
        self.style = match self.choose(DecisionKind::Behaviour, self.round, behaviours) {
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
        self.next_work = self.now();
        self.stage = Stage::Working { left };
        if self.style == Behaviour::Keep {
            self.feed(MachineEvent::Start(LockRequest::Keep));
        }
        if matches!(self.stage, Stage::Working { .. }) {
            self.work();
        }
    }

    /// Wakes for the next piece of work, or when the lease is over.
    fn watch_lease(&mut self) {
        self.set_alarm(Alarm::Work, self.next_work.min(self.deadline()));
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

    fn give_up_lock(&mut self, end: End) {
        self.end(end);
        self.clear_alarm(Alarm::Work);
        self.step.host(self.me).forget_calls();
        self.quorum_call = None;
        self.ask(Ask::Release);
        self.stage = Stage::Releasing;
        self.feed(MachineEvent::Start(LockRequest::Release));
    }

    fn rest(&mut self) {
        self.stage = Stage::Idle;
        self.round += 1;
        if self.round >= self.scenario().calls {
            return self.clear_alarm(Alarm::Work);
        }
        // Enough to see that everybody is served, and no more.
        let slower = if self.step.is_healed() { 5 } else { 1 };
        self.rest_before(self.round, slower * self.scenario().idle);
    }

    fn ask(&mut self, ask: Ask) {
        self.asked = Some(ask);
        let by = self.step.truth(self.me, self.now().plus_micros(self.longest_call));
        self.emit(Event::Asked { client: self.me, ask, by });
    }

    fn told(&mut self, answer: Answer) {
        if let Some(ask) = self.asked.take() {
            self.emit(Event::Returned { client: self.me, ask, answer, token: self.last_token });
        }
    }

    fn end(&mut self, end: End) {
        if let Some((token, _)) = self.held.take() {
            self.emit(Event::Ended { client: self.me, token, end });
        }
    }

    /// Tells when the machine's lease is new, or lasts longer than it did.
    fn notice_renewal(&mut self) {
        let Some(grant) = self.machine.grant() else { return };
        let told = self.held.map(|(_, deadline)| deadline);
        if told == Some(grant.deadline()) || self.stage == Stage::Idle {
            return;
        }
        let (token, deadline) = (TokenId::of(grant.token()), grant.deadline());
        let fence = grant.fence().0;
        self.held = Some((token, deadline));
        let until = self.step.truth(self.me, deadline);
        self.emit(Event::Held { client: self.me, token, fence, until });
    }
}

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}
