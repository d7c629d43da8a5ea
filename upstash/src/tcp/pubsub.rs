//! Notifications over pub/sub, on a connection of their own: one for all channels, open while
//! anybody listens.

use std::{
    collections::HashMap,
    mem,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{
    StreamExt,
    future::{Either, select},
};
use redis::{
    Msg, RedisResult,
    aio::{PubSubSink, PubSubStream},
};
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::{sleep, timeout},
};

use super::{target::Target, wire};
use crate::{
    notifications::{self, Channels, Notification, Notifications, Teller},
    trace,
};

/// A connection that is silent for so long is asked whether it lives.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// What listens for a store.
pub(super) struct PubSub {
    target: Arc<Target>,
    limit: Duration,
    channels: Channels,
    /// To the task that has the connection, if it was needed yet.
    changes: Mutex<Option<UnboundedSender<Change>>>,
    /// Tells one listening from a later one to the same channel.
    numbers: AtomicU64,
}

/// What the task is to listen to.
enum Change {
    Join { name: String, number: u64, teller: Teller },
    Leave { name: String, number: u64 },
}

/// That somebody listens, ended by being dropped.
struct Following {
    name: String,
    number: u64,
    changes: UnboundedSender<Change>,
}

impl Drop for Following {
    fn drop(&mut self) {
        let (name, number) = (mem::take(&mut self.name), self.number);
        // A task that has ended listens to nothing.
        let _ = self.changes.send(Change::Leave { name, number });
    }
}

impl PubSub {
    pub(super) fn new(target: Arc<Target>, limit: Duration) -> Self {
        Self {
            target,
            limit,
            channels: Channels::default(),
            changes: Mutex::default(),
            numbers: AtomicU64::new(0),
        }
    }

    pub(super) fn listen(&self, name: &str) -> Notifications {
        self.channels.listen(name, |teller| {
            let changes = self.task();
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            let _ = changes.send(Change::Join { name: name.into(), number, teller });
            Following { name: name.into(), number, changes }
        })
    }

    /// The way to the task, which is begun if there is none (any more: its runtime may have ended).
    fn task(&self) -> UnboundedSender<Change> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        match &*changes {
            Some(changes) if !changes.is_closed() => changes.clone(),
            _ => {
                let (sender, receiver) = mpsc::unbounded_channel();
                let listener = Listener {
                    target: self.target.clone(),
                    limit: self.limit,
                    changes: receiver,
                    joined: HashMap::new(),
                };
                tokio::spawn(listener.listen());
                changes.insert(sender).clone()
            }
        }
    }
}

/// The task that has the connection. It ends with the store and the last that listens.
struct Listener {
    target: Arc<Target>,
    limit: Duration,
    changes: UnboundedReceiver<Change>,
    joined: HashMap<String, (u64, Teller)>,
}

/// Why a connection is no longer of use.
enum Ended {
    /// Nobody listens.
    Idle,
    Broken(String),
}

impl Listener {
    async fn listen(mut self) {
        let mut failures = 0;
        loop {
            while self.joined.is_empty() {
                match self.changes.recv().await {
                    Some(change) => drop(self.note(change)),
                    None => return,
                }
            }
            match self.connected(&mut failures).await {
                Ended::Idle => {}
                Ended::Broken(why) => {
                    failures += 1;
                    let wait = notifications::REOPEN.wait(failures);
                    trace::notifications_interrupted(&why, Some(wait));
                    sleep(wait).await;
                    while let Ok(change) = self.changes.try_recv() {
                        self.note(change);
                    }
                }
            }
        }
    }

    /// Takes note of a change, and returns the name of a channel that nobody listens to any more.
    fn note(&mut self, change: Change) -> Option<String> {
        match change {
            Change::Join { name, number, teller } => {
                self.joined.insert(name, (number, teller));
                None
            }
            // A later one may have joined before this one's end was heard of.
            Change::Leave { name, number } => {
                let is_current = self.joined.get(&name).is_some_and(|(last, _)| *last == number);
                is_current.then(|| {
                    self.joined.remove(&name);
                    name
                })
            }
        }
    }

