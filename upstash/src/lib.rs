#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// Without either store, nothing is there to use it.
#![cfg_attr(not(any(feature = "rest", feature = "tcp")), allow(dead_code, unused_imports))]

mod answer;
mod error;
mod notifications;
#[cfg(feature = "rest")]
mod rest;
mod retry;
mod send;
#[cfg(feature = "tcp")]
mod tcp;
#[cfg(any(feature = "tcp", not(feature = "rustls")))]
mod tls;
mod trace;

/// The client that [`Tcp`] is made of, since some of its types are arguments.
#[cfg(feature = "tcp")]
pub use redis;
/// The client that [`Upstash`] is made of, since some of its types are arguments.
#[cfg(feature = "rest")]
pub use reqwest;

#[cfg(feature = "rest")]
pub use self::rest::{Upstash, UpstashBuilder};
#[cfg(feature = "tcp")]
pub use self::tcp::{Connected, Exclusive, Tcp, TcpBuilder};
pub use self::{
    error::SetupError,
    notifications::{Notification, Notifications},
    retry::RetryPolicy,
};
