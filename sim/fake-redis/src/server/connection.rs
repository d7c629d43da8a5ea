//! One command of one session.

use bytes::Bytes;

use super::{Delivery, Server, Session, SessionId, gate, session::Silence};
use crate::{
    Resp,
    command::{Answer, Body, Call, Flags, Function, Group, Origin, Refusal, Spec, Table},
    service,
};

/// The session that sent a command, and the server it is connected to: what the commands about
/// connections work on.
#[derive(Debug)]
pub(crate) struct Connection<'a> {
    pub(crate) server: &'a mut Server,
    pub(crate) id: SessionId,
    pub(crate) now_us: u64,
    /// Every command.
    pub(crate) table: &'static Table,
    /// Replies before the last one.
    pub(crate) replies: Vec<Resp>,
    /// Whether it comes from `EXEC`, where nothing waits.
    pub(super) in_transaction: bool,
    /// Whether a command that finds nothing may begin to wait.
    pub(super) may_wait: bool,
    /// Whether the reply comes later.
    pub(super) waits: bool,
    /// Whether the session has just said that it wants replies.
    pub(crate) ends_silence: bool,
}

/// The code of a command about a connection: its arguments begin with the command's name.
#[derive(Debug)]
pub(crate) struct OnConnection(pub(crate) fn(&mut Connection<'_>, &[Bytes]) -> Answer);

impl Spec {
    pub(crate) const fn of_connection(
        group: Group,
        name: &'static str,
        arity: i32,
        code: &'static OnConnection,
        flags: Flags,
    ) -> Self {
        Self::with_body(group, name, arity, Body::Connection(code), flags)
    }
}

/// The answer to `PING` that looks like a message.
fn is_pong(resp: &Resp) -> bool {
    matches!(resp, Resp::Push(words) if words.first() == Some(&Resp::Bulk("pong".into())))
}

impl<'a> Connection<'a> {
    pub(super) fn new(
        server: &'a mut Server,
        id: SessionId,
        now_us: u64,
        table: &'static Table,
    ) -> Self {
        Self {
            server,
            id,
            now_us,
            table,
            replies: Vec::new(),
            in_transaction: false,
            may_wait: true,
            waits: false,
            ends_silence: false,
        }
    }
}

impl Connection<'_> {
    /// Runs a command, and answers it unless it is `skipped` or nothing is to be answered. Whether
    /// the replies are complete: if not, they come later.
    pub(super) fn execute(&mut self, arguments: &[Bytes], skipped: bool) -> bool {
        if arguments.first().is_some_and(|name| gate::is_http(name)) {
            self.close();
            return true;
        }
        let answer = self.dispatch(arguments);
        // Whoever wants to hear again is told so at once.
        let skipped = skipped && !std::mem::take(&mut self.ends_silence);
        self.receive_published();
        if self.waits {
            self.replies.clear();
            return false;
        }
        self.replies.push(answer.unwrap_or_else(|refusal| Resp::Error(refusal.0)));
        if skipped || self.session().silence != Silence::None {
            // What a session hears of its subscriptions is no reply.
            self.replies.retain(|resp| matches!(resp, Resp::Push(_)) && !is_pong(resp));
        }
        true
    }

    fn dispatch(&mut self, arguments: &[Bytes]) -> Answer {
        let spec = match self.accept(arguments) {
            Ok(spec) => spec,
            Err(refusal) => {
                self.note_rejection(arguments, &refusal);
                return Err(self.refuse(refusal, arguments));
            }
        };
        if self.hold_back(spec, arguments) {
            return Ok(Resp::Nil);
        }
        match self.queue(spec, arguments) {
            Ok(None) => self.run(spec, arguments),
            Ok(Some(queued)) => Ok(queued),
            Err(refusal) => {
                self.note_rejection(arguments, &refusal);
                self.spoil_transaction();
                Err(refusal)
            }
        }
    }

    /// Finds a command that may be run now, and notes it.
    fn accept(&mut self, arguments: &[Bytes]) -> Result<&'static Spec, Refusal> {
        let spec = self.table.find(arguments).map_err(|reason| reason.refusal(arguments))?;
        let now_us = self.now_us;
        let session = self.session_mut();
        gate::admit(session, spec)?;
        self.guard(spec, arguments)?;
        let session = self.session_mut();
        session.active_at_us = now_us;
        session.last_command = spec.place();
        Ok(spec)
    }

    /// Runs a command that was found and may be run.
    pub(super) fn run(&mut self, spec: &Spec, arguments: &[Bytes]) -> Answer {
        let errors = self.server.service().statistics.errors;
        self.show_script(spec, arguments);
        let answer = self.call(spec, arguments);
        self.note_run(spec, arguments, &answer, errors);
        self.show(spec, arguments);
        answer
    }

    pub(super) fn call(&mut self, spec: &Spec, arguments: &[Bytes]) -> Answer {
        match spec.body {
            Body::Connection(code) => {
                let code = code.downcast_ref::<OnConnection>();
                (code.expect("`Spec::of_connection` makes it").0)(self, arguments)
            }
            Body::Function(_)
                if spec.name == "ping" && arguments.len() <= 2 && self.is_listening_only() =>
            {
                let message = arguments.get(1).cloned().unwrap_or_default();
                Ok(Resp::Push(vec![Resp::Bulk("pong".into()), Resp::Bulk(message)]))
            }
            Body::Function(function) => self.call_on_data(spec, function, arguments),
            Body::Subcommands(_) => unreachable!("a container's row is never found"),
        }
    }

    fn call_on_data(&mut self, spec: &Spec, function: Function, arguments: &[Bytes]) -> Answer {
        let database = self.session().database;
        let (now_us, table) = (self.now_us, self.table);
        let origin = if self.may_wait { Origin::Client } else { Origin::Wait };
        let restricted = self.server.has_users() && spec.group == Group::Scripting;
        if restricted {
            self.lend_user();
        }
        let answer = self.server.lend(|redis| {
            redis.purge(now_us);
            redis.select(database);
            let mut call = Call { redis, now_us, origin, table };
            service::perform(&mut call, (spec, function), arguments)
        });
        if restricted {
            self.collect_denied();
        }
        let answer = answer?;
        let redis = &mut self.server.redis;
        let mut call = Call { redis, now_us, origin, table };
        if let Some(blocks) = spec.blocks
            && matches!(answer, Resp::Nil | Resp::NilArray)
            && self.may_wait
            && !self.in_transaction
            && let Some(wait) = blocks(&mut call, arguments)
        {
            self.wait_for_keys(wait);
            return Ok(Resp::Nil);
        }
        Ok(answer)
    }

    /// What a session publishes to itself comes before the reply.
    fn receive_published(&mut self) {
        self.server.deliver_published();
        if !self.server.deliveries.is_empty() && self.session().is_listening() {
            let own = |delivery: &mut Delivery| delivery.session == self.id;
            let own = self.server.deliveries.extract_if(.., own);
            self.replies.extend(own.map(|delivery| delivery.resp));
        }
    }

    pub(crate) fn is_in_transaction(&self) -> bool {
        self.in_transaction
    }

    pub(crate) fn session(&self) -> &Session {
        self.server.sessions.get(self.id).expect("a command comes from a session")
    }

    pub(crate) fn session_mut(&mut self) -> &mut Session {
        self.server.sessions.get_mut(self.id).expect("a command comes from a session")
    }

    /// Ends the session behind its last reply.
    pub(crate) fn close(&mut self) {
        self.server.closed.push(self.id);
    }
}
