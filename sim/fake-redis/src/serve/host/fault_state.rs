//! What happens to commands besides being executed: the one place through which faults reach every
//! listener.

mod holds;
mod locks;
mod observe;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{
    Client, Host, Performed,
    record::{Record, Seen},
};
use crate::{
    Resp, Server, SessionId,
    faults::{
        Duplicate, Effects, Ending, Faults, InjectionId, Lost, Outage, Request, RuleError,
        RuleText, ServerEvent, ServerEventKind, Slot, Transport,
    },
    writes::{Times, Writes, is_final, micros, stale_reply},
};
use bytes::Bytes;

pub use locks::Violation;
pub use observe::{Observations, Observed, ObservedCommand};

use holds::Holds;
use locks::COPY;
use observe::{Observer, Place};

/// All that is not as it would be on a calm day.
#[derive(Debug)]
pub(super) struct FaultState {
    faults: Faults,
    holds: Holds,
    observer: Option<Box<Observer>>,
    record: Option<Record>,
    outage: Outage,
    writes: Writes,
}

impl FaultState {
    pub(super) fn new(faults: Faults) -> Self {
        let (holds, observer, record) = (Holds::default(), None, None);
        let (outage, writes) = (Outage::default(), Writes::default());
        Self { faults, holds, observer, record, outage, writes }
    }

    fn are_none(&self) -> bool {
        let Self { faults, holds: _, observer, record, outage, writes } = self;
        let records = observer.is_some() || record.is_some() || writes.are_kept();
        faults.is_empty() && outage.is_over() && !records
    }

    /// Whether no fault can occur, though what happens may be taken down.
    pub(super) fn are_only_records(&self) -> bool {
        self.faults.is_empty() && self.outage.is_over() && !self.is_observed()
    }

    /// Takes down a request that no fault hits.
    pub(super) fn note_request(
        &mut self,
        transport: Transport,
        client: &str,
        now_us: u64,
        commands: &[&[Bytes]],
    ) {
        if let Some(record) = &mut self.record {
            let (connection, name, unix_ms) = (0, "", now_us / 1_000);
            record.add(&Request { transport, client, connection, name, unix_ms, commands });
        }
    }

    /// Takes down what the last command has changed.
    pub(super) fn note_writes(&mut self, server: &mut Server, elapsed_us: impl FnOnce() -> u64) {
        self.writes.note(server, elapsed_us);
    }

    fn judge(&mut self, request: &Request<'_>, elapsed_us: u64) -> Effects {
        if let Some(record) = &mut self.record {
            record.add(request);
        }
        if self.outage.refuses(&mut self.faults, elapsed_us) {
            return Effects::refused(request.commands.len());
        }
        let effects = self.faults.judge(request);
        effects.hold.iter().for_each(|held| self.park(held));
        effects
    }

    /// No rule, no record of any, and nothing of the past.
    pub(super) fn reset(&mut self, server: &mut Server) {
        self.faults.clear();
        self.outage.end();
        self.writes.forget(server);
    }
}

impl Host {
    /// Puts a fault in force, and says its name.
    ///
    /// # Errors
    ///
    /// If its name is taken.
    pub fn add_fault(&self, text: &RuleText) -> Result<String, RuleError> {
        self.with_faults(|faults| faults.add(text))
    }

    /// Looks at the faults or changes them, between two commands.
    pub fn with_faults<R>(&self, act: impl FnOnce(&mut Faults) -> R) -> R {
        self.with_fault_state(|fault_state, _| act(&mut fault_state.faults))
    }

    /// From now on remembers what was written when, so that a failover or a stale read can lack it,
    /// and which requests arrive. A fault that needs the former brings it about by itself.
    pub fn keep_records(&self) {
        self.with_fault_state(|fault_state, server| {
            fault_state.writes.keep(server);
            fault_state.record.get_or_insert_default();
        });
    }

