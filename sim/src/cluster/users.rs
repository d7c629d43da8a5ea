//! What runs in the world of a [`Cluster`](super::Cluster), and what it sends.

use leasehold_core::{Command, Reply, StoreError};

use crate::world;

/// The processes of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Users;

/// What a process sends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Request {
    /// A command to the store.
    Store(Command),
    /// A call to something that is no store.
    Remote,
}

/// What it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    /// By the store.
    Store(Result<Reply, StoreError>),
    /// The remote call was carried out.
    Remote,
}

pub(super) type Plan = world::Plan<Users>;
pub(super) type World = world::World<Users>;
pub(super) type Step<'a, C, W> = world::Step<'a, Users, C, W>;
pub(super) type Response = world::Response<Users>;
