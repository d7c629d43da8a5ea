//! Bugs of how several servers decide: what the machine that counts their votes says and is told is
//! rewritten.

use leasehold_core::{
    Command, Reply, StoreError,
    internals::{Progress, QuorumMachine},
    lock::{LockCommand, LockReply},
};

use super::Mutant;

type Answer = Result<Reply, StoreError>;

/// The machine of one command to a quorum, with a bug around it if the plan has one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PlantedQuorum {
    machine: QuorumMachine,
    bug: Option<Box<Bug>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Bug {
    mutant: Mutant,
    acquire: LockCommand,
    /// The servers that make up the whole.
    counted: Vec<usize>,
    /// What they have answered in the first round.
    answers: Vec<(usize, Answer)>,
    /// Whether the machine is past its first round.
    decided: bool,
    /// Whether the caller has gone on, so that nothing more is sent.
    gone_on: bool,
}

impl PlantedQuorum {
    pub(crate) fn new(mutant: Option<Mutant>, servers: usize, command: LockCommand) -> Self {
        let bug = mutant.filter(|mutant| {
            let is_one = matches!(
                mutant,
                Mutant::ReachedMajority
                    | Mutant::EvenVote
                    | Mutant::KeptMinority
                    | Mutant::ErrorAborts
                    | Mutant::HalfIsMajority
            );
            is_one && matches!(command, LockCommand::Acquire { .. })
        });
        let bug = bug.map(|mutant| {
            Box::new(Bug {
                mutant,
                acquire: command.clone(),
                counted: (0..servers).collect(),
                answers: Vec::new(),
                decided: false,
                gone_on: false,
            })
        });
        Self { machine: QuorumMachine::new(servers, command), bug }
    }

    /// Whether the caller waits for a decision however long it takes.
    pub(crate) fn waits_for_ever(&self) -> bool {
        self.bug.as_ref().is_some_and(|bug| bug.mutant == Mutant::EvenVote && !bug.decided)
    }

    pub(crate) fn requests(&self) -> Vec<(usize, Command)> {
        match &self.bug {
            None => self.machine.requests(),
            Some(bug) if bug.gone_on => Vec::new(),
            Some(bug) => {
                let requests = self.machine.requests().into_iter();
                requests.map(|(index, command)| (bug.counted[index], command)).collect()
            }
        }
    }

    pub(crate) fn answered(&mut self, node: usize, result: Answer) -> Progress {
        match &mut self.bug {
            None => self.machine.answered(node, result),
            Some(bug) if !bug.counted.contains(&node) => Progress::Waiting,
            Some(bug) if bug.decided => {
                let index = bug.index(node);
                self.machine.answered(index, result)
            }
            Some(bug) => {
                let progress = bug.answered(&mut self.machine, node, result);
                bug.decided = progress != Progress::Waiting;
                progress
            }
        }
    }
}

impl Bug {
    fn index(&self, node: usize) -> usize {
        let index = self.counted.iter().position(|counted| *counted == node);
        index.expect("only who is counted is asked")
    }

    fn answered(&mut self, machine: &mut QuorumMachine, node: usize, result: Answer) -> Progress {
        match (self.mutant, result) {
            (Mutant::ReachedMajority, Err(_)) if self.counted.len() > 1 => {
                self.counted.retain(|counted| *counted != node);
                self.recount(machine)
            }
            (Mutant::ErrorAborts, Err(StoreError::NotSent(cause) | StoreError::Unknown(cause))) => {
                self.gone_on = true;
                Progress::Done(Err(StoreError::NotSent(cause)))
            }
            (Mutant::HalfIsMajority, result) => {
                self.answers.push((node, result));
                self.without_one(machine)
            }
            (Mutant::EvenVote, result) => {
                self.answers.push((node, result));
                if self.one_side_has_a_majority() {
                    self.recount(machine)
                } else {
                    Progress::Waiting
                }
            }
            (Mutant::KeptMinority, result) => {
                let progress = machine.answered(node, result);
                self.keep_what_was_granted(machine, progress)
            }
            (_, result) => {
                self.answers.push((node, result.clone()));
                machine.answered(self.index(node), result)
            }
        }
    }

    /// As if only those that are counted had been asked.
    fn recount(&self, machine: &mut QuorumMachine) -> Progress {
        *machine = QuorumMachine::new(self.counted.len(), self.acquire.clone());
        for (node, result) in &self.answers {
            let progress = machine.answered(self.index(*node), result.clone());
            if progress != Progress::Waiting {
                return progress;
            }
        }
        Progress::Waiting
    }

    /// As if one that has not answered were none of an even number of servers.
    fn without_one(&mut self, machine: &mut QuorumMachine) -> Progress {
        let (all, answered) = (self.counted.len(), self.answers.len());
        if all % 2 == 0 && answered == all / 2 {
            let has_answered = |node: &usize| self.answers.iter().any(|(known, _)| known == node);
            let silent = self.counted.iter().copied().find(|node| !has_answered(node));
            self.counted.retain(|node| Some(*node) != silent);
            return self.recount(machine);
        }
        let (node, result) = self.answers.last().expect("one has answered").clone();
        machine.answered(self.index(node), result)
    }

    fn one_side_has_a_majority(&self) -> bool {
        let granted =
            |result: &Answer| matches!(result, Ok(Reply::Lock(LockReply::Acquired { .. })));
        let yes = self.answers.iter().filter(|(_, result)| granted(result)).count();
        2 * yes.max(self.answers.len() - yes) > self.counted.len()
    }

    /// If the machine would take back what a minority granted: it believes to have done so.
    fn keep_what_was_granted(
        &mut self,
        machine: &mut QuorumMachine,
        mut progress: Progress,
    ) -> Progress {
        let is_release = |(_, command): &(usize, Command)| {
            matches!(command, Command::Lock(LockCommand::Release { .. }))
        };
        let takes_back = machine.requests().iter().any(is_release);
        if progress != Progress::Waiting && takes_back {
            self.gone_on = true;
            for (node, _) in machine.requests() {
                if progress == Progress::NextRound || progress == Progress::Waiting {
                    progress = machine.answered(node, Ok(Reply::Lock(LockReply::Released)));
                }
            }
        }
        progress
    }
}
