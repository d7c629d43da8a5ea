//! What `INFO` counts.

/// Counts since the start, or since `CONFIG RESETSTAT`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::redis) struct Statistics {
    pub(in crate::redis) connections: u64,
    pub(in crate::redis) commands: u64,
    /// Replies that were errors.
    pub(in crate::redis) errors: u64,
}
