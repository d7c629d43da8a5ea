//! Who is connected to the servers of a cluster, for commands of the user's own.

use std::{collections::BTreeMap, mem};

use bytes::Bytes;
use leasehold_fake_redis::{Executed, Redis, Resp, Server, SessionId};

use super::users::Sent;
use crate::{history::Client, world::Message};

use super::users::Users;

/// A connection: of which client, in which life, and the how-manieth.
type Name = (Client, u32, u32);

/// The sessions of each server. The data are the world's, and lent for a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Sessions(BTreeMap<u8, OfServer>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct OfServer {
    server: Server,
    /// With how often each has broken before.
    connected: BTreeMap<Name, (u32, SessionId)>,
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
        mem::swap(of.server.redis_mut(), redis);
        redis.select(0);
        replies
    }

    /// A server has started over.
    pub(super) fn forget(&mut self, node: u8) {
        self.0.remove(&node);
    }

    /// A process has died, and its connections with it.
    pub(super) fn forget_client(&mut self, client: Client) {
        for of in self.0.values_mut() {
            let OfServer { server, connected } = of;
            connected.retain(|&(who, _, _), &mut (_, session)| {
                if who == client {
                    server.disconnect(session);
                }
                who != client
            });
        }
    }
}

impl OfServer {
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
                    Resp::NilArray
                }
            };
            replies.push(reply);
        }
        // Messages to those who listen have no way back: see `SimRedis`.
        let _nobody = (self.server.take_deliveries(), self.server.take_closed());
        replies
    }
}
