//! Servers in processes of their own, so that each can be kept to a core.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use leasehold_fake_redis::serve::{
    Host, HostOptions, keep_time, resp,
    rest::{self, Tokens},
};

/// What opens the REST server.
pub const TOKEN: &str = "bench";

/// By this variable a bench knows that it was started as a server, and of what.
const ROLE: &str = "LEASEHOLD_BENCH_SERVES";

/// By this one, whether it remembers what is written.
const REMEMBERS: &str = "LEASEHOLD_BENCH_REMEMBERS";

/// What a fake server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Redis's own.
    Resp,
    /// Upstash's, over HTTP.
    Rest,
}

impl Protocol {
    fn scheme(self) -> &'static str {
        match self {
            Self::Resp => "redis://",
            Self::Rest => "http://",
        }
    }
}

/// A process that ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    /// Where it listens.
    pub url: String,
}

impl Server {
    /// A `redis-server` on a free port of this machine, which keeps nothing.
    ///
    /// # Errors
    ///
    /// If there is none, or it does not start.
    pub fn redis() -> io::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--io-threads", "1"])
            .stdout(Stdio::piped())
            .spawn()?;
        first_line(&mut process, "Ready to accept connections")?;
        Ok(Self { process, url: format!("redis://127.0.0.1:{port}") })
    }

    /// What `leasehold serve` serves: this program again, which must call [`serve_if_asked`] first.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn fake(protocol: Protocol) -> io::Result<Self> {
        Self::spawn_fake(protocol, false)
    }

    /// One that speaks Redis's protocol, and may remember what is written, as `leasehold serve`
    /// does with an admin endpoint.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn fake_that(remembers: bool) -> io::Result<Self> {
        Self::spawn_fake(Protocol::Resp, remembers)
    }

    fn spawn_fake(protocol: Protocol, remembers: bool) -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .env(ROLE, protocol.scheme())
            .env(REMEMBERS, if remembers { "1" } else { "0" })
            .stdout(Stdio::piped())
            .spawn()?;
        let url = first_line(&mut process, protocol.scheme())?;
        Ok(Self { process, url })
    }

    /// The memory that it has in use, in bytes, as the operating system counts it; none where there
    /// is no `/proc`.
    #[must_use]
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    }

    /// What all of its threads have used of the processor so far; none where that is not told.
    #[must_use]
    pub fn processor_time(&self) -> Option<Duration> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).ok()?;
        let nanos = threads.map(|thread| {
            let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        nanos.sum::<Option<u64>>().map(Duration::from_nanos)
    }

    /// Keeps the server and this process to these cores, such as `0` or `0,1`. Says whether that
    /// worked; it needs `taskset`.
    #[must_use]
    pub fn share_cores(&self, cores: &str) -> bool {
        [self.process.id(), std::process::id()].into_iter().all(|process| {
            Command::new("taskset")
                .args(["-a", "-p", "-c", cores, &process.to_string()])
                .output()
                .is_ok_and(|output| output.status.success())
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Becomes the server that this process was started as, and does not return then.
///
/// # Errors
///
/// If it cannot listen.
pub fn serve_if_asked() -> io::Result<()> {
    let Ok(scheme) = std::env::var(ROLE) else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{scheme}{}", listener.local_addr()?);
        io::stdout().flush()?;
        let host = Host::new(HostOptions::default());
        if std::env::var(REMEMBERS).is_ok_and(|remembers| remembers == "1") {
            host.keep_records();
        }
        tokio::spawn(keep_time(Arc::clone(&host)));
        if scheme == Protocol::Resp.scheme() {
            resp::listen(host, listener).await;
        } else {
            rest::listen(host, Tokens::new(Some(TOKEN.into()), None), listener).await;
        }
        std::process::exit(0)
    })
}

/// The first line with this text. What is printed after it is read and dropped.
fn first_line(process: &mut Child, text: &str) -> io::Result<String> {
    let output = process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next().transpose()? {
        if line.contains(text) {
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(line);
        }
    }
    Err(io::Error::other(format!("it ended before it said {text}")))
}
