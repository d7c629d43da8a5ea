//! One schedule, and how it goes without some of its decisions.

use leasehold_story::{Decision, FORMAT, Run as ToldRun, Story, VERSION};

use super::{
    History, Names,
    decisions::{describe, kind_name},
    headline,
    lanes::Lanes,
    record::Record,
    scribe::{Scribe, Setting},
    timeline::{Line, aftermath, print, timeline},
};
use crate::{
    catalog::{CellName, Guarantee},
    decide::{Address, Decisions, Lengthened, threshold},
    schedule::Schedule,
    systems::{Plan, Run},
    words,
    world::Topology,
};

/// Of so many decisions at the most, every choice of some to leave out is run.
const ALL_SUBSETS: usize = 4;

/// What a story is about.
#[derive(Clone, Debug)]
pub struct Topic {
    /// The world, and what its clients do.
    pub plan: Plan,
    /// What was promised, of what and under what.
    pub cell: CellName,
    /// What was decided.
    pub decisions: Decisions,
    /// The command that tells the story.
    pub command: Option<String>,
}

impl From<&Schedule> for Topic {
    fn from(schedule: &Schedule) -> Self {
        Self {
            plan: schedule.plan(),
            cell: schedule.cell,
            decisions: schedule.decisions.clone(),
            command: Some(format!("leasehold replay {schedule}")),
        }
    }
}

/// The story of a schedule, with the runs that leave some of its decisions out.
#[must_use]
pub fn tell(topic: &Topic) -> Story {
    Account::of(topic).story()
}

/// One run of a topic, seen once.
#[derive(Debug)]
pub(crate) struct Account<'a> {
    topic: &'a Topic,
    pub(crate) record: Record,
    names: Names,
}

impl<'a> Account<'a> {
    pub(crate) fn of(topic: &'a Topic) -> Self {
        Self::without(topic, &topic.decisions)
    }

    /// The run in which only these of the decisions are made.
    fn without(topic: &'a Topic, decisions: &Decisions) -> Self {
        let record = Record::of(topic.plan.clone(), topic.cell.guarantee, decisions);
        let names = Names::of(record.events(..));
        Self { topic, record, names }
    }

    fn guarantee(&self) -> Guarantee {
        self.topic.cell.guarantee
    }

    /// What broke, with the names that the story uses.
    pub(crate) fn verdict(&self) -> Option<String> {
        let (violation, _) = self.record.violation.as_ref()?;
        Some(words::short_fences(&self.names.spoken(&violation.text)))
    }

    /// What happened, a line each.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let grantor = match self.topic.plan.settings.topology {
            Topology::Independent => "a majority",
            Topology::Acknowledged(_) | Topology::Replicated | Topology::Single => "the server",
        };
        let names = self.names.clone();
        let history = History { events: self.record.history(), names, grantor };
        let mut lines = timeline(&history);
        lines.extend(aftermath(&self.record));
        lines
    }

    /// The story, with the runs that leave some of the decisions out.
    fn story(self) -> Story {
        let Topic { plan, cell, decisions, command } = self.topic;
        let lanes = Lanes::of(&plan.settings, "client", "resource");
        let addresses: Vec<Address> = decisions.keys().copied().collect();
        let setting = Setting { lanes: &lanes, settings: &plan.settings, decisions: &addresses };
        let told = told_decisions(self.topic, self.record.violation.is_some());
        let mut runs = vec![self.run(setting)];
        for without in left_out(&told) {
            let kept = addresses.iter().enumerate().filter(|(index, _)| !without.contains(index));
            let kept = kept.map(|(_, address)| (*address, decisions[address])).collect();
            let mut other = Self::without(self.topic, &kept);
            if other.record.violation.is_none() {
                other.record.cut(self.record.end);
            }
            runs.push(ToldRun { without, ..other.run(setting) });
        }
        let headline = headline::of(&self.record, self.verdict(), &told, &runs);
        let lanes = lanes.in_use(&mut runs);
        Story {
            format: FORMAT.into(),
            version: VERSION,
            title: title(*cell),
            headline,
            claim: Some(cell.guarantee.claim().into()),
            command: command.clone(),
            lanes,
            decisions: told,
            runs,
        }
    }

    fn run(&self, setting: Setting<'_>) -> ToldRun {
        let mut run = Scribe::write(setting, &self.names, &self.record);
        let broken = self.verdict();
        run.verdict.holds = broken.is_none();
        run.verdict.text = match broken {
            Some(text) => headline::sentence(&text),
            None => headline::promise(self.guarantee()).into(),
        };
        run.verdict.fenced = headline::fenced(&self.record, &self.names);
        run.text = print(&self.lines());
        run
    }
}

/// What a cell is about, in a few words.
fn title(cell: CellName) -> String {
    let (subject, guarantee) = (cell.subject.name(), cell.guarantee.name());
    match cell.fault {
        Some(fault) => format!("{subject}: {guarantee} under {}", fault.name()),
        None => format!("{subject}: {guarantee} without any fault"),
    }
}

/// The decisions of a topic, told; those that stand for a length of time with the length that it
/// takes to break the promise, if it is broken.
pub(crate) fn told_decisions(topic: &Topic, broken: bool) -> Vec<Decision> {
    let told = topic.decisions.iter().map(|(&address, &choice)| {
        let (micros, breaks_above_micros) = length(topic, address, broken);
        Decision {
            kind: kind_name(address.kind).into(),
            fault: address.kind.fault().is_some(),
            text: describe(&topic.plan, address, choice),
            micros,
            breaks_above_micros,
        }
    });
    told.collect()
}

/// The length that a decision stands for, if it stands for one; and the longest at which the
/// promise holds, if not every length breaks it. In microseconds.
fn length(topic: &Topic, address: Address, broken: bool) -> (Option<u64>, Option<u64>) {
    let fails = |length| {
        let mut source = Lengthened::of(&topic.decisions, address, length);
        let run = Run::of(topic.plan.clone(), &mut source);
        (run.violation(topic.cell.guarantee).is_some(), source.asked())
    };
    if address.kind.is_workload() {
        return (None, None);
    }
    let (_, asked) = fails(None);
    let needed = asked.filter(|_| broken);
    (asked, needed.and_then(|asked| threshold(asked, |length| fails(Some(length)).0)))
}

/// Which decisions are left out together: any of a few, or each of many, and all faults.
pub(crate) fn left_out(decisions: &[Decision]) -> Vec<Vec<usize>> {
    let count = decisions.len();
    if count <= ALL_SUBSETS {
        let subset = |mask: usize| (0..count).filter(|index| mask >> index & 1 == 1).collect();
        return (1..1 << count).map(subset).collect();
    }
    let faults: Vec<usize> = (0..count).filter(|&index| decisions[index].fault).collect();
    let mut chosen: Vec<Vec<usize>> = (0..count).map(|index| vec![index]).collect();
    if faults.len() > 1 {
        chosen.push(faults);
    }
    chosen
}
