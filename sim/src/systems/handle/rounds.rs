//! What a client does next with its handle, and when.

use std::{sync::Arc, time::Duration};

use leasehold_core::{
    Tokens,
    debounce::{Debounce, DebounceConfig},
    lock::{Lock, LockConfig},
    quorum::{Quorum, QuorumOptions},
};

use super::{
    HandleProgram,
    awaited::AwaitedCall,
    call::{self, Caller},
    job::{self, Job, Terms},
    own_token::OwnToken,
    process::{HandleClock, HandleStore, Process},
};
use crate::{
    catalog::{Subject, Workload},
    decide::{DecisionKind, DecisionSource},
    history::{CallId, Client, DebounceEvent, Event, TokenId},
    mutants::Mutant,
    systems::{
        LOCK_ID, Plan, Step,
        debounce::{self, CALLS, CALLS_BEFORE, DEBOUNCE_ID, SWEEP},
        lock,
    },
    world::Observer,
};

/// How long after the beginning of a call the next one of its process begins, which does not wait for
/// it.
const MEANWHILE: u64 = 60_000;

/// The one client that brings a token along for each of its acquires.
const BRINGS_TOKENS: Client = 1;

/// So many more calls does it make than a client of machines: its own do not wait for one another.
const MORE: u32 = 3;

/// What a client has, in one of its lives.
pub(super) enum Handle {
    Lock { lock: Lock, terms: Terms },
    Debounce(Debounce),
}

impl Handle {
    fn new(process: &Arc<Process>, plan: &Plan, client: Client, life: u32, alike: Alike) -> Self {
        let store = |node| HandleStore { process: process.clone(), node };
        let clock = HandleClock(process.clone());
        let tokens = Tokens::of_owner(TokenId::owner(client, life));
        let scenario = &plan.scenario;
        match scenario.workload {
            Workload::Lock => {
                let config = LockConfig::new(LOCK_ID, &lock::options(plan, client))
                    .expect("the plan is a valid setting");
                let terms = Terms {
                    lease: lock::lease(plan, client),
                    hold: scenario.hold,
                    waits: scenario.waits,
                    longest_call: config.longest_acquire(&config.acquire()).as_micros() as u64,
                    renewals: lock::renewals(plan, client),
                    own_token: None,
                };
                let lock = if scenario.subject == Subject::QuorumHandle {
                    let nodes = nodes(plan, client, alike.voters).map(store);
                    let quorum = Quorum::new(nodes, clock.clone(), &quorum_options(plan));
                    let quorum = quorum.expect("there are nodes, and time");
                    Lock::from_config(quorum, clock, config, tokens)
                } else {
                    Lock::from_config(store(0), clock, config, tokens)
                };
                Self::Lock { lock, terms }
            }
            Workload::Debounce => {
                let options = debounce::options(plan, client).leading(alike.leads);
                let config = DebounceConfig::new(DEBOUNCE_ID, &options).expect("a valid setting");
                Self::Debounce(Debounce::from_config(store(0), clock, config, tokens))
            }
        }
    }
}

