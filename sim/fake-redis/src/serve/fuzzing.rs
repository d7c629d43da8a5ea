//! What fuzzers feed: the parsers of requests, as functions of bytes. No stable interface.

use ::bytes::Bytes;

/// The commands that a RESP client sends in these bytes, which arrive in pieces of `size`, and the
/// error that ends the connection, if one does.
#[must_use]
pub fn resp_commands(bytes: &[u8], size: usize) -> (Vec<Vec<Bytes>>, Option<String>) {
    super::resp::commands(bytes, size)
}

/// Whether these bytes are a REST request that asks for something.
#[must_use]
pub fn rest_request(path: &str, query: &str, body: Bytes) -> bool {
    super::rest::is_request(path, query, body)
}
