//! Debounced calls across processes.

/// A question about a debounced call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DebounceCommand {}

/// A store's answer to a [`DebounceCommand`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DebounceReply {}
