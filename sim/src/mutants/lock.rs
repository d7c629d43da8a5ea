//! Bugs of what a lock's client does: what its machine says and is told is rewritten.

mod answers;
mod requests;

use leasehold_core::{
    Action, Command, Event, Instant, Machine, Token,
    lock::{LockCommand, LockMachine, LockOutcome, LockRequest},
};

use super::{
    Mutant,
    planted::{Bug, Planted},
};
use crate::history::{Client, TokenId};

/// The machine of a lock, with a bug around it if the plan has one.
pub(crate) type PlantedLock = Planted<LockMachine, LockBug>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LockBug {
    mutant: Mutant,
    /// The token of an owner who has but one.
    fixed: Token,
    /// The command that is not answered yet.
    sent: Option<Sent>,
    /// Something of its own for which the bug awaits an answer.
    detour: Option<Detour>,
    /// How many times the command was sent.
    sends: u8,
    /// Whether the lease is being renewed in the background.
    keeping: bool,
    /// When the holder's work is over, which is all that it asks for.
    work_ends: Option<Instant>,
    /// A renewal that the server has and the replicas may not.
    unsecured: Option<Sent>,
    /// A renewal whose timer was set after the release.
    heartbeat: Option<LockCommand>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sent {
    command: LockCommand,
    at: Instant,
    /// The longest time to wait for the answer, in µs.
    patience: u64,
    /// The machine before it said so, and why it did.
    before: LockMachine,
    event: Event<LockRequest>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Detour {
    /// The answer says whether to send this.
    Look(LockCommand),
    /// Once answered, the machine goes on with this.
    Then(Event<LockRequest>),
}

impl PlantedLock {
    pub(crate) fn new(
        machine: LockMachine,
        mutant: Option<Mutant>,
        client: Client,
        life: u32,
    ) -> Self {
        let bug = mutant.map(|mutant| {
            let name = format!("{}.1.1", TokenId::owner(client, life));
            let fixed = Token::new(name).expect("the name is not empty");
            LockBug {
                mutant,
                fixed,
                sent: None,
                detour: None,
                sends: 0,
                keeping: false,
                work_ends: None,
                heartbeat: None,
                unsecured: None,
            }
        });
        Self::around(machine, bug)
    }

    /// What a write under this fence shows to the resource.
    pub(crate) fn shown_fence(&self, fence: u64) -> u64 {
        let hidden = self.bug.as_ref().is_some_and(|bug| bug.mutant == Mutant::UnfencedWrite);
        if hidden { 0 } else { fence }
    }

    /// Whether the holder leaves it to its renewals to say when the lease is over.
    pub(crate) fn leaves_loss_to_renewals(&self) -> bool {
        self.bug.as_ref().is_some_and(|bug| bug.keeping && bug.is_deaf())
    }
}

impl Bug<LockMachine> for LockBug {
    fn step(
        &mut self,
        machine: &mut LockMachine,
        now: Instant,
        event: Event<LockRequest>,
    ) -> Action<LockOutcome> {
        match (self.detour.take(), event) {
            (Some(detour), Event::Replied(result)) => self.detoured(machine, now, detour, result),
            (_, Event::Start(request)) => self.started(machine, now, request),
            (_, Event::Replied(result)) => self.replied(machine, now, result),
            (_, Event::Subscribed(_)) if self.mutant == Mutant::HintsOnly => {
                self.pass(machine, now, Event::Subscribed(false))
            }
            (_, event) => self.pass(machine, now, event),
        }
    }
}

impl LockBug {
    /// Hands `event` to the machine, and its command to the bug.
    fn pass(
        &mut self,
        machine: &mut LockMachine,
        now: Instant,
        event: Event<LockRequest>,
    ) -> Action<LockOutcome> {
        let before = (machine.clone(), event.clone());
        match machine.step(now, event) {
            Action::Call { command: Command::Lock(command), give_up_at } => {
                self.sends = 1;
                self.say(now, before, command, give_up_at)
            }
            // It is a hint that wakes whoever waits, and nothing else.
            Action::SleepUntil(_) if self.mutant == Mutant::HintsOnly && !self.keeping => {
                Action::SleepUntil(Instant::NEVER)
            }
            action => action,
        }
    }

    /// Whether only the answer to a renewal tells of a loss.
    fn is_deaf(&self) -> bool {
        matches!(self.mutant, Mutant::LossOnReplyOnly | Mutant::RenewalGivesUp)
    }
}

fn call(command: LockCommand, give_up_at: Instant) -> Action<LockOutcome> {
    Action::Call { command: Command::Lock(command), give_up_at }
}
