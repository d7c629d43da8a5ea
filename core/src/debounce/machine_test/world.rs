//! Many participants on one record over a network that loses, delays and repeats.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use proptest::prelude::*;

use super::*;
use crate::{
    debounce::record::{DebounceRecord, Memo},
    jitter::Jitter,
};

const WAIT_US: u64 = 100_000;
const MAX_WAIT_US: u64 = 250_000;

enum Happening {
    /// A participant is asked for something, if it has nothing to do.
    Start(usize, DebounceRequest),
    /// The participant's timer, if it still waits for this one.
    Woke(usize, u64),
    Arrives(usize, u64, DebounceCommand),
    Replied(usize, u64, Result<Reply, StoreError>),
    RunEnds(usize, u64, bool),
}

#[derive(Default)]
struct Peer {
    machine: Option<DebounceMachine>,
    /// Counts actions, so that what belongs to an earlier one is told apart.
    turn: u64,
    crashed: bool,
}

struct Run {
    peer: usize,
    claim: Claim,
    at: u64,
    until: u64,
    succeeded: bool,
}

struct World {
    now: u64,
    random: Jitter,
    faulty: bool,
    queue: BTreeMap<(u64, u64), Happening>,
    queued: u64,
    record: DebounceRecord,
    memos: HashMap<Token, Memo>,
    peers: Vec<Peer>,
    /// When each call was counted, by its number, and its arguments.
    calls: BTreeMap<u64, (u64, Arc<[u8]>)>,
    runs: Vec<Run>,
    confirmed: u64,
    /// What must pass after a call before it is claimed for the first time.
    quiet_us: u64,
}

impl World {
    fn new(seed: u64, peers: usize, change: &dyn Fn(&mut DebounceOptions)) -> Self {
        let ms = Duration::from_millis;
        let mut options = DebounceOptions::new()
            .wait(Duration::from_micros(WAIT_US))
            .run_lease(ms(400))
            .retry_delay(ms(50))
            .delay(ms(20))
            .call_timeout(ms(60))
            .within(Duration::from_secs(60));
        change(&mut options);
        let peer = |number: usize| {
            let config = DebounceConfig::new("job", &options).unwrap();
            let tokens = Tokens::of_owner(std::format!("{number}"));
            let machine = Some(DebounceMachine::new(config, tokens, seed ^ number as u64));
            Peer { machine, ..Peer::default() }
        };
        Self {
            now: 1_000_000,
            random: Jitter::from_seed(seed),
            faulty: true,
            queue: BTreeMap::new(),
            queued: 0,
            record: DebounceRecord::default(),
            memos: HashMap::new(),
            peers: (0..peers).map(peer).collect(),
            calls: BTreeMap::new(),
            runs: Vec::new(),
            confirmed: 0,
            quiet_us: WAIT_US,
        }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random.spread(1 << 40) % limit
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.faulty && self.below(100) < percent
    }

    fn after(&mut self, delay_us: u64, happening: Happening) {
        self.queued += 1;
        self.queue.insert((self.now + delay_us, self.queued), happening);
    }

