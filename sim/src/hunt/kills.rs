//! The kill matrix: which checker finds which planted bug, and how soon.

use std::fmt::Write;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{EXCUSED, Hunted, Mutant, hunt_within, shortest};
use crate::{
    campaign::Progress,
    catalog::CellName,
    decide::Decisions,
    story::{Topic, tell},
};

/// What to look for, and how long.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// These bugs. The canary is looked for in any case.
    pub mutants: Vec<Mutant>,
    /// The seed of the first campaign; each further one has the next.
    pub seed: u64,
    /// How many campaigns look for each.
    pub campaigns: u64,
    /// How many schedules a campaign runs at the most, if that is less than [`Mutant::within`].
    pub schedules: Option<u64>,
}

/// What was found. This is the form of the JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KillMatrix {
    /// The version of the program that found it.
    pub version: String,
    /// The seed of the first campaign.
    pub seed: u64,
    /// How many campaigns looked for each bug.
    pub campaigns: u64,
    /// The planted bugs, by number. The first is the canary, a bug that no checker can miss: if it
    /// survives, the rest proves nothing.
    pub mutants: Vec<Kill>,
    /// The bugs of the catalogue that are not planted.
    pub excused: Vec<NotPlanted>,
}

/// One planted bug.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    /// Its number in the catalogue.
    pub number: u8,
    /// Its name.
    pub id: String,
    /// What is wrong, as a sentence.
    pub what: String,
    /// Where it was shipped.
    pub origin: String,
    /// What it violates, in the words of the catalogue.
    pub violates: String,
    /// Whom it is planted in.
    pub subject: String,
    /// The fault under which it is looked for, or `none`.
    pub fault: String,
    /// The guarantee whose checker must find it.
    pub guarantee: String,
    /// The same if it did in every campaign; `null` if the bug survived one.
    pub killed_by: Option<String>,
    /// The median of the numbers of schedules after which it did.
    pub schedules: Option<u64>,
    /// The greatest of them.
    pub slowest: Option<u64>,
    /// Within how many schedules it must.
    pub within: u64,
    /// How few decisions are enough to show it in the first campaign, of those tried.
    pub decisions: Option<usize>,
    /// What the checker said in the first campaign.
    pub text: Option<String>,
    /// Whether the checker found nothing in the same schedules without the bug.
    pub control_survives: bool,
    /// How it shows in the first campaign, if [`KillMatrix::tell_stories`] has told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub story: Option<leasehold_story::Story>,
    /// The decisions that are enough to show it.
    #[serde(skip)]
    shown: Option<Decisions>,
}

/// A bug of the catalogue that is not planted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotPlanted {
    /// Its number in the catalogue.
    pub number: u8,
    /// What is wrong.
    pub what: String,
    /// Why it is not planted.
    pub why: String,
}

impl KillMatrix {
    /// Looks for the bugs on the current thread pool. The same hunt finds the same, whatever the
    /// number of threads. Interrupted, it has those bugs only that were looked for to the end.
    #[must_use]
    pub fn of(hunt: &Hunt, progress: &dyn Progress) -> Self {
        let wanted = |mutant: &&Mutant| **mutant == Mutant::Canary || hunt.mutants.contains(mutant);
        let mutants: Vec<Mutant> = Mutant::ALL.iter().filter(wanted).copied().collect();
        progress.expect(mutants.len() as u64);
        let mutants = mutants
            .into_par_iter()
            .filter_map(|mutant| {
                let kill = Kill::of(mutant, hunt, progress)?;
                progress.done();
                Some(kill)
            })
            .collect();
        let excused = EXCUSED.iter().map(|excused| NotPlanted {
            number: excused.number,
            what: excused.what.into(),
            why: excused.why.into(),
        });
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            seed: hunt.seed,
            campaigns: hunt.campaigns,
            mutants,
            excused: excused.collect(),
        }
    }

    /// Tells the story of each bug that was found.
    pub fn tell_stories(&mut self) {
        self.mutants.par_iter_mut().for_each(|kill| kill.story = kill.told_story());
    }

    /// Whether every bug was found, and nothing where there was none.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.mutants.iter().all(Kill::is_clean)
    }

    /// The matrix as text, a line a bug, and in words what is wrong with it.
    #[must_use]
    pub fn told(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{:>3} {:<26} {:<19} {:<26} {:>9} {:>9}",
            "", "planted bug", "killed by", "under", "schedules", "decisions"
        );
        for kill in &self.mutants {
            let _ = writeln!(text, "{}", kill.line());
        }
        let _ = writeln!(text, "\n{} of the catalogue are not planted:", self.excused.len());
        for NotPlanted { number, what, why } in &self.excused {
            let _ = writeln!(text, "{number:>3} {what}: {why}");
        }
        text.push('\n');
        for kill in self.mutants.iter().filter(|kill| !kill.is_clean()) {
            let _ = writeln!(text, "{}", kill.complaint());
        }
        let killed = self.mutants.iter().filter(|kill| kill.killed_by.is_some()).count();
        let _ = writeln!(
            text,
            "{killed} of {} planted bugs are found in each of {} campaigns, from seed {}",
            self.mutants.len(),
            self.campaigns,
            self.seed
        );
        text
    }
}

