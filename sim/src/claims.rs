//! What is claimed of each cell of the matrix, kept in one file from which the tables of the
//! README and the guide are made.

use std::{collections::BTreeMap, fmt};

use crate::{
    catalog::{CellName, Guarantee, Subject, Verdict, Workload},
    decide::{Fault, FaultSet},
};

/// The claims, by subject and guarantee: under which faults it is broken. It holds under all others.
const CLAIMS: &str = include_str!("../claims.toml");

/// Before a fault under which the situation that a guarantee is about occurs seldom or never: a cell
/// that is not exercised is then no surprise, nor is one that holds.
const SELDOM: char = '·';

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
        Self(parse(CLAIMS).expect("the claims that are compiled in are well formed"))
    }

    /// What is claimed of this cell.
    #[must_use]
    pub fn of(&self, cell: CellName) -> Verdict {
        if cell.fault.is_some_and(|fault| !cell.subject.can_suffer(fault)) {
            return Verdict::NotExercised;
        }
        let fault = cell.fault.map_or("none", Fault::name);
        let of_subject = self.0.get(cell.subject.name());
        let named = of_subject.and_then(|guarantees| guarantees.get(cell.guarantee.name()));
        let named = named.into_iter().flatten();
        for name in named {
            if name == fault {
                return Verdict::Broken;
            }
            if name.strip_prefix(SELDOM) == Some(fault) {
                return Verdict::NotExercised;
            }
        }
        Verdict::Holds
    }
}

impl Claims {
    /// What is claimed if any of these faults may occur, or none: broken if it is under one.
    pub fn under_any(&self, subject: Subject, guarantee: Guarantee, faults: FaultSet) -> Verdict {
        let broken = |fault| self.of(CellName { subject, guarantee, fault }) == Verdict::Broken;
        if faults.iter().map(Some).chain([None]).any(broken) {
            Verdict::Broken
        } else {
            Verdict::Holds
        }
    }

    /// The claims as one short table in Markdown: of each subject what holds under every fault, and
    /// what breaks under which. The README has it.
    #[must_use]
    pub fn to_short_markdown(&self) -> String {
        let mut text =
            String::from("| subject | holds under every fault | breaks under |\n|---|---|---|\n");
        for &subject in Subject::ALL {
            let promised = |claim: &&Guarantee| subject.workloads().contains(&claim.workload());
            let (broken, kept): (Vec<&Guarantee>, Vec<&Guarantee>) = Guarantee::ALL
                .iter()
                .filter(promised)
                .partition(|claim| self.breaks(subject, **claim) != Breaks::Never);
            let kept: Vec<String> = kept.iter().map(|claim| code(claim.name())).collect();
            let kept = if kept.is_empty() { "nothing".into() } else { kept.join(", ") };
            let broken = self.by_faults(subject, &broken);
            text += &format!("| `{}`: {} | {kept} | {broken} |\n", subject.name(), subject.title());
        }
        text
    }

    /// Those that break under the same faults, together.
    fn by_faults(&self, subject: Subject, broken: &[&Guarantee]) -> String {
        let mut groups: Vec<(Breaks, Vec<String>)> = Vec::new();
        for claim in broken {
            let breaks = self.breaks(subject, **claim);
            match groups.iter_mut().find(|(known, _)| *known == breaks) {
                Some((_, names)) => names.push(code(claim.name())),
                None => groups.push((breaks, vec![code(claim.name())])),
            }
        }
        let told = groups.iter().map(|(breaks, names)| format!("{}: {breaks}", names.join(", ")));
        told.collect::<Vec<_>>().join("; ")
    }

    /// All claims as tables in Markdown, one for each workload: what is promised, and under which
    /// faults each subject breaks it. The guide has them.
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
                text += &format!(" {} |", self.breaks(subject, guarantee));
            }
            text.push('\n');
        }
        text
    }

    fn breaks(&self, subject: Subject, guarantee: Guarantee) -> Breaks {
        let broken = |fault| self.of(CellName { subject, guarantee, fault }) == Verdict::Broken;
        if broken(None) && Fault::ALL.iter().all(|fault| broken(Some(*fault))) {
            return Breaks::Always;
        }
        let faults = Fault::ALL.iter().filter(|fault| broken(Some(**fault)));
        let none = broken(None).then_some("none");
        let names: Vec<&str> = none.into_iter().chain(faults.map(|fault| fault.name())).collect();
        if names.is_empty() { Breaks::Never } else { Breaks::Under(names) }
    }
}

/// Under which faults a guarantee breaks.
#[derive(Debug, PartialEq, Eq)]
enum Breaks {
    Never,
    Under(Vec<&'static str>),
    Always,
}

impl fmt::Display for Breaks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("no fault"),
            Self::Under(faults) => f.write_str(&faults.join(", ")),
            Self::Always => f.write_str("**any fault, and none**"),
        }
    }
}

fn code(name: &str) -> String {
    format!("`{name}`")
}

/// Reads the little of TOML that the file uses: a section for each subject, and in it a line for
/// each guarantee with the list of its faults.
fn parse(text: &str) -> Option<BTreeMap<String, BTreeMap<String, Vec<String>>>> {
    let mut claims = BTreeMap::<String, BTreeMap<String, Vec<String>>>::new();
    let mut subject = String::new();
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            subject = name.strip_suffix(']')?.into();
            continue;
        }
        let (guarantee, faults) = line.split_once(" = ")?;
        let faults = faults.strip_prefix('[')?.strip_suffix(']')?;
        let quoted = |name: &str| Some(name.trim().strip_prefix('"')?.strip_suffix('"')?.into());
        let faults = faults.split(',').map(quoted).collect::<Option<_>>()?;
        claims.entry(subject.clone()).or_default().insert(guarantee.into(), faults);
    }
    Some(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_toml_and_is_read_as_such() {
        assert_eq!(parse(CLAIMS), toml::from_str(CLAIMS).ok());
        assert_eq!(parse("[lock]\nexclusion = failover"), None);
    }

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
                let name = |fault: &String| fault.trim_start_matches(SELDOM).to_owned();
                assert!(broken.iter().all(|fault| has(&faults, &name(fault))), "{broken:?}");
            }
        }
    }
}
