//! The algorithms under test, as programs that run on simulated clients.

pub(crate) mod debounce;
mod driver;
mod handle;
mod key;
pub(crate) mod lock;
mod plans;
mod quorum_call;
mod scenario;
mod turn;
pub(crate) mod upstream;

use debounce::DebounceProgram;
use handle::HandleProgram;
use lock::LockProgram;
use turn::Turn;
use upstream::{UpstreamDebounceProgram, UpstreamLockProgram};

use crate::{
    catalog::{Subject, Workload},
    decide::DecisionSource,
    history::Client,
    run, world,
    world::{Alarm, Answered, Host, Observer},
};

pub use plans::speed_plan;
pub(crate) use scenario::Asked;
pub use scenario::{Answer, Request, Scenario, Shared, Write};

/// All about a run that is not left to chance.
pub type Plan = world::Plan<Scenario>;

/// A world in which the built-in algorithms run.
pub type World = world::World<Scenario>;

/// A run of one of them, judged.
pub type Run = run::Run<Scenario>;

/// A step of such a world.
type Step<'a, C, W> = world::Step<'a, Scenario, C, W>;

/// What a client of one of them is answered.
type Response = world::Response<Scenario>;

/// The id of the lock for which the clients contend.
pub const LOCK_ID: &str = "job";

/// A client's program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Program(Algorithm);

/// There are few, and none is moved once it is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Algorithm {
    Lock(LockProgram),
    Debounce(DebounceProgram),
    UpstreamLock(UpstreamLockProgram),
    UpstreamDebounce(UpstreamDebounceProgram),
    Handle(HandleProgram),
}

impl Program {
    fn new(plan: &Plan, client: Client) -> Self {
        Self(match (plan.scenario.subject, plan.scenario.workload) {
            (Subject::Upstream, Workload::Lock) => {
                Algorithm::UpstreamLock(UpstreamLockProgram::new())
            }
            (Subject::Upstream, Workload::Debounce) => {
                Algorithm::UpstreamDebounce(UpstreamDebounceProgram::new())
            }
            (subject, _) if subject.runs_handles() => {
                Algorithm::Handle(HandleProgram::new(plan, client))
            }
            (_, Workload::Lock) => Algorithm::Lock(LockProgram::new(plan, client, 0)),
            (_, Workload::Debounce) => Algorithm::Debounce(DebounceProgram::new(plan, client, 0)),
        })
    }
}

/// Hands a call to whichever program it is.
macro_rules! each_program {
    ($self:ident.$call:ident($step:ident, $me:ident $(, $more:ident)*)) => {
        match $self {
            Program(Algorithm::Lock(program)) => Turn { program, step: $step, me: $me }.$call($($more),*),
            Program(Algorithm::Debounce(program)) => Turn { program, step: $step, me: $me }.$call($($more),*),
            Program(Algorithm::UpstreamLock(program)) => {
                Turn { program, step: $step, me: $me }.$call($($more),*)
            }
            Program(Algorithm::UpstreamDebounce(program)) => {
                Turn { program, step: $step, me: $me }.$call($($more),*)
            }
            Program(Algorithm::Handle(program)) => program.$call($step, $me $(, $more)*),
        }
    };
}

impl world::Program<Scenario> for Program {
    fn alarm<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        alarm: Alarm,
    ) {
        each_program!(self.alarm(step, me, alarm));
    }

    fn reply<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        answered: Answered,
        response: Response,
    ) {
        each_program!(self.reply(step, me, answered, response));
    }

    fn awaits(&self, host: &Host, _me: Client, call: u32) -> bool {
        match self {
            Self(Algorithm::Handle(program)) => program.awaits(host, call),
            Self(_) => host.awaits(call),
        }
    }

    fn cancel<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        handle: bool,
    ) {
        each_program!(self.cancel(step, me, handle));
    }

    fn notified<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        subscription: u32,
    ) {
        if let Self(Algorithm::Handle(program)) = self
            && step.scenario().subject == Subject::QuorumHandle
        {
            return program.notified(step, me, subscription as u8);
        }
        if !step.keep_notification(me) {
            return;
        }
        match self {
            Self(Algorithm::Lock(program)) => Turn { program, step, me }.notified(),
            Self(Algorithm::Handle(program)) => program.notified(step, me, 0),
            Self(_) => {}
        }
    }

    fn restarted<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        life: u32,
    ) {
        each_program!(self.restarted(step, me, life));
    }

    fn is_busy(&self, _me: Client) -> bool {
        match self {
            Self(Algorithm::Lock(program)) => program.is_busy(),
            Self(Algorithm::Debounce(program)) => program.is_busy(),
            Self(Algorithm::UpstreamLock(program)) => program.is_busy(),
            Self(Algorithm::UpstreamDebounce(program)) => program.is_busy(),
            Self(Algorithm::Handle(program)) => program.is_busy(),
        }
    }

    fn may_crash(&self) -> bool {
        match self {
            Self(Algorithm::Debounce(program)) => program.may_crash(),
            Self(Algorithm::Handle(program)) => program.may_crash(),
            Self(_) => true,
        }
    }
}