impl Kill {
    /// `None` if it is interrupted.
    fn of(mutant: Mutant, hunt: &Hunt, progress: &dyn Progress) -> Option<Self> {
        let within = hunt.schedules.unwrap_or(u64::MAX).min(mutant.within());
        let seeds = hunt.seed..hunt.seed.saturating_add(hunt.campaigns);
        let look = |seed| (!progress.is_interrupted()).then(|| hunt_within(mutant, seed, within));
        let hunted: Vec<Hunted> = seeds.into_par_iter().map(look).collect::<Option<_>>()?;
        let mut after: Vec<u64> = hunted.iter().filter_map(|hunted| hunted.killed_after).collect();
        after.sort_unstable();
        let is_dead = after.len() == hunted.len();
        let first = hunted.first();
        let shown = first.and_then(|hunted| hunted.killed_after);
        let decisions = shown.map(|after| shortest(mutant, hunt.seed, after));
        let guarantee = mutant.guarantee().name().to_owned();
        Some(Self {
            number: mutant.number(),
            id: mutant.id().into(),
            what: mutant.what().into(),
            origin: mutant.origin().into(),
            violates: mutant.violates().into(),
            subject: mutant.subject().name().into(),
            fault: mutant.fault().map_or("none", crate::faults::Fault::name).into(),
            killed_by: is_dead.then(|| guarantee.clone()),
            guarantee,
            schedules: after.get(after.len() / 2).copied().filter(|_| is_dead),
            slowest: after.last().copied().filter(|_| is_dead),
            within,
            decisions: decisions.as_ref().map(Decisions::len),
            text: first.and_then(|hunted| hunted.text.clone()),
            control_survives: hunted.iter().all(|hunted| hunted.control_survives),
            story: None,
            shown: decisions,
        })
    }

    fn told_story(&self) -> Option<leasehold_story::Story> {
        let mutant = Mutant::named(&self.id)?;
        let (subject, guarantee, fault) = (mutant.subject(), mutant.guarantee(), mutant.fault());
        let topic = Topic {
            plan: mutant.plan(),
            cell: CellName { subject, guarantee, fault },
            decisions: self.shown.clone()?,
            command: Some(format!("leasehold mutants {}", self.id)),
        };
        let told = tell(&topic);
        Some(leasehold_story::Story { title: format!("{}: {}", self.id, self.what), ..told })
    }

    fn is_clean(&self) -> bool {
        self.killed_by.is_some() && self.control_survives
    }

    fn line(&self) -> String {
        let shown =
            |number: Option<u64>| number.map_or_else(|| "-".into(), |number| number.to_string());
        let decisions = self.decisions.map(|decisions| decisions as u64);
        format!(
            "{:>3} {:<26} {:<19} {:<26} {:>9} {:>9}",
            self.number,
            self.id,
            self.killed_by.as_deref().unwrap_or("SURVIVES"),
            format!("{} of {}", self.fault, self.subject),
            shown(self.schedules),
            shown(decisions)
        )
    }

    /// What is wrong.
    fn complaint(&self) -> String {
        let Self { id, guarantee, within, .. } = self;
        let mut text = String::new();
        if self.killed_by.is_none() {
            text += &format!("{id} survives {within} schedules, in which {guarantee} must find it");
            if self.number == 0 {
                text += "; no checker can miss it, so the rest proves nothing";
            }
        }
        if !self.control_survives {
            text += &format!("{id}: {guarantee} also complains where the bug is not planted");
        }
        text
    }
}
