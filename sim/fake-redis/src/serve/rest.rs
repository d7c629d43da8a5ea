//! The REST protocol of Upstash.
//!
//! How requests are read is in `request`, `path` and `arguments`; what is refused in `access` and
//! `refusal`; how replies are written in `reply`. `service` brings them together, `work` has the
//! commands executed.

mod access;
mod arguments;
mod events;
mod path;
mod refusal;
mod reply;
mod request;
mod service;
mod sync_token;
mod work;

use std::sync::Arc;

use bytes::Bytes;
use tokio::net::TcpListener;

pub use access::Tokens;

use super::{Host, compiled_here, http};
use service::Rest;

/// Whether this asks for something.
pub(super) fn is_request(path: &str, query: &str, body: Bytes) -> bool {
    request::parse(path, path::Query::of(query).arguments, body).is_ok()
}

/// Serves REST clients that know one of the tokens, until the host shuts down.
pub fn listen(
    host: Arc<Host>,
    tokens: Tokens,
    listener: TcpListener,
) -> impl Future<Output = ()> + Send {
    let rest = Rest { host: Arc::clone(&host), tokens };
    compiled_here(http::listen(host, rest, listener))
}
