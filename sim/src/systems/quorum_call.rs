//! What `Quorum` is in production: a call that is carried out by asking several servers, one round
//! after the other.

use leasehold_core::{Command, Event, Instant, Reply, internals::Progress};

use super::{Response, Step, driver};
use crate::{
    decide::DecisionSource,
    history::Client,
    mutants::PlantedQuorum,
    world::{Alarm, Observer},
};

/// A call of a machine under way at several servers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct QuorumCall {
    machine: PlantedQuorum,
    /// When the caller stops waiting for a decision.
    give_up_at: Instant,
}

/// Where a quorum call is.
pub(super) enum QuorumProgress<R> {
    /// More answers are needed.
    Waiting,
    /// They are, in a new round.
    NextRound,
    /// The machine whose call it was is told this.
    Decided(Event<R>),
}

impl QuorumCall {
    pub(super) fn open<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, C, W>,
        me: Client,
        command: Command,
        give_up_at: Instant,
    ) -> Self {
        let Command::Lock(command) = command else {
            unreachable!("a quorum is asked about locks");
        };
        let servers = step.decide_voters();
        let machine = PlantedQuorum::new(step.scenario().mutant, servers, command);
        let quorum_call = Self { machine, give_up_at };
        quorum_call.ask(step, me);
        quorum_call
    }

    /// Server number `node` answered.
    pub(super) fn replied<R, C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        node: u8,
        response: Response,
    ) -> QuorumProgress<R> {
        let progress = self.machine.answered(usize::from(node), driver::result(response));
        self.go_on(step, me, progress)
    }

    /// Some servers, or all of this, took too long.
    pub(super) fn rung<R, C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
    ) -> QuorumProgress<R> {
        step.give_up(me);
        if step.local(me) >= self.give_up_at {
            return QuorumProgress::Decided(Event::Replied(Err(driver::TIMED_OUT)));
        }
        let silent = self.machine.requests();
        let mut progress = Progress::Waiting;
        for (node, _) in silent {
            progress = self.machine.answered(node, Err(driver::TIMED_OUT));
            if progress != Progress::Waiting {
                break;
            }
        }
        self.go_on(step, me, progress)
    }

    fn go_on<R, C: DecisionSource, W: Observer>(
        &self,
        step: &mut Step<'_, C, W>,
        me: Client,
        progress: Progress,
    ) -> QuorumProgress<R> {
        match progress {
            Progress::Waiting => QuorumProgress::Waiting,
            Progress::NextRound => {
                self.ask(step, me);
                QuorumProgress::NextRound
            }
            Progress::Done(answer) => {
                // What is sent now is awaited by nobody.
                self.ask(step, me);
                step.host(me).forget_calls();
                step.clear_alarm(me, Alarm::Machine);
                QuorumProgress::Decided(Event::Replied(answer.map(Reply::Lock)))
            }
        }
    }

    /// Sends the requests of a round. Those of the last one are awaited no more.
    fn ask<C: DecisionSource, W: Observer>(&self, step: &mut Step<'_, C, W>, me: Client) {
        step.host(me).forget_calls();
        for (node, command) in self.machine.requests() {
            let (act, token) = driver::meaning(&command);
            step.send(me, node as u8, driver::request(act, token, command));
        }
        let silent_at = step.local(me).plus_micros(step.core.plan.scenario.node_timeout);
        let wake = if self.machine.waits_for_ever() {
            Instant::NEVER
        } else {
            silent_at.min(self.give_up_at)
        };
        step.set_alarm(me, Alarm::Machine, wake);
    }
}
