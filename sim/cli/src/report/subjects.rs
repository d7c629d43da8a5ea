//! What holds of each subject and what breaks, in a few lines each.

use console::Style;

use super::{
    CellReport, Report, distinct,
    width::{WIDTH, wrap},
};
use leasehold_sim::{
    catalog::{Guarantee, Subject, Verdict, Workload},
    faults::Fault,
};

/// How many lines all subjects together may take.
const LINES: usize = 30;

/// Names of guarantees that are told before the rest is only counted, where there is little room.
const FEW: usize = 3;

/// The summary of a campaign, handed out subject by subject.
#[derive(Debug)]
pub(crate) struct Summary {
    /// Lines that may still be written.
    room: usize,
    /// Subjects that are still to come.
    to_come: usize,
}

/// What stands before a group.
const MARK: &str = "  ✗ ";

/// Guarantees of a subject that break under the same faults.
struct Group<'a> {
    faults: Vec<&'a str>,
    guarantees: Vec<&'a str>,
}

impl Summary {
    /// A summary of so many subjects.
    pub(crate) fn new(subjects: usize) -> Self {
        Self { room: LINES, to_come: subjects }
    }

    /// What the subjects promise, which stands above all of them.
    pub(crate) fn head(&mut self, guarantees: &[Guarantee], faults: &[&str]) -> String {
        let mut text = String::new();
        for (what, workload) in [("lock", Workload::Lock), ("debounce", Workload::Debounce)] {
            let of_workload = guarantees.iter().filter(|known| known.workload() == workload);
            let names: Vec<&str> = of_workload.map(|guarantee| guarantee.name()).collect();
            if !names.is_empty() {
                text += &wrap("", &format!("A {what} promises {}.", names.join(", ")));
                text.push('\n');
            }
        }
        // One of the columns is about no fault at all.
        let all = if faults.len() > Fault::ALL.len() {
            "All hold under every fault".into()
        } else {
            format!("All hold under {}", faults.join(", ").replace("none", "no fault"))
        };
        text += &wrap("", &format!("{all}, except:"));
        text.push('\n');
        self.room = self.room.saturating_sub(text.lines().count());
        text
    }

    /// What is known of the subjects of a report; a fair share of what room there is for each.
    pub(crate) fn told(&mut self, report: &Report) -> String {
        let mut text = String::new();
        for name in report.subjects() {
            let cells: Vec<&CellReport> =
                report.cells.iter().filter(|cell| cell.subject == name).collect();
            let share = self.room / self.to_come.max(1);
            let subject = of_subject(name, &cells, share.saturating_sub(1).max(1));
            self.room = self.room.saturating_sub(subject.lines().count());
            self.to_come = self.to_come.saturating_sub(1);
            text += &subject;
        }
        text
    }
}

fn of_subject(name: &str, cells: &[&CellReport], room: usize) -> String {
    let title =
        Subject::ALL.iter().find(|known| known.name() == name).map_or("", |known| known.title());
    let bold = Style::new().bold();
    let mut text = format!("{}: {title}\n", bold.apply_to(name));
    let groups = groups(cells);
    if groups.is_empty() {
        let exercised = cells.iter().any(|cell| cell.verdict != Verdict::NotExercised);
        text += &if exercised {
            format!("  {} all hold\n", Style::new().green().apply_to('✓'))
        } else {
            "  · nothing was exercised\n".into()
        };
        return text;
    }
    let fits = |told: &String| told.lines().count() <= room;
    let told = forms(&groups).find(fits).or_else(|| forms(&groups).last()).unwrap_or_default();
    text + &told.replace('✗', &Style::new().red().apply_to('✗').to_string())
}

/// Ways to tell what breaks, from the longest to the shortest.
fn forms<'a>(groups: &'a [Group<'a>]) -> impl Iterator<Item = String> + 'a {
    let full: Vec<String> = groups.iter().map(|group| group.told(usize::MAX)).collect();
    let a_line_each = full.iter().map(|told| wrap(MARK, told) + "\n").collect::<String>();
    let fewer = (0..=groups.len()).rev().map(move |count| {
        let mut told: Vec<String> = groups[..count].iter().map(|group| group.told(FEW)).collect();
        let more: usize = groups[count..].iter().map(|group| group.guarantees.len()).sum();
        if more > 0 {
            told.push(format!("{more} more: --matrix"));
        }
        filled(&told)
    });
    [a_line_each, filled(&full)].into_iter().chain(fewer)
}

/// As many groups on each line as it has room for.
fn filled(told: &[String]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for group in told {
        let width = |line: &str| line.chars().count();
        match lines.last_mut() {
            Some(last) if width(last) + width(MARK) + width(group) <= WIDTH => {
                *last += &format!("{MARK}{group}");
            }
            _ => lines.extend(wrap(MARK, group).lines().map(str::to_owned)),
        }
    }
    lines.join("\n") + "\n"
}

impl Group<'_> {
    /// The guarantees, of which so many by name, and what breaks them.
    fn told(&self, most: usize) -> String {
        let (names, more) = match self.guarantees.len() {
            count if count > most.saturating_add(1) => {
                (&self.guarantees[..most], format!(" and {} more", count - most))
            }
            _ => (&self.guarantees[..], String::new()),
        };
        let faults = if self.faults.contains(&"none") {
            "even without a fault".into()
        } else {
            self.faults.join(", ")
        };
        format!("{}{more}: {faults}", names.join(", "))
    }
}

