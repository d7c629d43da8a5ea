//! What is worth telling whoever operates it. Without the feature `tracing`, nothing is told.

use std::time::Duration;

use leasehold_core::{StoreError, redis::Request};

#[cfg(feature = "tracing")]
const TARGET: &str = "leasehold_upstash";

/// An attempt failed, and another follows.
pub(crate) fn retrying(error: &StoreError, wait: Duration) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: TARGET, %error, wait_ms = wait.as_millis() as u64, "sending a command again");
    #[cfg(not(feature = "tracing"))]
    let _ = (error, wait);
}

/// A caller is told that the outcome is unknown.
pub(crate) fn ambiguous(error: &StoreError) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: TARGET, %error, "a command may or may not have been applied");
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}

/// The server does not know a script.
pub(crate) fn script_forgotten(request: &Request) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: TARGET,
        script = crate::answer::script(request).map(|script| script.name),
        "the server does not know a script, sending its text"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = request;
}

/// A connection was given up; the next command makes another.
#[cfg(feature = "tcp")]
pub(crate) fn disconnected(error: &StoreError) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: TARGET, %error, "a connection is given up, the next command makes another");
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}

/// A stream of notifications ended; it is opened again, or not.
pub(crate) fn notifications_interrupted(why: &str, again_in: Option<Duration>) {
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: TARGET,
        why,
        again_in_ms = again_in.map(|wait| wait.as_millis() as u64),
        "no notifications"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = (why, again_in);
}
