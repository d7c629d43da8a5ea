//! Clients that call one debounced function, and one that sweeps up after them.

use core::time::Duration;
use std::sync::Arc;

use leasehold_core::{
    Command, Event as MachineEvent, Instant, Tokens,
    debounce::{
        Claim, DebounceConfig, DebounceMachine, DebounceOptions, DebounceOutcome, DebounceRequest,
    },
};

use super::{
    Plan, Response, Step, Write,
    driver::{self, Fed},
};
use crate::{
    catalog::{DEBOUNCE_MAX_WAIT, DEBOUNCE_WAIT},
    decide::{Chance, Kind},
    history::{Act, CallAnswer, CallId, Client, DebounceEvent, Event, TokenId},
    mutants::PlantedDebounce,
    world::{Alarm, Watch},
};

/// The id of the debounced function.
pub(crate) const DEBOUNCE_ID: &str = "index";

/// How long a run may take.
const RUN_LEASE: u64 = 800_000;

/// How long a run takes.
const RUN: u64 = 40_000;

/// How often the sweeper looks.
const SWEEP: u64 = 250_000;

/// How many calls a client makes unless said otherwise, so that the end is quiet and stories are
/// short.
const CALLS: u32 = 3;

/// How a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Style {
    Well,
    /// The callback fails.
    Fails,
    /// The callback takes longer than its lease, and is dropped there.
    Long,
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
    style: Style,
    round: u32,
    /// How many calls the client has made, in all its lives.
    calls: u16,
    /// The call that has not returned.
    call: Option<CallId>,
    /// What is run, and until when.
    run: Option<(CallId, Instant, u64)>,
}

