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
    Plan, Response, Step, Write,
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

    pub(crate) fn alarm<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        alarm: Alarm,
    ) {
        match alarm {
            Alarm::Machine => {
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
        _answered: Answered,
        response: Response,
    ) {
        let event = driver::replied(step, me, response);
        self.feed(step, me, event);
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
        self.returned(step, me, CallAnswer::Dropped);
        let (round, calls) = (self.round, self.calls);
        *self = Self { round, calls, ..Self::new(&step.core.plan, me, life) };
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.stage != Stage::Idle
    }

    /// The sweeper is the one that lives: whoever else may die, it claims what they leave.
    pub(crate) fn may_crash(&self) -> bool {
        !self.sweeper
    }

    fn feed<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        event: MachineEvent<DebounceRequest>,
    ) {
        let call = |step: &mut Step<'_, C, W>, command, give_up_at| {
            let meaning = driver::meaning(&command);
            driver::call(step, me, command, meaning, give_up_at);
        };
        match driver::feed(&mut self.machine, step, me, event, call) {
            Driven::Awaiting => {}
            Driven::Vanished { handle } => self.vanish(step, me, handle),
            Driven::Done(outcome) => self.done(step, me, outcome),
        }
    }

    fn work<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        match self.stage {
            Stage::Idle if self.sweeper => {
                self.stage = Stage::Participating;
                let cancels = step.core.plan.scenario.cancels && self.round % 2 == 1;
                let request =
                    if cancels { DebounceRequest::Cancel } else { DebounceRequest::Sweep };
                self.feed(step, me, MachineEvent::Start(request));
            }
            Stage::Idle => self.call(step, me),
            Stage::Running => self.end_of_run(step, me),
            Stage::Writing => {
                if let Some((call, _, fence)) = self.run {
                    let fence = self.machine.shown_fence(fence);
                    // Without a spread: whose of two runs at once writes last is not what is asked.
                    step.write(me, Write::Debounce { call, fence }, false);
                }
                self.finish(step, me, true);
            }
            Stage::Finishing | Stage::Participating => {
                unreachable!("no work is due in {:?}", self.stage)
            }
        }
    }

    fn call<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        let calls = Some(step.scenario().calls).filter(|&calls| calls < u32::MAX);
        let most = calls.unwrap_or_else(|| if step.is_healed() { CALLS } else { CALLS_BEFORE });
        if u32::from(self.calls) >= most {
            return;
        }
        self.calls += 1;
        let call = CallId::of(me, self.calls);
        self.call = Some(call);
        self.stage = Stage::Participating;
        step.emit(Event::Debounce(DebounceEvent::Called { client: me, call }));
        let args = call.to_args();
        self.feed(step, me, MachineEvent::Start(DebounceRequest::Call { args }));
    }

    fn done<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        outcome: DebounceOutcome,
    ) {
        match (self.stage, outcome) {
            (
                _,
                DebounceOutcome::Call(Ok(CallOutcome::Run(claim)))
                | DebounceOutcome::Sweep(Ok(SweepOutcome::Run(claim))),
            ) => self.begin_run(step, me, &claim),
            // The call counts, whatever became of the end of its run.
            (Stage::Finishing, outcome) => {
                let fired = matches!(outcome, DebounceOutcome::Succeed(Ok(_)));
                let answer = if fired { CallAnswer::Fired } else { CallAnswer::Open };
                self.returned(step, me, answer);
                self.rest(step, me);
            }
            (_, outcome) => {
                self.returned(step, me, answer(&outcome));
                self.rest(step, me);
            }
        }
    }

    fn begin_run<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        claim: &Claim,
    ) {
        let behaviours = if step.core.healed { 1 } else { step.core.plan.scenario.behaviours };
        self.style = match step.choose(DecisionKind::Behaviour, me, self.round, behaviours) {
            0 => Behaviour::Well,
            1 => Behaviour::Fails,
            2 => Behaviour::Long,
            _ => Behaviour::Leaves,
        };
        let call = CallId::from_args(claim.args()).expect("only calls are claimed");
        let (deadline, fence) = (claim.deadline(), claim.fence().0);
        self.run = Some((call, deadline, fence));
        self.stage = Stage::Running;
        step.emit(Event::Debounce(DebounceEvent::RunBegan { client: me, call, fence }));
        let takes =
            if self.style == Behaviour::Long { step.core.plan.scenario.run_lease * 2 } else { RUN };
        let end = step.local(me).plus_micros(takes).min(deadline);
        step.set_alarm(me, Alarm::Work, end);
    }

    fn end_of_run<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
    ) {
        if self.style == Behaviour::Leaves {
            return self.vanish(step, me, true);
        }
        let now = step.local(me);
        let in_time = self.run.is_some_and(|(_, deadline, _)| now < deadline);
        if in_time && self.style == Behaviour::Well {
            // The lease was good just now; a pause may fall between this step and the next.
            self.stage = Stage::Writing;
            step.set_alarm(me, Alarm::Work, now.plus_micros(1));
        } else {
            self.finish(step, me, false);
        }
    }

    fn finish<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        success: bool,
    ) {
        if let Some((call, _, _)) = self.run.take() {
            step.emit(Event::Debounce(DebounceEvent::RunEnded { client: me, call, success }));
        }
        self.stage = Stage::Finishing;
        let request = if success { DebounceRequest::Succeed } else { DebounceRequest::Fail };
        self.feed(step, me, MachineEvent::Start(request));
    }

    fn vanish<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        handle: bool,
    ) {
        driver::abandon(step, me);
        self.returned(step, me, CallAnswer::Dropped);
        if handle {
            let host = step.host(me);
            host.life += 1;
            let life = host.life;
            self.restarted(step, me, life);
        }
        self.rest(step, me);
    }

    fn rest<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        self.stage = Stage::Idle;
        self.run = None;
        self.round += 1;
        let plan = &step.core.plan.scenario;
        let (idle, idle_step, choices) = (plan.idle, plan.idle_step, plan.idle_choices);
        let idle = if self.sweeper {
            SWEEP
        } else {
            let choice = step.choose(DecisionKind::Idle, me, self.round, choices);
            idle + u64::from(choice) * idle_step
        };
        let wake = step.local(me).plus_micros(idle);
        step.set_alarm(me, Alarm::Work, wake);
    }

    fn returned<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        answer: CallAnswer,
    ) {
        if let Some(call) = self.call.take() {
            step.emit(Event::Debounce(DebounceEvent::Returned { client: me, call, answer }));
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
