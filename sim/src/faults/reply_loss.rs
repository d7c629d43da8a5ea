//! A request is applied, but its reply is lost with the connection.

use super::Fault;
use crate::{
    decide::Chance,
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
