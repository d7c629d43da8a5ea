//! The table of faults.

use serde::Serialize;
use serde_json::{Map, Value};

use super::fields;
use super::{
    duplicate::DuplicateRequest,
    error::ErrorReply,
    failover::Failover,
    fault::{Fault, Opportunity, Scope},
    hang::Hang,
    hold::Hold,
    latency::Latency,
    reply_loss::ReplyLoss,
    request_loss::RequestLoss,
    reset::Reset,
    restart::Restart,
    server_clock::ServerClock,
    stale_read::StaleRead,
    status::Status,
};

/// What a rule of any kind may say.
const COMMON_FIELDS: &[&str] =
    &["id", "kind", "command", "key", "transport", "next", "skip", "probability", "seed"];

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident($fault:ident)),* $(,)?) => {
        /// What goes wrong.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum FaultKind {
            $($(#[$doc])* $variant($fault)),*
        }

        impl FaultKind {
            /// The names of all kinds.
            pub const NAMES: &'static [&'static str] = &[$($fault::NAME),*];

            /// Its name in a rule.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $fault::NAME),*
                }
            }

            pub(super) fn scope(&self) -> Scope {
                match self {
                    $(Self::$variant(_) => $fault::SCOPE),*
                }
            }

            pub(super) fn reads_only(&self) -> bool {
                match self {
                    $(Self::$variant(_) => $fault::READS_ONLY),*
                }
            }

            pub(super) fn rest_only(&self) -> bool {
                match self {
                    $(Self::$variant(_) => $fault::REST_ONLY),*
                }
            }

            pub(super) fn certain_effect(&self) -> Option<&'static str> {
                match self {
                    $(Self::$variant(_) => $fault::EFFECT),*
                }
            }

            pub(super) fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool {
                match self {
                    $(Self::$variant(fault) => fault.inject(opportunity)),*
                }
            }

            /// The kind called `name`, with these fields.
            pub(super) fn read(name: &str, fields: Map<String, Value>) -> Result<Self, String> {
                match name {
                    $($fault::NAME => parse::<$fault>(fields).map(Self::$variant),)*
                    _ => Err(format!(
                        "there is no kind of fault `{name}`: choose one of {}",
                        Self::NAMES.join(", ")
                    )),
                }
            }
        }
    };
}

kinds! {
    /// The request is delayed.
    Latency(Latency),
    /// The request never arrives.
    RequestLoss(RequestLoss),
    /// The reply never arrives, though the request was executed.
    ReplyLoss(ReplyLoss),
    /// The request arrives once more, later.
    Duplicate(DuplicateRequest),
    /// Nothing comes back, and the connection stays open.
    Hang(Hang),
    /// The command is answered with an error.
    Error(ErrorReply),
    /// The request is answered with a status of HTTP.
    Status(Status),
    /// The connection is reset.
    Reset(Reset),
    /// A replica answers that lags behind.
    StaleRead(StaleRead),
    /// A replica takes over that lacks the last writes.
    Failover(Failover),
    /// The server comes back without its data.
    Restart(Restart),
    /// The server's clock is set.
    ServerClock(ServerClock),
    /// The request is kept back.
    Hold(Hold),
}

fn parse<F: Fault>(fields: Map<String, Value>) -> Result<F, String> {
    let of_this_kind = |error: String| format!("fault `{}`: {error}", F::NAME);
    fields::check::<F>(fields.keys(), COMMON_FIELDS).map_err(of_this_kind)?;
    let fault: F = serde_json::from_value(Value::Object(fields))
        .map_err(|error| of_this_kind(error.to_string()))?;
    fault.check().map_err(of_this_kind)?;
    Ok(fault)
}
