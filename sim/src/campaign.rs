//! Many schedules of each subject under each fault, and what they say of each guarantee.

mod states;
mod tally;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    time::{Duration, Instant},
};

use rayon::prelude::*;
use states::StateSample;
pub use tally::StateCoverage;
use tally::{Row, Tally, rows};

use crate::{
    catalog::{CellName, Guarantee, Subject, Verdict},
    claims::Claims,
    counterexamples::KnownCounterexamples,
    decide::{Decisions, Fault, FaultSet, Seeded, shrink},
    run::decisions_of,
    systems::{Plan, Run, World},
};
use leasehold_fake_redis::Engine;

/// Schedules that run together on one core.
const CHUNK: u64 = 100;

/// Chunks of each row that run before their sums are taken.
const ROUND: u64 = 32;

/// One schedule in so many runs the Lua scripts too, and must leave the same trace.
const LUA_SHARE: u64 = 64;

/// One schedule in so many says in which states it was.
const SAMPLED_SHARE: u64 = 16;

/// How many failing schedules of a cell are remembered at the most, to tell the shortest story.
const REMEMBERED: usize = 64;

/// How many runs shrinking one schedule may take.
const SHRINK_RUNS: u32 = 2_000;

/// What to run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Of these subjects,
    pub subjects: Vec<Subject>,
    /// these guarantees
    pub guarantees: Vec<Guarantee>,
    /// under each of these faults alone, or this pair (`None`: under no fault).
    pub faults: Vec<Option<Fault>>,
    /// How many schedules of each subject under each fault, half as many of handles.
    pub schedules: u64,
    /// How long to go on with more of them, if they are over sooner.
    pub time: Option<Duration>,
    /// The seed of the campaign.
    pub seed: u64,
    /// Which shard this is, from 0, of how many: it runs every so-manieth schedule.
    pub shard: (u64, u64),
    /// How many failing schedules of each cell are shrunk, to tell the shortest story; at most 64.
    pub candidates: usize,
}

impl Settings {
    /// All of the matrix, `schedules` times, from seed 1.
    #[must_use]
    pub fn new(schedules: u64) -> Self {
        let faults = Fault::ALL.iter().copied().map(Some).chain([None]);
        Self {
            subjects: Subject::ALL.to_vec(),
            guarantees: Guarantee::ALL.to_vec(),
            faults: faults.collect(),
            schedules,
            time: None,
            seed: 1,
            shard: (0, 1),
            candidates: 2,
        }
    }
}

/// What a campaign found about one cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Which cell.
    pub name: CellName,
    /// What was found.
    pub verdict: Verdict,
    /// What is claimed.
    pub claim: Verdict,
    /// In how many schedules the fault took effect.
    pub schedules: u64,
    /// How often it took effect.
    pub effects: u64,
    /// In how many schedules the guarantee broke.
    pub broken: u64,
    /// The shortest story of how it broke.
    pub counterexample: Option<Counterexample>,
}

/// Decisions that break a guarantee.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The decisions that are not the calmest; none can be left out.
    pub decisions: Decisions,
    /// How many events happen until the guarantee breaks.
    pub events: usize,
    /// What happened, as a sentence.
    pub text: String,
}

/// What a campaign found.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// How many schedules were run.
    pub schedules: u64,
    /// The cells, by subject, guarantee and fault.
    pub cells: Vec<Cell>,
    /// How many states there were, and how fast new ones came.
    pub coverage: StateCoverage,
    /// Whether it was interrupted, so that schedules are missing.
    pub interrupted: bool,
}

impl Outcome {
    /// Adds what was found of another subject.
    fn add(&mut self, more: Self) {
        self.schedules += more.schedules;
        self.cells.extend(more.cells);
        self.coverage.add(&more.coverage);
        self.interrupted |= more.interrupted;
    }

    /// The cells whose verdict is not what is claimed.
    pub fn surprises(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|cell| !cell.verdict.is_as_claimed(cell.claim))
    }
}

/// A native twin and its Lua script left different traces: the campaign proves nothing.
#[derive(Clone, Debug)]
pub struct TwinDiffers {
    /// The subject that showed it.
    pub subject: Subject,
    /// The fault under which it did.
    pub fault: Option<Fault>,
    /// The seed of the campaign.
    pub seed: u64,
    /// The number of the schedule.
    pub schedule: u64,
}

impl fmt::Display for TwinDiffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = self.fault.map_or("none", Fault::name);
        write!(
            f,
            "the native twins and the Lua scripts left different traces: {} under {fault}, seed \
             {}, schedule {}",
            self.subject.name(),
            self.seed,
            self.schedule
        )
    }
}

impl std::error::Error for TwinDiffers {}

/// Someone who watches a campaign go on.
pub trait Progress: Sync {
    /// So many pieces of work are to be done in all.
    fn expect(&self, pieces: u64);
    /// One of them is done.
    fn done(&self);
    /// Whether the work is to end soon, with what is known by then.
    fn is_interrupted(&self) -> bool {
        false
    }
}

impl Progress for () {
    fn expect(&self, _pieces: u64) {}
    fn done(&self) {}
}

