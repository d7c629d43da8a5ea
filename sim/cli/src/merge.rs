//! `leasehold merge`: joins the parts of a campaign.

use std::{fs, path::PathBuf};

use clap::Args;

use super::{Ending, Failure, output::print, outputs::Outputs};
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
    #[command(flatten)]
    outputs: Outputs,
}

impl Merge {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        self.outputs.probe()?;
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
        self.outputs.page(&mut whole)?;
        if whole.interrupted {
            eprintln!("warning: a part was interrupted, so schedules are missing");
        }
        let subjects = whole.subjects();
        let mut telling = Telling::new(subjects.len(), self.outputs.matrix);
        if self.outputs.is_told() {
            print(&telling.head(&whole.guarantees(), &whole.faults()))?;
            print(&telling.subjects(&whole))?;
        }
        self.outputs.publish(&whole, &telling, None)
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
