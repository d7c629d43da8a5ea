//! The published client for JavaScript, doing the same.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::cycles::Sample;
use crate::servers::TOKEN;

/// `@upstash/redis` with its automatic pipelining, installed.
#[derive(Debug)]
pub struct Peer {
    folder: PathBuf,
}

impl Peer {
    /// Installs it in `folder`, unless that has been done.
    ///
    /// # Errors
    ///
    /// Why it cannot be: there is no node, no npm, or no network.
    pub fn install(folder: &Path) -> Result<Self, String> {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
        let copy = |name: &str| fs::copy(from.join(name), folder.join(name));
        let names = ["crowd.js", "package.json", "package-lock.json"];
        fs::create_dir_all(folder)
            .and_then(|()| names.into_iter().try_for_each(|name| copy(name).map(drop)))
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        run(Command::new("node").arg("--version"))?;
        if !folder.join("node_modules/@upstash/redis").exists() {
            run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Lets so many tasks take and release a key each.
    ///
    /// # Panics
    ///
    /// If the script fails.
    #[must_use]
    pub fn crowd(&self, url: &str, tasks: usize, cycles: u64) -> Sample {
        let arguments = [tasks as u64, cycles].map(|number| number.to_string());
        let mut command = Command::new("node");
        command.arg("crowd.js").args(arguments).current_dir(&self.folder);
        command.env("UPSTASH_REDIS_REST_URL", url).env("UPSTASH_REDIS_REST_TOKEN", TOKEN);
        let printed = run(&mut command).expect("it ran a moment ago");
        let mut numbers = printed.split_whitespace().map(str::parse::<f64>);
        let (Some(Ok(cycles)), Some(Ok(millis))) = (numbers.next(), numbers.next()) else {
            unreachable!("the script prints two numbers, not {printed}")
        };
        let elapsed = Duration::from_secs_f64(millis / 1e3);
        Sample { cycles: cycles as u64, elapsed, ..Sample::default() }
    }
}

fn run(command: &mut Command) -> Result<String, String> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|error| format!("{shown}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(format!("{shown}: {}", text(&output.stderr)))
    }
}
