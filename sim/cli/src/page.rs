//! Results as pages: what `--html` writes.

use std::path::Path;

use leasehold_sim::{
    catalog::{Subject, Verdict},
    faults::Fault,
    guarantees::Guarantee,
    hunt::KillMatrix,
};
use leasehold_story::{
    Cell, CellState, Column, REPORT_FORMAT, Report as Page, Row, Story, SubjectSummary, VERSION,
    html,
};

use super::{Failure, output};
use crate::report::{CellReport, ExploredReport, Finding, Report, distinct};

/// Writes a page to the file of `--html`.
pub(super) fn write(path: &Path, page: &str) -> Result<(), Failure> {
    std::fs::write(path, page).map_err(|error| output::refusal("--html", path, &error))
}

/// The page of a story.
pub(super) fn of_story(story: &Story) -> String {
    html::story(story)
}

/// Tells the stories of a campaign, if they are asked for, and writes its page.
pub(super) fn of_report(
    report: &mut Report,
    with_stories: bool,
    path: Option<&Path>,
) -> Result<(), Failure> {
    if with_stories || path.is_some() {
        report.tell_stories();
    }
    path.map_or(Ok(()), |path| write(path, &of_campaign(report)))
}

/// What a stranger is to know before the matrix.
const LEAD: &str = "A lease alone does not exclude: a client that stands still acts too late, and a \
                    failover forgets a grant, so that two clients hold one lock. A fence is a \
                    number that grows with each grant; a resource that checks it refuses what the \
                    older holder writes. Each red cell is a promise that a fault breaks, and opens \
                    the story of how.";

/// The page of a campaign.
fn of_campaign(report: &Report) -> String {
    let mut draft = Draft::titled("What holds under which fault".into());
    draft.0.lead = format!(
        "{LEAD} {} schedules of {} subjects, seed {}.",
        report.schedules,
        distinct(report.cells.iter().map(|cell| &*cell.subject)).len(),
        report.seed
    );
    let runs = report.schedules / rows(report).max(1);
    for cell in &report.cells {
        draft.add_campaign_cell(report, cell, runs);
    }
    html::report(&draft.0)
}

