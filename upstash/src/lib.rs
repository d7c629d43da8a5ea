#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod answer;
mod error;
mod hints;
mod rest;
mod retry;
mod send;
#[cfg(feature = "tcp")]
mod tcp;
mod trace;

/// The client that [`Tcp`] is made of, since some of its types are arguments.
#[cfg(feature = "tcp")]
pub use redis;
/// The client that [`Upstash`] is made of, since some of its types are arguments.
pub use reqwest;

#[cfg(feature = "tcp")]
pub use self::tcp::{Tcp, TcpBuilder};
pub use self::{
    error::SetupError,
    hints::{Hint, Hints},
    rest::{Upstash, UpstashBuilder},
    retry::RetryPolicy,
};
