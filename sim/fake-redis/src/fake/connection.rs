//! One session of a server in this process.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};

use bytes::Bytes;

use super::{LostReply, Shared, bytes, lock};
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
    pub(super) session: Arc<Session>,
}

pub(super) struct Session {
    pub(super) shared: Arc<Mutex<Shared>>,
    /// Its number, from 1 in the order of connecting.
    #[cfg(feature = "faults")]
    pub(super) number: u64,
    id: Mutex<SessionId>,
}

impl FakeConnection {
    pub(super) fn new(shared: Arc<Mutex<Shared>>) -> Self {
        let mut all = lock(&shared);
        all.connections += 1;
        #[cfg(feature = "faults")]
        let number = all.connections;
        let id = Mutex::new(all.server.connect());
        drop(all);
        let session = Session {
            shared,
            #[cfg(feature = "faults")]
            number,
            id,
        };
        Self { session: Arc::new(session) }
    }

    /// Sends a command and gives the reply, with the kinds of RESP3. A command that would have to
    /// wait is answered as if its time had run out; see [`FakeConnection::send`].
    ///
    /// # Panics
    ///
    /// If a fault takes the reply; see [`FakeConnection::try_command`].
    pub fn command(&self, words: &[impl AsRef<[u8]>]) -> Resp {
        told(self.try_command(words))
    }

    /// The same where a fault may take the reply.
    ///
    /// # Errors
    ///
    /// [`LostReply`]: the command may or may not have been executed. Only faults bring it about.
    pub fn try_command(&self, words: &[impl AsRef<[u8]>]) -> Result<Resp, LostReply> {
        let words = bytes(words);
        #[cfg(feature = "faults")]
        if let Some(effects) = self.judge(&words) {
            return super::faults::block_on(self.ask(&words, &effects, false));
        }
        Ok(self.execute(&words).unwrap_or_else(|| {
            self.reconnect();
            Resp::NilArray
        }))
    }

    /// Sends a command at once, and waits for the reply if it is one that waits, such as `BLPOP`.
    ///
    /// # Cancellation
    ///
    /// The command is sent when the future is first polled. Dropping it while it waits leaves the
    /// session waiting, as with a real connection: drop that, too.
    ///
    /// # Panics
    ///
    /// If a fault takes the reply; see [`FakeConnection::try_send`].
    pub async fn send(&self, words: &[impl AsRef<[u8]> + Sync]) -> Resp {
        told(self.try_send(words).await)
    }

    /// The same where a fault may take the reply.
    ///
    /// # Errors
    ///
    /// [`LostReply`]: the command may or may not have been executed. A fault brings it about, or the
    /// end of the session while it waits.
    ///
    /// # Cancellation
    ///
    /// As of [`FakeConnection::send`]; a command that a fault holds is not sent if its future is
    /// dropped meanwhile.
    pub async fn try_send(&self, words: &[impl AsRef<[u8]> + Sync]) -> Result<Resp, LostReply> {
        self.send_bytes(&bytes(words)).await
    }

    pub(super) async fn send_bytes(&self, words: &[Bytes]) -> Result<Resp, LostReply> {
        #[cfg(feature = "faults")]
        if let Some(effects) = self.judge(words) {
            return self.ask(words, &effects, true).await;
        }
        match self.execute(words) {
            Some(reply) => Ok(reply),
            None => self.delivered().await,
        }
    }

    /// Waits for the reply of a command that waits.
    pub(super) async fn delivered(&self) -> Result<Resp, LostReply> {
        let id = self.id();
        poll_fn(|context| {
            let mut shared = lock(&self.session.shared);
            let waits = shared.deliveries.get_mut(&id).and_then(|all| {
                let index = all.iter().position(|delivery| delivery.unblocks)?;
                Some(all.remove(index).resp)
            });
            match waits {
                Some(reply) => Poll::Ready(Ok(reply)),
                None if shared.closed.contains(&id) => Poll::Ready(Err(LostReply::Closed)),
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

    fn execute(&self, words: &[Bytes]) -> Option<Resp> {
        let mut shared = lock(&self.session.shared);
        let session = self.live(&mut shared);
        shared.execute(session, words)
    }

    fn id(&self) -> SessionId {
        *self.session.id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session: a new one if the server has ended the last.
    pub(super) fn live(&self, shared: &mut Shared) -> SessionId {
        let mut id = self.session.id.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.closed.remove(&id) {
            *id = shared.server.connect();
        }
        *id
    }

    /// Goes on with a new session, since the old one waits, or is lost.
    pub(super) fn reconnect(&self) {
        let mut shared = lock(&self.session.shared);
        let id = self.live(&mut shared);
        shared.server.disconnect(id);
        *self.session.id.lock().unwrap_or_else(PoisonError::into_inner) = shared.server.connect();
    }
}

/// A reply that nobody has asked whether it may be lost.
fn told(reply: Result<Resp, LostReply>) -> Resp {
    reply.unwrap_or_else(|lost| panic!("{lost}, by a fault: `try_command` and `try_send` tell it"))
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

    /// Lets time pass by the server's clock.
    #[cfg(not(feature = "faults"))]
    pub(super) fn pass(&mut self, time: std::time::Duration) {
        self.clock.advance(time);
        self.distribute();
    }

    /// Sorts what has come up by session, and wakes who waits.
    pub(super) fn distribute(&mut self) {
        #[cfg(feature = "faults")]
        {
            let elapsed_us = self.clock.elapsed_us();
            self.fault_state.settle(&mut self.server, elapsed_us);
        }
        self.closed.extend(self.server.take_closed());
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
        let id = *self.id.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut shared = lock(&self.shared);
        shared.server.disconnect(id);
        shared.deliveries.remove(&id);
        shared.closed.remove(&id);
    }
}

impl fmt::Debug for FakeConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeConnection").field("session", &self.id()).finish_non_exhaustive()
    }
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
