//! `leasehold completions`: what a shell needs to complete the command line.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::{Cli, Ending, Failure, output::print};

/// Prints what a shell needs to complete the command line.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  leasehold completions bash > /etc/bash_completion.d/leasehold
  leasehold completions zsh > \"${fpath[1]}/_leasehold\"
  leasehold completions fish > ~/.config/fish/completions/leasehold.fish

Exit status: 0, or 2 after wrong use.")]
pub(super) struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "leasehold", &mut script);
        print(&String::from_utf8_lossy(&script))?;
        Ok(Ending::AsClaimed)
    }
}