/// Runs a campaign on the current thread pool. The same settings give the same outcome, whatever
/// the number of threads (unless they bound the time, or it is interrupted).
///
/// # Errors
///
/// [`TwinDiffers`] if the share of the schedules that runs the Lua scripts leaves other traces.
pub fn run(settings: &Settings, progress: &dyn Progress) -> Result<Outcome, TwinDiffers> {
    let mut whole = Outcome { seed: settings.seed, ..Outcome::default() };
    run_by_subject(settings, progress, |part| whole.add(part))?;
    Ok(whole)
}

/// As [`run`], and hands out what was found of each subject as soon as it is known. A time that
/// is to be used is shared out among them.
///
/// # Errors
///
/// As of [`run`]. What was found of the subjects before has been handed out.
pub fn run_by_subject(
    settings: &Settings,
    progress: &dyn Progress,
    mut found: impl FnMut(Outcome),
) -> Result<(), TwinDiffers> {
    let all = rows(settings);
    progress.expect(all.len() as u64 * chunks(settings));
    let (start, mut begun) = (Instant::now(), 0);
    for &subject in &settings.subjects {
        let rows: Vec<Row> = all.iter().filter(|row| row.subject == subject).copied().collect();
        begun += rows.len();
        let share = |time: Duration| time * begun as u32 / all.len().max(1) as u32;
        let deadline = settings.time.map(|time| start + share(time));
        let tallies = run_schedules(settings, &rows, deadline, progress)?;
        let of_subject = Settings { subjects: vec![subject], ..settings.clone() };
        found(conclude(&of_subject, &rows, &tallies, progress));
        if progress.is_interrupted() {
            break;
        }
    }
    Ok(())
}

/// How many chunks of each row there are at least.
fn chunks(settings: &Settings) -> u64 {
    settings.schedules.div_ceil(CHUNK * settings.shard.1).max(1)
}

/// Runs the schedules of `rows`, and goes on with more of them until the deadline.
fn run_schedules(
    settings: &Settings,
    rows: &[Row],
    deadline: Option<Instant>,
    progress: &dyn Progress,
) -> Result<Vec<Tally>, TwinDiffers> {
    let chunks = chunks(settings);
    let mut tallies: Vec<Tally> = rows.iter().map(|_| Tally::default()).collect();
    let mut next = 0;
    loop {
        // A bounded piece at a time, so that memory does not grow with the number of schedules.
        let end = if deadline.is_some() { next + ROUND } else { chunks.min(next + ROUND) };
        let more = run_rows(settings, rows, next..end, progress)?;
        for (tally, more) in tallies.iter_mut().zip(more) {
            tally.add(more);
        }
        next = end;
        let in_time = deadline.is_some_and(|deadline| Instant::now() < deadline);
        let enough = rows.is_empty() || (next >= chunks && !in_time);
        if enough || progress.is_interrupted() {
            return Ok(tallies);
        }
    }
}

fn run_rows(
    settings: &Settings,
    rows: &[Row],
    chunks: std::ops::Range<u64>,
    progress: &dyn Progress,
) -> Result<Vec<Tally>, TwinDiffers> {
    let pieces: Vec<(usize, u64)> =
        chunks.flat_map(|chunk| (0..rows.len()).map(move |row| (row, chunk))).collect();
    let tallies: Vec<(usize, Tally)> = pieces
        .into_par_iter()
        .map(|(row, chunk)| {
            if progress.is_interrupted() {
                return Ok((row, Tally::default()));
            }
            let tally = run_chunk(settings, rows[row], chunk)?;
            progress.done();
            Ok((row, tally))
        })
        .collect::<Result<_, TwinDiffers>>()?;
    let mut sums: Vec<Tally> = rows.iter().map(|_| Tally::default()).collect();
    for (row, tally) in tallies {
        sums[row].add(tally);
    }
    Ok(sums)
}

fn run_chunk(settings: &Settings, row: Row, chunk: u64) -> Result<Tally, TwinDiffers> {
    let mut tally = Tally::default();
    let plan = row.subject.plan(row.workload, fault_set(row.fault));
    let (shard, shards) = settings.shard;
    for index in chunk * CHUNK..(chunk + 1) * CHUNK {
        let schedule = index * shards + shard;
        if settings.time.is_none() && schedule >= row.subject.share_of(settings.schedules) {
            break;
        }
        let run = Run::seeded(plan.clone(), settings.seed, schedule);
        if index.is_multiple_of(LUA_SHARE) {
            let mut lua = plan.clone();
            lua.scenario.engine = Engine::Lua;
            same_trace(row, settings.seed, schedule, &run, lua)?;
        }
        tally.count(row, schedule, &run);
        if index.is_multiple_of(SAMPLED_SHARE) {
            let mut situations = StateSample::default();
            World::new(plan.clone())
                .run(&mut Seeded::new(settings.seed, schedule), &mut situations);
            tally.sample_states(schedule, situations);
        }
    }
    Ok(tally)
}

