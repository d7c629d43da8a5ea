//! Schedules that broke a guarantee once, in a file, so that tests run them again and again.
//!
//! `leasehold check --save-regressions FILE` adds those that it finds, and so do `merge` and
//! `explore`; a word that was found in another way, such as by a fuzz target, is a line that anybody
//! can add. A test of one line runs them:
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("leasehold.regressions");
//! # std::fs::write(&file, "# none so far\n")?;
//! leasehold_sim::regressions::replay(file);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Failing runs of a user's own code are kept by
//! [`Cluster::regressions`](crate::cluster::Cluster::regressions).

use std::{fmt::Write as _, fs, io, path::Path};

use crate::{schedule::Schedule, story, systems::Run};

/// What a new file begins with.
const HEAD: &str = "# Schedules that broke a guarantee once, a word each, for \
                    `leasehold_sim::regressions::replay`. Keep this file with the sources.\n";

/// Runs every schedule in `file`: a word that begins with `lh1_` on each line that is not empty and
/// does not begin with `#`.
///
/// # Panics
///
/// If one breaks its guarantee still, with its story; if a line is no such word, or one of another
/// version; or if the file cannot be read.
pub fn replay(file: impl AsRef<Path>) {
    let file = file.as_ref();
    let text = fs::read_to_string(file)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
    for word in words(&text) {
        let schedule: Schedule =
            word.parse().unwrap_or_else(|error| panic!("in {}, {word}: {error}", file.display()));
        let run = Run::replayed(schedule.plan(), &schedule.decisions);
        if run.violation(schedule.cell.guarantee).is_some() {
            panic!("a regression of {}: {}", file.display(), story::replay(&schedule));
        }
    }
}

/// Adds `word`, a [`Schedule`] as text, to `file`, which may not exist yet, under what it is `about`.
/// A word that is there already is not added.
///
/// # Errors
///
/// If the file cannot be read or written.
pub fn keep(file: impl AsRef<Path>, word: &str, about: &str) -> io::Result<()> {
    let text = match fs::read_to_string(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    if words(&text).any(|known| known == word) {
        return Ok(());
    }
    fs::write(file, with(text, HEAD, word, about))
}

/// The words in the text of such a file.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The text of such a file with one more word; `head` if it is a new one.
pub(crate) fn with(mut text: String, head: &str, word: &str, about: &str) -> String {
    if text.is_empty() {
        text += head;
    } else if !text.ends_with('\n') {
        text.push('\n');
    }
    let about = about.replace('\n', " ");
    let _ = writeln!(text, "# {about}\n{word}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_added_on_a_line_of_its_own_under_what_it_is_about() {
        let first = with(String::new(), "# head\n", "lh1_a", "one\nthing");
        assert_eq!(first, "# head\n# one thing\nlh1_a\n");
        let second = with(first.trim_end().into(), "# head\n", "lh1_b", "another");
        assert_eq!(second, "# head\n# one thing\nlh1_a\n# another\nlh1_b\n");
        assert_eq!(words(&second).collect::<Vec<_>>(), ["lh1_a", "lh1_b"]);
    }
}
