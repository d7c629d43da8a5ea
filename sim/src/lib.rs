//! x
pub mod redis;
