//! Which store the environment names.

use std::error::Error;

use leasehold_core::{DynStore, Store};
use leasehold_upstash::{SetupError, Tcp, Upstash};

/// A Redis by `REDIS_URL`, such as `redis://127.0.0.1:6379`, or else an Upstash by
/// `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`.
pub(crate) fn store() -> Result<DynStore, Box<dyn Error>> {
    if let Ok(url) = std::env::var("REDIS_URL") {
        return Ok(Tcp::new(&url)?.into_dyn());
    }
    match Upstash::from_env() {
        Ok(store) => Ok(store.into_dyn()),
        Err(error @ SetupError::Unset { .. }) => Err(format!(
            "no store is named: {error}; or set REDIS_URL, for example to redis://127.0.0.1:6379"
        )
        .into()),
        Err(error) => Err(error.into()),
    }
}
