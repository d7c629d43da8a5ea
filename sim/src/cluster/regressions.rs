//! Failing runs in a file, so that they are run again and again.

use std::{fs, io, path::Path};

use super::{Cluster, Failure, page::Pages, token};
use crate::regressions;

/// What a new file begins with.
const HEAD: &str = "# Runs that failed once, a word each. `Cluster::check` runs them first. Keep this \
                    file with the sources.\n";

impl Cluster {
    /// Runs what failed once.
    ///
    /// # Panics
    ///
    /// If one fails still, or the file cannot be read.
    pub(super) fn replay_regressions(&self, pages: &Pages) {
        let Some(file) = &self.regressions else { return };
        for word in regressions::words(&read(file)) {
            let decisions = token::parse(word)
                .unwrap_or_else(|error| panic!("in {}, {word}: {error}", file.display()));
            if let Err(failure) = self.again(&decisions) {
                let page = pages.write(&failure);
                panic!("a regression of {}: {failure}{page}", file.display());
            }
        }
    }

    /// Adds a failing run to the file, and says so.
    ///
    /// # Panics
    ///
    /// If the file cannot be written.
    pub(super) fn keep_regression(&self, failure: &Failure) -> String {
        let Some(file) = &self.regressions else { return String::new() };
        let about = failure.breach.to_string();
        fs::write(file, regressions::with(read(file), HEAD, &failure.token(), &about))
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
        format!("It is kept in {}, and is run first from now on.\n", file.display())
    }
}

fn read(file: &Path) -> String {
    match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => panic!("cannot read {}: {error}", file.display()),
    }
}
