#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod hints;
mod rest;
mod retry;
mod trace;

pub use self::{
    error::SetupError,
    hints::{Hint, Hints},
    rest::{Upstash, UpstashBuilder},
    retry::RetryPolicy,
};
