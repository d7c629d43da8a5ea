//! Where results go.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::Serialize;

use super::Failure;
use leasehold_sim::regressions;
use leasehold_sim::story::StoryReport;

/// Where JSON goes: a file, or standard output (`-`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Stdout,
    File(PathBuf),
}

impl FromStr for Target {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == "-" { Self::Stdout } else { Self::File(text.into()) })
    }
}

impl Target {
    /// Finds out whether it can be written, before the work is done whose result goes there.
    pub(super) fn probe(&self) -> Result<(), Failure> {
        match self {
            Self::Stdout => Ok(()),
            Self::File(path) => probe("--json", Some(path)),
        }
    }

    /// Writes `value` as JSON.
    pub(super) fn write(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value)
            .map_err(|error| Failure::Use(format!("the result cannot be written: {error}")))?
            + "\n";
        match self {
            Self::Stdout => print(&text),
            Self::File(path) => {
                fs::write(path, text).map_err(|error| refusal("--json", path, &error))
            }
        }
    }
}

/// Finds out whether the file of an option can be written, before the work is done.
pub(super) fn probe(option: &str, path: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let existed = path.exists();
    let opened = fs::OpenOptions::new().append(true).create(true).open(path);
    // Nothing is left behind if the work is broken off.
    let tidied = opened.and_then(|_| if existed { Ok(()) } else { fs::remove_file(path) });
    tidied.map_err(|error| refusal(option, path, &error))
}

/// That the file of an option cannot be written.
pub(super) fn refusal(option: &str, path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::Use(format!("cannot write {path}: {error}; give {option} a file that can be written"))
}

/// Writes `text` to standard output. A reader who has seen enough is no error.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Use(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Adds the schedule of `told`, about this, to a file of regressions.
pub(super) fn keep(file: &Path, told: &StoryReport, about: &str) -> Result<(), Failure> {
    let about = format!("{about}: {}", told.text);
    regressions::keep(file, &told.token, &about)
        .map_err(|error| Failure::Use(format!("{}: {error}", file.display())))
}