/// How many rows of schedules there are: subjects at work under a fault that they can suffer.
fn rows(report: &Report) -> u64 {
    let is_run = |cell: &&CellReport| state(cell) != CellState::NotApplicable;
    let workload = |cell: &CellReport| {
        Guarantee::ALL.iter().find(|known| known.name() == cell.guarantee).map(|it| it.workload())
    };
    let mut rows: Vec<_> = Vec::new();
    for cell in report.cells.iter().filter(is_run) {
        let row = (&cell.subject, workload(cell), &cell.fault);
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows.len() as u64
}

fn state(cell: &CellReport) -> CellState {
    let subject = Subject::ALL.iter().find(|known| known.name() == cell.subject);
    let fault = Fault::ALL.iter().find(|known| known.name() == cell.fault);
    let suffers = match (subject, fault) {
        (Some(subject), Some(&fault)) => subject.can_suffer(fault),
        _ => true,
    };
    match cell.verdict {
        _ if !suffers => CellState::NotApplicable,
        Verdict::Broken => CellState::Broken,
        Verdict::Holds if cell.exhausted.is_some() => CellState::Proven,
        Verdict::Holds => CellState::Holds,
        Verdict::NotExercised => CellState::NotExercised,
    }
}

/// The page of some searches: a subject for each.
pub(super) fn of_searches(reports: &[ExploredReport]) -> String {
    let mut draft = Draft::titled(format!("every schedule of {} bounded models", reports.len()));
    for report in reports {
        draft.add_search(report);
    }
    html::report(&draft.0)
}

/// The page of a hunt for planted bugs: a row for each.
pub(super) fn of_hunt(matrix: &KillMatrix) -> String {
    let title = format!("planted bugs, looked for in {} campaigns", matrix.campaigns);
    let mut draft = Draft::titled(title);
    for kill in &matrix.mutants {
        let promise = "Each row is a bug that was planted in it: broken means that it was found.";
        let subject = draft.subject(&kill.subject, || (promise.into(), String::new()));
        let claim = format!("{}, which violates {}", kill.what, kill.guarantee);
        let (guarantee, fault) = (draft.row(&kill.id, &claim), draft.column(&kill.fault));
        let state =
            if kill.killed_by.is_some() { CellState::Broken } else { CellState::NotExercised };
        let (schedules, exercised) = (kill.slowest.unwrap_or(kill.within), kill.within);
        let story = kill.story.as_ref().map(|story| draft.story(story));
        let (exercised, models) = (exercised.min(schedules), Vec::new());
        draft.0.cells.push(Cell {
            subject,
            guarantee,
            fault,
            state,
            schedules,
            exercised,
            models,
            story,
        });
    }
    html::report(&draft.0)
}

/// A page that grows.
struct Draft(Page);

impl Draft {
    fn titled(title: String) -> Self {
        Self(Page {
            format: REPORT_FORMAT.into(),
            version: VERSION,
            title,
            lead: String::new(),
            subjects: Vec::new(),
            guarantees: Vec::new(),
            faults: Vec::new(),
            cells: Vec::new(),
            stories: Vec::new(),
        })
    }

    fn add_campaign_cell(&mut self, report: &Report, cell: &CellReport, runs: u64) {
        let subject = self.subject(&cell.subject, || sentences(report, &cell.subject));
        let (guarantee, fault) = (self.guarantee(&cell.guarantee), self.column(&cell.fault));
        let state = state(cell);
        let applies = state != CellState::NotApplicable;
        let exercised = if state == CellState::NotExercised { 0 } else { cell.schedules };
        let models = cell.exhausted.iter().map(|model| {
            format!(
                "Every schedule of a small cluster holds: {}. It has {} states; leasehold explore \
                 --only {} searches them again.",
                model.bound, model.states, model.name
            )
        });
        let models = models.collect();
        let story = cell.story.as_ref().map(|story| self.story(story));
        self.0.cells.push(Cell {
            subject,
            guarantee,
            fault,
            state,
            schedules: if applies { runs.max(exercised) } else { 0 },
            exercised: if applies { exercised } else { 0 },
            models,
            story,
        });
    }

    fn add_search(&mut self, report: &ExploredReport) {
        let name = report.name.clone().unwrap_or_else(|| report.subject.clone());
        let promise = format!("{}: {}.", report.subject, report.bound);
        let subject = self.subject(&name, || (promise, String::new()));
        let told = report.story.as_ref().map(|story| self.story(story));
        let broken = report.counterexample.as_ref().and_then(|told| told.guarantee());
        for promised in &report.guarantees {
            let is_broken = broken == Some(&**promised);
            let state = match report.finding {
                Finding::Broken if is_broken => CellState::Broken,
                Finding::Broken => continue,
                Finding::Exhausted if report.not_exercised.contains(promised) => {
                    CellState::NotExercised
                }
                Finding::Exhausted => CellState::Proven,
                Finding::CutShort => CellState::NotExercised,
            };
            let models = vec![match report.finding {
                Finding::Exhausted => format!(
                    "Every schedule within these bounds was run: {}. It has {} states.",
                    report.bound, report.states
                ),
                Finding::Broken | Finding::CutShort => format!(
                    "The search ended after {} states, so that nothing is proven.",
                    report.states
                ),
            }];
            let (guarantee, fault) = (self.guarantee(promised), self.column("within its bounds"));
            let story = told.filter(|_| is_broken);
            let (schedules, exercised) = (report.states, report.states);
            self.0.cells.push(Cell {
                subject,
                guarantee,
                fault,
                state,
                schedules,
                exercised,
                models,
                story,
            });
        }
    }

    fn subject(&mut self, name: &str, sentences: impl FnOnce() -> (String, String)) -> usize {
        if let Some(place) = self.0.subjects.iter().position(|known| known.name == name) {
            return place;
        }
        let (promise, breaks) = sentences();
        self.0.subjects.push(SubjectSummary { name: name.into(), promise, breaks });
        self.0.subjects.len() - 1
    }

    fn guarantee(&mut self, name: &str) -> usize {
        let known = Guarantee::ALL.iter().find(|known| known.name() == name);
        self.row(name, known.map_or("", |guarantee| guarantee.claim()))
    }

    fn row(&mut self, name: &str, claim: &str) -> usize {
        if let Some(place) = self.0.guarantees.iter().position(|known| known.name == name) {
            return place;
        }
        self.0.guarantees.push(Row { name: name.into(), claim: claim.into() });
        self.0.guarantees.len() - 1
    }

    fn column(&mut self, name: &str) -> usize {
        if let Some(place) = self.0.faults.iter().position(|known| known.name == name) {
            return place;
        }
        let known = Fault::ALL.iter().copied().find(|known| known.name() == name);
        let (group, claim) = match known {
            Some(fault) => (fault.place(), fault.cause()),
            None if name == "none" => ("none", "Nothing goes wrong."),
            None => ("none", "Whatever the bounds of the model allow."),
        };
        let (name, group, claim) = (name.into(), group.into(), claim.into());
        self.0.faults.push(Column { name, group, claim });
        self.0.faults.len() - 1
    }

    fn story(&mut self, story: &Story) -> usize {
        self.0.stories.push(story.clone());
        self.0.stories.len() - 1
    }
}

/// What a subject promises under all that was tried, and what breaks which of its promises.
fn sentences(report: &Report, subject: &str) -> (String, String) {
    let of_subject: Vec<&CellReport> =
        report.cells.iter().filter(|cell| cell.subject == subject).collect();
    let known = Subject::ALL.iter().find(|known| known.name() == subject);
    let (mut kept, mut broken) = (Vec::new(), Vec::new());
    for guarantee in distinct(of_subject.iter().map(|cell| &*cell.guarantee)) {
        let cells: Vec<&CellReport> =
            of_subject.iter().copied().filter(|cell| cell.guarantee == guarantee).collect();
        let breaks = cells.iter().filter(|cell| cell.verdict == Verdict::Broken);
        let breaks: Vec<&str> = breaks.map(|cell| &*cell.fault).collect();
        let always = breaks.contains(&"none");
        match &breaks[..] {
            [] => kept.push(guarantee),
            _ if always => broken.push(format!("{guarantee} breaks without any fault")),
            _ => broken.push(format!("{guarantee} breaks under {}", listed(&breaks))),
        }
    }
    let title = known.map_or(String::new(), |known| format!("{}. ", sentence(known.title())));
    let promise = match &kept[..] {
        [] => format!("{title}It keeps no promise under all that was tried."),
        _ => format!("{title}Under all that was tried, it keeps {}.", listed(&kept)),
    };
    let breaks = match &broken[..] {
        [] => "Nothing that was tried breaks a promise.".into(),
        _ => format!("{}.", sentence(&broken.join("; "))),
    };
    (promise, breaks)
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).into(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
