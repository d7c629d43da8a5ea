//! Transactions: commands that wait for `EXEC`.

use bytes::Bytes;

use super::Connection;
use crate::{
    Resp,
    command::{Answer, Flags, Refusal, Spec},
};

/// What a session has queued since `MULTI`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Transaction {
    pub(crate) queue: Vec<Vec<Bytes>>,
    /// About how many bytes the queue takes.
    size: usize,
    /// A command was refused, so that none will be run.
    pub(super) spoilt: bool,
}

/// How many bytes a session may queue, `client-query-buffer-limit` of Redis. Beyond it, the session
/// is ended.
const QUEUE_MAX: usize = 1 << 30;

/// What is not queued but run at once.
const AT_ONCE: [&str; 6] = ["discard", "exec", "multi", "quit", "reset", "watch"];

impl super::Session {
    /// Has the transaction that is open, if one is, not run.
    pub(super) fn spoil_transaction(&mut self) {
        if let Some(transaction) = &mut self.transaction {
            transaction.spoilt = true;
        }
    }
}

impl Connection<'_> {
    /// Queues a command if a transaction is open, and answers that.
    pub(super) fn queue(
        &mut self,
        spec: &Spec,
        arguments: &[Bytes],
    ) -> Result<Option<Resp>, Refusal> {
        let Some(transaction) = &mut self.session_mut().transaction else { return Ok(None) };
        if spec.flags.contains(Flags::NO_MULTI) {
            return Err(Refusal("ERR Command not allowed inside a transaction".into()));
        }
        let is_subcommand = spec.container.is_some();
        if AT_ONCE.contains(&spec.name) && !is_subcommand {
            return Ok(None);
        }
        transaction.size += arguments.iter().map(|it| it.len() + size_of::<Bytes>()).sum::<usize>();
        if transaction.size > QUEUE_MAX {
            self.session_mut().transaction = None;
            self.close();
            return Err(Refusal("ERR Too much is queued in the transaction".into()));
        }
        transaction.queue.push(arguments.to_vec());
        Ok(Some(Resp::Simple("QUEUED".into())))
    }

    /// What to say of a command that was refused before it was run. An `EXEC` ends the transaction
    /// even so.
    pub(super) fn refuse(&mut self, refusal: Refusal, arguments: &[Bytes]) -> Refusal {
        let is_exec = arguments.first().is_some_and(|name| name.eq_ignore_ascii_case(b"exec"));
        if !is_exec {
            self.spoil_transaction();
            return refusal;
        }
        self.session_mut().transaction = None;
        self.unwatch();
        self.show_refused_exec(arguments);
        let reason = refusal.0.strip_prefix("ERR ").unwrap_or(&refusal.0);
        Refusal(format!("EXECABORT Transaction discarded because of: {reason}").into())
    }

    /// After a command was refused before it was run.
    pub(super) fn spoil_transaction(&mut self) {
        self.session_mut().spoil_transaction();
    }

    /// Runs what was queued, unless something was refused or a watched key has changed.
    pub(crate) fn exec(&mut self) -> Answer {
        let transaction = self.session_mut().transaction.take();
        let transaction = transaction.ok_or_else(|| Refusal("ERR EXEC without MULTI".into()))?;
        let changed = self.is_watch_touched();
        self.unwatch();
        if transaction.spoilt {
            let text = "EXECABORT Transaction discarded because of previous errors.";
            return Err(Refusal(text.into()));
        }
        if changed {
            return Ok(Resp::NilArray);
        }
        let before = std::mem::take(&mut self.replies);
        self.in_transaction = true;
        for arguments in &transaction.queue {
            let answer = self.run_queued(arguments);
            self.replies.push(answer.unwrap_or_else(|refusal| Resp::Error(refusal.0)));
        }
        self.in_transaction = false;
        Ok(Resp::Array(std::mem::replace(&mut self.replies, before)))
    }

    fn run_queued(&mut self, arguments: &[Bytes]) -> Answer {
        let spec = self.table.find(arguments).map_err(|reason| reason.refusal(arguments))?;
        if self.server.has_users() {
            self.check_user(spec, arguments)?;
        }
        self.run(spec, arguments)
    }
}
