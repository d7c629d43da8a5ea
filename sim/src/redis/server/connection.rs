//! One command of one session.

use bytes::Bytes;

use super::{Delivery, Executed, Server, Session, SessionId, gate};
use crate::redis::{
    Resp,
    command::{self, Answer, Body, Call, Spec},
};

/// The session that sent a command, and the server it is connected to: what the commands about
/// connections work on.
#[derive(Debug)]
pub(in crate::redis) struct Connection<'a> {
    pub(in crate::redis) server: &'a mut Server,
    pub(in crate::redis) id: SessionId,
    pub(in crate::redis) now_us: u64,
    /// Replies before the last one.
    pub(in crate::redis) replies: Vec<Resp>,
}

impl Connection<'_> {
    pub(super) fn execute(&mut self, arguments: &[Bytes]) -> Executed {
        if arguments.first().is_some_and(|name| gate::is_http(name)) {
            self.close();
            return Executed::Replies(Vec::new());
        }
        let answer = self.dispatch(arguments);
        self.receive_published();
        let mut replies = std::mem::take(&mut self.replies);
        replies.push(answer.unwrap_or_else(|refusal| Resp::Error(refusal.0)));
        Executed::Replies(replies)
    }

    fn dispatch(&mut self, arguments: &[Bytes]) -> Answer {
        let spec = command::find(arguments).map_err(|reason| reason.refusal(arguments))?;
        gate::admit(self.session(), spec, arguments)?;
        let now_us = self.now_us;
        let session = self.session_mut();
        session.active_at_us = now_us;
        session.last_command = (command::container_of(spec, arguments), spec.name);
        self.run(spec, arguments)
    }

    /// Runs a command that was found and may be run.
    fn run(&mut self, spec: &Spec, arguments: &[Bytes]) -> Answer {
        match spec.body {
            Body::Connection(function) => function(self, arguments),
            Body::Function(_) if spec.name == "ping" && self.is_listening_only() => {
                let message = arguments.get(1).cloned().unwrap_or_default();
                Ok(Resp::Push(vec![Resp::Bulk("pong".into()), Resp::Bulk(message)]))
            }
            Body::Function(function) => {
                self.server.redis.purge(self.now_us);
                let mut call = Call { redis: &mut self.server.redis, now_us: self.now_us };
                function(&mut call, arguments)
            }
            Body::Subcommands(_) => unreachable!("a container's row is never found"),
        }
    }

    /// What a session publishes to itself comes before the reply.
    fn receive_published(&mut self) {
        self.server.deliver_published();
        if self.session().subscriptions() > 0 {
            let own = |delivery: &mut Delivery| delivery.session == self.id;
            let own = self.server.deliveries.extract_if(.., own);
            self.replies.extend(own.map(|delivery| delivery.resp));
        }
    }

    pub(in crate::redis) fn session(&self) -> &Session {
        &self.server.sessions[&self.id]
    }

    pub(in crate::redis) fn session_mut(&mut self) -> &mut Session {
        self.server.sessions.get_mut(&self.id).expect("a command comes from a session")
    }

    /// Ends the session behind its last reply.
    pub(in crate::redis) fn close(&mut self) {
        self.server.closed.push(self.id);
    }
}
