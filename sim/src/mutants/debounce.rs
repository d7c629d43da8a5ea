//! Bugs of what a debounced call's participant does: what its machine says and is told is
//! rewritten.

use leasehold_core::{
    Action, Command, Event, Instant, Machine, Reply,
    debounce::{DebounceCommand, DebounceMachine, DebounceOutcome, DebounceReply, DebounceRequest},
};

use super::{
    Mutant,
    planted::{Bug, Planted},
};

/// The machine of a participant, with a bug around it if the plan has one.
pub(crate) type PlantedDebounce = Planted<DebounceMachine, DebounceBug>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DebounceBug {
    mutant: Mutant,
    /// The command that is not answered yet.
    sent: Option<DebounceCommand>,
    /// The longest time to wait for the answer, in µs.
    patience: u64,
}

impl PlantedDebounce {
    pub(crate) fn new(machine: DebounceMachine, mutant: Option<Mutant>) -> Self {
        let bug = mutant.map(|mutant| DebounceBug { mutant, sent: None, patience: 0 });
        Self::around(machine, bug)
    }

    /// What a run with this fence shows to what it writes to.
    pub(crate) fn shown_fence(&self, fence: u64) -> u64 {
        let hidden = self.bug.as_ref().is_some_and(|bug| bug.mutant == Mutant::NoFence);
        if hidden { 0 } else { fence }
    }
}

impl Bug<DebounceMachine> for DebounceBug {
    fn step(
        &mut self,
        machine: &mut DebounceMachine,
        now: Instant,
        event: Event<DebounceRequest>,
    ) -> Action<DebounceOutcome> {
        let event = match (self.sent.take(), event) {
            (Some(sent), Event::Replied(Ok(Reply::Debounce(reply)))) => {
                match self.replied(&sent, reply) {
                    Heard::Reply(reply) => Event::Replied(Ok(Reply::Debounce(reply))),
                    Heard::Nothing => return Action::SleepUntil(Instant::NEVER),
                    Heard::Instead(command) => {
                        return self.call(command, now.plus_micros(self.patience));
                    }
                }
            }
            (_, event) => event,
        };
        match machine.step(now, event) {
            Action::Call { command: Command::Debounce(command), give_up_at } => {
                self.patience = give_up_at.as_micros() - now.as_micros();
                self.say(machine, now, command, give_up_at)
            }
            action => action,
        }
    }
}

impl DebounceBug {
    fn say(
        &mut self,
        machine: &mut DebounceMachine,
        now: Instant,
        command: DebounceCommand,
        give_up_at: Instant,
    ) -> Action<DebounceOutcome> {
        // There is no sweeper where the last caller fires.
        if self.last_caller_fires() && matches!(command, DebounceCommand::Claim { seq: 0, .. }) {
            return machine.step(now, Event::Replied(Ok(Reply::Debounce(DebounceReply::Idle))));
        }
        self.call(command, give_up_at)
    }

    fn call(&mut self, command: DebounceCommand, give_up_at: Instant) -> Action<DebounceOutcome> {
        self.sent = Some(command.clone());
        Action::Call { command: Command::Debounce(command), give_up_at }
    }

    fn replied(&self, sent: &DebounceCommand, reply: DebounceReply) -> Heard {
        match (sent, reply) {
            // Whoever is not the last caller is done.
            (
                &DebounceCommand::Claim { seq, .. },
                DebounceReply::NotDue { newest, .. } | DebounceReply::Running { newest, .. },
            ) if self.last_caller_fires() && newest > seq => {
                Heard::Reply(DebounceReply::Settled { fired: newest, done: newest })
            }
            (DebounceCommand::Claim { seq, .. }, DebounceReply::Settled { fired, .. })
                if self.mutant == Mutant::SilentCancel && fired < *seq =>
            {
                Heard::Nothing
            }
            (DebounceCommand::Call { seq: 0, .. }, DebounceReply::Armed { seq, .. })
                if self.mutant == Mutant::VisibleBeforeArmed =>
            {
                Heard::Instead(numbered(sent, seq))
            }
            (_, reply) => Heard::Reply(reply),
        }
    }

    fn last_caller_fires(&self) -> bool {
        matches!(self.mutant, Mutant::LastCallerFires | Mutant::UnnamedCall)
    }
}

/// What an answer leads to.
enum Heard {
    /// The machine is told this.
    Reply(DebounceReply),
    /// It waits on.
    Nothing,
    /// This is sent before the machine is told anything.
    Instead(DebounceCommand),
}

/// The same call under the number that it has got.
fn numbered(sent: &DebounceCommand, number: u64) -> DebounceCommand {
    let mut call = sent.clone();
    if let DebounceCommand::Call { seq, .. } = &mut call {
        *seq = number;
    }
    call
}
