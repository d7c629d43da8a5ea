//! A campaign as text for people: what each subject keeps as soon as it is known, then one story.

use std::time::Duration;

use super::{
    Report,
    matrix::{LEGEND, matrix},
    subjects::Summary,
    summary::{story_of, surprises},
    width::{fit, wrap},
};
use leasehold_sim::{guarantees::Guarantee, words::counted};

/// How a campaign is told.
#[derive(Debug)]
pub(crate) enum Telling {
    /// Each subject in a few lines.
    Summary(Summary),
    /// Each subject as a grid of guarantees and faults.
    Matrix,
}

impl Telling {
    /// As a summary of so many subjects, or as their matrix.
    pub(crate) fn new(subjects: usize, as_matrix: bool) -> Self {
        if as_matrix { Self::Matrix } else { Self::Summary(Summary::new(subjects)) }
    }

    /// What is to be read first.
    pub(crate) fn head(&mut self, guarantees: &[Guarantee], faults: &[&str]) -> String {
        match self {
            Self::Summary(summary) => summary.head(guarantees, faults),
            Self::Matrix => String::new(),
        }
    }

    /// What is known of the subjects of a report.
    pub(crate) fn subjects(&mut self, report: &Report) -> String {
        match self {
            Self::Summary(summary) => summary.told(report),
            Self::Matrix => matrix(report),
        }
    }

    /// What is to be read last: one story, where the rest is, and what differs from its claim.
    pub(crate) fn end(&self, report: &Report, elapsed: Option<Duration>) -> String {
        let is_matrix = matches!(self, Self::Matrix);
        let mut text = if is_matrix { LEGEND.into() } else { String::new() };
        if is_matrix {
            text += &totals(report, elapsed);
            text += &report.statistics.seen();
        }
        if let Some(story) = story_of(report) {
            text += &format!("\n{}", fit(&story));
        }
        if !is_matrix {
            text += &format!("\n{}", totals(report, elapsed));
            text +=
                "Every cell: leasehold --matrix. As a page: --html FILE. As data: --json FILE\n";
        }
        if let Some(surprises) = surprises(report) {
            text += &format!("\n{}", fit(&surprises));
        }
        text
    }
}

/// How much was run and seen.
fn totals(report: &Report, elapsed: Option<Duration>) -> String {
    let (schedules, effects, seed) = (report.schedules, report.effects(), report.seed);
    let mut ran =
        format!("{schedules} schedules in which faults took effect {effects} times, seed {seed}");
    if let Some(elapsed) = elapsed {
        ran += &format!(", {:.1} s", elapsed.as_secs_f64());
    }
    let mut lines = vec![ran];
    let proven = report.cells.iter().filter(|cell| cell.exhausted.is_some()).count();
    if proven > 0 {
        lines.push(format!(
            "{} proven in every schedule of a small cluster, too: leasehold explore",
            counted(proven, "cell")
        ));
    }
    if report.shards.of > 1 {
        let done: Vec<String> = report.shards.done.iter().map(u64::to_string).collect();
        lines.push(format!("part {} of {}", done.join(", "), report.shards.of));
    }
    if report.interrupted {
        lines.push(
            "Interrupted: the last subject lacks schedules, and those after it were not begun."
                .into(),
        );
    }
    let text: String = lines.iter().map(|line| wrap("", line) + "\n").collect();
    text + &report.statistics.unseen()
}
