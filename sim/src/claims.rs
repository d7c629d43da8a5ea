//! What is claimed of each cell of the matrix, kept in one file from which the README's table is
//! made.

use std::collections::BTreeMap;

use crate::{
    catalog::{CellName, Guarantee, Subject, Verdict, Workload},
    decide::{Fault, FaultSet},
};

/// The claims, by subject and guarantee: under which faults it is broken. It holds under all others.
const CLAIMS: &str = include_str!("../claims.toml");

/// What is claimed of every cell.
#[derive(Clone, Debug)]
pub struct Claims(BTreeMap<String, BTreeMap<String, Vec<String>>>);

impl Claims {
    /// The claims that this version makes.
    ///
    /// # Panics
    ///
    /// If the file that is compiled in is not well formed; a test reads it.
    #[must_use]
    pub fn current() -> Self {
        Self(toml::from_str(CLAIMS).expect("the claims that are compiled in are well formed"))
    }

    /// What is claimed of this cell.
    #[must_use]
    pub fn of(&self, cell: CellName) -> Verdict {
        if cell.fault.is_some_and(|fault| !cell.subject.can_suffer(fault)) {
            return Verdict::NotExercised;
        }
        let fault = cell.fault.map_or("none", Fault::name);
        let broken = self
            .0
            .get(cell.subject.name())
            .and_then(|guarantees| guarantees.get(cell.guarantee.name()))
            .is_some_and(|faults| faults.iter().any(|name| name == fault));
        if broken { Verdict::Broken } else { Verdict::Holds }
    }
}

impl Claims {
    /// What is claimed if any of these faults may strike, or none: broken if it is under one.
    pub fn under_any(&self, subject: Subject, guarantee: Guarantee, faults: FaultSet) -> Verdict {
        let broken = |fault| self.of(CellName { subject, guarantee, fault }) == Verdict::Broken;
        if faults.iter().map(Some).chain([None]).any(broken) {
            Verdict::Broken
        } else {
            Verdict::Holds
        }
    }

    /// The claims as tables in Markdown, one for each workload: what is promised, and under which
    /// faults each subject breaks it. The README has them.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        [Workload::Lock, Workload::Debounce].map(|workload| self.table(workload)).join("\n")
    }

    fn table(&self, workload: Workload) -> String {
        let subjects: Vec<Subject> = Subject::ALL
            .iter()
            .copied()
            .filter(|subject| subject.workloads().contains(&workload))
            .collect();
        let mut text = String::from("| guarantee | the claim |");
        for subject in &subjects {
            text += &format!(" `{}`: broken under |", subject.name());
        }
        text += &format!("\n|---|---|{}\n", "---|".repeat(subjects.len()));
        for &guarantee in Guarantee::ALL.iter().filter(|claim| claim.workload() == workload) {
            text += &format!("| `{}` | {} |", guarantee.name(), guarantee.claim());
            for &subject in &subjects {
                text += &format!(" {} |", self.broken_under(subject, guarantee));
            }
            text.push('\n');
        }
        text
    }

    fn broken_under(&self, subject: Subject, guarantee: Guarantee) -> String {
        let broken = |fault| self.of(CellName { subject, guarantee, fault }) == Verdict::Broken;
        if broken(None) && Fault::ALL.iter().all(|fault| broken(Some(*fault))) {
            return "**any fault, and none**".into();
        }
        let faults = Fault::ALL.iter().filter(|fault| broken(Some(**fault)));
        let none = broken(None).then_some("none");
        let names: Vec<&str> = none.into_iter().chain(faults.map(|fault| fault.name())).collect();
        if names.is_empty() { "no fault".into() } else { names.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_claims_exists() {
        let has = |names: &[&str], name: &str| names.contains(&name);
        let subjects: Vec<_> = Subject::ALL.iter().map(|subject| subject.name()).collect();
        let guarantees: Vec<_> = Guarantee::ALL.iter().map(|guarantee| guarantee.name()).collect();
        let mut faults: Vec<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        faults.push("none");
        for (subject, claims) in Claims::current().0 {
            assert!(has(&subjects, &subject), "{subject}");
            for (guarantee, broken) in claims {
                assert!(has(&guarantees, &guarantee), "{guarantee}");
                assert!(broken.iter().all(|fault| has(&faults, fault)), "{broken:?}");
            }
        }
    }
}
