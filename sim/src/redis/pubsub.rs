//! Who listens to which channel, and what was published since the listeners were last told.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{glob::matches, server::SessionId};

/// A message on its way to one session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Published {
    pub(super) to: SessionId,
    /// The pattern that matched, if the session listens to a pattern.
    pub(super) pattern: Option<Bytes>,
    pub(super) channel: Bytes,
    pub(super) message: Bytes,
}

/// Subscriptions, and messages that are not delivered yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct PubSub {
    channels: BTreeMap<Bytes, BTreeSet<SessionId>>,
    patterns: BTreeMap<Bytes, BTreeSet<SessionId>>,
    outbox: Vec<Published>,
}

impl PubSub {
    pub(super) fn subscribe(&mut self, session: SessionId, channel: Bytes) {
        self.channels.entry(channel).or_default().insert(session);
    }

    pub(super) fn subscribe_to_pattern(&mut self, session: SessionId, pattern: Bytes) {
        self.patterns.entry(pattern).or_default().insert(session);
    }

    pub(super) fn unsubscribe(&mut self, session: SessionId, channel: &[u8]) {
        remove(&mut self.channels, session, channel);
    }

    pub(super) fn unsubscribe_from_pattern(&mut self, session: SessionId, pattern: &[u8]) {
        remove(&mut self.patterns, session, pattern);
    }

    /// Queues `message` for everyone who listens to `channel`, and says how many that are.
    pub(super) fn publish(&mut self, channel: &Bytes, message: &Bytes) -> usize {
        let before = self.outbox.len();
        let published = |to: &SessionId, pattern: Option<&Bytes>| Published {
            to: *to,
            pattern: pattern.cloned(),
            channel: channel.clone(),
            message: message.clone(),
        };
        let direct = self.channels.get(channel).into_iter().flatten();
        self.outbox.extend(direct.map(|to| published(to, None)));
        for (pattern, sessions) in &self.patterns {
            if matches(pattern, channel) {
                self.outbox.extend(sessions.iter().map(|to| published(to, Some(pattern))));
            }
        }
        self.outbox.len() - before
    }

    /// The messages since the last call, in order.
    pub(super) fn take(&mut self) -> Vec<Published> {
        std::mem::take(&mut self.outbox)
    }

    /// The channels that someone listens to, with how many do.
    pub(super) fn channels(&self) -> impl Iterator<Item = (&Bytes, usize)> {
        self.channels.iter().map(|(channel, sessions)| (channel, sessions.len()))
    }

    /// Whether nobody listens to anything.
    pub(super) fn is_silent(&self) -> bool {
        self.channels.is_empty() && self.patterns.is_empty()
    }

    /// How many patterns someone listens to.
    pub(super) fn patterns(&self) -> usize {
        self.patterns.len()
    }
}

fn remove(map: &mut BTreeMap<Bytes, BTreeSet<SessionId>>, session: SessionId, name: &[u8]) {
    if let Some(sessions) = map.get_mut(name) {
        sessions.remove(&session);
        if sessions.is_empty() {
            map.remove(name);
        }
    }
}