    /// The last thousand requests since [`Host::keep_records`], oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        let state = self.state();
        state.fault_state.record.as_ref().map(Record::seen).unwrap_or_default()
    }

    /// A replica takes over that lacks the writes of the last `lose`, or the server comes back
    /// without any data. Connections are closed, scripts forgotten, and for `down` every request is
    /// answered by a reset.
    ///
    /// Waits until whoever was connected is gone, for a second at most, so that no client mistakes
    /// its old connection for one that can be used: a task that has a [`Client`] itself waits for
    /// that in vain. All has happened once the future was polled, though it may be dropped then.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time.
    pub async fn trigger(&self, kind: ServerEventKind, down: Duration) -> Lost {
        let lost = self.trigger_by(kind, down, None);
        self.see_off().await;
        lost
    }

    /// Removes every key of every database.
    pub fn flush(&self) {
        let now_us = self.clock.now_us();
        self.with_server(|server| server.flush(now_us));
        self.with_fault_state(|state, server| state.observe_change(server, now_us));
    }

    /// How many writes there have been: a request that names this number sees them all.
    pub(in crate::serve) fn writes(&self) -> u64 {
        self.state().fault_state.writes.count()
    }

    /// Counts a write, unless writes are counted by what they change.
    pub(in crate::serve) fn note_write(&self) {
        self.state().fault_state.writes.count_one();
    }

    /// Says what is to happen to a request.
    pub(in crate::serve) fn judge(
        &self,
        transport: Transport,
        client: &str,
        commands: &[&[Bytes]],
    ) -> (Effects, Place) {
        self.judge_of(transport, (client, None), commands)
    }

    /// The same for a request on a connection, with its session and its number.
    fn judge_of(
        &self,
        transport: Transport,
        (client, session): (&str, Option<(SessionId, u64)>),
        commands: &[&[Bytes]],
    ) -> (Effects, Place) {
        let unix_ms = self.clock.now_us() / 1_000;
        let elapsed_us = self.clock.elapsed_us();
        self.with_fault_state(|fault_state, server| {
            let (name, connection) =
                session.map_or_else(Default::default, |(id, number)| (server.name(id), number));
            let name = &*name;
            let request = Request { transport, client, connection, name, unix_ms, commands };
            let before = fault_state.faults.injected();
            let effects = fault_state.judge(&request, elapsed_us);
            let place = fault_state.observe_arrival(&request, elapsed_us, &effects, before);
            (effects, place)
        })
    }

    /// Carries out the part of the effects that concerns the whole server.
    pub(in crate::serve) fn carry_out(&self, server_event: Option<ServerEvent>) {
        if let Some(ServerEvent { kind, down, injection }) = server_event {
            self.trigger_by(kind, down, Some(injection));
        }
    }

    /// Notes that a copy of a request was executed.
    pub(in crate::serve) fn note_duplicate(&self, injection: InjectionId) {
        self.with_faults(|faults| faults.take_effect(injection, "executed once more"));
    }

    pub(super) fn with_fault_state<R>(
        &self,
        act: impl FnOnce(&mut FaultState, &mut Server) -> R,
    ) -> R {
        let mut state = self.state();
        let state = &mut *state;
        let result = act(&mut state.fault_state, &mut state.server);
        state.fault_state.drop_holds();
        if state.fault_state.faults.need_history() {
            state.fault_state.writes.keep(&mut state.server);
        }
        self.calm.store(state.fault_state.are_none(), Ordering::Relaxed);
        result
    }

    fn trigger_by(
        &self,
        kind: ServerEventKind,
        down: Duration,
        injection: Option<InjectionId>,
    ) -> Lost {
        let now = self.times();
        let lost = self.with_fault_state(|state, server| {
            let lost = state.writes.lose(server, kind, now);
            state.observe_change(server, now.now_us);
            state.outage.end();
            if !down.is_zero() {
                state.outage.begin(now.elapsed_us.saturating_add(micros(down)), injection);
            }
            let certain = kind == ServerEventKind::Restart || lost.writes > 0;
            if let Some(injection) = injection.filter(|_| certain) {
                state.faults.take_effect(injection, lost.to_string());
            }
            lost
        });
        // The clients are told that they are disconnected.
        self.with_server(|_| {});
        lost
    }

    /// What a replica that lags answers; `known` is the number of a write that it has for certain.
    fn read_stale(
        &self,
        client: SessionId,
        arguments: &[Bytes],
        lag: Duration,
        known: u64,
    ) -> Option<Resp> {
        stale_reply(&self.state().server, client, arguments, self.times(), (lag, known))
    }

    fn times(&self) -> Times {
        let (now_us, elapsed_us) = self.clock.both();
        Times { now_us, elapsed_us }
    }
}

