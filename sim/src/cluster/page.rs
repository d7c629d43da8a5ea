//! Failures as pages: a file for each test that fails, if `LEASEHOLD_HTML` names a folder.

use std::{env, fs, path::PathBuf, thread};

use leasehold_story::html;

use super::Failure;

/// The variable that names the folder.
const FOLDER: &str = "LEASEHOLD_HTML";

/// Where pages go, if they are asked for.
#[derive(Clone, Debug)]
pub(super) struct Pages(Option<PathBuf>);

impl Pages {
    /// The folder of `LEASEHOLD_HTML`, which is made if it is not there.
    ///
    /// # Panics
    ///
    /// If it cannot be made or written to: before the work, not after.
    pub(super) fn asked_for() -> Self {
        let folder = env::var_os(FOLDER).filter(|folder| !folder.is_empty()).map(PathBuf::from);
        if let Some(folder) = &folder {
            let made = fs::create_dir_all(folder);
            let probe = folder.join(format!(".{}", file_name()));
            let written =
                made.and_then(|()| fs::write(&probe, "")).and_then(|()| fs::remove_file(&probe));
            written.unwrap_or_else(|error| {
                panic!("{FOLDER}: cannot write to {}: {error}", folder.display())
            });
        }
        Self(folder)
    }

    /// Writes the page of a failure, and says where it is.
    pub(super) fn write(&self, failure: &Failure) -> String {
        let Some(folder) = &self.0 else { return String::new() };
        let file = folder.join(file_name());
        match fs::write(&file, html::story(failure.told())) {
            Ok(()) => format!("The story as a page: {}\n", file.display()),
            Err(error) => format!("The page {} cannot be written: {error}\n", file.display()),
        }
    }
}

/// Named after the test, as its thread is.
fn file_name() -> String {
    let thread = thread::current();
    let name = thread.name().unwrap_or("cluster");
    let plain = |letter: char| if letter.is_alphanumeric() || letter == '_' { letter } else { '-' };
    format!("{}.html", name.replace("::", "-").chars().map(plain).collect::<String>())
}
