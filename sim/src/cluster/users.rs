//! What runs in the world of a [`Cluster`](super::Cluster): users' processes, whose futures are
//! elsewhere, and what they send.

use leasehold_core::{
    Command, Reply, StoreError,
    lock::{LockCommand, LockReply},
};
use leasehold_fake_redis::Engine;

use super::{guest::Guest, runtime};
use crate::{
    decide::Chance,
    faults,
    history::{Act, Client, Event},
    world::{self, Message, System, Wait, Watch},
};

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

impl System for Users {
    type Program = Guest;
    type Request = Request;
    type Response = Answer;
    type Write = ();
    type Shared = ();
    type Faults = faults::All;

    fn program(_plan: &Plan, _client: Client) -> Guest {
        Guest
    }

    fn shared(_plan: &Plan) {}

    fn sent(client: Client, call: u32, _request: &Request) -> Event {
        Event::Sent { client, call, act: Act::Other, token: None }
    }

    fn apply<C: Chance, W: Watch>(
        step: &mut Step<'_, C, W>,
        message: &Message<Self>,
        request: &Request,
    ) -> Answer {
        let Message { client, call, copy, node, .. } = *message;
        let now = step.now();
        let (act, behalf, lease) = (Act::Other, None, 0);
        step.tell(Event::Applied { client, call, copy, act, behalf, lease });
        match request {
            Request::Store(command) => {
                let server = step.server(node);
                let wall = server.wall(now);
                Answer::Store(server.redis.apply(wall, command, Engine::Native))
            }
            Request::Remote => {
                runtime::arrive(client, call, now);
                Answer::Remote
            }
        }
    }

    fn written<C: Chance, W: Watch>(_step: &mut Step<'_, C, W>, _client: Client, (): ()) {}

    fn wait(request: &Request) -> Option<Wait<Self>> {
        let Request::Store(Command::Lock(command)) = request else { return None };
        let LockCommand::Confirm { replicas, timeout_ms, .. } = *command else { return None };
        let answer = |replicas| Answer::Store(Ok(Reply::Lock(LockReply::Confirmed { replicas })));
        Some(Wait { replicas, timeout_ms, answer })
    }

    fn is_remote(request: &Request) -> bool {
        *request == Request::Remote
    }
}
