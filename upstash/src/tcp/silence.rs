//! For how long a connection has left commands unanswered whose callers have gone.
//!
//! A caller may be less patient than the connection, and drop each of its commands before the
//! connection counts as silent. Then nobody would ever notice that it is.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// What is known of one connection, by all who hold it.
#[derive(Clone, Debug, Default)]
pub(super) struct Silence(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// When the last reply came.
    heard: Option<Instant>,
    /// When the first command was sent that was given up and after which no reply has come.
    since: Option<Instant>,
}

/// A command that waits for its reply. Dropping it gives it up.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    silence: &'a Silence,
    sent: Instant,
}

impl Silence {
    /// A command is sent.
    pub(super) fn wait(&self) -> Waiting<'_> {
        Waiting { silence: self, sent: Instant::now() }
    }

    /// Whether the connection has been silent for so long.
    pub(super) fn has_lasted(&self, limit: Duration) -> bool {
        self.state().since.is_some_and(|since| since.elapsed() >= limit)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is an assignment or two of what is true.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting<'_> {
    /// The reply came.
    pub(super) fn answered(self) {
        let mut state = self.silence.state();
        state.heard = Some(Instant::now());
        state.since = None;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.silence.state();
        if state.heard.is_none_or(|heard| heard < self.sent) {
            state.since.get_or_insert(self.sent);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_lasts_from_the_first_command_that_was_given_up() {
        let silence = Silence::default();
        for _ in 0..3 {
            let waiting = silence.wait();
            advance(SECOND).await;
            drop(waiting);
        }
        assert!(silence.has_lasted(3 * SECOND));
        assert!(!silence.has_lasted(4 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_ends_it() {
        let silence = Silence::default();
        drop(silence.wait());
        let (early, late) = (silence.wait(), silence.wait());
        advance(SECOND).await;
        assert!(silence.has_lasted(SECOND));
        late.answered();
        assert!(!silence.has_lasted(SECOND));
        drop(early);
        assert!(!silence.has_lasted(SECOND), "something was heard since that was sent");
    }
}
