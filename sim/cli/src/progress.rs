//! A bar on the terminal for what takes more than two seconds.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use leasehold_sim::campaign::Progress;

/// Work that is over sooner shows no bar.
const PATIENCE: Duration = Duration::from_secs(2);

/// A bar that appears after a while, if standard error is a terminal.
#[derive(Debug)]
pub(super) struct Bar {
    bar: ProgressBar,
    since: Instant,
    shown: AtomicBool,
}

impl Bar {
    /// A bar about `what`.
    pub(super) fn new(what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} % {eta} left")
        {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self { bar, since: Instant::now(), shown: AtomicBool::new(false) }
    }

    /// How long it has been since it was made.
    pub(super) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn expect(&self, pieces: u64) {
        self.bar.inc_length(pieces);
    }

    fn done(&self) {
        self.bar.inc(1);
        if self.since.elapsed() > PATIENCE && !self.shown.swap(true, Ordering::Relaxed) {
            // It stays hidden if standard error is not a terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}
