//! A request never arrives, and the client sees a broken connection.

use super::Fault;
use crate::{
    decide::Chance,
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
