//! Signs of life of what takes long: a bar on a terminal, else a line every ten seconds.

use std::{
    env,
    io::{self, IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::interrupt;
use leasehold_sim::campaign::Progress;

/// Work that is over sooner shows no bar.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long it is silent where there is no terminal. Tests set it, in milliseconds, by
/// `LEASEHOLD_SIGN_OF_LIFE_MS`.
const SILENCE: Duration = Duration::from_secs(10);

/// Says on standard error how far the work is, until it is dropped.
#[derive(Debug)]
pub(super) struct Bar {
    work: Arc<Work>,
    bar: ProgressBar,
    shown: AtomicBool,
    /// Ends the lines when it is dropped.
    _alive: Option<Sender<()>>,
}

/// What is done of what is to be done.
#[derive(Debug)]
struct Work {
    what: &'static str,
    since: Instant,
    /// It goes on for at least so long.
    at_least: Duration,
    expected: AtomicU64,
    done: AtomicU64,
}

impl Bar {
    /// A bar about `what`, which goes on for at least some time.
    pub(super) fn new(what: &'static str, at_least: Option<Duration>) -> Self {
        let (expected, done) = (AtomicU64::new(0), AtomicU64::new(0));
        let at_least = at_least.unwrap_or_default();
        let work = Arc::new(Work { what, since: Instant::now(), at_least, expected, done });
        let alive = (!io::stderr().is_terminal()).then(|| {
            let (alive, ended) = mpsc::channel();
            let work = Arc::clone(&work);
            thread::spawn(move || work.tell_every(silence(), &ended, &mut io::stderr()));
            alive
        });
        let bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {told}") {
            let work = Arc::clone(&work);
            let told = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
                // A bar that cannot be drawn is not worth more.
                let _ = out.write_str(&work.told(work.since.elapsed()));
            };
            bar.set_style(style.with_key("told", told));
        }
        Self { work, bar, shown: AtomicBool::new(false), _alive: alive }
    }

    /// How long it has been since it was made.
    pub(super) fn elapsed(&self) -> Duration {
        self.work.since.elapsed()
    }

    /// Does something that writes to the terminal.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn expect(&self, pieces: u64) {
        self.work.expected.fetch_add(pieces, Ordering::Relaxed);
    }

    fn done(&self) {
        self.work.done.fetch_add(1, Ordering::Relaxed);
        let elapsed = self.elapsed();
        self.bar.set_position((self.work.share(elapsed) * 100.0) as u64);
        if elapsed > PATIENCE && !self.shown.swap(true, Ordering::Relaxed) {
            // It stays hidden if standard error is not a terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    fn is_interrupted(&self) -> bool {
        interrupt::happened()
    }
}

impl Work {
    /// How much is done, from 0 to 1.
    fn share(&self, elapsed: Duration) -> f64 {
        let (expected, done) = (&self.expected, &self.done);
        let (expected, done) = (expected.load(Ordering::Relaxed), done.load(Ordering::Relaxed));
        let of_work = done as f64 / expected.max(1) as f64;
        let of_time = elapsed.as_secs_f64() / self.at_least.as_secs_f64().max(1e-9);
        of_work.min(of_time).min(1.0)
    }

    /// How far it is, and how long it may still take at the same pace.
    fn told(&self, elapsed: Duration) -> String {
        let (what, share) = (self.what, self.share(elapsed));
        let percent = (share * 100.0) as u64;
        if percent == 0 {
            return format!("{what}: begun");
        }
        let left = elapsed.as_secs_f64() * (1.0 - share) / share;
        let left = humantime::format_duration(Duration::from_secs(left.ceil() as u64));
        format!("{what}: {percent} % done, about {left} left")
    }

    /// Tells it after each time of silence until the other end of `ended` is gone.
    fn tell_every(&self, silence: Duration, ended: &Receiver<()>, out: &mut impl Write) {
        while ended.recv_timeout(silence) != Err(RecvTimeoutError::Disconnected) {
            // Nobody may be there to read it.
            let _ = writeln!(out, "{}", self.told(self.since.elapsed()));
        }
    }
}

fn silence() -> Duration {
    let set = env::var("LEASEHOLD_SIGN_OF_LIFE_MS").ok().and_then(|millis| millis.parse().ok());
    set.map_or(SILENCE, Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(done: u64, expected: u64, at_least: Duration) -> Work {
        let (done, expected) = (done.into(), expected.into());
        Work { what: "schedules", since: Instant::now(), at_least, expected, done }
    }

    #[test]
    fn what_is_left_follows_from_the_pace() {
        let after = Duration::from_secs(30);
        let told = |done, at_least| work(done, 100, Duration::from_secs(at_least)).told(after);
        assert_eq!(told(0, 0), "schedules: begun");
        assert_eq!(told(25, 0), "schedules: 25 % done, about 1m 30s left");
        assert_eq!(told(100, 0), "schedules: 100 % done, about 0s left");
        // More is done than was to be, as long as there is time.
        assert_eq!(told(300, 120), "schedules: 25 % done, about 1m 30s left");
        // The work takes longer than the time.
        assert_eq!(told(25, 31), "schedules: 25 % done, about 1m 30s left");
    }

    #[test]
    fn there_is_a_sign_of_life_after_each_silence_until_the_end() {
        let (alive, ended) = mpsc::channel();
        // Each message stands for a silence that is over.
        alive.send(()).unwrap();
        alive.send(()).unwrap();
        drop(alive);
        let mut out = Vec::new();
        work(1, 2, Duration::ZERO).tell_every(Duration::MAX, &ended, &mut out);
        let told = String::from_utf8(out).unwrap();
        assert_eq!(told.lines().count(), 2, "{told}");
        assert!(told.lines().all(|line| line.starts_with("schedules: 50 % done")), "{told}");
    }
}
