//! How a future of a process asks the simulation for something.

use std::{
    future::{Future, poll_fn},
    task::Poll,
};

use super::runtime::{Answer, Order, try_with, with};
use crate::history::Client;

/// Files an order of `client`, and waits for its answer.
pub(super) fn ask(
    client: Client,
    order: impl FnOnce(u64) -> Order,
) -> impl Future<Output = Answer> {
    let (mut order, mut asked) = (Some(order), Asked { client, wait: None });
    poll_fn(move |context| {
        // All of it, so that it is dropped with the future.
        let asked = &mut asked;
        with(|runtime| match (order.take(), asked.wait) {
            (Some(order), _) => {
                asked.wait = Some(runtime.order(client, context.waker(), order));
                Poll::Pending
            }
            (None, Some(wait)) => match runtime.answer_to(client, wait, context.waker()) {
                Some(answer) => Poll::Ready(answer),
                None => Poll::Pending,
            },
            (None, None) => Poll::Pending,
        })
    })
}

/// Forgets what was asked when nobody waits for it any more.
struct Asked {
    client: Client,
    wait: Option<u64>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(wait) = self.wait {
            try_with(|runtime| runtime.forget(self.client, wait));
        }
    }
}
