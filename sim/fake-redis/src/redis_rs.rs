//! Commands and replies as the crate `redis` has them, for a connection of one's own.

pub use crate::fake::redis_rs::{commands, value};
