//! A client's turn: what its program works with while the world steps it.

use core::ops::{Deref, DerefMut};

use leasehold_core::Instant;

use super::{Scenario, Step};
use crate::{
    decide::{DecisionKind, DecisionSource},
    history::{Client, Event},
    world::{Alarm, Observer},
};

/// A program, with the step of the world in which it runs and the number of its client.
pub(super) struct Turn<'a, 's, P, C, W> {
    pub(super) program: &'a mut P,
    pub(super) step: &'a mut Step<'s, C, W>,
    pub(super) me: Client,
}

impl<P, C, W> Deref for Turn<'_, '_, P, C, W> {
    type Target = P;

    fn deref(&self) -> &P {
        self.program
    }
}

impl<P, C, W> DerefMut for Turn<'_, '_, P, C, W> {
    fn deref_mut(&mut self) -> &mut P {
        self.program
    }
}

impl<P, C: DecisionSource, W: Observer> Turn<'_, '_, P, C, W> {
    /// The client's clock.
    pub(super) fn now(&self) -> Instant {
        self.step.local(self.me)
    }

    pub(super) fn scenario(&self) -> &Scenario {
        self.step.scenario()
    }

    /// Counts the lives of the client's handle: this is the number of the next one.
    pub(super) fn next_life(&mut self) -> u32 {
        let host = self.step.host(self.me);
        host.life += 1;
        host.life
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.step.emit(event);
    }

    pub(super) fn choose(&mut self, kind: DecisionKind, round: u32, choices: u32) -> u32 {
        self.step.choose(kind, self.me, round, choices)
    }

    pub(super) fn set_alarm(&mut self, alarm: Alarm, at: Instant) {
        self.step.set_alarm(self.me, alarm, at);
    }

    pub(super) fn clear_alarm(&mut self, alarm: Alarm) {
        self.step.clear_alarm(self.me, alarm);
    }

    /// Sets an alarm for so many microseconds of the client's clock from now.
    pub(super) fn wake(&mut self, alarm: Alarm, micros: u64) {
        self.set_alarm(alarm, self.now().plus_micros(micros));
    }

    /// Sets the alarm for the client's `round`: after the least rest, and so many steps more as is
    /// chosen.
    pub(super) fn rest_before(&mut self, round: u32, least: u64) {
        let Scenario { idle_step, idle_choices, .. } = *self.scenario();
        let choice = self.choose(DecisionKind::Idle, round, idle_choices);
        self.wake(Alarm::Work, least + u64::from(choice) * idle_step);
    }
}