    /// Makes a connection and listens on it until it breaks, or nobody listens.
    async fn connected(&mut self, failures: &mut u32) -> Ended {
        let opening = self.target.open_pubsub(*failures as usize);
        let (mut sink, mut stream) = match timeout(self.limit, opening).await {
            Ok(Ok(connection)) => connection.split(),
            Ok(Err(error)) => {
                return Ended::Broken(wire::not_connected(&error, &self.target).to_string());
            }
            Err(_) => return Ended::Broken("no connection in time".into()),
        };
        let names: Vec<_> = self.joined.keys().cloned().collect();
        for name in names {
            if let Err(ended) = self.subscribe(&mut sink, &name).await {
                return ended;
            }
        }
        *failures = 0;
        loop {
            if self.joined.is_empty() {
                return Ended::Idle;
            }
            if let Err(ended) = self.turn(&mut sink, &mut stream).await {
                return ended;
            }
        }
    }

    /// Waits for one thing to happen, and sees to it.
    async fn turn(
        &mut self,
        sink: &mut PubSubSink,
        stream: &mut PubSubStream,
    ) -> Result<(), Ended> {
        let heard = timeout(LONGEST_SILENCE, stream.next());
        // Neither loses anything if the other comes first.
        let first = match select(pin!(self.changes.recv()), pin!(heard)).await {
            Either::Left((change, _)) => Either::Left(change),
            Either::Right((heard, _)) => Either::Right(heard),
        };
        match first {
            Either::Left(change) => self.change(sink, change).await,
            Either::Right(Ok(Some(message))) => {
                self.tell(&message);
                Ok(())
            }
            Either::Right(Ok(None)) => Err(Ended::Broken("the connection broke".into())),
            Either::Right(Err(_)) => self.answered(sink.ping::<redis::Value>()).await,
        }
    }

    async fn change(&mut self, sink: &mut PubSubSink, change: Option<Change>) -> Result<(), Ended> {
        match change {
            Some(Change::Join { name, number, teller }) => {
                self.joined.insert(name.clone(), (number, teller));
                self.subscribe(sink, &name).await
            }
            Some(change) => match self.note(change) {
                Some(name) => self.answered(sink.unsubscribe(name)).await,
                None => Ok(()),
            },
            // The store is gone, and so is all that listened: their leave came before.
            None => Err(Ended::Idle),
        }
    }

    /// Listens to a channel. If the server does not allow it, there will be no notifications from
    /// it.
    async fn subscribe(&mut self, sink: &mut PubSubSink, name: &str) -> Result<(), Ended> {
        match timeout(self.limit, sink.subscribe(name)).await {
            Ok(Ok(())) => {
                if let Some((_, teller)) = self.joined.get(name) {
                    teller.tell(Notification::Gap);
                }
                Ok(())
            }
            Ok(Err(error)) if error.code() == Some("NOPERM") => {
                trace::notifications_interrupted("the server does not allow it", None);
                self.joined.remove(name);
                Ok(())
            }
            Ok(Err(_)) => Err(Ended::Broken("the connection broke".into())),
            Err(_) => Err(Ended::Broken("no reply in time".into())),
        }
    }

    async fn answered<T>(
        &self,
        request: impl Future<Output = RedisResult<T>>,
    ) -> Result<(), Ended> {
        match timeout(self.limit, request).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(Ended::Broken("the connection broke".into())),
            Err(_) => Err(Ended::Broken("no reply in time".into())),
        }
    }

    fn tell(&self, message: &Msg) {
        if let Some((_, teller)) = self.joined.get(message.get_channel_name()) {
            teller.tell(Notification::Message(message.get_payload_bytes().into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leave_that_comes_late_does_not_end_a_later_listening() {
        let client = redis::Client::open("redis://127.0.0.1").unwrap();
        let mut listener = Listener {
            target: Arc::new(Target::Single(client)),
            limit: Duration::from_secs(1),
            changes: mpsc::unbounded_channel().1,
            joined: HashMap::new(),
        };
        let mut tellers = Vec::new();
        let _notifications = Channels::default().listen("gate", |teller| tellers.push(teller));
        let teller = tellers.remove(0);
        listener.note(Change::Join { name: "gate".into(), number: 2, teller });
        assert_eq!(listener.note(Change::Leave { name: "gate".into(), number: 1 }), None);
        assert_eq!(listener.joined.len(), 1);
        let left = listener.note(Change::Leave { name: "gate".into(), number: 2 });
        assert_eq!(left.as_deref(), Some("gate"));
        assert!(listener.joined.is_empty());
    }
}
