//! Which store the environment names.

use std::error::Error;

use leasehold_upstash::{SetupError, Tcp, Upstash};

/// One of the stores. Match on it once, and go on with code that takes any.
pub(crate) enum Named {
    /// By `REDIS_URL`, such as `redis://127.0.0.1:6379`.
    Tcp(Tcp),
    /// By `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`.
    Rest(Upstash),
}

/// `REDIS_URL` wins if both are there.
pub(crate) fn store() -> Result<Named, Box<dyn Error>> {
    if let Ok(url) = std::env::var("REDIS_URL") {
        return Ok(Named::Tcp(Tcp::new(&url)?));
    }
    match Upstash::from_env() {
        Ok(store) => Ok(Named::Rest(store)),
        Err(error @ SetupError::Unset { .. }) => Err(format!(
            "no store is named: {error}; or set REDIS_URL, for example to redis://127.0.0.1:6379"
        )
        .into()),
        Err(error) => Err(error.into()),
    }
}
