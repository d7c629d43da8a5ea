//! A request is applied, but its reply is lost with the connection.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    words::request,
    world::{Step, Watch},
};

impl<C: Chance, W: Watch> Step<'_, C, W> {
    #[inline]
    pub(crate) fn loses_reply(&mut self, client: u8, call: u32) -> bool {
        let lost = self.strikes(Fault::ReplyLoss, client, call, 2) == 1;
        if lost {
            self.bit(Fault::ReplyLoss, Some(client), call);
        }
        lost
    }
}

pub(crate) fn describe(site: Site, _choice: u32) -> String {
    format!("the reply to {} is lost with the connection", request(site))
}

pub(crate) fn strike(who: &str, _choice: u32) -> String {
    format!("a reply to {who} is lost")
}

pub(crate) fn bite(who: &str, call: u32) -> Option<String> {
    Some(format!("the reply to request {call} of {who} is lost with the connection"))
}
