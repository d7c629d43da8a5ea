//! A request never arrives, and the client sees a broken connection.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    words::request,
    world::{Step, Watch},
};

impl<C: Chance, W: Watch> Step<'_, C, W> {
    #[inline]
    pub(crate) fn loses_request(&mut self, client: u8, call: u32) -> bool {
        let lost = self.strikes(Fault::RequestLoss, client, call, 2) == 1;
        if lost {
            self.bit(Fault::RequestLoss, Some(client), call);
        }
        lost
    }
}

pub(crate) fn describe(site: Site, _choice: u32) -> String {
    format!("{} never arrives, and the connection breaks", request(site))
}

pub(crate) fn strike(who: &str, _choice: u32) -> String {
    format!("a request of {who} is lost")
}

pub(crate) fn bite(who: &str, call: u32) -> Option<String> {
    Some(format!("request {call} of {who} never arrives, and the connection breaks"))
}
