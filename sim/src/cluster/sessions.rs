//! Who is connected to the servers of a cluster: for commands of the user's own, and to be told of
//! releases.

use std::{collections::BTreeMap, mem};

use bytes::Bytes;
use leasehold_core::{Command, Reply, StoreError};
use leasehold_fake_redis::{Delivery, Engine, Executed, Redis, Resp, Server, SessionId};

use super::users::Sent;
use crate::{history::Client, world::Message};

use super::users::Users;

/// A connection: of which client, in which life, and its number there.
type Name = (Client, u32, u32);

/// A subscription: of which client, and its number among those of all its lives.
pub(super) type Listener = (Client, u32);

/// The sessions of each server. The data are the world's, and lent for a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Sessions(BTreeMap<u8, OfServer>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct OfServer {
    server: Server,
    /// With how often each has broken before.
    connected: BTreeMap<Name, (u32, SessionId)>,
    /// Who is told of releases.
    listening: BTreeMap<SessionId, Listener>,
    /// Who is to be told of one.
    told: Vec<Listener>,
}

impl Sessions {
    /// Runs what was sent together, at one instant.
    pub(super) fn run(
        &mut self,
        redis: &mut Redis,
        now_us: u64,
        message: &Message<Users>,
        sent: &Sent,
    ) -> Vec<Resp> {
        let of = self.0.entry(message.node).or_default();
        mem::swap(of.server.redis_mut(), redis);
        let name = (message.client, message.life, sent.connection);
        let session = of.session(name, sent.broken);
        let replies = if message.number() == 0 {
            of.execute(now_us, session, &sent.commands)
        } else {
            // A copy comes by a connection of its own, so that it does not end a transaction.
            let copy = of.server.connect();
            let replies = of.execute(now_us, copy, &sent.commands);
            of.server.disconnect(copy);
            replies
        };
        of.note_told();
        mem::swap(of.server.redis_mut(), redis);
        redis.select(0);
        replies
    }

    /// Applies a command to a store.
    pub(super) fn apply(
        &mut self,
        redis: &mut Redis,
        now_us: u64,
        node: u8,
        command: &Command,
    ) -> Result<Reply, StoreError> {
        let Some(of) = self.0.get_mut(&node).filter(|of| !of.listening.is_empty()) else {
            return redis.apply(now_us, command, Engine::Native);
        };
        mem::swap(of.server.redis_mut(), redis);
        let reply = of.server.apply(now_us, command, Engine::Native);
        of.note_told();
        mem::swap(of.server.redis_mut(), redis);
        reply
    }

    /// From now on `listener` is told of what is published on `channel`. Once is as good as twice.
    pub(super) fn subscribe(
        &mut self,
        redis: &mut Redis,
        (now_us, node): (u64, u8),
        listener: Listener,
        channel: &str,
    ) {
        let of = self.0.entry(node).or_default();
        if of.listening.values().any(|known| *known == listener) {
            return;
        }
        mem::swap(of.server.redis_mut(), redis);
        let session = of.server.connect();
        let words = [Bytes::from_static(b"SUBSCRIBE"), Bytes::copy_from_slice(channel.as_bytes())];
        let _confirmed = of.server.execute(now_us, session, &words);
        of.listening.insert(session, listener);
        mem::swap(of.server.redis_mut(), redis);
    }

    /// `listener` listens no more.
    pub(super) fn unsubscribe(&mut self, redis: &mut Redis, node: u8, listener: Listener) {
        let Some(of) = self.0.get_mut(&node) else { return };
        mem::swap(of.server.redis_mut(), redis);
        of.hang_up(|known| known == listener);
        mem::swap(of.server.redis_mut(), redis);
    }

    /// Who is to be told of a release by server number `node`.
    pub(super) fn take_told(&mut self, node: u8) -> Vec<Listener> {
        self.0.get_mut(&node).map_or_else(Vec::new, |of| mem::take(&mut of.told))
    }

    /// A server has started over.
    pub(super) fn forget(&mut self, node: u8) {
        self.0.remove(&node);
    }

    /// A process has died, and its connections with it.
    pub(super) fn forget_client(&mut self, redis: &mut [&mut Redis], client: Client) {
        for (node, of) in &mut self.0 {
            let Some(redis) = redis.get_mut(usize::from(*node)) else { continue };
            mem::swap(of.server.redis_mut(), redis);
            of.hang_up(|(who, _)| who == client);
            let OfServer { server, connected, .. } = of;
            connected.retain(|&(who, _, _), &mut (_, session)| {
                if who == client {
                    server.disconnect(session);
                }
                who != client
            });
            mem::swap(of.server.redis_mut(), redis);
        }
    }
}

impl OfServer {
    /// Ends the subscriptions that are meant.
    fn hang_up(&mut self, is_meant: impl Fn(Listener) -> bool) {
        let Self { server, listening, .. } = self;
        listening.retain(|&session, &mut listener| {
            let ends = is_meant(listener);
            if ends {
                server.disconnect(session);
            }
            !ends
        });
    }

    /// Notes for whom something was published.
    fn note_told(&mut self) {
        let Self { server, listening, told, .. } = self;
        let deliveries = server.take_deliveries();
        told.extend(deliveries.iter().filter_map(|it: &Delivery| listening.get(&it.session)));
    }

    fn session(&mut self, name: Name, broken: u32) -> SessionId {
        match self.connected.get(&name) {
            Some(&(before, session)) if before == broken => return session,
            Some(&(_, session)) => self.server.disconnect(session),
            None => {}
        }
        let session = self.server.connect();
        self.connected.insert(name, (broken, session));
        session
    }

    fn execute(&mut self, now_us: u64, session: SessionId, commands: &[Vec<Bytes>]) -> Vec<Resp> {
        let mut session = session;
        let mut replies = Vec::with_capacity(commands.len());
        for words in commands {
            let reply = match self.server.execute(now_us, session, words) {
                Executed::Replies(mut all) => all.pop().unwrap_or(Resp::Nil),
                Executed::Blocked => {
                    // As if its time had run out: the session goes on.
                    let fresh = self.server.connect();
                    self.server.disconnect(session);
                    for known in self.connected.values_mut().filter(|(_, known)| *known == session)
                    {
                        known.1 = fresh;
                    }
                    session = fresh;
                    let waits =
                        words.first().is_some_and(|name| name.eq_ignore_ascii_case(b"WAIT"));
                    if waits { Resp::Integer(0) } else { Resp::NilArray }
                }
            };
            replies.push(reply);
        }
        // Messages to its own sessions have no way back: see `SimRedis`.
        let _nobody = self.server.take_closed();
        replies
    }
}
