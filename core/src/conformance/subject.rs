//! One lock of a case's own, and how a case asks about it.

use std::{
    boxed::Box, format, future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration, vec::Vec,
};

use super::{DynFixture, Foreign, LONG, unable, unique};
use crate::{
    lock::{Holder, LockCommand, LockKeys, LockReply},
    store::{Command, Reply, Store, StoreError},
    token::{Fence, Token},
};

/// One lock of its own in the store under test.
pub(super) struct Subject<'a> {
    pub(super) fixture: DynFixture<'a>,
    pub(super) keys: Arc<LockKeys>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(fixture: DynFixture<'a>) -> Self {
        Self::called(fixture, &format!("leasehold-conformance-{}", unique()))
    }

    pub(super) fn called(fixture: DynFixture<'a>, id: &str) -> Self {
        Self { fixture, keys: Arc::new(LockKeys::of(id)) }
    }

    pub(super) async fn ask(&self, command: LockCommand) -> LockReply {
        let shown = format!("{command:?}");
        match self.fixture.store().execute(Command::Lock(command)).await {
            Ok(Reply::Lock(reply)) => reply,
            other => panic!("{shown} was answered by {other:?}"),
        }
    }

    pub(super) async fn acquire(&self, token: &Token, lease_ms: u64) -> LockReply {
        let (keys, token) = (self.keys.clone(), token.clone());
        self.ask(LockCommand::Acquire {
            keys,
            token,
            lease_ms,
            fence_life_ms: LONG,
            tombstone_ms: LONG,
        })
        .await
    }

    /// An acquire that may fail.
    pub(super) async fn try_acquire(&self, token: &Token) -> Result<Reply, StoreError> {
        let (keys, token) = (self.keys.clone(), token.clone());
        let (lease_ms, fence_life_ms, tombstone_ms) = (LONG, LONG, LONG);
        let command = LockCommand::Acquire { keys, token, lease_ms, fence_life_ms, tombstone_ms };
        self.fixture.store().execute(Command::Lock(command)).await
    }

    pub(super) async fn take(&self, token: &Token, lease_ms: u64) -> Fence {
        match self.acquire(token, lease_ms).await {
            LockReply::Acquired { fence, fresh: true } => fence,
            other => panic!("a free lock was not taken: {other:?}"),
        }
    }

    pub(super) async fn extend(&self, token: &Token, lease_ms: u64) -> LockReply {
        let (keys, token) = (self.keys.clone(), token.clone());
        self.ask(LockCommand::Extend { keys, token, lease_ms }).await
    }

    pub(super) async fn raise_fence(&self, token: &Token, fence: Fence) -> LockReply {
        let (keys, token) = (self.keys.clone(), token.clone());
        self.ask(LockCommand::RaiseFence { keys, token, fence, fence_life_ms: LONG }).await
    }

    pub(super) async fn release(&self, token: &Token) -> LockReply {
        self.release_for(token, LONG).await
    }

    pub(super) async fn release_for(&self, token: &Token, tombstone_ms: u64) -> LockReply {
        let (keys, token) = (self.keys.clone(), token.clone());
        self.ask(LockCommand::Release { keys, token, tombstone_ms }).await
    }

    pub(super) async fn holder(&self, token: &Token) -> Holder {
        let (keys, token) = (self.keys.clone(), Some(token.clone()));
        match self.ask(LockCommand::Inspect { keys, token }).await {
            LockReply::Holder(holder) => holder,
            other => panic!("an inspection was answered by {other:?}"),
        }
    }

    /// Milliseconds that the lease of `token` has left.
    pub(super) async fn left(&self, token: &Token) -> u64 {
        match self.holder(token).await {
            Holder::Us { remaining_ms: Some(left) } => left,
            other => panic!("not held with a time to live: {other:?}"),
        }
    }

    /// Writes what is no lock under the key, if the fixture can.
    pub(super) async fn write_foreign(&self, value: Foreign) -> bool {
        let could = self.fixture.write_foreign(self.keys.lock(), value).await;
        if !could {
            unable("write to a key behind the store's back");
        }
        could
    }

    /// Whether [`Subject::pass_exactly`] means what it says.
    pub(super) fn is_exact(&self) -> bool {
        let exact = self.fixture.is_exact();
        if !exact {
            unable("stop the store's clock");
        }
        exact
    }

    pub(super) async fn pass_exactly(&self, millis: u64) {
        self.fixture.pass(Duration::from_millis(millis)).await;
    }

    /// A little more, since a server may count in milliseconds and let a key live through its last.
    pub(super) async fn pass(&self, millis: u64) {
        self.fixture.pass(Duration::from_millis(millis + 5)).await;
    }
}

pub(super) fn token(text: &str) -> Token {
    Token::new(text).expect("a case's token is not empty")
}

/// Polls all of `futures` until each is ready.
pub(super) async fn all<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        for (future, output) in &mut pending {
            if output.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *output = Some(ready);
            }
        }
        if pending.iter().all(|(_, output)| output.is_some()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    pending.into_iter().filter_map(|(_, output)| output).collect()
}

/// Polls `future` at most so often and drops it. Between two polls, others have their turn.
pub(super) async fn drop_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut left) = (pin!(future), polls);
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // Woken when there is news; at the last poll there is nothing to wait for.
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