/// Whether the scripts themselves leave the trace that their twins left.
fn same_trace(
    row: Row,
    seed: u64,
    schedule: u64,
    native: &Run,
    lua: Plan,
) -> Result<(), TwinDiffers> {
    if Run::seeded(lua, seed, schedule).trace_hash() == native.trace_hash() {
        return Ok(());
    }
    Err(TwinDiffers { subject: row.subject, fault: row.fault, seed, schedule })
}

fn conclude(
    settings: &Settings,
    rows: &[Row],
    tallies: &[Tally],
    progress: &dyn Progress,
) -> Outcome {
    let (claims, known) = (Claims::current(), KnownCounterexamples::current());
    let names = names(settings);
    let shrinking = names.iter().filter(|name| {
        row_of(rows, **name).is_some_and(|row| tallies[row].broken[name.guarantee as usize] > 0)
    });
    progress.expect(shrinking.count() as u64);
    let nothing = Tally::default();
    let cells = names
        .into_par_iter()
        .map(|name| {
            let tally = row_of(rows, name).map_or(&nothing, |row| &tallies[row]);
            // Shrinking takes long.
            let candidates = if progress.is_interrupted() { 0 } else { settings.candidates };
            let cell = cell((settings.seed, candidates), &claims, &known, name, tally);
            if cell.verdict == Verdict::Broken {
                progress.done();
            }
            cell
        })
        .collect();
    let schedules = tallies.iter().map(|tally| tally.run).sum();
    Outcome {
        seed: settings.seed,
        schedules,
        cells,
        coverage: StateCoverage::of(tallies),
        interrupted: progress.is_interrupted(),
    }
}

/// Every cell of the matrix.
#[cfg(test)]
pub(crate) fn cell_names() -> impl Iterator<Item = CellName> {
    names(&Settings::new(0)).into_iter()
}

fn names(settings: &Settings) -> Vec<CellName> {
    let mut names = Vec::new();
    for &subject in &settings.subjects {
        for &guarantee in &settings.guarantees {
            if subject.workloads().contains(&guarantee.workload()) {
                names.extend(settings.faults.iter().map(|&fault| CellName {
                    subject,
                    guarantee,
                    fault,
                }));
            }
        }
    }
    names
}

fn row_of(rows: &[Row], name: CellName) -> Option<usize> {
    rows.iter().position(|row| {
        row.subject == name.subject
            && row.workload == name.guarantee.workload()
            && row.fault == name.fault
    })
}

fn cell(
    (seed, candidates): (u64, usize),
    claims: &Claims,
    known: &KnownCounterexamples,
    name: CellName,
    tally: &Tally,
) -> Cell {
    let index = name.guarantee as usize;
    let known = known.of(name).filter(|decisions| breaks(name, decisions));
    let verdict = if tally.broken[index] > 0 || known.is_some() {
        Verdict::Broken
    } else if tally.exercised[index] == 0 {
        Verdict::NotExercised
    } else {
        Verdict::Holds
    };
    let found = tally.first[index].iter().take(candidates);
    let shortest = found
        .map(|&schedule| counterexample(name, seed, schedule))
        .chain(known.map(|decisions| story(name, decisions.clone())))
        .min_by_key(|story| (story.decisions.len(), story.events));
    Cell {
        name,
        verdict,
        claim: claims.of(name),
        schedules: tally.schedules,
        effects: tally.effects,
        broken: tally.broken[index],
        counterexample: shortest,
    }
}

/// Shrinks schedule number `schedule`, which breaks the cell's guarantee.
///
/// # Panics
///
/// If it does not break it.
#[must_use]
pub fn counterexample(name: CellName, seed: u64, schedule: u64) -> Counterexample {
    let decisions = decisions_of(name.plan(), seed, schedule);
    let needs_fault = |decisions: &Decisions| {
        breaks(name, decisions) && {
            let mut calm = decisions.clone();
            calm.retain(|address, _| address.kind.is_workload());
            Run::replayed(name.plan(), &calm).violation(name.guarantee).is_none()
        }
    };
    // The story is a better one if the fault has to do with it.
    let decisions = if needs_fault(&decisions) {
        shrink(decisions, SHRINK_RUNS, needs_fault).decisions
    } else {
        shrink(decisions, SHRINK_RUNS, |decisions| breaks(name, decisions)).decisions
    };
    story(name, decisions)
}

/// Whether `decisions` break the cell's guarantee, and its fault takes effect.
#[must_use]
pub fn breaks(name: CellName, decisions: &Decisions) -> bool {
    let run = Run::replayed(name.plan(), decisions);
    // A story without the fault would be one about another cell.
    name.fault.is_none_or(|fault| run.effects(fault) > 0) && run.violation(name.guarantee).is_some()
}

fn story(name: CellName, decisions: Decisions) -> Counterexample {
    let run = Run::replayed(name.plan(), &decisions);
    let violation = run.violation(name.guarantee).expect("a story of how it breaks");
    let log = crate::run::log_of(name.plan(), &decisions);
    Counterexample {
        events: log.events.iter().filter(|(at, _)| *at <= violation.at).count(),
        text: violation.text.clone(),
        decisions,
    }
}

fn fault_set(fault: Option<Fault>) -> FaultSet {
    fault.map_or(FaultSet::NONE, FaultSet::only)
}
