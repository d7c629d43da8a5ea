//! What the settings do to a server.

use super::{
    super::super::{
        server::Server,
        service::{Limits, Policy},
        value::PieceLimits,
    },
    setting, setting_number,
};

/// Lets a server do as its settings say.
pub(super) fn apply(server: &mut Server) {
    let number = |name| setting_number(server, name);
    let size = |name| usize::try_from(number(name)).unwrap_or(usize::MAX);
    let wide = |name| u64::try_from(setting_number(server, name)).unwrap_or(u64::MAX);
    let small = |name| u32::try_from(number(name)).unwrap_or(u32::MAX);
    let limits = Limits {
        hash_entries: size("hash-max-listpack-entries"),
        hash_value: size("hash-max-listpack-value"),
        set_entries: size("set-max-intset-entries"),
        zset_entries: size("zset-max-listpack-entries"),
        zset_value: size("zset-max-listpack-value"),
    };
    let (factor, decay) = (small("lfu-log-factor"), small("lfu-decay-time"));
    let limit = u64::try_from(number("maxmemory")).unwrap_or(u64::MAX);
    let policy = Policy::parse(&setting(server, "maxmemory-policy"));
    let slow = (number("slowlog-log-slower-than"), size("slowlog-max-len"));
    let pieces = PieceLimits {
        entries: wide("stream-node-max-entries"),
        bytes: wide("stream-node-max-bytes"),
    };
    let denied = size("acllog-max-len");
    let (replicas, lag) = (size("min-replicas-to-write"), number("min-replicas-max-lag"));

    server.set_pieces(pieces);
    server.denied.most = denied;
    server.needed.replicas = replicas;
    server.needed.lag_s = u64::try_from(lag).unwrap_or(0);
    let service = server.service_mut();
    service.slow_log.slower_than_us = slow.0;
    service.slow_log.limit(slow.1);
    service.limits = limits;
    service.memory.lfu_log_factor = factor;
    service.memory.lfu_decay_minutes = decay;
    service.memory.policy = policy;
    service.memory.limit = limit;
    service.out_of_memory &= limit > 0;
    service.memory.forget();
}