impl Client {
    /// Runs one command of a client that speaks RESP, as the faults will have it.
    pub(super) async fn perform_with_faults(&self, arguments: &[Bytes]) -> Performed {
        let host = &self.host;
        let session = Some((self.id, self.connection));
        let (mut effects, place) =
            host.judge_of(Transport::Resp, (&self.peer, session), &[arguments]);
        self.send_copies(&mut effects, arguments);
        if effects.waits() {
            let resets = host.resets();
            tokio::select! {
                biased;
                () = self.closed() => return Performed::Lost(Ending::Close),
                () = host.until_due(&effects) => {}
            }
            if host.resets() > resets {
                return Performed::Lost(Ending::Close);
            }
        }
        if !effects.executed {
            return Performed::Lost(effects.ending);
        }
        let performed = self.serve(arguments, &effects.slots[0], 0);
        host.note_executed(place);
        host.carry_out(effects.server_event);
        if effects.ending == Ending::Reply { performed } else { Performed::Lost(effects.ending) }
    }

    /// Lets copies of a command arrive later, if the client may send any.
    fn send_copies(&self, effects: &mut Effects, arguments: &[Bytes]) {
        for Duplicate { after, injection } in std::mem::take(&mut effects.duplicates) {
            let (database, allowed) = self
                .host
                .with_server(|server| (server.database(self.id), server.is_authenticated(self.id)));
            if !allowed {
                return;
            }
            let (host, arguments) = (Arc::clone(&self.host), arguments.to_vec());
            let (due_us, resets) = (host.clock.elapsed_us_after(after), host.resets());
            tokio::spawn(async move {
                host.clock.sleep_until(due_us).await;
                host.until_free().await;
                if host.resets() > resets {
                    return;
                }
                let Some(mut again) = host.connect_trusted() else { return };
                again.connection = COPY;
                again.execute(&["SELECT".into(), database.to_string().into()]);
                again.execute(&arguments);
                host.note_duplicate(injection);
            });
        }
    }

    /// Runs one command now, as its slot will have it. `known` is the number of a write that the
    /// client has seen.
    pub(in crate::serve) fn serve(
        &self,
        arguments: &[Bytes],
        slot: &Slot,
        known: u64,
    ) -> Performed {
        match slot {
            Slot::Serve => self.execute(arguments),
            Slot::Error(text) => self.answered(Resp::Error(text.clone())),
            Slot::Stale { lag, injection } => {
                self.serve_stale(arguments, (*lag, *injection), known)
            }
        }
    }

    fn serve_stale(
        &self,
        arguments: &[Bytes],
        (lag, injection): (Duration, InjectionId),
        known: u64,
    ) -> Performed {
        let fresh = self.execute(arguments);
        let Performed::Answered { replies, .. } = &fresh else { return fresh };
        if is_final(replies) {
            return fresh;
        }
        match self.host.read_stale(self.id, arguments, lag, known) {
            Some(stale) if replies[..] != [stale.clone()] => {
                self.host.with_faults(|faults| {
                    faults.take_effect(injection, "answered from older data")
                });
                self.answered(stale)
            }
            _ => fresh,
        }
    }

    fn answered(&self, reply: Resp) -> Performed {
        let state = self.host.state();
        Performed::Answered {
            replies: vec![reply],
            protocol: state.server.protocol(self.id),
            authenticated: state.server.is_authenticated(self.id),
        }
    }
}
