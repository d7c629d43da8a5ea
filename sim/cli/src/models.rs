//! The bounded models that are known to hold no counterexample: `models.toml`.

use serde::Deserialize;

use leasehold_sim::{catalog::CellName, explore::Bounds};

const MODELS: &str = include_str!("../models.toml");

/// A model of which every schedule was searched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BoundedModel {
    /// What it is called on the command line.
    pub(crate) name: String,
    /// How many different states there are in it.
    pub(crate) states: u64,
    /// What is searched.
    pub(crate) bounds: Bounds,
}

/// All of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BoundedModels {
    because: String,
    model: Vec<BoundedModel>,
}

impl BoundedModels {
    /// Those of this version.
    ///
    /// # Panics
    ///
    /// If the file that is compiled in is not well formed; a test reads it.
    #[must_use]
    pub(crate) fn current() -> Self {
        toml::from_str(MODELS).expect("the models that are compiled in are well formed")
    }

    /// All of them, in the order of the file.
    #[must_use]
    pub(crate) fn all(&self) -> &[BoundedModel] {
        &self.model
    }

    /// Why their states were counted anew the last time.
    #[must_use]
    pub(crate) fn because(&self) -> &str {
        &self.because
    }

    /// The largest one that is about this cell: its fault may occur in it, maybe with others.
    #[must_use]
    pub(crate) fn of(&self, cell: CellName) -> Option<&BoundedModel> {
        let about = |model: &&BoundedModel| {
            let bounds = &model.bounds;
            bounds.subject == cell.subject
                && bounds.guarantees.contains(&cell.guarantee)
                && cell.fault.is_none_or(|fault| bounds.scale.faults.contains(fault))
        };
        self.model.iter().filter(about).max_by_key(|model| model.states)
    }

    /// The text of the file with other numbers of states, by name, and why they are others.
    pub(crate) fn recounted(counts: &[(String, u64)], because: &str) -> String {
        let mut text = String::new();
        let mut name = "";
        for line in MODELS.lines() {
            if let Some(quoted) = line.strip_prefix("name = ") {
                name = quoted.trim_matches('"');
            }
            if line.starts_with("because = ") {
                text += &format!("because = {}\n", toml::Value::from(because));
                continue;
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
    use leasehold_sim::explore::{Limits, explore};
    use leasehold_sim::{
        catalog::{Guarantee, Subject, Verdict},
        claims::Claims,
        decide::Fault,
    };

    #[test]
    fn every_model_is_of_what_is_claimed_to_hold_under_each_of_its_faults() {
        let claims = Claims::current();
        for BoundedModel { name, bounds, .. } in BoundedModels::current().all() {
            for &guarantee in &bounds.guarantees {
                for fault in bounds.scale.faults.iter().map(Some).chain([None]) {
                    let cell = CellName { subject: bounds.subject, guarantee, fault };
                    assert_ne!(claims.of(cell), Verdict::Broken, "{name}: {cell}");
                }
            }
        }
    }

    #[test]
    fn every_cell_of_ours_that_is_claimed_to_hold_is_searched_in_a_small_cluster() {
        let (claims, models) = (Claims::current(), BoundedModels::current());
        // Futures can be neither copied nor compared: the machines that they drive are searched instead.
        let searched =
            |subject: &&Subject| !subject.runs_handles() && **subject != Subject::Upstream;
        for &subject in Subject::ALL.iter().filter(searched) {
            let workload = subject.workloads()[0];
            let mine = Guarantee::ALL.iter().filter(|guarantee| guarantee.workload() == workload);
            for &guarantee in mine {
                // Of pairs, a model is of two faults that are named.
                let faults = Fault::ALL
                    .iter()
                    .copied()
                    .filter(|fault| fault.is_single() && subject.can_suffer(*fault));
                for fault in faults.map(Some).chain([None]) {
                    let cell = CellName { subject, guarantee, fault };
                    let holds = claims.of(cell) == Verdict::Holds;
                    assert!(!holds || models.of(cell).is_some(), "{cell}");
                }
            }
        }
    }

    #[test]
    fn every_model_has_a_name_of_its_own_and_can_be_recounted() {
        let models = BoundedModels::current();
        let names: BTreeSet<&str> = models.all().iter().map(|model| &*model.name).collect();
        assert_eq!(names.len(), models.all().len());
        let counts: Vec<_> = names.iter().map(|name| (String::from(*name), 7)).collect();
        let because = "somebody said \"go\"";
        let recounted: BoundedModels =
            toml::from_str(&BoundedModels::recounted(&counts, because)).unwrap();
        assert_eq!(recounted.because(), because);
        assert!(recounted.all().iter().all(|model| model.states == 7));
    }

    /// The others take longer: `leasehold explore` runs them all.
    #[test]
    fn models_have_the_states_that_they_say() {
        let models = BoundedModels::current();
        for name in ["lock-failover", "debounce-crash"] {
            let model = models.all().iter().find(|model| model.name == name).expect("it is there");
            let explored = explore(&model.bounds, &Limits::default(), &());
            assert!(explored.is_exhausted(), "{}: {:?}", model.name, explored.counterexample);
            assert_eq!(explored.exercised, model.bounds.guarantees, "{}", model.name);
            assert_eq!(explored.took_effect, model.bounds.scale.faults, "{}", model.name);
            let why = "what has changed the world, a machine, a script or a checker?";
            assert_eq!(explored.states, model.states, "{}: {why}", model.name);
        }
    }
}