impl DebounceProgram {
    pub(crate) fn new(plan: &Plan, client: Client, life: u8) -> Self {
        let options = options(plan);
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
            style: Style::Well,
            round: 0,
            calls: 0,
            call: None,
            run: None,
        }
    }

    pub(crate) fn alarm<C: Chance, W: Watch>(
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

    pub(crate) fn reply<C: Chance, W: Watch>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        _node: u8,
        response: Response,
    ) {
        let event = driver::replied(step, me, response);
        self.feed(step, me, event);
    }

    pub(crate) fn cancel<C: Chance, W: Watch>(
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

    pub(crate) fn reborn<C: Chance, W: Watch>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        life: u8,
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

    fn feed<C: Chance, W: Watch>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        event: MachineEvent<DebounceRequest>,
    ) {
        let call = |step: &mut Step<'_, C, W>, command, give_up_at| {
            let meaning = meaning(&command);
            driver::call(step, me, command, meaning, give_up_at);
        };
        match driver::feed(&mut self.machine, step, me, event, call) {
            Fed::Awaiting => {}
            Fed::Vanished { handle } => self.vanish(step, me, handle),
            Fed::Done(outcome) => self.done(step, me, outcome),
        }
    }

    fn work<C: Chance, W: Watch>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
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

    fn call<C: Chance, W: Watch>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        let most =
            Some(step.core.plan.scenario.calls).filter(|&calls| calls < u32::MAX).unwrap_or(CALLS);
        if u32::from(self.calls) >= most {
            return;
        }
        self.calls += 1;
        let call = CallId::of(me, self.calls);
        self.call = Some(call);
        self.stage = Stage::Participating;
        step.tell(Event::Debounce(DebounceEvent::Called { client: me, call }));
        let args = call.to_args();
        self.feed(step, me, MachineEvent::Start(DebounceRequest::Call { args }));
    }

    fn done<C: Chance, W: Watch>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        outcome: DebounceOutcome,
    ) {
        match (self.stage, outcome) {
            (_, DebounceOutcome::Run(claim)) => self.begin_run(step, me, &claim),
            // The call counts, whatever became of the end of its run.
            (Stage::Finishing, outcome) => {
                let fired = matches!(outcome, DebounceOutcome::Fired { .. });
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

    fn begin_run<C: Chance, W: Watch>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        claim: &Claim,
    ) {
        let styles = if step.core.healed { 1 } else { step.core.plan.scenario.styles };
        self.style = match step.choose(Kind::Style, me, self.round, styles) {
            0 => Style::Well,
            1 => Style::Fails,
            _ => Style::Long,
        };
        let call = CallId::from_args(claim.args()).expect("only calls are claimed");
        let (deadline, fence) = (claim.deadline(), claim.fence().0);
        self.run = Some((call, deadline, fence));
        self.stage = Stage::Running;
        step.tell(Event::Debounce(DebounceEvent::RunBegan { client: me, call, fence }));
        let takes = if self.style == Style::Long { RUN_LEASE * 2 } else { RUN };
        let end = step.local(me).plus_micros(takes).min(deadline);
        step.set_alarm(me, Alarm::Work, end);
    }

    fn end_of_run<C: Chance, W: Watch>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        let now = step.local(me);
        let in_time = self.run.is_some_and(|(_, deadline, _)| now < deadline);
        if in_time && self.style == Style::Well {
            // The lease was good just now; a pause may fall between this step and the next.
            self.stage = Stage::Writing;
            step.set_alarm(me, Alarm::Work, now.plus_micros(1));
        } else {
            self.finish(step, me, false);
        }
    }

    fn finish<C: Chance, W: Watch>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        success: bool,
    ) {
        if let Some((call, _, _)) = self.run.take() {
            step.tell(Event::Debounce(DebounceEvent::RunEnded { client: me, call, success }));
        }
        self.stage = Stage::Finishing;
        self.feed(step, me, MachineEvent::Start(DebounceRequest::Finish { success }));
    }

    fn vanish<C: Chance, W: Watch>(&mut self, step: &mut Step<'_, C, W>, me: Client, handle: bool) {
        driver::abandon(step, me);
        self.returned(step, me, CallAnswer::Dropped);
        if handle {
            let host = step.host(me);
            host.life += 1;
            let life = host.life;
            self.reborn(step, me, life);
        }
        self.rest(step, me);
    }

    fn rest<C: Chance, W: Watch>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        self.stage = Stage::Idle;
        self.run = None;
        self.round += 1;
        let plan = &step.core.plan.scenario;
        let (idle, idle_step, choices) = (plan.idle, plan.idle_step, plan.idle_choices);
        let idle = if self.sweeper {
            SWEEP
        } else {
            let choice = step.choose(Kind::Idle, me, self.round, choices);
            idle + u64::from(choice) * idle_step
        };
        let wake = step.local(me).plus_micros(idle);
        step.set_alarm(me, Alarm::Work, wake);
    }

    fn returned<C: Chance, W: Watch>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        answer: CallAnswer,
    ) {
        if let Some(call) = self.call.take() {
            step.tell(Event::Debounce(DebounceEvent::Returned { client: me, call, answer }));
        }
    }
}

/// The last client sweeps.
pub(crate) fn is_sweeper(plan: &Plan, client: Client) -> bool {
    client + 1 == plan.settings.clients
}

fn options(plan: &Plan) -> DebounceOptions {
    let micros = Duration::from_micros;
    DebounceOptions::new()
        .wait(micros(DEBOUNCE_WAIT))
        .max_wait(micros(DEBOUNCE_MAX_WAIT))
        .run_lease(micros(RUN_LEASE))
        .retry_delay(micros(plan.scenario.delay))
        .delay(micros(plan.scenario.delay / 2))
        .call_timeout(micros(plan.scenario.call_timeout))
        .request_life(Duration::from_secs(10))
        .life(Duration::from_secs(60))
        .leave_when_superseded(plan.scenario.leaves)
}

fn answer(outcome: &DebounceOutcome) -> CallAnswer {
    match outcome {
        DebounceOutcome::FiredElsewhere => CallAnswer::FiredElsewhere,
        DebounceOutcome::Superseded { .. } => CallAnswer::Superseded,
        DebounceOutcome::Cancelled => CallAnswer::Cancelled,
        DebounceOutcome::Rejected(_) | DebounceOutcome::Unavailable(_) => CallAnswer::NotCounted,
        _ => CallAnswer::Open,
    }
}

fn meaning(_command: &Command) -> (Act, Option<TokenId>) {
    (Act::Other, None)
}

impl CallId {
    fn to_args(self) -> Arc<[u8]> {
        self.as_u32().to_be_bytes().as_slice().into()
    }
}
