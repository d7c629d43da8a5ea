//! What `INFO` counts.

/// Counts since the start, or since `CONFIG RESETSTAT`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Statistics {
    pub(crate) connections: u64,
    pub(crate) commands: u64,
    /// Replies that were errors.
    pub(crate) errors: u64,
}