impl HandleProgram {
    pub(super) fn begin_job<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
    ) {
        self.next = None;
        if self.handle.is_none() {
            let (life, alike) = (step.host(me).life, Alike::decided(step));
            self.handle = Some(Handle::new(&self.process, &step.core.plan, me, life, alike));
        }
        match &self.handle {
            Some(Handle::Lock { lock, terms }) => {
                let (lock, terms) = (lock.clone(), *terms);
                self.begin_lock_job(step, me, lock, terms);
            }
            Some(Handle::Debounce(debounce)) => {
                let debounce = debounce.clone();
                self.begin_call(step, me, debounce);
            }
            None => {}
        }
    }

    fn begin_lock_job<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        lock: Lock,
        mut terms: Terms,
    ) {
        let behaviours = step.core.plan.scenario.behaviours;
        let style = if step.core.healed {
            job::Style::HEALED[self.round as usize % job::Style::HEALED.len()]
        } else {
            let choice = step.choose(DecisionKind::Behaviour, me, self.round, behaviours);
            job::Style::ALL[choice as usize % job::Style::ALL.len()]
        };
        if self.round % 4 == 3 {
            terms.waits = 0;
        }
        // On a quorum, what a minority granted under such a token stays until its time is up, by a clock
        // that may be set back, and keeps others out: it must be over once all is calm.
        let quorum = step.scenario().subject == Subject::QuorumHandle;
        if me == BRINGS_TOKENS && (!quorum || step.now() < step.settings().faults_end / 3) {
            terms.own_token = Some(OwnToken::new(me, step.host(me).life, self.round));
            if quorum {
                terms.waits = 0;
            }
        }
        let awaited = Arc::new(AwaitedCall::default());
        let job =
            Job { process: self.process.clone(), awaited: awaited.clone(), lock, style, terms };
        self.spawn(Box::pin(job.run()), Some(self.round), Some(awaited));
        self.round += 1;
    }

    fn begin_call<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        debounce: Debounce,
    ) {
        let sweeps = self.sweeps;
        let most = if step.core.healed { CALLS } else { CALLS_BEFORE + MORE };
        if !sweeps && u32::from(self.calls) >= most {
            return;
        }
        let styles = if sweeps { &call::Style::OF_SWEEPER } else { &call::Style::OF_CALLER };
        let style = if step.core.healed {
            call::Style::Well
        } else {
            let behaviours = step.core.plan.scenario.behaviours;
            let choice = step.choose(DecisionKind::Behaviour, me, self.round, behaviours);
            styles[choice as usize % styles.len()]
        };
        self.calls += u16::from(!sweeps);
        let call = (!sweeps).then(|| CallId::of(me, self.calls));
        let run_lease = step.core.plan.scenario.run_lease;
        let process = self.process.clone();
        let awaited = Arc::new(AwaitedCall::default());
        let caller = Caller::new(process, debounce, me, call, style, run_lease, awaited.clone());
        self.spawn(Box::pin(caller.run()), Some(self.round), Some(awaited));
        self.round += 1;
        // Every other call is followed by one of its own process, while it waits.
        if !sweeps && self.round % 2 == 1 && !step.core.healed {
            self.next = Some(step.local(me).plus_micros(MEANWHILE));
        }
    }

    /// Job number `round` is over.
    pub(super) fn ended<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        round: u32,
    ) {
        if round + 1 == self.round && self.next.is_none() {
            self.idle(step, me);
        }
    }

    fn idle<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        let plan = &step.core.plan.scenario;
        if self.round >= plan.calls {
            return;
        }
        let (mut idle, idle_step, choices) = (plan.idle, plan.idle_step, plan.idle_choices);
        let is_lock = plan.workload == Workload::Lock;
        if self.sweeps {
            self.next = Some(step.local(me).plus_micros(SWEEP));
            return;
        }
        if step.core.healed && is_lock {
            // Enough to see that everybody is served, and no more.
            idle *= 3;
        }
        let choice = step.choose(DecisionKind::Idle, me, self.round, choices);
        self.next = Some(step.local(me).plus_micros(idle + u64::from(choice) * idle_step));
    }

    /// Every other job of a lock is followed by one that queues up behind it.
    pub(super) fn acquired<C: DecisionSource, W: Observer>(
        &mut self,
        step: &Step<'_, C, W>,
        me: Client,
    ) {
        let Some(Handle::Lock { terms, .. }) = &self.handle else { return };
        if self.round % 2 == 1 && self.round < step.core.plan.scenario.calls {
            self.next = Some(step.local(me).plus_micros(terms.hold / 2));
        }
    }
}

/// Of which servers a client makes its quorum.
fn nodes(plan: &Plan, client: Client, voters: usize) -> impl Iterator<Item = u8> {
    let servers = plan.settings.servers;
    // The planted bug: clients do not agree on who votes.
    let apart = plan.scenario.mutant == Some(Mutant::OtherVoters);
    (0..voters as u8).map(move |node| if apart { (node + client) % servers } else { node })
}

fn quorum_options(plan: &Plan) -> QuorumOptions {
    QuorumOptions::new().node_timeout(Duration::from_micros(plan.scenario.node_timeout))
}

/// What all clients have alike, and is decided once.
#[derive(Clone, Copy)]
struct Alike {
    /// How many servers vote.
    voters: usize,
    /// Whether the first call of a burst of a debounced function is due at once.
    leads: bool,
}

impl Alike {
    fn decided<C: DecisionSource, W: Observer>(step: &mut Step<'_, C, W>) -> Self {
        let is_debounce = step.scenario().workload == Workload::Debounce;
        Self { voters: step.decide_voters(), leads: is_debounce && leads(step) }
    }
}

fn leads<C: DecisionSource, W: Observer>(step: &mut Step<'_, C, W>) -> bool {
    if let Some(leads) = step.core.shared.leads {
        return leads;
    }
    let nobody = step.settings().clients;
    let leads = step.choose(DecisionKind::Behaviour, nobody, 0, 2) == 1;
    step.core.shared.leads = Some(leads);
    if leads {
        step.emit(Event::Debounce(DebounceEvent::Leads));
    }
    leads
}
