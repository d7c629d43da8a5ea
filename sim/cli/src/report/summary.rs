//! What a person should read after the matrix: one story, and what nobody expected.

use std::fmt::Write;

use super::{CellReport, Report};
use leasehold_sim::catalog::Verdict;

/// The cell whose story is told first, if it is broken: what leases are most often trusted with.
const FAVOURITE: [&str; 3] = ["lock-replicated", "exclusion", "failover"];

/// The shortest counterexample of one broken cell, as a timeline, and how to replay it; nothing if
/// nothing is broken.
#[must_use]
pub(crate) fn story_of(report: &Report) -> Option<String> {
    let broken = report.cells.iter().filter_map(|cell| Some((cell, cell.counterexample.as_ref()?)));
    let is_favourite =
        |cell: &CellReport| [&*cell.subject, &*cell.guarantee, &*cell.fault] == FAVOURITE;
    let (cell, told) =
        broken.min_by_key(|(cell, told)| (!is_favourite(cell), told.length(), cell.place()))?;
    Some(format!("How {} breaks:\n{}", cell.place(), told.text()))
}

/// The cells that are not what is claimed of them, each with the command that shows it; nothing if
/// there are none.
#[must_use]
pub(crate) fn surprises(report: &Report) -> Option<String> {
    let mut text = String::new();
    let mut count = 0;
    for cell in report.surprises() {
        count += 1;
        let (verdict, claim) = (cell.verdict.name(), cell.claim.name());
        let _ = writeln!(text, "  {}: {verdict}, but claimed: {claim}", cell.place());
        let _ = match (&cell.counterexample, cell.verdict) {
            (Some(told), _) => {
                writeln!(text, "    {}\n    leasehold replay {}", told.text, told.token)
            }
            (None, Verdict::Holds) => {
                writeln!(
                    text,
                    "    none of {} schedules broke it; try more --schedules",
                    cell.schedules
                )
            }
            (None, _) => writeln!(text, "    no schedule was about it; try more --schedules"),
        };
    }
    let cells = if count == 1 { "cell differs" } else { "cells differ" };
    (count > 0).then(|| format!("{count} {cells} from what is claimed:\n{text}"))
}
