//! Subscriptions: what a session listens to, and what it is told of that.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{Connection, Delivery, Protocol, Server, SessionId};
use crate::{
    Resp,
    pubsub::{ByTopic, Published, Topic},
    resp::count,
};

/// What one session listens to.
pub(crate) type Subscriptions = ByTopic<BTreeSet<Bytes>>;

impl Topic {
    const ALL: [Self; 3] = [Self::Channel, Self::Pattern, Self::Shard];

    fn word(self, subscribing: bool) -> &'static str {
        match (self, subscribing) {
            (Self::Channel, true) => "subscribe",
            (Self::Channel, false) => "unsubscribe",
            (Self::Pattern, true) => "psubscribe",
            (Self::Pattern, false) => "punsubscribe",
            (Self::Shard, true) => "ssubscribe",
            (Self::Shard, false) => "sunsubscribe",
        }
    }

    /// How a message begins.
    fn message(self) -> &'static str {
        match self {
            Self::Channel => "message",
            Self::Pattern => "pmessage",
            Self::Shard => "smessage",
        }
    }
}

impl Subscriptions {
    /// How many there are of all kinds.
    pub(crate) fn len(&self) -> usize {
        Topic::ALL.iter().map(|topic| self[*topic].len()).sum()
    }

    /// How many a confirmation tells: shard channels are counted by themselves.
    fn len_with(&self, topic: Topic) -> usize {
        match topic {
            Topic::Channel | Topic::Pattern => {
                self[Topic::Channel].len() + self[Topic::Pattern].len()
            }
            Topic::Shard => self[Topic::Shard].len(),
        }
    }
}

impl Connection<'_> {
    /// Listens to `name`, and says so.
    pub(crate) fn subscribe(&mut self, topic: Topic, name: &Bytes) {
        self.server.redis.pubsub.subscribe(self.id, topic, name.clone());
        self.session_mut().subscriptions[topic].insert(name.clone());
        self.confirm(topic, true, Resp::Bulk(name.clone()));
    }

    /// Listens to `name` no more, and says so.
    pub(crate) fn unsubscribe(&mut self, topic: Topic, name: &Bytes) {
        self.server.redis.pubsub.unsubscribe(self.id, topic, name);
        self.session_mut().subscriptions[topic].remove(name);
        self.confirm(topic, false, Resp::Bulk(name.clone()));
    }

    /// Listens to nothing of this kind any more, and says so at least once.
    pub(crate) fn unsubscribe_all(&mut self, topic: Topic) {
        let names = self.session().subscriptions[topic].clone();
        for name in &names {
            self.unsubscribe(topic, name);
        }
        if names.is_empty() {
            self.confirm(topic, false, Resp::Nil);
        }
    }

    /// Listens to nothing any more, without a word.
    pub(crate) fn stop_listening(&mut self) {
        let subscriptions = std::mem::take(&mut self.session_mut().subscriptions);
        self.server.forget(self.id, &subscriptions);
    }

    fn confirm(&mut self, topic: Topic, subscribing: bool, name: Resp) {
        let word = Resp::Bulk(topic.word(subscribing).into());
        let number = self.session().subscriptions.len_with(topic);
        self.replies.push(Resp::Push(vec![word, name, count(number)]));
    }

    /// Whether a reply could be taken for a message.
    pub(crate) fn is_listening_only(&self) -> bool {
        self.session().protocol == Protocol::Resp2 && self.session().is_listening()
    }
}

impl Server {
    pub(super) fn forget(&mut self, id: SessionId, subscriptions: &Subscriptions) {
        for topic in Topic::ALL {
            let names = subscriptions[topic].iter();
            names.for_each(|name| self.redis.pubsub.unsubscribe(id, topic, name));
        }
    }

    pub(super) fn deliver_published(&mut self) {
        for Published { to, topic, pattern, channel, message } in self.redis.pubsub.take() {
            let mut words = vec![Resp::Bulk(topic.message().into())];
            words.extend(pattern.map(Resp::Bulk));
            words.extend([Resp::Bulk(channel), Resp::Bulk(message)]);
            let delivery = Delivery { session: to, resp: Resp::Push(words), unblocks: false };
            self.deliveries.push(delivery);
        }
    }
}
