//! A real `redis-server` in a temporary folder, behind a Unix socket, whose clock this test sets.
//!
//! Debian's libfaketime gives the process a time of day that stands still until a file says
//! otherwise. So times to live can be compared to the millisecond, also right at the boundary. Its
//! monotonic clock, which drives its timers, runs on.

use std::{
    env, fs,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tempfile::TempDir;

use crate::{reply::Reply, wire};

/// How long a reply may take before the test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How long until it is asked whether it waits for something.
const GLANCE: Duration = Duration::from_millis(50);

pub(crate) struct RealRedis {
    process: Child,
    folder: TempDir,
}

/// A connection to it.
pub(crate) struct Link {
    /// As `CLIENT ID` says.
    pub(crate) id: i64,
    socket: UnixStream,
    unsent: Vec<u8>,
    received: Vec<u8>,
    read: usize,
}

impl RealRedis {
    /// Starts it and waits until it answers. `None`, with the reason printed, if it is not
    /// installed.
    ///
    /// # Panics
    ///
    /// If it is not installed and `LEASEHOLD_REQUIRE_REAL=1`.
    pub(crate) fn start() -> Option<Self> {
        match Self::try_start() {
            Ok(real) => Some(real),
            Err(why) if env::var_os("LEASEHOLD_REQUIRE_REAL").is_some_and(|set| set == "1") => {
                panic!("LEASEHOLD_REQUIRE_REAL=1, but {why}")
            }
            Err(why) => {
                println!("skipped: {why}");
                None
            }
        }
    }

    fn try_start() -> Result<Self, String> {
        let library = libfaketime()
            .ok_or("libfaketime is not installed (Debian: apt-get install faketime)")?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        write_clock(folder.path(), 0);
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--dir", ".", "--unixsocket", "redis.sock"])
            .current_dir(folder.path())
            // With malloc from libc instead of jemalloc, which would ask for the time before
            // libfaketime is ready.
            .env("LD_PRELOAD", format!("{}:libc.so.6", library.display()))
            .env("FAKETIME_TIMESTAMP_FILE", folder.path().join("clock"))
            .env("FAKETIME_FMT", "%s")
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("TZ", "UTC")
            .env("LC_ALL", "C")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("redis-server does not start: {error}"))?;
        let mut real = Self { process, folder };
        real.wait_until_ready()?;
        Ok(real)
    }

    fn wait_until_ready(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        while UnixStream::connect(self.socket()).is_err() {
            let ended = self.process.try_wait().map_err(|error| error.to_string())?;
            if let Some(status) = ended {
                return Err(format!("redis-server ended with {status}"));
            }
            if begun.elapsed() > PATIENCE {
                return Err("redis-server does not listen".into());
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    pub(crate) fn connect(&self) -> Link {
        let socket = UnixStream::connect(self.socket()).expect("the server listens");
        socket.set_read_timeout(Some(GLANCE)).expect("a timeout above zero is valid");
        let mut link = Link { id: 0, socket, unsent: Vec::new(), received: Vec::new(), read: 0 };
        match link.ask("CLIENT ID") {
            Reply::Integer(id) => link.id = id,
            other => panic!("CLIENT ID: {other}"),
        }
        link
    }

    /// Sets the time of day, in microseconds since the Unix epoch.
    pub(crate) fn set_clock(&self, now_us: u64) {
        write_clock(self.folder.path(), now_us);
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }
}

impl Drop for RealRedis {
    fn drop(&mut self) {
        // It may have ended by itself, which a test has told of then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Link {
    /// Puts a command into the pipeline.
    pub(crate) fn send(&mut self, words: &[Bytes]) {
        wire::encode(words, &mut self.unsent);
    }

    /// The next reply, once what is in the pipeline was sent. [`io::ErrorKind::WouldBlock`] if there
    /// is none for a while.
    pub(crate) fn receive(&mut self) -> io::Result<Reply> {
        self.flush()?;
        loop {
            if let Some((reply, length)) = wire::decode(&self.received[self.read..]) {
                self.read += length;
                return Ok(reply);
            }
            self.fill()?;
        }
    }

    /// A reply that has come already.
    pub(crate) fn receive_if_there(&mut self) -> Option<Reply> {
        self.socket.set_nonblocking(true).expect("a socket can be polled");
        let filled = self.fill();
        self.socket.set_nonblocking(false).expect("a socket can be waited for");
        filled.is_ok().then(|| self.receive().expect("the rest of a reply follows"))
    }

    /// What the server says to this.
    ///
    /// # Panics
    ///
    /// If it says nothing.
    pub(crate) fn ask(&mut self, line: &str) -> Reply {
        let words: Vec<_> = line.split(' ').map(|word| word.to_owned().into()).collect();
        self.ask_words(&words)
    }

    /// The same, for words with blanks in them.
    pub(crate) fn ask_words(&mut self, words: &[Bytes]) -> Reply {
        self.send(words);
        let begun = Instant::now();
        loop {
            match self.receive() {
                Ok(reply) => return reply,
                Err(error) if is_pending(&error) && begun.elapsed() < PATIENCE => {}
                Err(error) => panic!("{words:?}: {error}"),
            }
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.socket.write_all(&self.unsent)?;
        self.unsent.clear();
        Ok(())
    }

    fn fill(&mut self) -> io::Result<()> {
        self.received.drain(..std::mem::take(&mut self.read));
        let mut chunk = [0; 16 * 1024];
        match self.socket.read(&mut chunk)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                self.received.extend_from_slice(&chunk[..length]);
                Ok(())
            }
        }
    }
}

/// Whether the reply may still come.
pub(crate) fn is_pending(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// Replaces the file at once, since the server may be reading it.
fn write_clock(folder: &Path, now_us: u64) {
    // It reads the fraction as a floating-point number and cuts: half a microsecond more is safe.
    let text = format!("{}.{:06}500\n", now_us / 1_000_000, now_us % 1_000_000);
    let next = folder.join("clock.next");
    fs::write(&next, text).expect("a temporary folder can be written");
    fs::rename(&next, folder.join("clock")).expect("a temporary folder can be written");
}

fn libfaketime() -> Option<PathBuf> {
    let places = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    let folders = places.chain([PathBuf::from("/usr/lib")]);
    folders.map(|folder| folder.join("faketime/libfaketime.so.1")).find(|path| path.exists())
}
