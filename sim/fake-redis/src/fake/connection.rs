//! One session of a server in this process.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex},
    task::Poll,
};

use bytes::Bytes;

use super::{Shared, lock};
use crate::{Executed, Resp, SessionId};

/// A session with a [`FakeRedis`](super::FakeRedis). Clones share it, and it ends with the last.
///
/// With the feature `redis` it is a connection of the crate `redis`, so that code for that crate
/// runs on it.
///
/// ```
/// use leasehold_fake_redis::{FakeRedis, Resp};
///
/// let server = FakeRedis::default();
/// let (one, other) = (server.connect(), server.connect());
/// assert_eq!(one.command(&["INCR", "n"]), Resp::Integer(1));
/// assert_eq!(other.command(&["INCR", "n"]), Resp::Integer(2));
/// ```
#[derive(Clone)]
pub struct FakeConnection {
    session: Arc<Session>,
}

struct Session {
    shared: Arc<Mutex<Shared>>,
    id: Mutex<SessionId>,
}

impl FakeConnection {
    pub(super) fn new(shared: Arc<Mutex<Shared>>) -> Self {
        let id = Mutex::new(lock(&shared).server.connect());
        Self { session: Arc::new(Session { shared, id }) }
    }

    /// Sends a command and gives the reply, with the kinds of RESP3. A command that would have to
    /// wait is answered as if its time had run out; see [`FakeConnection::send`].
    pub fn command(&self, words: &[impl AsRef<[u8]>]) -> Resp {
        self.execute(&bytes(words)).unwrap_or_else(|| {
            self.give_up();
            Resp::NilArray
        })
    }

    /// Sends a command at once, and waits for the reply if it is one that waits, such as `BLPOP`.
    ///
    /// # Cancellation
    ///
    /// The command is sent when the future is first polled. Dropping it while it waits leaves the
    /// session waiting, as with a real connection: drop that, too.
    pub async fn send(&self, words: &[impl AsRef<[u8]> + Sync]) -> Resp {
        self.send_bytes(&bytes(words)).await
    }

    pub(super) async fn send_bytes(&self, words: &[Bytes]) -> Resp {
        if let Some(reply) = self.execute(words) {
            return reply;
        }
        poll_fn(|context| {
            let mut shared = lock(&self.session.shared);
            let waits = shared.deliveries.get_mut(&self.id()).and_then(|all| {
                let index = all.iter().position(|delivery| delivery.unblocks)?;
                Some(all.remove(index).resp)
            });
            match waits {
                Some(reply) => Poll::Ready(reply),
                None => {
                    shared.waiting.push(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// The messages that were published for this session since the last call, in order.
    pub fn take_messages(&self) -> Vec<Resp> {
        let mut shared = lock(&self.session.shared);
        let all = shared.deliveries.remove(&self.id()).unwrap_or_default();
        let (replies, messages) = all.into_iter().partition(|delivery| delivery.unblocks);
        shared.deliveries.insert(self.id(), replies);
        messages.into_iter().map(|delivery| delivery.resp).collect()
    }

    pub(super) fn execute(&self, words: &[Bytes]) -> Option<Resp> {
        lock(&self.session.shared).execute(self.id(), words)
    }

    fn id(&self) -> SessionId {
        *self.session.id.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Goes on with a new session, since the old one waits.
    pub(super) fn give_up(&self) {
        let mut shared = lock(&self.session.shared);
        let mut id = self.session.id.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shared.server.disconnect(*id);
        *id = shared.server.connect();
    }
}

impl Shared {
    /// The reply, unless the session has to wait for it. Of several replies, the last.
    pub(super) fn execute(&mut self, session: SessionId, words: &[Bytes]) -> Option<Resp> {
        let now_us = self.clock.now_us();
        let executed = self.server.execute(now_us, session, words);
        self.distribute();
        match executed {
            Executed::Replies(mut replies) => Some(replies.pop().unwrap_or(Resp::Nil)),
            Executed::Blocked => None,
        }
    }

    /// Sorts what has come up by session, and wakes who waits.
    pub(super) fn distribute(&mut self) {
        for delivery in self.server.take_deliveries() {
            self.deliveries.entry(delivery.session).or_default().push(delivery);
        }
        for waker in self.waiting.drain(..) {
            waker.wake();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let id = *self.id.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut shared = lock(&self.shared);
        shared.server.disconnect(id);
        shared.deliveries.remove(&id);
    }
}

impl fmt::Debug for FakeConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeConnection").field("session", &self.id()).finish_non_exhaustive()
    }
}

pub(super) fn bytes(words: &[impl AsRef<[u8]>]) -> Vec<Bytes> {
    words.iter().map(|word| Bytes::copy_from_slice(word.as_ref())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FakeRedis, pubsub::Topic};

    #[test]
    fn a_message_reaches_the_session_that_listens_and_once() {
        let server = FakeRedis::default();
        let (listens, other) = (server.connect(), server.connect());
        server.with_redis(|redis| {
            redis.pubsub.subscribe(listens.id(), Topic::Channel, "news".into());
        });
        assert_eq!(server.command(&["PUBLISH", "news", "hello"]), Resp::Integer(1));
        let words = ["message", "news", "hello"].map(|word| Resp::Bulk(word.into()));
        assert_eq!(listens.take_messages(), [Resp::Push(words.into())]);
        assert_eq!((listens.take_messages(), other.take_messages()), (vec![], vec![]));
    }

    #[test]
    fn the_clock_moves_by_hand_and_may_go_back() {
        let server = FakeRedis::default();
        let start = server.time();
        server.advance(std::time::Duration::from_secs(5));
        assert_eq!(server.time() - start, std::time::Duration::from_secs(5));
        server.set_time(std::time::Duration::from_secs(7));
        let time = ["7", "0"].map(|word| Resp::Bulk(word.into()));
        assert_eq!(server.command(&["TIME"]), Resp::Array(time.into()));
    }

    #[test]
    fn a_clock_of_the_callers_drives_the_server() {
        let now = Arc::new(std::sync::atomic::AtomicU64::new(1_000_000));
        let told = Arc::clone(&now);
        let server = FakeRedis::with_clock(crate::Engine::Lua, move || {
            told.load(std::sync::atomic::Ordering::Relaxed)
        });
        server.command(&["SET", "k", "v", "PX", "10"]);
        now.store(1_005_000, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(server.command(&["PTTL", "k"]), Resp::Integer(5));
        server.advance(std::time::Duration::from_millis(6));
        assert_eq!(server.command(&["GET", "k"]), Resp::Nil);
    }
}
