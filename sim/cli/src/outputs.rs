//! What becomes of the report of a campaign, or of its parts.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{
    Ending, Failure, interrupt,
    output::{Target, keep, print, probe},
    page,
};
use crate::report::{Report, Telling};

/// Where it goes.
#[derive(Debug, Args)]
pub(super) struct Outputs {
    /// Prints every cell of the matrix.
    ///
    /// A grid of guarantees and faults for each subject.
    #[arg(long)]
    pub(super) matrix: bool,
    /// Writes JSON to FILE; `-` is standard output.
    ///
    /// To standard output it writes nothing else then.
    #[arg(long, value_name = "FILE")]
    json: Option<Target>,
    /// Writes a page for a browser to FILE.
    ///
    /// The matrix, and how each cell breaks.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Adds what broke against its claim to FILE.
    ///
    /// One schedule of each such cell, for a test that runs `leasehold_sim::regressions::replay`.
    #[arg(long, value_name = "FILE")]
    save_regressions: Option<PathBuf>,
}

impl Outputs {
    /// Finds out whether all files can be written, before the work is done.
    pub(super) fn probe(&self) -> Result<(), Failure> {
        if let Some(target) = &self.json {
            target.probe()?;
        }
        probe("--html", self.html.as_deref())?;
        probe("--save-regressions", self.save_regressions.as_deref())
    }

    /// Whether it is told to a reader: nothing but JSON goes where JSON goes.
    pub(super) fn is_told(&self) -> bool {
        self.json != Some(Target::Stdout)
    }

    /// Tells the stories of what broke, and writes the page.
    pub(super) fn page(&self, report: &mut Report) -> Result<(), Failure> {
        page::of_report(report, self.json.is_some(), self.html.as_deref())
    }

    /// Prints what is to be read last, writes the files, and says how it ends.
    pub(super) fn publish(
        &self,
        report: &Report,
        telling: &Telling,
        elapsed: Option<Duration>,
    ) -> Result<Ending, Failure> {
        if let Some(file) = &self.save_regressions {
            let broken =
                report.surprises().filter_map(|cell| Some((cell, cell.counterexample.as_ref()?)));
            for (cell, told) in broken {
                keep(file, told, &cell.place())?;
            }
        }
        if let Some(target) = &self.json {
            target.write(report)?;
        }
        if self.is_told() {
            print(&telling.end(report, elapsed))?;
        }
        if report.interrupted && interrupt::happened() {
            return Ok(Ending::Interrupted);
        }
        if report.is_whole() && report.is_about_nothing() {
            return Err(Failure::Use(
                "nothing was exercised: in no schedule did the situation occur that a guarantee is \
                 about; choose other subjects, guarantees or faults, or more --schedules"
                    .into(),
            ));
        }
        Ok(match report.surprises().next() {
            None => Ending::AsClaimed,
            Some(_) => Ending::Surprise,
        })
    }
}
