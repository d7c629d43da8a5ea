//! Requests that are answered without a command being executed: what is said, and with which
//! status.

use std::borrow::Cow;

/// How large the arguments of one command may be together, and its result, in bytes.
pub(super) const LIMIT: usize = 10_485_760;

/// An answer that is no reply of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) text: Cow<'static, str>,
}

impl Refusal {
    pub(super) const fn bad(text: &'static str) -> Self {
        Self { status: 400, text: Cow::Borrowed(text) }
    }

    pub(super) fn because(text: impl Into<Cow<'static, str>>) -> Self {
        Self { status: 400, text: text.into() }
    }

    pub(super) const NO_BODY: Self = Self::bad("EOF");
    pub(super) const NOT_AN_ARRAY: Self = Self::bad("expected JSON array");
    pub(super) const NO_COMMAND: Self = Self::bad("ERR empty command");
    pub(super) const NO_JSON: Self = Self::bad("ERR failed to parse command");
    pub(super) const NO_PIPELINE: Self = Self::bad("ERR failed to parse pipeline request");
    pub(super) const EMPTY_PIPELINE: Self = Self::bad("ERR empty pipeline request");
    pub(super) const EMPTY_PIPELINE_COMMAND: Self = Self::bad("ERR empty pipeline command");
    pub(super) const NULL: Self = Self::bad("ERR null args are not supported");
    pub(super) const NO_CHANNEL: Self =
        Self::bad("ERR wrong number of arguments for 'subscribe' command");

    pub(super) const UNAUTHORIZED: Self = Self {
        status: 401,
        text: Cow::Borrowed(
            "WRONGPASS invalid or missing auth token. See \
             https://docs.upstash.com/redis/troubleshooting/http_unauthorized for details.",
        ),
    };

    /// An argument that is an array (`[`) or an object (`{`).
    pub(super) fn nested(delimiter: char) -> Self {
        Self::because(format!("ERR unsupported arg type: \"{delimiter}\": json.Delim"))
    }

    pub(super) fn too_large(actual: usize) -> Self {
        Self { status: 413, text: too_large(actual).into() }
    }
}

pub(super) fn too_large(actual: usize) -> String {
    format!(
        "ERR max request size exceeded. Limit: {LIMIT} bytes, Actual: {actual} bytes. See \
         https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded for details"
    )
}