    fn run_until(&mut self, end: u64) {
        while let Some((&key, _)) = self.queue.first_key_value()
            && key.0 <= end
        {
            let happening = self.queue.remove(&key).unwrap();
            self.now = key.0;
            self.happen(happening);
        }
        self.now = end;
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Start(peer, request) => {
                if !self.peers[peer].crashed {
                    self.drop_run(peer);
                    self.step(peer, Event::Start(request));
                }
            }
            Happening::Woke(peer, turn) if self.is_current(peer, turn) => {
                self.step(peer, Event::Woke);
            }
            Happening::Replied(peer, turn, result) if self.is_current(peer, turn) => {
                self.step(peer, Event::Replied(result));
            }
            Happening::Arrives(peer, turn, command) => {
                let reply = self.apply(&command);
                let delay = self.below(30_000);
                if !self.chance(10) {
                    let reply = Ok(Reply::Debounce(reply));
                    self.after(delay, Happening::Replied(peer, turn, reply));
                }
            }
            Happening::RunEnds(peer, turn, success) if self.is_current(peer, turn) => {
                self.step(
                    peer,
                    Event::Start(if success {
                        DebounceRequest::Succeed
                    } else {
                        DebounceRequest::Fail
                    }),
                );
            }
            Happening::Replied(..) | Happening::RunEnds(..) | Happening::Woke(..) => {}
        }
    }

    /// A new request to a participant drops the run that it was at.
    fn drop_run(&mut self, peer: usize) {
        let now = self.now;
        let under_way = |run: &&mut Run| run.peer == peer && run.until > now;
        if let Some(run) = self.runs.iter_mut().find(under_way) {
            (run.until, run.succeeded) = (now, false);
        }
    }

    fn is_current(&self, peer: usize, turn: u64) -> bool {
        self.peers[peer].turn == turn && !self.peers[peer].crashed
    }

    fn apply(&mut self, command: &DebounceCommand) -> DebounceReply {
        let name = command.name().cloned();
        let memo = name.as_ref().and_then(|name| self.memos.get(name)).copied();
        let applied = self.record.apply(self.now, memo, command);
        if let (Some(name), Some(memo)) = (name, applied.memo) {
            self.memos.insert(name, memo);
        }
        if let (DebounceCommand::Call { args, .. }, Some(Memo::Armed(seq))) =
            (command, applied.memo)
        {
            self.calls.entry(seq).or_insert_with(|| (self.now, args.clone()));
        }
        self.check_record(&applied.reply);
        applied.reply
    }

    fn check_record(&self, reply: &DebounceReply) {
        if let DebounceReply::Settled { fired, .. } = reply {
            assert!(self.succeeded(*fired), "a run of call {fired} succeeded");
        }
        let DebounceReply::Claimed { seq, args, .. } = reply else { return };
        let (called, given) = &self.calls[seq];
        assert_eq!(given, args, "the arguments are those of call {seq}");
        let again = self.runs.iter().any(|run| run.claim.seq >= *seq);
        assert!(again || self.now >= called + self.quiet_us, "not before it was quiet for a while");
        assert!(*seq > self.confirmed, "what has run and was confirmed runs again");
    }

    fn step(&mut self, peer: usize, event: Event<DebounceRequest>) {
        let now = Instant::from_micros(self.now);
        let machine = self.peers[peer].machine.as_mut().unwrap();
        let action = machine.step(now, event);
        self.peers[peer].turn += 1;
        let turn = self.peers[peer].turn;
        match action {
            Action::SleepUntil(until) => {
                self.after(until.as_micros().saturating_sub(self.now), Happening::Woke(peer, turn));
            }
            Action::Call { command: Command::Debounce(command), give_up_at } => {
                self.send(peer, turn, command, give_up_at);
            }
            Action::Call { .. } | Action::Subscribe { .. } => panic!("{action:?}"),
            Action::Done(outcome) => self.told(peer, turn, outcome),
        }
    }

    fn send(&mut self, peer: usize, turn: u64, command: DebounceCommand, give_up_at: Instant) {
        let timeout = give_up_at.as_micros() - self.now;
        self.after(timeout, Happening::Replied(peer, turn, Err(TIMED_OUT)));
        if self.chance(10) {
            let late = self.below(2_000_000);
            self.after(late, Happening::Arrives(peer, turn, command.clone()));
        }
        if !self.chance(10) {
            let delay = self.below(40_000);
            self.after(delay, Happening::Arrives(peer, turn, command));
        }
    }

    fn told(&mut self, peer: usize, turn: u64, outcome: DebounceOutcome) {
        match outcome {
            DebounceOutcome::Call(Ok(CallOutcome::Run(claim)))
            | DebounceOutcome::Sweep(Ok(SweepOutcome::Run(claim))) => {
                self.begin_run(peer, turn, claim);
            }
            DebounceOutcome::Succeed(Ok(seq)) => {
                assert!(self.succeeded(seq));
                self.confirmed = self.confirmed.max(seq);
            }
            DebounceOutcome::Call(Ok(CallOutcome::Superseded { by })) => {
                assert!(self.succeeded(by), "by {by}");
            }
            DebounceOutcome::Call(
                Ok(CallOutcome::FiredElsewhere | CallOutcome::Delegated { .. })
                | Err(StoreError::Unknown(_)),
            )
            | DebounceOutcome::Sweep(Ok(SweepOutcome::Idle { .. }) | Err(StoreError::Unknown(_)))
            | DebounceOutcome::Succeed(Err(_))
            | DebounceOutcome::Fail(
                NextRun::Rearmed { .. } | NextRun::TakenOver | NextRun::Unknown(_),
            ) => {}
            outcome => panic!("{outcome:?}"),
        }
    }

    fn succeeded(&self, seq: u64) -> bool {
        self.runs.iter().any(|run| run.succeeded && run.claim.seq == seq)
    }

    fn begin_run(&mut self, peer: usize, turn: u64, claim: Claim) {
        if let Some(last) = self.runs.last() {
            assert!(claim.fence > last.claim.fence, "a later run has a greater fence");
            assert!(self.now >= last.until, "no two runs have valid claims at once");
        }
        let takes = self.below(150_000);
        let success = !self.chance(20);
        let crashes = self.chance(15);
        let until = (self.now + takes).min(claim.deadline.as_micros());
        let success = success && self.now + takes < claim.deadline.as_micros();
        let lost = claim.deadline.as_micros();
        let run = Run {
            peer,
            claim,
            at: self.now,
            until: if crashes { lost } else { until },
            succeeded: success && !crashes,
        };
        self.runs.push(run);
        if crashes {
            self.peers[peer].crashed = true;
        } else {
            self.after(until - self.now, Happening::RunEnds(peer, turn, success));
        }
    }

    /// Calls for two seconds at random, then a sweeper and quiet.
    fn play(&mut self, calls: u64) {
        let callers = self.peers.len() - 1;
        for number in 0..calls {
            let (at, peer) = (self.below(2_000_000), self.below(callers as u64) as usize);
            let args = std::format!("{number}").into_bytes().into();
            self.after(at, Happening::Start(peer, DebounceRequest::Call { args }));
        }
        self.run_until(3_000_000);
        self.faulty = false;
        for sweep in 0..20 {
            self.after(sweep * 1_000_000, Happening::Start(callers, DebounceRequest::Sweep));
        }
        self.run_until(23_000_000);
    }

    fn assert_all_fired(&self) {
        let newest = self.calls.keys().last().copied().unwrap_or(0);
        let fired = self.runs.iter().filter(|run| run.succeeded).map(|run| run.claim.seq).max();
        assert!(fired.unwrap_or(0) >= newest, "call {newest} never ran");
        assert_eq!((self.record.pending.as_ref(), self.record.fired), (None, newest));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_armed_runs_alone_with_the_latest_arguments(seed: u64, calls in 1..12u64) {
        let mut world = World::new(seed, 5, &|_| ());
        world.play(calls);
        world.assert_all_fired();
    }

    #[test]
    fn runs_become_due_in_time(seed: u64, calls in 1..40u64) {
        let max_wait = Duration::from_micros(MAX_WAIT_US);
        let mut world = World::new(seed, 40, &|options| {
            options.max_wait = Some(max_wait);
            // Longer than any trip there and back: an answer that is given up would need another.
            options.call_timeout = Duration::from_millis(80);
        });
        (world.faulty, world.quiet_us) = (false, 0);
        for number in 0..calls {
            let at = world.below(2_000_000);
            let args = number.to_be_bytes().as_slice().into();
            let call = Happening::Start(number as usize, DebounceRequest::Call { args });
            world.after(at, call);
        }
        world.run_until(4_000_000);
        world.assert_all_fired();
        for (called, _) in world.calls.values() {
            // The claim's way there and back, and a run before it.
            let bound = called + MAX_WAIT_US + 70_000 + 150_000 + 170_000;
            let in_time = |run: &Run| run.at > *called && run.at <= bound;
            prop_assert!(world.runs.iter().any(in_time), "called at {}", called);
        }
    }
}
