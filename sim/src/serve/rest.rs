//! The REST protocol of Upstash.

mod access;
mod arguments;
mod path;
mod refusal;
mod reply;
mod request;

pub use access::Tokens;
