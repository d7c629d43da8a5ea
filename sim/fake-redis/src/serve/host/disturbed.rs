//! What happens to commands besides being executed: the one place through which faults reach every
//! listener.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use serde::Serialize;

use super::{
    Client, Host, Performed,
    record::{Record, Seen},
};
use crate::{
    Reached, Resp, Server,
    keyspace::copy,
    serve::faults::{
        Duplicate, Ending, Faults, Orders, Request, RuleError, Slot, StrikeId, Text, Transport,
        Upheaval, UpheavalKind,
    },
};

/// For how long the past is known, in microseconds of the server's clock.
const REACH_US: u64 = 600_000_000;

/// About how many bytes of changes are kept at most.
const MOST_BYTES: usize = 256 << 20;

/// All that is not as it would be on a calm day.
#[derive(Debug)]
pub(super) struct Disturbances {
    faults: Faults,
    keeps_past: bool,
    record: Option<Record>,
    down: Option<Down>,
    writes: u64,
}

/// The server answers nobody.
#[derive(Clone, Copy, Debug)]
struct Down {
    until_us: u64,
    strike: Option<StrikeId>,
}

/// What a failover or a restart lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// How many writes: commands, scripts or transactions that changed data.
    pub writes: usize,
    /// How many keys there are less than before.
    pub keys: usize,
}

impl Disturbances {
    pub(super) fn new(faults: Faults) -> Self {
        Self { faults, keeps_past: false, record: None, down: None, writes: 0 }
    }

    fn are_none(&self) -> bool {
        let Self { faults, keeps_past, record, down, writes: _ } = self;
        faults.is_empty() && !keeps_past && record.is_none() && down.is_none()
    }

    /// Whether nothing can strike, though what happens may be taken down.
    pub(super) fn are_only_records(&self) -> bool {
        self.faults.is_empty() && self.down.is_none()
    }

    /// Takes down a request that nothing strikes.
    pub(super) fn note_request(
        &mut self,
        transport: Transport,
        client: &str,
        now_us: u64,
        commands: &[&[Bytes]],
    ) {
        if let Some(record) = &mut self.record {
            record.add(&Request { transport, client, unix_ms: now_us / 1_000, commands });
        }
    }

    /// Takes down what the last command has changed.
    pub(super) fn note_writes(&mut self, server: &mut Server, elapsed_us: u64) {
        let redis = server.redis_mut();
        if redis.is_written() {
            self.writes += 1;
            redis.end_write(elapsed_us, self.writes, elapsed_us.saturating_sub(REACH_US));
        }
    }

    /// Puts the data in place that is left, and says how many writes it lacks.
    fn replace_data(
        &mut self,
        server: &mut Server,
        kind: UpheavalKind,
        now_us: u64,
        elapsed_us: u64,
    ) -> usize {
        let at = |server: &Server, at_us| server.redis().was(Reached { at_us, write: 0 });
        let missing = match kind {
            UpheavalKind::Restart => {
                let missing = at(server, None).map_or(0, |(_, missing)| missing);
                server.redis_mut().keep_past(None);
                server.restart(now_us);
                missing
            }
            UpheavalKind::Failover { lose } => {
                let left = at(server, elapsed_us.checked_sub(micros(lose)));
                let (databases, missing) = left.unwrap_or_else(|| (copy(server.redis()), 0));
                server.redis_mut().keep_past(None);
                server.take_over(databases);
                missing
            }
        };
        if std::mem::take(&mut self.keeps_past) {
            self.keep_past(server);
        }
        missing
    }

    fn keep_past(&mut self, server: &mut Server) {
        if !std::mem::replace(&mut self.keeps_past, true) {
            server.redis_mut().keep_past(Some(MOST_BYTES));
        }
    }
}

impl Host {
    /// Puts a fault in force, and says its name.
    ///
    /// # Errors
    ///
    /// If its name is taken.
    pub fn add_fault(&self, text: &Text) -> Result<String, RuleError> {
        self.with_faults(|faults| faults.add(text))
    }

