//! A Redis server of a test's own.

use std::{
    io::{self, BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use leasehold_upstash::redis::{
    AsyncConnectionConfig, Client, Cmd, RedisResult, Value, aio::MultiplexedConnection,
};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::LIMIT;

/// The name of the file in its folder.
const SETTINGS: &str = "redis.conf";

/// A server on a free port of this machine, with its files in a folder of its own. Both are gone
/// when it is dropped.
pub(crate) struct RedisServer {
    process: Child,
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
}

impl RedisServer {
    /// Starts one with these further arguments, and returns when it accepts connections. `None` if
    /// there is no `redis-server` here; that is printed.
    ///
    /// # Panics
    ///
    /// If there is none and `LEASEHOLD_REQUIRE_REAL=1`.
    pub(crate) fn start(arguments: &[&str]) -> Option<Self> {
        Self::start_with("", arguments)
    }

    /// The same, with a file of settings, which is also where it keeps what it learns.
    pub(crate) fn start_with(settings: &str, arguments: &[&str]) -> Option<Self> {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        Self::start_by(settings, || arguments.clone())
    }

    /// The same, with arguments that are made for each try, since they have a free port, too.
    pub(crate) fn start_by(settings: &str, arguments: impl Fn() -> Vec<String>) -> Option<Self> {
        // Between finding a free port and taking it, another process may take it.
        for _ in 0..5 {
            let arguments = arguments();
            let (port, folder) = (free_port(), TempDir::new().unwrap());
            std::fs::write(folder.path().join(SETTINGS), settings).unwrap();
            match launch(port, &folder, &arguments) {
                Ok(Some(process)) => return Some(Self { process, port, folder, arguments }),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return skip(),
                Err(error) => panic!("redis-server does not start: {error}"),
            }
        }
        panic!("redis-server ended five times before it was ready")
    }

    /// Ends it at once, without a word to its clients.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Ends it and starts it again on the same port: without data, but with its settings.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let process = launch(self.port, &self.folder, &self.arguments).unwrap();
        self.process = process.expect("its port was free a moment ago");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A connection of the test's own.
    pub(crate) async fn connection(&self) -> MultiplexedConnection {
        self.try_connection().await.unwrap()
    }

    async fn try_connection(&self) -> RedisResult<MultiplexedConnection> {
        connect(&self.url()).await
    }

    /// Runs a command, given as words.
    pub(crate) async fn run(&self, words: &str) -> Value {
        self.try_run(words).await.unwrap()
    }

    /// The same, of one that may be refused, or find the server busy with itself.
    pub(crate) async fn try_run(&self, words: &str) -> RedisResult<Value> {
        let mut command = Cmd::new();
        for word in words.split(' ') {
            command.arg(word);
        }
        command.query_async(&mut self.try_connection().await?).await
    }

    /// Runs the same command until its reply, as text, is as it should be.
    pub(crate) async fn run_until(&self, words: &str, ready: impl Fn(&str) -> bool + Send + Sync) {
        let asking =
            async { while !self.try_run(words).await.is_ok_and(|reply| ready(&text(reply))) {} };
        let ready = timeout(Duration::from_secs(30), asking).await;
        assert!(ready.is_ok(), "{words} never answers what is waited for");
    }

    /// Stops the process where it is: it answers nothing, but its connections stay open.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets a process that was stopped go on.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let kill = format!("kill {signal} {}", self.process.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success(), "{sent}");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A connection that is as patient as a busy machine needs it.
pub(crate) async fn connect(url: &str) -> RedisResult<MultiplexedConnection> {
    let settings = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(LIMIT))
        .set_response_timeout(Some(LIMIT));
    Client::open(url).unwrap().get_multiplexed_async_connection_with_config(&settings).await
}

/// Runs a server; `None` if it ended before it was ready.
fn launch(port: u16, folder: &TempDir, arguments: &[String]) -> io::Result<Option<Child>> {
    let mut process = Command::new("redis-server")
        .arg(folder.path().join(SETTINGS))
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .arg("--dir")
        .arg(folder.path())
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()?;
    let output = process.stdout.take().expect("it was asked for");
    let ready = BufReader::new(output)
        .lines()
        .map_while(Result::ok)
        .any(|line| line.contains("Ready to accept connections") || line.contains("Sentinel ID"));
    if !ready {
        let _ = process.wait();
    }
    Ok(ready.then_some(process))
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What is text in one way or another.
pub(crate) fn text(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).unwrap(),
        Value::VerbatimString { text, .. } => text,
        other => panic!("{other:?}"),
    }
}

fn skip() -> Option<RedisServer> {
    let required = std::env::var_os("LEASEHOLD_REQUIRE_REAL").is_some_and(|real| real == "1");
    assert!(!required, "LEASEHOLD_REQUIRE_REAL=1, but there is no redis-server");
    eprintln!("skipped: there is no redis-server");
    None
}
