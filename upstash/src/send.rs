//! Commands whose reply nobody waits for.

use std::{future::poll_fn, task::Poll};

use tokio::runtime::Handle;

/// Polls `call` once, so that it is sent in its turn, and leaves the rest to a task: a client may
/// drop what it has not written yet when its future is dropped.
pub(crate) async fn begin<T: Send>(call: impl Future<Output = T> + Send + 'static) {
    let mut call = Box::pin(async move { drop(call.await) });
    let ended = poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await;
    // Without a runtime, the poll has failed already.
    if !ended && let Ok(runtime) = Handle::try_current() {
        runtime.spawn(call);
    }
}
