//! What a server does around commands: it refuses some, counts all, and lends the data what it
//! keeps beside them.

use std::sync::LazyLock;

use bytes::Bytes;
use leasehold_core::{Command, Reply, StoreError};

use super::{Connection, Server};
use crate::{
    Engine, Memory, OUT_OF_MEMORY, Redis, Resp,
    command::{Answer, Flags, Group, Refusal, Spec},
    service::{Service, TOO_FEW_REPLICAS},
};

/// How many replicas must have writes soon: `min-replicas-to-write`, and within how many seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Needed {
    pub(crate) replicas: usize,
    pub(crate) lag_s: u64,
}

impl Server {
    /// What is kept beside the data.
    pub(crate) fn service(&self) -> &Service {
        static NONE: LazyLock<Service> = LazyLock::new(Service::default);
        self.service.as_deref().unwrap_or(&NONE)
    }

    /// The same, to be changed.
    pub(crate) fn service_mut(&mut self) -> &mut Service {
        self.service.get_or_insert_default()
    }

    /// Lets `work` have the data, with what is kept beside them.
    pub(crate) fn lend<R>(&mut self, work: impl FnOnce(&mut Redis) -> R) -> R {
        self.service.get_or_insert_default();
        self.redis.service = self.service.take();
        let result = work(&mut self.redis);
        self.service = self.redis.service.take();
        result
    }

    /// Applies a command of Leasehold, as [`Redis::apply`], by the server's settings.
    ///
    /// # Errors
    ///
    /// What the server's refusal means.
    pub fn apply(
        &mut self,
        now_us: u64,
        command: &Command,
        engine: Engine,
    ) -> Result<Reply, StoreError> {
        let limited = self.service().memory.limit > 0;
        let told = self.service().classes.any();
        if !limited && !told && self.needed.replicas == 0 {
            return self.redis_mut().apply(now_us, command, engine);
        }
        let too_few = self.has_too_few_replicas();
        let full = self.lend(|redis| redis.is_out_of_memory(now_us));
        let service = self.service_mut();
        (service.out_of_memory, service.too_few_replicas) = (full, too_few);
        // What a twin does is not told and not counted.
        self.lend(|redis| redis.apply(now_us, command, Engine::Lua))
    }

    /// Whether it depends on the memory what may run.
    fn is_limited(&self) -> bool {
        self.service().memory.limit > 0 || self.redis.memory != Memory::Free
    }

    pub(super) fn has_too_few_replicas(&self) -> bool {
        let Needed { replicas, lag_s } = self.needed;
        let good = self.replication.lag_us <= lag_s.saturating_mul(1_000_000);
        let good = if good { self.replicas() } else { 0 };
        replicas > 0 && lag_s > 0 && good < replicas
    }
}

impl Connection<'_> {
    /// Refuses a command that the user may not run, for which there is no memory, or which too few
    /// replicas would have.
    pub(super) fn guard(&mut self, spec: &Spec, arguments: &[Bytes]) -> Result<(), Refusal> {
        if self.server.acl.is_some() {
            self.check_user(spec, arguments)?;
        }
        if self.server.is_limited() {
            self.check_memory(spec)?;
        } else if self.server.service().out_of_memory {
            self.server.service_mut().out_of_memory = false;
        }
        if self.server.needed.replicas > 0 {
            let too_few = self.server.has_too_few_replicas();
            self.server.service_mut().too_few_replicas = too_few;
            if too_few && self.any_is(spec, Flags::WRITE) {
                return Err(Refusal(TOO_FEW_REPLICAS.into()));
            }
        } else if self.server.service().too_few_replicas {
            self.server.service_mut().too_few_replicas = false;
        }
        Ok(())
    }

    fn check_memory(&mut self, spec: &Spec) -> Result<(), Refusal> {
        let now_us = self.now_us;
        let full = self.server.lend(|redis| redis.is_out_of_memory(now_us));
        self.server.service_mut().out_of_memory = full;
        let is_subcommand = spec.container.is_some();
        let ends = matches!(spec.name, "exec" | "discard" | "quit" | "reset") && !is_subcommand;
        let queues = self.session().transaction.is_some() && !ends;
        if full && (queues || self.any_is(spec, Flags::DENYOOM)) {
            return Err(Refusal(OUT_OF_MEMORY.into()));
        }
        Ok(())
    }

    /// Whether a command, or one that `EXEC` would run, has a flag.
    fn any_is(&self, spec: &Spec, flag: Flags) -> bool {
        let queued = self.session().transaction.as_ref().filter(|_| spec.name == "exec");
        let mut queue = queued.into_iter().flat_map(|transaction| &transaction.queue);
        let has = |spec: &Spec| spec.flags.contains(flag);
        has(spec) || queue.any(|arguments| self.table.find(arguments).is_ok_and(has))
    }

    /// Counts a command that was refused before it was run.
    pub(super) fn note_rejection(&mut self, arguments: &[Bytes], refusal: &Refusal) {
        let found = self.table.find_by_name(arguments);
        let statistics = &mut self.server.service_mut().statistics;
        if let Ok(spec) = found {
            statistics.note_rejection(spec.place());
        }
        statistics.note_error(&refusal.0);
    }

    /// Counts a command that was run. `errors` is how many were counted before it.
    pub(super) fn note_run(
        &mut self,
        spec: &Spec,
        arguments: &[Bytes],
        answer: &Answer,
        errors: u64,
    ) {
        let error = match answer {
            Err(refusal) => Some(&*refusal.0),
            // Of a script that answers with it.
            Ok(Resp::Error(text)) => Some(&**text),
            Ok(_) => None,
        };
        let statistics = &mut self.server.service_mut().statistics;
        statistics.note_call(spec.place(), error.is_some());
        // A script fails by the error of one of its commands, which was counted.
        let counted = spec.group == Group::Scripting && statistics.errors > errors;
        if let Some(text) = error
            && !counted
        {
            statistics.note_error(text);
        }
        if self.server.service().slow_log.wants(0) && !self.waits {
            self.note_slow(spec, arguments, 0);
        }
    }
}
