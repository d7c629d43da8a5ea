//! The token by which a replica knows which writes its reader has seen.

use std::sync::{Mutex, PoisonError};

/// The newest `upstash-sync-token`, with the number of the request that it answered.
///
/// Answers may come in another order than their requests went out. A late answer to an earlier
/// request does not bring back its older token.
#[derive(Debug, Default)]
pub(crate) struct SyncToken(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    requests: u64,
    answered: u64,
    token: Option<String>,
}

impl SyncToken {
    /// The number of the next request, and the token to send with it.
    pub(crate) fn depart(&self) -> (u64, Option<String>) {
        self.with(|state| {
            state.requests += 1;
            (state.requests, state.token.clone())
        })
    }

    /// Takes note of the token in the answer to request `number`.
    pub(crate) fn arrive(&self, number: u64, token: &str) {
        self.with(|state| {
            if number >= state.answered {
                state.answered = number;
                state.token = Some(token.into());
            }
        });
    }

    pub(crate) fn get(&self) -> Option<String> {
        self.with(|state| state.token.clone())
    }

    /// Takes a token from elsewhere, as the newest there is.
    pub(crate) fn set(&self, token: String) {
        self.with(|state| {
            state.answered = state.requests;
            state.token = Some(token);
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // Each change is one assignment or two: a panic leaves nothing half done.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_does_not_bring_back_an_older_token() {
        let sync = SyncToken::default();
        let ((first, none), (second, _)) = (sync.depart(), sync.depart());
        assert_eq!(none, None);
        sync.arrive(second, "new");
        sync.arrive(first, "old");
        assert_eq!(sync.depart().1.as_deref(), Some("new"));
    }

    #[test]
    fn a_token_from_elsewhere_is_sent_until_a_newer_one_comes() {
        let sync = SyncToken::default();
        let (before, _) = sync.depart();
        sync.depart();
        sync.set("theirs".into());
        sync.arrive(before, "old");
        assert_eq!(sync.get().as_deref(), Some("theirs"));
        let (after, sent) = sync.depart();
        assert_eq!(sent.as_deref(), Some("theirs"));
        sync.arrive(after, "ours");
        assert_eq!(sync.get().as_deref(), Some("ours"));
    }
}