    /// Looks at the faults or changes them, between two commands.
    pub fn with_faults<R>(&self, act: impl FnOnce(&mut Faults) -> R) -> R {
        self.with_disturbances(|disturbances, _| act(&mut disturbances.faults))
    }

    /// From now on remembers what was written when, so that a failover or a stale read can lack it,
    /// and which requests arrive. A fault that needs the former brings it about by itself.
    pub fn keep_records(&self) {
        self.with_disturbances(|disturbances, server| {
            disturbances.keep_past(server);
            disturbances.record.get_or_insert_default();
        });
    }

    /// The last thousand requests since [`Host::keep_records`], oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        let state = self.state();
        state.disturbances.record.iter().flat_map(Record::iter).cloned().collect()
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
    pub async fn upset(&self, kind: UpheavalKind, down: Duration) -> Lost {
        let lost = self.upset_by(kind, down, None);
        self.see_off().await;
        lost
    }

    /// Removes every key of every database.
    pub fn flush(&self) {
        let now_us = self.clock.now_us();
        self.with_server(|server| server.flush(now_us));
    }

    /// How many writes there have been: a request that names this number sees them all.
    pub(in crate::serve) fn writes(&self) -> u64 {
        self.state().disturbances.writes
    }

    /// Counts a write, unless writes are counted by what they change.
    pub(in crate::serve) fn note_write(&self) {
        let disturbances = &mut self.state().disturbances;
        disturbances.writes += u64::from(!disturbances.keeps_past);
    }

    /// Says what is to happen to a request.
    pub(in crate::serve) fn judge(
        &self,
        transport: Transport,
        client: &str,
        commands: &[&[Bytes]],
    ) -> Orders {
        let unix_ms = self.clock.now_us() / 1_000;
        let request = Request { transport, client, unix_ms, commands };
        let elapsed_us = self.clock.elapsed_us();
        self.with_disturbances(|disturbances, _| {
            if let Some(record) = &mut disturbances.record {
                record.add(&request);
            }
            disturbances.down = disturbances.down.filter(|down| elapsed_us < down.until_us);
            let Some(down) = disturbances.down else { return disturbances.faults.judge(&request) };
            if let Some(strike) = down.strike {
                disturbances.faults.bite(strike, "a request was refused while nobody answered");
            }
            Orders::refused(commands.len())
        })
    }

    /// Carries out the part of the orders that concerns the whole server.
    pub(in crate::serve) fn carry_out(&self, upheaval: Option<Upheaval>) {
        if let Some(Upheaval { kind, down, strike }) = upheaval {
            self.upset_by(kind, down, Some(strike));
        }
    }

    /// Notes that a copy of a request was executed.
    pub(in crate::serve) fn note_duplicate(&self, strike: StrikeId) {
        self.with_faults(|faults| faults.bite(strike, "executed once more"));
    }

    pub(super) fn with_disturbances<R>(
        &self,
        act: impl FnOnce(&mut Disturbances, &mut Server) -> R,
    ) -> R {
        let mut state = self.state();
        let state = &mut *state;
        let result = act(&mut state.disturbances, &mut state.server);
        if state.disturbances.faults.need_history() {
            state.disturbances.keep_past(&mut state.server);
        }
        self.calm.store(state.disturbances.are_none(), Ordering::Relaxed);
        result
    }

    fn upset_by(&self, kind: UpheavalKind, down: Duration, strike: Option<StrikeId>) -> Lost {
        let (now_us, elapsed_us) = (self.clock.now_us(), self.clock.elapsed_us());
        let lost = self.with_disturbances(|disturbances, server| {
            let before = count_keys(server);
            let writes = disturbances.replace_data(server, kind, now_us, elapsed_us);
            let until_us = elapsed_us.saturating_add(micros(down));
            disturbances.down = (!down.is_zero()).then_some(Down { until_us, strike });
            let keys = before.saturating_sub(count_keys(server));
            let certain = kind == UpheavalKind::Restart || writes > 0;
            if let Some(strike) = strike.filter(|_| certain) {
                disturbances.faults.bite(strike, format!("lost {writes} writes and {keys} keys"));
            }
            Lost { writes, keys }
        });
        // The clients are told that they are disconnected.
        self.with_server(|_| {});
        lost
    }

