//! The table of faults.

use rand_chacha::ChaCha8Rng;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    Orders, StrikeId, duplicate::DuplicateRequest, error::ErrorReply, failover::Failover,
    hang::Hang, latency::Latency, lost_reply::LostReply, lost_request::LostRequest, reset::Reset,
    restart::Restart, stale_read::StaleRead, status::Status,
};

/// What a rule is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// A request, once, whatever the number of its commands.
    Request,
    /// Each command of a request.
    Command,
}

/// One kind of fault. A file each; its fields are what a rule may say about it.
pub(super) trait Fault: DeserializeOwned + Serialize {
    /// Its name in a rule.
    const NAME: &'static str;
    const SCOPE: Scope = Scope::Request;
    /// Whether only a command that reads can be struck.
    const READS_ONLY: bool = false;
    /// Whether only REST knows it.
    const REST_ONLY: bool = false;
    /// What it changes whenever it strikes; `None` if that shows only later.
    const EFFECT: Option<&'static str>;

    /// Refuses what cannot be ordered.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// Puts itself into the orders; `false` if something else came first.
    fn strike(&self, order: &mut Strike<'_>) -> bool;
}

/// Where a fault puts itself.
pub(super) struct Strike<'a> {
    pub(super) orders: &'a mut Orders,
    /// The number of the command that is struck.
    pub(super) command: usize,
    pub(super) id: StrikeId,
    pub(super) random: &'a mut ChaCha8Rng,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident($fault:ident)),* $(,)?) => {
        /// What goes wrong.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Kind {
            $($(#[$doc])* $variant($fault)),*
        }

        impl Kind {
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

            pub(super) fn strike(&self, order: &mut Strike<'_>) -> bool {
                match self {
                    $(Self::$variant(fault) => fault.strike(order)),*
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
    LostRequest(LostRequest),
    /// The reply never arrives, though the request was executed.
    LostReply(LostReply),
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
}

fn parse<F: Fault>(fields: Map<String, Value>) -> Result<F, String> {
    let fault: F = serde_json::from_value(Value::Object(fields))
        .map_err(|error| format!("fault `{}`: {error}", F::NAME))?;
    fault.check().map_err(|error| format!("fault `{}`: {error}", F::NAME))?;
    Ok(fault)
}
