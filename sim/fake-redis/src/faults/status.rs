//! A status of HTTP instead of a reply.

use serde::{Deserialize, Serialize};

use super::{
    Ending,
    fault::{Fault, Opportunity},
};

/// A gateway, or a limiter, answers instead of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// From 400 to 599, such as 429 or 503.
    pub code: u16,
    /// The error in the body.
    #[serde(default = "Status::usual_text")]
    pub text: String,
    /// Whether the request is executed before.
    #[serde(default)]
    pub executed: bool,
}

impl Status {
    fn usual_text() -> String {
        "ERR injected fault".into()
    }
}

impl Fault for Status {
    const NAME: &'static str = "status";
    const REST_ONLY: bool = true;
    const EFFECT: Option<&'static str> = Some("answered with a status");

    fn check(&self) -> Result<(), String> {
        let fits = (400..=599).contains(&self.code);
        if fits { Ok(()) } else { Err("`code` must be from 400 to 599".into()) }
    }

    fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool {
        let ending = Ending::Status { code: self.code, text: self.text.clone() };
        opportunity.effects.end(ending, self.executed)
    }
}
