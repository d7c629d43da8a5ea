//! The matrix as text: a block for each subject, guarantees by faults.

use std::fmt::Write;

use console::Style;

use super::{
    CellReport, Report, distinct,
    width::{WIDTH, wrap},
};
use leasehold_sim::catalog::{Subject, Verdict};

/// What the marks mean.
pub(crate) const LEGEND: &str =
    "✓ holds   ✗ broken   · not exercised   ! differs from what is claimed\n";

/// The matrix of a report, in at most 80 columns; coloured if standard output is a terminal.
#[must_use]
pub(crate) fn matrix(report: &Report) -> String {
    let faults = report.faults();
    let guarantees = report.cells.iter().map(|cell| cell.guarantee.len());
    let layout = Layout::of(&faults, guarantees.max().unwrap_or(0));
    let mut text = String::new();
    for subject in report.subjects() {
        let cells: Vec<&CellReport> =
            report.cells.iter().filter(|cell| cell.subject == subject).collect();
        block(&mut text, &layout, &faults, subject, &cells);
    }
    text
}

fn block(
    text: &mut String,
    layout: &Layout,
    faults: &[&str],
    subject: &str,
    cells: &[&CellReport],
) {
    let known = Subject::ALL.iter().find(|known| known.name() == subject);
    let title = wrap("", &format!("{subject}: {}", known.map_or("", |known| known.title())));
    let title = title.replacen(subject, &Style::new().bold().apply_to(subject).to_string(), 1);
    let _ = writeln!(text, "{title}\n{}", layout.header);
    for guarantee in distinct(cells.iter().map(|cell| &*cell.guarantee)) {
        let mut line = format!("{guarantee:<width$}", width = layout.first);
        for fault in faults {
            let place = |cell: &&&CellReport| cell.guarantee == guarantee && cell.fault == *fault;
            line += &mark(cells.iter().find(place).copied(), layout.column);
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.push('\n');
}

/// The mark of a cell, as wide as a column.
fn mark(cell: Option<&CellReport>, width: usize) -> String {
    let Some(cell) = cell else { return " ".repeat(width) };
    let (mark, style) = match cell.verdict {
        Verdict::Holds => ('✓', Style::new().green()),
        Verdict::Broken => ('✗', Style::new().red()),
        Verdict::NotExercised => ('·', Style::new().dim()),
    };
    let rest = width - 1;
    if cell.verdict.is_as_claimed(cell.claim) {
        return format!("{}{:rest$}", style.apply_to(mark), "");
    }
    let alarm = Style::new().yellow().bold();
    format!("{}{:rest$}", alarm.apply_to(format!("{mark}!")), "", rest = rest - 1)
}

/// Where the columns are.
struct Layout {
    first: usize,
    column: usize,
    /// The names of the faults on as many lines as they need, each above its own column.
    header: String,
}

impl Layout {
    fn of(faults: &[&str], longest_guarantee: usize) -> Self {
        let first = longest_guarantee + 2;
        let column = (WIDTH.saturating_sub(first) / faults.len().max(1)).clamp(3, 6);
        let lines = lines_needed(faults, column);
        let mut header: Vec<String> = (0..lines)
            .map(|line| {
                let mut text = " ".repeat(first);
                for (index, fault) in faults.iter().enumerate() {
                    let place = first + index * column;
                    if index % lines == line {
                        pad(&mut text, place.min(WIDTH.saturating_sub(fault.chars().count())));
                        text += fault;
                    } else if index % lines < line && text.chars().count() <= place {
                        pad(&mut text, place);
                        text.push('│');
                    }
                }
                text
            })
            .collect();
        if lines > 1 {
            let guides = format!("{:<column$}", "│").repeat(faults.len());
            header.push(format!("{}{}", " ".repeat(first), guides.trim_end()));
        }
        Self { first, column, header: header.join("\n") }
    }
}

fn pad(text: &mut String, width: usize) {
    let missing = width.saturating_sub(text.chars().count());
    text.extend(std::iter::repeat_n(' ', missing));
}

/// On how many lines the names fit without touching, if they take turns.
fn lines_needed(names: &[&str], column: usize) -> usize {
    let fits = |lines: usize| {
        let last = names.len().saturating_sub(lines);
        names[..last].iter().all(|name| name.len() < lines * column)
    };
    (1..=names.len()).find(|&lines| fits(lines)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use leasehold_sim::faults::Fault;

    #[test]
    fn every_fault_has_its_name_above_its_column() {
        let names: Vec<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        let layout = Layout::of(&names, 20);
        for (index, name) in names.iter().enumerate() {
            let place = layout.first + index * layout.column;
            // A long one at the right edge begins before its column.
            let begin = place.min(WIDTH - name.len());
            let above = layout.header.lines().any(|line| {
                let rest: String = line.chars().skip(begin).collect();
                rest.starts_with(name)
            });
            assert!(above, "{name} at {place}:\n{}", layout.header);
        }
        assert!(layout.header.lines().all(|line| line.chars().count() <= WIDTH));
    }
}
