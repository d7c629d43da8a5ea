//! The spaces that are known to hold no counterexample: `sim/proofs.toml`.

use serde::Deserialize;

use super::Bounds;
use crate::catalog::CellName;

const PROOFS: &str = include_str!("../../proofs.toml");

/// A space that was searched to its end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// What it is called on the command line.
    pub name: String,
    /// How many different states there are in it.
    pub states: u64,
    /// What is searched.
    pub bounds: Bounds,
}

/// All of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proofs {
    proof: Vec<Proof>,
}

impl Proofs {
    /// Those of this version.
    ///
    /// # Panics
    ///
    /// If the file that is compiled in is not well formed; a test reads it.
    #[must_use]
    pub fn current() -> Self {
        toml::from_str(PROOFS).expect("the proofs that are compiled in are well formed")
    }

    /// All of them, in the order of the file.
    #[must_use]
    pub fn all(&self) -> &[Proof] {
        &self.proof
    }

    /// The largest one that is about this cell: its fault may strike in it, maybe with others.
    #[must_use]
    pub fn of(&self, cell: CellName) -> Option<&Proof> {
        let about = |proof: &&Proof| {
            let bounds = &proof.bounds;
            bounds.subject == cell.subject
                && bounds.guarantees.contains(&cell.guarantee)
                && cell.fault.is_none_or(|fault| bounds.scale.faults.contains(fault))
        };
        self.proof.iter().filter(about).max_by_key(|proof| proof.states)
    }

    /// The text of the file with other numbers of states, by name.
    pub fn recounted(counts: &[(String, u64)]) -> String {
        let mut text = String::new();
        let mut name = "";
        for line in PROOFS.lines() {
            if let Some(quoted) = line.strip_prefix("name = ") {
                name = quoted.trim_matches('"');
            }
            let count = counts.iter().find(|(known, _)| known == name);
            match count {
                Some((_, states)) if line.starts_with("states = ") => {
                    text += &format!("states = {states}\n");
                }
                _ => text += &format!("{line}\n"),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        catalog::{Subject, Verdict},
        claims::Claims,
        faults::Fault,
        guarantees::Guarantee,
    };

    #[test]
    fn every_proof_is_of_what_is_claimed_to_hold_under_each_of_its_faults() {
        let claims = Claims::current();
        for Proof { name, bounds, .. } in Proofs::current().all() {
            for &guarantee in &bounds.guarantees {
                for fault in bounds.scale.faults.iter().map(Some).chain([None]) {
                    let cell = CellName { subject: bounds.subject, guarantee, fault };
                    assert_eq!(claims.of(cell), Verdict::Holds, "{name}: {cell}");
                }
            }
        }
    }

    #[test]
    fn every_cell_of_ours_that_is_claimed_to_hold_is_proven_in_a_small_cluster() {
        let (claims, proofs) = (Claims::current(), Proofs::current());
        for &subject in Subject::ALL.iter().filter(|subject| **subject != Subject::Upstream) {
            let workload = subject.workloads()[0];
            let mine = Guarantee::ALL.iter().filter(|guarantee| guarantee.workload() == workload);
            for &guarantee in mine {
                let faults = Fault::ALL.iter().copied().filter(|fault| subject.can_suffer(*fault));
                for fault in faults.map(Some).chain([None]) {
                    let cell = CellName { subject, guarantee, fault };
                    let holds = claims.of(cell) == Verdict::Holds;
                    assert!(!holds || proofs.of(cell).is_some(), "{cell}");
                }
            }
        }
    }

    #[test]
    fn every_proof_has_a_name_of_its_own_and_can_be_recounted() {
        let proofs = Proofs::current();
        let names: BTreeSet<&str> = proofs.all().iter().map(|proof| &*proof.name).collect();
        assert_eq!(names.len(), proofs.all().len());
        let counts: Vec<_> = names.iter().map(|name| (String::from(*name), 7)).collect();
        let recounted: Proofs = toml::from_str(&Proofs::recounted(&counts)).unwrap();
        assert!(recounted.all().iter().all(|proof| proof.states == 7));
    }
}
