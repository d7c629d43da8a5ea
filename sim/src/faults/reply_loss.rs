//! A request is applied, but its reply is lost with the connection.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    report::words::request,
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

pub(crate) fn strike(_choice: u32) -> String {
    "loses a reply".into()
}

pub(crate) fn bite(call: u32) -> Option<String> {
    Some(format!("will not see the reply to request {call}: it is lost with the connection"))
}
