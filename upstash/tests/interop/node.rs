//! Processes of Node with the published client.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::LazyLock,
};

/// The client, installed.
pub(crate) struct Node {
    folder: PathBuf,
}

impl Node {
    /// Installs it under `target`, unless that has been done. `None` without npm or node; that is
    /// printed.
    ///
    /// # Panics
    ///
    /// If there is none and `LEASEHOLD_REQUIRE_REAL=1`.
    pub(crate) fn with_the_client() -> Option<Self> {
        // The tests run side by side, and npm does not.
        static INSTALLED: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop");
            install(&folder).map(|()| folder)
        });
        match &*INSTALLED {
            Ok(folder) => Some(Self { folder: folder.clone() }),
            Err(why) => {
                let required = env::var_os("LEASEHOLD_REQUIRE_REAL").is_some_and(|set| set == "1");
                assert!(!required, "LEASEHOLD_REQUIRE_REAL=1, but {why}");
                eprintln!("skipped: {why}");
                None
            }
        }
    }

    /// Starts a contender, with what it reads from its environment.
    pub(crate) fn start(&self, variables: &[(&str, &str)]) -> Contender {
        let process = Command::new("node")
            .arg("contend.js")
            .current_dir(&self.folder)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it was there a moment ago");
        Contender { process: Some(process) }
    }
}

/// A process, which is ended when this is dropped.
pub(crate) struct Contender {
    process: Option<Child>,
}

impl Contender {
    /// Waits until it has ended by itself.
    ///
    /// # Panics
    ///
    /// If it failed, with what it printed.
    pub(crate) fn finish(mut self) {
        let process = self.process.take().expect("it is taken once");
        let output = process.wait_with_output().expect("it can be waited for");
        if let Err(shown) = judge(&output) {
            panic!("a contender failed: {shown}");
        }
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn install(folder: &Path) -> Result<(), String> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/js");
    fs::create_dir_all(folder).expect("target can be written");
    for name in ["contend.js", "package.json", "package-lock.json"] {
        fs::copy(from.join(name), folder.join(name)).expect("target can be written");
    }
    run(Command::new("node").arg("--version"))?;
    let wanted = fs::read(folder.join("package-lock.json")).expect("it was copied");
    let done = folder.join("installed.list");
    if fs::read(&done).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))?;
    fs::write(done, wanted).expect("target can be written");
    Ok(())
}

fn run(command: &mut Command) -> Result<String, String> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|error| format!("{shown}: {error}"))?;
    judge(&output).map_err(|failure| format!("{shown}: {failure}"))
}

/// What it printed, by whether it succeeded.
fn judge(output: &Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let shown = text(&output.stdout) + &text(&output.stderr);
    if output.status.success() { Ok(shown) } else { Err(shown) }
}