/// The guarantees that break, by the faults that break them.
fn groups<'a>(cells: &[&'a CellReport]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for guarantee in distinct(cells.iter().map(|cell| &*cell.guarantee)) {
        let breaks =
            |cell: &&&CellReport| cell.guarantee == guarantee && cell.verdict == Verdict::Broken;
        let mut faults: Vec<&str> =
            cells.iter().filter(|cell| breaks(cell)).map(|cell| &*cell.fault).collect();
        if faults.contains(&"none") {
            faults = vec!["none"];
        }
        match groups.iter_mut().find(|group| group.faults == faults) {
            _ if faults.is_empty() => {}
            Some(group) => group.guarantees.push(guarantee),
            None => groups.push(Group { faults, guarantees: vec![guarantee] }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Shards, Statistics};

    /// A report in which these cells are broken, of all that there are.
    fn report(subjects: &[&str], broken: &[(&str, &str)]) -> Report {
        let cell = |subject: &str, guarantee: Guarantee, fault: &str| CellReport {
            subject: subject.into(),
            guarantee: guarantee.name().into(),
            fault: fault.into(),
            verdict: match broken.contains(&(guarantee.name(), fault)) {
                true => Verdict::Broken,
                false => Verdict::Holds,
            },
            claim: Verdict::Holds,
            schedules: 1,
            effects: 1,
            broken: 0,
            exhausted: None,
            counterexample: None,
            story: None,
        };
        let faults: Vec<&str> =
            std::iter::once("none").chain(Fault::ALL.iter().map(|fault| fault.name())).collect();
        let cells = subjects.iter().flat_map(|subject| {
            let faults = &faults;
            Guarantee::ALL.iter().flat_map(move |&guarantee| {
                faults.iter().map(move |fault| cell(subject, guarantee, fault))
            })
        });
        Report {
            version: "1".into(),
            seed: 1,
            shards: Shards { done: vec![1], of: 1 },
            schedules: 1,
            cells: cells.collect(),
            statistics: Statistics::default(),
            interrupted: false,
        }
    }

    fn told(subjects: &[&str], broken: &[(&str, &str)]) -> String {
        let report = report(subjects, broken);
        let mut summary = Summary::new(subjects.len());
        let text = summary.head(&report.guarantees(), &report.faults());
        text + &summary.told(&report)
    }

    #[test]
    fn guarantees_that_break_under_the_same_faults_are_told_together() {
        let broken = [
            ("exclusion", "hang"),
            ("exclusion", "restart"),
            ("liveness", "hang"),
            ("liveness", "restart"),
            ("ownership", "none"),
            ("ownership", "hang"),
        ];
        let text = told(&["lock"], &broken);
        let expected = "lock: our lock on one Redis\n  ✗ exclusion, liveness: hang, restart\n  \
                        ✗ ownership: even without a fault\n";
        assert!(text.ends_with(expected), "{text}");
        let text = told(&["lock"], &[]);
        assert!(text.ends_with("except:\nlock: our lock on one Redis\n  ✓ all hold\n"), "{text}");
    }

    #[test]
    fn it_is_never_longer_than_it_may_be_and_leaves_out_nothing_silently() {
        let faults = Fault::ALL.iter().enumerate();
        let broken: Vec<(&str, &str)> = faults
            .flat_map(|(number, fault)| {
                let guarantees = Guarantee::ALL.iter().skip(number);
                guarantees.map(move |guarantee| (guarantee.name(), fault.name()))
            })
            .collect();
        for count in 1..=Subject::ALL.len() {
            let subjects: Vec<&str> =
                Subject::ALL[..count].iter().map(|known| known.name()).collect();
            let text = told(&subjects, &broken);
            assert!(text.lines().count() <= LINES, "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
            assert_eq!(text.matches("more: --matrix").count(), count, "{text}");
        }
    }
}
