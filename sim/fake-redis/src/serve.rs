//! The fake Redis on sockets: what clients of any language connect to.
//!
//! A [`Host`] owns one [`Server`](crate::Server) and gives it a clock; [`resp`] listens for
//! clients that speak RESP. All of it runs on one thread, as a real server does. In a
//! multi-threaded runtime with one worker, clients are also answered while a script runs for very
//! long.
//!
//! ```
//! use std::sync::Arc;
//! use leasehold_fake_redis::serve::{Host, HostOptions, resp};
//! use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::{TcpListener, TcpStream}};
//!
//! # fn main() -> std::io::Result<()> {
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! runtime.block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     let host = Host::new(HostOptions::default());
//!     tokio::spawn(resp::listen(Arc::clone(&host), listener));
//!
//!     let mut client = TcpStream::connect(address).await?;
//!     client.write_all(b"PING\r\n").await?;
//!     let mut reply = [0; 7];
//!     client.read_exact(&mut reply).await?;
//!     assert_eq!(&reply, b"+PONG\r\n");
//!     host.shut_down().await;
//!     Ok(())
//! })
//! # }
//! ```

pub mod admin;
pub mod clock;
#[doc(hidden)]
pub mod fuzzing;
mod host;
mod http;
mod mailbox;
pub mod resp;
pub mod rest;

use std::pin::Pin;

pub use super::faults::{self, Span};
pub use clock::Clock;
pub use host::{
    Client, Host, HostOptions, Lost, Observations, Observed, ObservedCommand, Performed, Seen,
    SeenCommand, Violation, keep_time,
};

/// A future of one type, so that what it does is compiled here and not in each program that awaits it.
fn compiled_here(
    serving: impl Future<Output = ()> + Send + 'static,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(serving)
}
