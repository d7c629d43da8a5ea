//! The smallest system, for the world's own tests: each client says once that it is awake.

use super::{
    Alarm, Answered, Message, Observer, Plan, Program, Response, Settings, Step, System, Topology,
};
use crate::{
    decide::{DecisionSource, FaultSet},
    history::{Client, Event},
};

/// Nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Idle;

impl Idle {
    /// A world of so many clients that do nothing.
    pub(super) fn plan(clients: u8) -> Plan<Self> {
        let settings = Settings { clients, ..Settings::new(Topology::Single, FaultSet::NONE) };
        Plan { settings, scenario: Self }
    }
}

impl System for Idle {
    type Program = Self;
    type Request = ();
    type Response = ();
    type Write = ();
    type Shared = ();
    type Faults = ();

    fn program(_plan: &Plan<Self>, _client: Client) -> Self {
        Self
    }

    fn shared(_plan: &Plan<Self>) {}

    fn sent(client: Client, call: u32, (): &()) -> Event {
        Event::GaveUp { client, call }
    }

    fn apply<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, Self, C, W>,
        _message: &Message<Self>,
        (): &(),
    ) {
    }

    fn written<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, Self, C, W>,
        _client: Client,
        (): (),
    ) {
    }
}

impl Program<Self> for Idle {
    fn alarm<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, Self, C, W>,
        me: Client,
        _alarm: Alarm,
    ) {
        step.emit(Event::GaveUp { client: me, call: 0 });
    }

    fn reply<C: DecisionSource, W: Observer>(
        &mut self,
        _step: &mut Step<'_, Self, C, W>,
        _me: Client,
        _answered: Answered,
        _response: Response<Self>,
    ) {
    }

    fn cancel<C: DecisionSource, W: Observer>(
        &mut self,
        _step: &mut Step<'_, Self, C, W>,
        _me: Client,
        _handle: bool,
    ) {
    }

    fn restarted<C: DecisionSource, W: Observer>(
        &mut self,
        _step: &mut Step<'_, Self, C, W>,
        _me: Client,
        _life: u32,
    ) {
    }

    fn is_busy(&self, _me: Client) -> bool {
        false
    }
}