    /// What a replica that lags answers; `known` is the number of a write that it has for certain.
    fn read_stale(&self, arguments: &[Bytes], lag: Duration, known: u64) -> Option<Resp> {
        let state = self.state();
        let redis = state.server.redis();
        let at_us = self.clock.elapsed_us().checked_sub(micros(lag));
        let (mut databases, _) = redis.was(Reached { at_us, write: known })?;
        let keys = databases.remove(&redis.selected()).unwrap_or_default();
        Some(redis.replica(keys).execute(self.clock.now_us(), arguments))
    }
}

impl Orders {
    /// Nobody is there.
    fn refused(commands: usize) -> Self {
        Self {
            delay: Duration::ZERO,
            executed: false,
            slots: vec![Slot::Serve; commands],
            duplicates: Vec::new(),
            ending: Ending::Reset,
            upheaval: None,
        }
    }
}

impl Client {
    /// Runs one command of a client that speaks RESP, as the faults will have it.
    pub(super) async fn perform_disturbed(&self, arguments: &[Bytes]) -> Performed {
        let host = &self.host;
        let mut orders = host.judge(Transport::Resp, &self.peer, &[arguments]);
        self.send_copies(&mut orders, arguments);
        if !orders.delay.is_zero() {
            tokio::select! {
                biased;
                () = self.closed() => return Performed::Lost(Ending::Close),
                () = host.clock.sleep(orders.delay) => {}
            }
            host.until_free().await;
        }
        if !orders.executed {
            return Performed::Lost(orders.ending);
        }
        let performed = self.serve(arguments, &orders.slots[0], 0);
        host.carry_out(orders.upheaval);
        if orders.ending == Ending::Reply { performed } else { Performed::Lost(orders.ending) }
    }

    /// Lets copies of a command arrive later, if the client may send any.
    fn send_copies(&self, orders: &mut Orders, arguments: &[Bytes]) {
        for Duplicate { after, strike } in std::mem::take(&mut orders.duplicates) {
            let (database, allowed) = self
                .host
                .with_server(|server| (server.database(self.id), server.is_authenticated(self.id)));
            if !allowed {
                return;
            }
            let (host, arguments) = (Arc::clone(&self.host), arguments.to_vec());
            let due_us = host.clock.elapsed_us_after(after);
            tokio::spawn(async move {
                host.clock.sleep_until(due_us).await;
                host.until_free().await;
                let Some(again) = host.connect_trusted() else { return };
                again.execute(&["SELECT".into(), database.to_string().into()]);
                again.execute(&arguments);
                host.note_duplicate(strike);
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
            Slot::Stale { lag, strike } => self.serve_stale(arguments, (*lag, *strike), known),
        }
    }

    fn serve_stale(
        &self,
        arguments: &[Bytes],
        (lag, strike): (Duration, StrikeId),
        known: u64,
    ) -> Performed {
        let fresh = self.execute(arguments);
        let Performed::Answered { replies, .. } = &fresh else { return fresh };
        // An error may mean that the client must not read at all.
        let final_reply = match &replies[..] {
            [Resp::Simple(status)] => status == "QUEUED",
            [Resp::Error(_)] => true,
            _ => false,
        };
        if final_reply {
            return fresh;
        }
        match self.host.read_stale(arguments, lag, known) {
            Some(stale) if replies[..] != [stale.clone()] => {
                self.host.with_faults(|faults| faults.bite(strike, "answered from older data"));
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

fn count_keys(server: &Server) -> usize {
    server.redis().databases().map(|(_, keys)| keys.len()).sum()
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
