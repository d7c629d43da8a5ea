//! Subscriptions: what a session listens to, and what it is told of that.

use bytes::Bytes;

use super::{Connection, Delivery, Protocol, Server};
use crate::redis::{Resp, pubsub::Published, resp::count};

/// The two ways to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redis) enum Topic {
    Channel,
    Pattern,
}

impl Topic {
    fn word(self, subscribing: bool) -> &'static str {
        match (self, subscribing) {
            (Self::Channel, true) => "subscribe",
            (Self::Channel, false) => "unsubscribe",
            (Self::Pattern, true) => "psubscribe",
            (Self::Pattern, false) => "punsubscribe",
        }
    }
}

impl Connection<'_> {
    /// Listens to `name`, and says so.
    pub(in crate::redis) fn subscribe(&mut self, topic: Topic, name: &Bytes) {
        let id = self.id;
        match topic {
            Topic::Channel => {
                self.server.redis.pubsub.subscribe(id, name.clone());
                self.session_mut().channels.insert(name.clone());
            }
            Topic::Pattern => {
                self.server.redis.pubsub.subscribe_to_pattern(id, name.clone());
                self.session_mut().patterns.insert(name.clone());
            }
        }
        self.confirm(topic, true, Resp::Bulk(name.clone()));
    }

    /// Listens to `name` no more, and says so.
    pub(in crate::redis) fn unsubscribe(&mut self, topic: Topic, name: &Bytes) {
        let id = self.id;
        match topic {
            Topic::Channel => {
                self.server.redis.pubsub.unsubscribe(id, name);
                self.session_mut().channels.remove(name);
            }
            Topic::Pattern => {
                self.server.redis.pubsub.unsubscribe_from_pattern(id, name);
                self.session_mut().patterns.remove(name);
            }
        }
        self.confirm(topic, false, Resp::Bulk(name.clone()));
    }

    /// Listens to nothing of this kind any more, and says so at least once.
    pub(in crate::redis) fn unsubscribe_all(&mut self, topic: Topic) {
        let session = self.session();
        let names = match topic {
            Topic::Channel => session.channels.clone(),
            Topic::Pattern => session.patterns.clone(),
        };
        for name in &names {
            self.unsubscribe(topic, name);
        }
        if names.is_empty() {
            self.confirm(topic, false, Resp::Nil);
        }
    }

    /// Listens to nothing any more, without a word.
    pub(in crate::redis) fn stop_listening(&mut self) {
        let (channels, patterns) = {
            let session = self.session_mut();
            (std::mem::take(&mut session.channels), std::mem::take(&mut session.patterns))
        };
        self.server.forget(self.id, channels, patterns);
    }

    fn confirm(&mut self, topic: Topic, subscribing: bool, name: Resp) {
        let word = Resp::Bulk(topic.word(subscribing).into());
        let reply = Resp::Push(vec![word, name, count(self.session().subscriptions())]);
        self.replies.push(reply);
    }

    /// Whether a reply could be taken for a message.
    pub(in crate::redis) fn is_listening_only(&self) -> bool {
        self.session().protocol == Protocol::Resp2 && self.session().subscriptions() > 0
    }
}

impl Server {
    pub(super) fn forget(
        &mut self,
        id: super::SessionId,
        channels: impl IntoIterator<Item = Bytes>,
        patterns: impl IntoIterator<Item = Bytes>,
    ) {
        for channel in channels {
            self.redis.pubsub.unsubscribe(id, &channel);
        }
        for pattern in patterns {
            self.redis.pubsub.unsubscribe_from_pattern(id, &pattern);
        }
    }

    pub(super) fn deliver_published(&mut self) {
        for Published { to, pattern, channel, message } in self.redis.pubsub.take() {
            let mut words = match pattern {
                None => vec![Resp::Bulk("message".into())],
                Some(pattern) => vec![Resp::Bulk("pmessage".into()), Resp::Bulk(pattern)],
            };
            words.extend([Resp::Bulk(channel), Resp::Bulk(message)]);
            let delivery = Delivery { session: to, resp: Resp::Push(words), unblocks: false };
            self.deliveries.push(delivery);
        }
    }
}
