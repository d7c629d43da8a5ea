//! Clients that call one debounced function, and one that sweeps up after them.

use core::time::Duration;
use std::sync::Arc;

use leasehold_core::{
    Event as MachineEvent, Instant, StoreError, Tokens,
    debounce::{
        CallOutcome, Claim, DebounceConfig, DebounceMachine, DebounceOptions, DebounceOutcome,
        DebounceRequest, SweepOutcome,
    },
};

use super::{
    Plan, Response, Step, Turn, Write,
    driver::{self, Driven},
};
use crate::{
    catalog::{DEBOUNCE_MAX_WAIT, DEBOUNCE_WAIT},
    decide::{DecisionKind, DecisionSource},
    history::{CallAnswer, CallId, Client, DebounceEvent, Event, TokenId},
    mutants::PlantedDebounce,
    world::{Alarm, Answered, Observer},
};

/// The id of the debounced function.
pub(crate) const DEBOUNCE_ID: &str = "index";

/// How long a run takes.
pub(super) const RUN: u64 = 40_000;

/// How often the sweeper looks.
pub(super) const SWEEP: u64 = 250_000;

/// How many calls a client makes at least, unless said otherwise,
pub(super) const CALLS: u32 = 3;

/// and at the most while there may be faults, so that the end is quiet. So many come so fast that a
/// burst reaches the longest wait.
pub(super) const CALLS_BEFORE: u32 = 6;

/// How a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Behaviour {
    Well,
    /// The callback fails.
    Fails,
    /// The callback takes longer than its lease, and is dropped there.
    Long,
    /// The handle is dropped in the middle of the run, and nobody gives the run back.
    Leaves,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    /// The machine participates, for a call or for all.
    Participating,
    Running,
    /// The lease was checked, and the next step writes.
    Writing,
    Finishing,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DebounceProgram {
    machine: PlantedDebounce,
    sweeper: bool,
    stage: Stage,
    style: Behaviour,
    round: u32,
    /// How many calls the client has made, in all its lives.
    calls: u16,
    /// The call that has not returned.
    call: Option<CallId>,
    /// What is run, and until when.
    run: Option<(CallId, Instant, u64)>,
}

impl DebounceProgram {
    pub(crate) fn new(plan: &Plan, client: Client, life: u32) -> Self {
        let options = options(plan, client);
        let config = DebounceConfig::new(DEBOUNCE_ID, &options).expect("a valid setting");
        let tokens = Tokens::of_owner(TokenId::owner(client, life));
        let seed = u64::from(client) << 8 | u64::from(life);
        Self {
            machine: PlantedDebounce::new(
                DebounceMachine::new(config, tokens, seed),
                plan.scenario.mutant,
            ),
            sweeper: is_sweeper(plan, client),
            stage: Stage::Idle,
            style: Behaviour::Well,
            round: 0,
            calls: 0,
            call: None,
            run: None,
        }
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.stage != Stage::Idle
    }

    /// The sweeper is the one that lives: whoever else may die, it claims what they leave.
    pub(crate) fn may_crash(&self) -> bool {
        !self.sweeper
    }
}

impl<C: DecisionSource, W: Observer> Turn<'_, '_, DebounceProgram, C, W> {
    pub(super) fn alarm(&mut self, alarm: Alarm) {
        match alarm {
            Alarm::Machine => {
                let event = driver::rung(self.step, self.me);
                self.feed(event);
            }
            Alarm::Work => self.work(),
        }
    }

    pub(super) fn reply(&mut self, _answered: Answered, response: Response) {
        let event = driver::replied(self.step, self.me, response);
        self.feed(event);
    }

    pub(super) fn cancel(&mut self, handle: bool) {
        if !handle {
            self.step.cancelling(self.me);
        }
        self.vanish(handle);
    }

    pub(super) fn restarted(&mut self, life: u32) {
        self.returned(CallAnswer::Dropped);
        let program = DebounceProgram::new(&self.step.core.plan, self.me, life);
        *self.program = DebounceProgram { round: self.round, calls: self.calls, ..program };
    }

