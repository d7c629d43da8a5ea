//! Published clients of other languages work against `leasehold serve` as they are.
//!
//! Needs npm, node 18 or newer, pip, and what these install; without them the tests say so and
//! pass, unless `LEASEHOLD_REQUIRE_REAL=1`. What is installed is kept under `target`.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
    time::Duration,
};

/// A server on free ports, ended when it is dropped.
struct Served {
    process: Child,
    /// Where it listens, as the environment tells it to the clients.
    addresses: Vec<(String, String)>,
}

const TOKENS: [(&str, &str); 3] = [
    ("LEASEHOLD_TOKEN", "secret"),
    ("LEASEHOLD_READ_ONLY_TOKEN", "reader"),
    ("LEASEHOLD_ADMIN_TOKEN", "admin"),
];

pub(crate) const PAGE: &str = include_str!("../../../fake-redis/TESTING.md");

/// The one of Debian 12. Some clients ask for 20, and work with this one as well.
const OLDEST_NODE: u32 = 18;

/// Longer than any suite takes; only one that never ends is stopped.
const PATIENCE: Duration = Duration::from_secs(300);

/// What was installed last.
const INSTALLED: &str = "installed.list";

#[test]
fn javascript_clients_work_as_they_are() {
    let folder = match javascript() {
        Ok(installed) => installed.folder,
        Err(why) => return skip(&why),
    };
    let served = Served::start();
    let tests = fs::read_dir(&folder).expect("it was copied").flatten().map(|file| file.path());
    let mut tests: Vec<_> =
        tests.filter(|path| path.to_string_lossy().ends_with(".test.js")).collect();
    tests.sort();
    assert!(!tests.is_empty());
    // One file after the other, since they share the server. Old versions of Node.js have no option
    // for that.
    for file in tests {
        served.fill();
        let mut test = Command::new("node");
        test.arg("--test").arg(file).current_dir(&folder);
        served.check(test);
    }
}

#[test]
fn python_clients_work_as_they_are() {
    let folder = match python() {
        Ok(installed) => installed.folder,
        Err(why) => return skip(&why),
    };
    let served = Served::start();
    let mut tests = Command::new("python3");
    tests.args(["-m", "unittest", "-v"]).env("PYTHONPATH", folder.join("installed"));
    tests.current_dir(&folder);
    served.fill();
    served.check(tests);
}

#[test]
fn a_node_that_is_too_old_is_told_of() {
    assert_eq!(is_new_enough(b"v18.0.0\n"), Ok(()));
    assert!(is_new_enough(b"v16.20.2\n").is_err_and(|why| why.contains("v16.20.2")));
    assert!(is_new_enough(b"").is_err());
}

#[test]
fn a_suite_that_fails_is_noticed() {
    let output = Command::new("sh").args(["-c", "echo what went wrong; exit 1"]).output();
    let judged = judge(&output.expect("a shell runs"));
    assert!(judged.is_err_and(|shown| shown.contains("what went wrong")));
}

impl Served {
    fn start() -> Self {
        let any = "127.0.0.1:0";
        let mut process = Command::new(assert_cmd::cargo::cargo_bin!("leasehold"))
            .args(["serve", "--rest", any, "--resp", any, "--admin", any, "--clock", "frozen"])
            .envs(TOKENS)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command was built");
        let output = process.stdout.take().expect("it is a pipe");
        let lines = BufReader::new(output).lines().map(|line| line.expect("it prints text"));
        let addresses = lines.take(3).map(|line| {
            let (name, url) = line.split_once(' ').expect("a name and an address");
            (format!("LEASEHOLD_{}_URL", name.to_uppercase()), url.to_owned())
        });
        Self { addresses: addresses.collect(), process }
    }

    /// Puts 100,000 keys into the server: what a test does must not take longer because of others.
    fn fill(&self) {
        const SCRIPT: &str =
            "for number = 1, 100000 do redis.call('set', 'filler:' .. number, 'value') end";
        let url = self.address("LEASEHOLD_RESP_URL");
        let mut stream =
            TcpStream::connect(url.trim_start_matches("redis://")).expect("it listens there");
        let length = SCRIPT.len();
        let command = format!("*3\r\n$4\r\nEVAL\r\n${length}\r\n{SCRIPT}\r\n$1\r\n0\r\n");
        stream.write_all(command.as_bytes()).expect("it is connected");
        let mut reply = [0; 5];
        stream.read_exact(&mut reply).expect("it answers");
        assert_eq!(&reply, b"$-1\r\n");
    }

    fn address(&self, name: &str) -> &str {
        let address = self.addresses.iter().find(|(found, _)| found == name);
        address.map(|(_, url)| &**url).expect("it listens there")
    }

