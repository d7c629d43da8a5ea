//! Which store the environment names.

use leasehold_upstash::{SetupError, Tcp, Upstash};

/// One of the stores. Match on it once, and go on with code that takes any.
pub(crate) enum Named {
    /// By `REDIS_URL`, such as `redis://127.0.0.1:6379`.
    Tcp(Tcp),
    /// By `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`.
    Rest(Upstash),
}

/// `REDIS_URL` wins if both are there.
pub(crate) fn store() -> Result<Named, SetupError> {
    match std::env::var("REDIS_URL") {
        Ok(url) => Tcp::new(&url).map(Named::Tcp),
        Err(_) => Upstash::from_env().map(Named::Rest),
    }
}