    fn feed(&mut self, event: MachineEvent<DebounceRequest>) {
        let me = self.me;
        let call = |step: &mut Step<'_, C, W>, command, give_up_at| {
            let meaning = driver::meaning(&command);
            driver::call(step, me, command, meaning, give_up_at);
        };
        match driver::feed(&mut self.program.machine, self.step, me, event, call) {
            Driven::Awaiting => {}
            Driven::Vanished { handle } => self.vanish(handle),
            Driven::Done(outcome) => self.done(outcome),
        }
    }

    fn work(&mut self) {
        match self.stage {
            Stage::Idle if self.sweeper => {
                self.stage = Stage::Participating;
                let cancels = self.scenario().cancels && self.round % 2 == 1;
                let request =
                    if cancels { DebounceRequest::Cancel } else { DebounceRequest::Sweep };
                self.feed(MachineEvent::Start(request));
            }
            Stage::Idle => self.call(),
            Stage::Running => self.end_of_run(),
            Stage::Writing => {
                if let Some((call, _, fence)) = self.run {
                    let fence = self.machine.shown_fence(fence);
                    // Without a spread: whose of two runs at once writes last is not what is asked.
                    self.step.write(self.me, Write::Debounce { call, fence }, false);
                }
                self.finish(true);
            }
            Stage::Finishing | Stage::Participating => {
                unreachable!("no work is due in {:?}", self.stage)
            }
        }
    }

    fn call(&mut self) {
        let calls = Some(self.scenario().calls).filter(|&calls| calls < u32::MAX);
        let most =
            calls.unwrap_or_else(|| if self.step.is_healed() { CALLS } else { CALLS_BEFORE });
        if u32::from(self.calls) >= most {
            return;
        }
        self.calls += 1;
        let call = CallId::of(self.me, self.calls);
        self.call = Some(call);
        self.stage = Stage::Participating;
        self.emit(Event::Debounce(DebounceEvent::Called { client: self.me, call }));
        let args = call.to_args();
        self.feed(MachineEvent::Start(DebounceRequest::Call { args }));
    }

    fn done(&mut self, outcome: DebounceOutcome) {
        match (self.stage, outcome) {
            (
                _,
                DebounceOutcome::Call(Ok(CallOutcome::Run(claim)))
                | DebounceOutcome::Sweep(Ok(SweepOutcome::Run(claim))),
            ) => self.begin_run(&claim),
            // The call counts, whatever became of the end of its run.
            (Stage::Finishing, outcome) => {
                let fired = matches!(outcome, DebounceOutcome::Succeed(Ok(_)));
                let answer = if fired { CallAnswer::Fired } else { CallAnswer::Open };
                self.returned(answer);
                self.rest();
            }
            (_, outcome) => {
                self.returned(answer(&outcome));
                self.rest();
            }
        }
    }

    fn begin_run(&mut self, claim: &Claim) {
        let behaviours = if self.step.core.healed { 1 } else { self.scenario().behaviours };
        self.style = match self.choose(DecisionKind::Behaviour, self.round, behaviours) {
            0 => Behaviour::Well,
            1 => Behaviour::Fails,
            2 => Behaviour::Long,
            _ => Behaviour::Leaves,
        };
        let call = CallId::from_args(claim.args()).expect("only calls are claimed");
        let (deadline, fence) = (claim.deadline(), claim.fence().0);
        self.run = Some((call, deadline, fence));
        self.stage = Stage::Running;
        self.emit(Event::Debounce(DebounceEvent::RunBegan { client: self.me, call, fence }));
        let takes = if self.style == Behaviour::Long { self.scenario().run_lease * 2 } else { RUN };
        let end = self.now().plus_micros(takes).min(deadline);
        self.set_alarm(Alarm::Work, end);
    }

    fn end_of_run(&mut self) {
        if self.style == Behaviour::Leaves {
            return self.vanish(true);
        }
        let now = self.now();
        let in_time = self.run.is_some_and(|(_, deadline, _)| now < deadline);
        if in_time && self.style == Behaviour::Well {
            // The lease was good just now; a pause may fall between this step and the next.
            self.stage = Stage::Writing;
            self.set_alarm(Alarm::Work, now.plus_micros(1));
        } else {
            self.finish(false);
        }
    }

    fn finish(&mut self, success: bool) {
        if let Some((call, _, _)) = self.run.take() {
            self.emit(Event::Debounce(DebounceEvent::RunEnded { client: self.me, call, success }));
        }
        self.stage = Stage::Finishing;
        let request = if success { DebounceRequest::Succeed } else { DebounceRequest::Fail };
        self.feed(MachineEvent::Start(request));
    }

    fn vanish(&mut self, handle: bool) {
        driver::abandon(self.step, self.me);
        self.returned(CallAnswer::Dropped);
        if handle {
            let life = self.next_life();
            self.restarted(life);
        }
        self.rest();
    }

    fn rest(&mut self) {
        self.stage = Stage::Idle;
        self.run = None;
        self.round += 1;
        let plan = self.scenario();
        let (idle, idle_step, choices) = (plan.idle, plan.idle_step, plan.idle_choices);
        let idle = if self.sweeper {
            SWEEP
        } else {
            let choice = self.step.choose(DecisionKind::Idle, self.me, self.round, choices);
            idle + u64::from(choice) * idle_step
        };
        self.wake(Alarm::Work, idle);
    }

    fn returned(&mut self, answer: CallAnswer) {
        if let Some(call) = self.call.take() {
            self.emit(Event::Debounce(DebounceEvent::Returned { client: self.me, call, answer }));
        }
    }
}

/// The last client sweeps.
pub(crate) fn is_sweeper(plan: &Plan, client: Client) -> bool {
    client + 1 == plan.settings.clients
}

pub(super) fn options(plan: &Plan, client: Client) -> DebounceOptions {
    let micros = Duration::from_micros;
    DebounceOptions::new()
        .wait(micros(DEBOUNCE_WAIT))
        .max_wait(micros(DEBOUNCE_MAX_WAIT))
        .run_lease(micros(plan.scenario.run_lease))
        .retry_delay(micros(plan.scenario.delay))
        .delay(micros(plan.scenario.delay / 2))
        .call_timeout(micros(plan.scenario.call_timeout))
        .request_life(Duration::from_secs(10))
        .life(Duration::from_secs(60))
        // The first one stays, to be told what became of its calls.
        .leave_when_superseded(plan.scenario.leaves && client > 0)
}

fn answer(outcome: &DebounceOutcome) -> CallAnswer {
    match outcome {
        DebounceOutcome::Call(Ok(CallOutcome::FiredElsewhere)) => CallAnswer::FiredElsewhere,
        DebounceOutcome::Call(Ok(CallOutcome::Superseded { .. })) => CallAnswer::Superseded,
        DebounceOutcome::Call(Ok(CallOutcome::Cancelled)) => CallAnswer::Cancelled,
        DebounceOutcome::Call(Err(StoreError::NotSent(_) | StoreError::Rejected(_))) => {
            CallAnswer::NotCounted
        }
        _ => CallAnswer::Open,
    }
}

impl CallId {
    pub(super) fn to_args(self) -> Arc<[u8]> {
        self.as_u32().to_be_bytes().as_slice().into()
    }
}
