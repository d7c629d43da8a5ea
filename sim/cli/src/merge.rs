//! `leasehold merge`: joins the parts of a campaign.

use std::{fs, path::PathBuf};

use clap::Args;

use super::{
    Ending, Failure,
    check::publish,
    output::{Target, print, probe},
    page,
};
use crate::report::{Report, Telling};

/// Joins the JSON of the parts of a campaign.
///
/// Each part is run by `leasehold check --shard K/N --json FILE`, with the same other options: as a
/// Kubernetes Indexed Job, as a CI matrix, or one after the other.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  leasehold check --shard 1/2 --json 1.json
  leasehold check --shard 2/2 --json 2.json
  leasehold merge 1.json 2.json --json whole.json

Exit status: 0 if every cell is what is claimed of it, 1 if not, 2 after wrong
use or if nothing was exercised.")]
pub(super) struct Merge {
    /// The JSON of the parts, each once.
    #[arg(value_name = "FILE", required = true)]
    parts: Vec<PathBuf>,
    /// Prints every cell of the matrix.
    ///
    /// A grid of guarantees and faults for each subject.
    #[arg(long)]
    matrix: bool,
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

impl Merge {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        if let Some(target) = &self.json {
            target.probe()?;
        }
        probe("--html", self.html.as_deref())?;
        probe("--save-regressions", self.save_regressions.as_deref())?;
        let mut whole: Option<Report> = None;
        for path in &self.parts {
            let refusal = |error: String| Failure::Use(format!("{}: {error}", path.display()));
            let part = read(path).map_err(refusal)?;
            match &mut whole {
                None => whole = Some(part),
                Some(whole) => whole.join(part).map_err(|error| refusal(error.to_string()))?,
            }
        }
        let mut whole = whole.ok_or_else(|| Failure::Use("give the files of the parts".into()))?;
        if !whole.is_whole() {
            let (done, of) = (whole.shards.done.len(), whole.shards.of);
            eprintln!("warning: only {done} of {of} parts are here");
        }
        page::of_report(&mut whole, self.json.is_some(), self.html.as_deref())?;
        if whole.interrupted {
            eprintln!("warning: a part was interrupted, so schedules are missing");
        }
        let subjects = whole.subjects();
        let mut telling = Telling::new(subjects.len(), self.matrix);
        if self.json != Some(Target::Stdout) {
            print(&telling.head(&whole.guarantees(), &whole.faults()))?;
            print(&telling.subjects(&whole))?;
        }
        let regressions = self.save_regressions.as_deref();
        publish(&whole, self.json.as_ref(), regressions, &telling, None)
    }
}

fn read(path: &PathBuf) -> Result<Report, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let report: Report = serde_json::from_str(&text)
        .map_err(|error| format!("not a report of `leasehold check --json`: {error}"))?;
    let own = env!("CARGO_PKG_VERSION");
    if report.version != own {
        let theirs = &report.version;
        return Err(format!(
            "made by version {theirs}, but this is {own}: merge with that version"
        ));
    }
    Ok(report)
}