    /// Runs tests of a suite.
    fn check(&self, tests: Command) {
        let mut tests = assert_cmd::Command::from_std(tests);
        tests.envs(TOKENS).envs(self.addresses.iter().cloned());
        let output = tests.timeout(PATIENCE).output().expect("it was there a moment ago");
        match judge(&output) {
            Ok(shown) => println!("{shown}"),
            Err(shown) => panic!("{shown}"),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself, which the suite has told of then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether this is the version of a Node.js that runs the suite.
fn is_new_enough(version: &[u8]) -> Result<(), String> {
    let version = String::from_utf8_lossy(version);
    let major = version.strip_prefix('v').and_then(|numbers| numbers.split('.').next());
    match major.and_then(|major| major.parse::<u32>().ok()) {
        Some(OLDEST_NODE..) => Ok(()),
        _ => Err(format!("node must be version {OLDEST_NODE} or newer, not {:?}", version.trim())),
    }
}

/// A copy of the suite in this language, beside which its clients are installed.
fn suite(language: &str) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(language);
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients").join(language);
    fs::create_dir_all(&to).expect("target can be written");
    // A test that was there in an earlier build would be run.
    for file in fs::read_dir(&to).expect("it was made just now").flatten() {
        if file.path().is_file() && file.file_name() != INSTALLED {
            fs::remove_file(file.path()).expect("target can be written");
        }
    }
    for file in fs::read_dir(from).expect("the suite is there").flatten() {
        if file.path().is_file() {
            fs::copy(file.path(), to.join(file.file_name())).expect("target can be written");
        }
    }
    to
}

/// The suite of a language, with its clients and our package of [`packages`] beside it.
#[derive(Clone, Debug)]
pub(crate) struct Installed {
    pub(crate) folder: PathBuf,
}

/// The suite in JavaScript; or why there is none.
pub(crate) fn javascript() -> Result<Installed, String> {
    static ONCE: OnceLock<Result<Installed, String>> = OnceLock::new();
    let install = || {
        let folder = suite("js");
        let version = Command::new("node").arg("--version").output();
        let version = version.map_err(|error| format!("node: {error}"));
        is_new_enough(&version?.stdout)?;
        let mut install = Command::new("npm");
        install.args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder);
        install_once(&folder, "package-lock.json", &mut install)?;
        install_ours_for_node(&folder);
        Ok(Installed { folder })
    };
    ONCE.get_or_init(install).clone()
}

/// The suite in Python; or why there is none.
pub(crate) fn python() -> Result<Installed, String> {
    static ONCE: OnceLock<Result<Installed, String>> = OnceLock::new();
    let install = || {
        let folder = suite("python");
        let mut install = pip(&folder);
        install.args(["--upgrade", "-r", "requirements.txt"]);
        install_once(&folder, "requirements.txt", &mut install)?;
        install_ours_for_python(&folder);
        Ok(Installed { folder })
    };
    ONCE.get_or_init(install).clone()
}

/// Where our packages for other languages are.
pub(crate) fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients")
}

/// Packs our package, and puts it where `npm install` would, without a network.
fn install_ours_for_node(folder: &Path) {
    let packed = folder.join("packed");
    // It is only there if this was run before.
    let _ = fs::remove_dir_all(&packed);
    fs::create_dir_all(&packed).expect("target can be written");
    let mut pack = Command::new("npm");
    pack.args(["pack", "--offline", "--pack-destination"]).arg(&packed);
    run(pack.arg(packages().join("npm")));
    let archive = fs::read_dir(&packed).expect("it was made").flatten().next().expect("a package");
    let to = folder.join("node_modules/leasehold-test");
    let _ = fs::remove_dir_all(&to);
    fs::create_dir_all(&to).expect("target can be written");
    run(Command::new("tar")
        .arg("xzf")
        .arg(archive.path())
        .arg("--strip-components=1")
        .arg("-C")
        .arg(to));
}

/// Builds our package as a source archive and a wheel, and installs that, without a network.
fn install_ours_for_python(folder: &Path) {
    let built = folder.join("built");
    // It is only there if this was run before.
    let _ = fs::remove_dir_all(&built);
    let mut build = Command::new("python3");
    build.args(["-m", "build", "--no-isolation", "--outdir"]).arg(&built);
    build.arg(packages().join("python")).env("PYTHONPATH", folder.join("installed"));
    run(&mut build);
    let files = fs::read_dir(&built).expect("it was made").flatten().map(|file| file.path());
    let wheel = files.into_iter().find(|path| path.extension().is_some_and(|it| it == "whl"));
    run(pip(folder).args(["--no-index", "--no-deps", "--upgrade"]).arg(wheel.expect("a wheel")));
}

fn pip(folder: &Path) -> Command {
    let mut pip = Command::new("python3");
    let options = ["--quiet", "--disable-pip-version-check", "--no-warn-script-location"];
    pip.args(["-m", "pip", "install"]).args(options).current_dir(folder);
    pip.args(["--target", "installed"]);
    pip
}

fn run(command: &mut Command) {
    let output = command.output();
    let judged = output.map_err(|error| error.to_string()).and_then(|output| judge(&output));
    if let Err(failure) = judged {
        panic!("{command:?}: {failure}");
    }
}

/// Installs what `list` names, unless that has been done.
fn install_once(folder: &Path, list: &str, install: &mut Command) -> Result<(), String> {
    let (list, done) = (folder.join(list), folder.join(INSTALLED));
    let wanted = fs::read(list).expect("it was copied");
    if fs::read(&done).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let shown = format!("{install:?}");
    let output = install.output().map_err(|error| format!("{shown}: {error}"))?;
    judge(&output).map_err(|failure| format!("{shown}: {failure}"))?;
    fs::write(done, wanted).expect("target can be written");
    Ok(())
}

/// Its output, by whether it succeeded.
pub(crate) fn judge(output: &Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let shown = text(&output.stdout) + &text(&output.stderr);
    if output.status.success() { Ok(shown) } else { Err(shown) }
}

pub(crate) fn skip(why: &str) {
    let required = env::var_os("LEASEHOLD_REQUIRE_REAL").is_some_and(|set| set == "1");
    assert!(!required, "LEASEHOLD_REQUIRE_REAL=1, but {why}");
    println!("skipped: {why}");
}
