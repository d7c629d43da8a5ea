//! A call of a handle that may be dropped in the middle, of which the client's process knows.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::process::Process;

/// A call, until it is over or dropped.
pub(super) struct Droppable<F> {
    process: Arc<Process>,
    call: Option<Pin<Box<F>>>,
}

impl<F: Future> Droppable<F> {
    pub(super) fn new(process: &Arc<Process>, call: F) -> Self {
        Self { process: process.clone(), call: Some(Box::pin(call)) }
    }
}

impl<F: Future> Future for Droppable<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Some(call) = &mut self.call else { return Poll::Pending };
        let polled = call.as_mut().poll(context);
        if polled.is_ready() {
            self.call = None;
        }
        polled
    }
}

impl<F> Drop for Droppable<F> {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            self.process.drop_call(call);
        }
    }
}
