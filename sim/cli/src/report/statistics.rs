//! How much a campaign has seen, and what it has not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Report, width::wrap};
use leasehold_sim::{
    campaign::StateCoverage, catalog::Subject, faults::Fault, guarantees::Guarantee,
};

/// How much a campaign has seen. What is listed as *never* says that there was nothing to see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Statistics {
    /// In how many states its schedules were; nothing is known of several parts together.
    pub(crate) coverage: Option<StateCoverage>,
    /// Which subjects a fault never changed anything for: `subject × fault`.
    pub(crate) never_effective: Vec<String>,
    /// Which situations never occurred under any of the faults: `subject × guarantee`.
    pub(crate) never_exercised: Vec<String>,
}

impl Statistics {
    /// What the cells of a report say.
    pub(super) fn of(report: &Report, coverage: Option<StateCoverage>) -> Self {
        let (mut effective, mut exercised) = (BTreeMap::new(), BTreeMap::new());
        for cell in &report.cells {
            let subject = Subject::ALL.iter().find(|known| known.name() == cell.subject);
            let fault = Fault::ALL.iter().find(|known| known.name() == cell.fault);
            if let (Some(subject), Some(&fault)) = (subject, fault)
                && !subject.can_suffer(fault)
            {
                continue;
            }
            let order = Guarantee::ALL.iter().position(|known| known.name() == cell.guarantee);
            let effects = cell.fault == "none" || cell.effects > 0;
            *effective.entry((&cell.subject, &cell.fault)).or_insert(false) |= effects;
            let about = cell.verdict != leasehold_sim::catalog::Verdict::NotExercised;
            *exercised.entry((&cell.subject, order, &cell.guarantee)).or_insert(false) |= about;
        }
        let never = |(name, once): (String, bool)| (!once).then_some(name);
        Self {
            coverage,
            never_effective: effective
                .into_iter()
                .map(|((subject, fault), once)| (format!("{subject} × {fault}"), once))
                .filter_map(never)
                .collect(),
            never_exercised: exercised
                .into_iter()
                .map(|((subject, _, claim), once)| (format!("{subject} × {claim}"), once))
                .filter_map(never)
                .collect(),
        }
    }

    /// How many states were seen, for people; nothing if that is not known.
    #[must_use]
    pub(crate) fn seen(&self) -> String {
        let mut text = String::new();
        if let Some(StateCoverage { seen, new_per_thousand }) = &self.coverage {
            let last = new_per_thousand.last().copied().unwrap_or_default();
            text += &format!("Coverage: {seen} distinct states in a sample of the schedules");
            if new_per_thousand.len() > 1 && *seen > 0 {
                let share = last * 100 / seen;
                text += &format!(
                    "; {share} % of them were first seen in the last thousand, so a longer run may \
                     find more"
                );
            }
            text = wrap("", &text);
            text.push('\n');
        }
        text
    }

    /// What was never seen, for people; nothing if there is nothing to say.
    #[must_use]
    pub(crate) fn unseen(&self) -> String {
        let mut text = String::new();
        for (what, names) in
            [("never took effect", &self.never_effective), ("never about", &self.never_exercised)]
        {
            if !names.is_empty() {
                text += &wrap("", &format!("{what}: {}", names.join(", ")));
                text.push('\n');
            }
        }
        text
    }
}
