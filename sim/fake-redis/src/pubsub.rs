//! Who listens to which channel, and what was published since the listeners were last told.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::{Index, IndexMut},
};

use bytes::Bytes;

use super::{glob::matches, session::SessionId};

/// The ways to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    Channel,
    Pattern,
    /// A channel that a cluster would keep on one of its servers. They have names of their own.
    Shard,
}

/// One for each way to listen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ByTopic<T> {
    channels: T,
    patterns: T,
    shards: T,
}

/// A message on its way to one session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Published {
    pub(super) to: SessionId,
    pub(super) topic: Topic,
    /// The pattern that matched, if the session listens to a pattern.
    pub(super) pattern: Option<Bytes>,
    pub(super) channel: Bytes,
    pub(super) message: Bytes,
}

/// Subscriptions, and messages that are not delivered yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct PubSub {
    listeners: ByTopic<Listeners>,
    outbox: Vec<Published>,
}

/// By the name of what they listen to.
type Listeners = BTreeMap<Bytes, BTreeSet<SessionId>>;

impl PubSub {
    pub(super) fn subscribe(&mut self, session: SessionId, topic: Topic, name: Bytes) {
        self.listeners[topic].entry(name).or_default().insert(session);
    }

    pub(super) fn unsubscribe(&mut self, session: SessionId, topic: Topic, name: &[u8]) {
        let listeners = &mut self.listeners[topic];
        if let Some(sessions) = listeners.get_mut(name) {
            sessions.remove(&session);
            if sessions.is_empty() {
                listeners.remove(name);
            }
        }
    }

    /// Queues `message` for everyone who listens to `channel`, and says how many that are.
    pub(super) fn publish(&mut self, channel: &Bytes, message: &Bytes) -> usize {
        let before = self.outbox.len();
        self.publish_directly(Topic::Channel, channel, message);
        for (pattern, sessions) in &self.listeners.patterns {
            if matches(pattern, channel) {
                self.outbox.extend(sessions.iter().map(|to| Published {
                    to: *to,
                    topic: Topic::Pattern,
                    pattern: Some(pattern.clone()),
                    channel: channel.clone(),
                    message: message.clone(),
                }));
            }
        }
        self.outbox.len() - before
    }

    /// The same for a shard channel, to which nobody listens by a pattern.
    pub(super) fn publish_in_shard(&mut self, channel: &Bytes, message: &Bytes) -> usize {
        let before = self.outbox.len();
        self.publish_directly(Topic::Shard, channel, message);
        self.outbox.len() - before
    }

    fn publish_directly(&mut self, topic: Topic, channel: &Bytes, message: &Bytes) {
        let direct = self.listeners[topic].get(channel).into_iter().flatten();
        self.outbox.extend(direct.map(|to| Published {
            to: *to,
            topic,
            pattern: None,
            channel: channel.clone(),
            message: message.clone(),
        }));
    }

    /// The messages since the last call, in order.
    pub(super) fn take(&mut self) -> Vec<Published> {
        std::mem::take(&mut self.outbox)
    }

    /// What someone listens to in this way.
    pub(super) fn names(&self, topic: Topic) -> impl ExactSizeIterator<Item = &Bytes> {
        self.listeners[topic].keys()
    }

    /// How many listen to it.
    pub(super) fn listeners(&self, topic: Topic, name: &[u8]) -> usize {
        self.listeners[topic].get(name).map_or(0, BTreeSet::len)
    }

    /// Whether nobody listens to anything.
    pub(super) fn is_silent(&self) -> bool {
        let ByTopic { channels, patterns, shards } = &self.listeners;
        channels.is_empty() && patterns.is_empty() && shards.is_empty()
    }
}

impl<T> Index<Topic> for ByTopic<T> {
    type Output = T;

    fn index(&self, topic: Topic) -> &T {
        match topic {
            Topic::Channel => &self.channels,
            Topic::Pattern => &self.patterns,
            Topic::Shard => &self.shards,
        }
    }
}

impl<T> IndexMut<Topic> for ByTopic<T> {
    fn index_mut(&mut self, topic: Topic) -> &mut T {
        match topic {
            Topic::Channel => &mut self.channels,
            Topic::Pattern => &mut self.patterns,
            Topic::Shard => &mut self.shards,
        }
    }
}
