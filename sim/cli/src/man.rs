//! `leasehold man`: manual pages.

use std::{fs, io, path::PathBuf};

use clap::Args;

use super::{Ending, Failure, command_line, output::print};

/// Writes manual pages.
///
/// One of the command and one of each sub-command, such as `leasehold-check.1`, into a folder;
/// without one, it prints that of the command.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  leasehold man ~/.local/share/man/man1
  leasehold man > leasehold.1

Exit status: 0, or 2 after wrong use.")]
pub(super) struct Man {
    /// The folder, which is made if it is not there.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let refusal = |place: String| {
            move |error: io::Error| {
                Failure::Use(format!("cannot write {place}: {error}; give another folder"))
            }
        };
        if let Some(folder) = self.folder {
            fs::create_dir_all(&folder)
                .and_then(|()| clap_mangen::generate_to(command_line(), &folder))
                .map_err(refusal(folder.display().to_string()))?;
            return Ok(Ending::AsClaimed);
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(command_line())
            .render(&mut page)
            .map_err(refusal("the page".into()))?;
        print(&String::from_utf8_lossy(&page))?;
        Ok(Ending::AsClaimed)
    }
}
