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
    sync::{Mutex, MutexGuard, PoisonError},
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

#[test]
fn javascript_clients_work_as_they_are() {
    let folder = match javascript() {
        Ok(folder) => folder,
        Err(why) => return skip(&why),
    };
    let served = Served::start();
    served.write_example("js", &folder.join("testing_page.test.js"));
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
        Ok(folder) => folder,
        Err(why) => return skip(&why),
    };
    let served = Served::start();
    served.write_example("python", &folder.join("test_testing_page.py"));
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

    /// Puts the example of TESTING.md in this language beside the suite, with the addresses of this
    /// server in it.
    fn write_example(&self, language: &str, to: &Path) {
        let block = PAGE.split_once(&format!("```{language}\n"));
        let (example, _) = block.and_then(|(_, rest)| rest.split_once("```")).expect("an example");
        let port = |name| self.address(name).rsplit(':').next().expect("an address has a port");
        let example = example
            .replace("8078", port("LEASEHOLD_ADMIN_URL"))
            .replace("8079", port("LEASEHOLD_REST_URL"))
            .replace("6399", port("LEASEHOLD_RESP_URL"));
        fs::write(to, example).expect("target can be written");
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
    for file in fs::read_dir(from).expect("the suite is there").flatten() {
        if file.path().is_file() {
            fs::copy(file.path(), to.join(file.file_name())).expect("target can be written");
        }
    }
    to
}

/// The folder of the suite in JavaScript, with its clients; or why there is none.
pub(crate) fn javascript() -> Result<PathBuf, String> {
    let _turn = turn();
    let folder = suite("js");
    let version = Command::new("node").arg("--version").output();
    let version = version.map_err(|error| format!("node: {error}"));
    is_new_enough(&version?.stdout)?;
    let mut install = Command::new("npm");
    install.args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder);
    install_once(&folder, "package-lock.json", &mut install)?;
    Ok(folder)
}

/// The same in Python.
pub(crate) fn python() -> Result<PathBuf, String> {
    let _turn = turn();
    let folder = suite("python");
    let mut install = Command::new("python3");
    let options = ["--quiet", "--disable-pip-version-check", "--no-warn-script-location"];
    install.args(["-m", "pip", "install"]).args(options).current_dir(&folder);
    install.args(["--upgrade", "--target", "installed", "-r", "requirements.txt"]);
    install_once(&folder, "requirements.txt", &mut install)?;
    Ok(folder)
}

/// Two tests that use one suite must not install it at the same time.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Installs what `list` names, unless that has been done.
fn install_once(folder: &Path, list: &str, install: &mut Command) -> Result<(), String> {
    let (list, done) = (folder.join(list), folder.join("installed.list"));
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
fn judge(output: &Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let shown = text(&output.stdout) + &text(&output.stderr);
    if output.status.success() { Ok(shown) } else { Err(shown) }
}

pub(crate) fn skip(why: &str) {
    let required = env::var_os("LEASEHOLD_REQUIRE_REAL").is_some_and(|set| set == "1");
    assert!(!required, "LEASEHOLD_REQUIRE_REAL=1, but {why}");
    println!("skipped: {why}");
}
