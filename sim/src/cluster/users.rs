//! What runs in the world of a [`Cluster`](super::Cluster), and what it sends.

use std::{error, fmt};

use bytes::Bytes;
use leasehold_core::{Command, Reply, StoreError};
use leasehold_fake_redis::Resp;

use crate::world::{self, Wait};

/// The processes of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Users;

/// What a process sends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Request {
    /// A command to the store.
    Store(Command),
    /// To be told of what is published on a channel, under this number.
    Subscribe { channel: String, number: u32 },
    /// Commands of its own to the server.
    Redis(Box<Sent>),
    /// A call to something that is no store.
    Remote,
}

/// What it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    /// By the store.
    Store(Result<Reply, StoreError>),
    /// The subscription is in place.
    Subscribed,
    /// By the server, one reply for each command.
    Redis(Vec<Resp>),
    /// The remote call was carried out.
    Remote,
}

/// What a process sends together over one of its connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sent {
    /// The number of the connection, among those of one life of the process.
    pub(crate) connection: u32,
    /// How often it has broken before.
    pub(crate) broken: u32,
    pub(crate) commands: Vec<Vec<Bytes>>,
}

impl Sent {
    /// What it waits for, if it is a `WAIT` by itself.
    pub(super) fn wait(&self) -> Option<Wait<Users>> {
        let [words] = &self.commands[..] else { return None };
        let [name, replicas, timeout_ms] = &words[..] else { return None };
        if !name.eq_ignore_ascii_case(b"WAIT") {
            return None;
        }
        let replicas = str::from_utf8(replicas).ok()?.parse().ok()?;
        let timeout_ms: u64 = str::from_utf8(timeout_ms).ok()?.parse().ok()?;
        // As good as for ever, which is what 0 means.
        let timeout_ms = if timeout_ms == 0 { u64::MAX } else { timeout_ms }.min(u64::MAX >> 20);
        let answer = |replicas: u32| Answer::Redis(vec![Resp::Integer(replicas.into())]);
        Some(Wait { replicas, timeout_ms, answer })
    }
}

/// Why a command has no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisError {
    /// Nobody listens: it was not executed.
    Refused,
    /// The connection broke. It may have been executed, or may yet be.
    Broken,
    /// There was no reply in time. It may have been executed, or may yet be.
    TimedOut,
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "the connection was refused: the command was not executed",
            Self::Broken => {
                "the connection broke: the command may have been executed, or may yet be"
            }
            Self::TimedOut => "no reply in time: the command may have been executed, or may yet be",
        })
    }
}

impl error::Error for RedisError {}

pub(super) type Plan = world::Plan<Users>;
pub(super) type World = world::World<Users>;
pub(super) type Step<'a, C, W> = world::Step<'a, Users, C, W>;
pub(super) type Response = world::Response<Users>;
