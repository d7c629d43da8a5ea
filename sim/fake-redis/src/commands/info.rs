//! `INFO`: the server in numbers, as far as they have a meaning here.

use std::fmt::Write;

use bytes::Bytes;

use super::super::{
    Resp, VERSION,
    command::{Answer, Flags, Group, Spec},
    pubsub::Topic,
    server::{Connection, OnConnection},
    service::{BASE, CommandCounts, count},
};
use super::config::{setting, setting_number};

pub(super) const COMMANDS: &[Spec] = &[Spec::of_connection(
    Group::Server,
    "info",
    -1,
    &OnConnection(info),
    Flags::LOADING.union(Flags::STALE),
)
.about("1.0.0", "Describes the server, in sections.")];

/// A section: its name and how it is written.
type Section = (&'static str, fn(&Connection<'_>, &mut String));

const SECTIONS: [Section; 12] = [
    ("server", server),
    ("clients", clients),
    ("memory", memory),
    ("persistence", persistence),
    ("stats", stats),
    ("replication", replication),
    ("cpu", cpu),
    ("modules", modules),
    ("commandstats", command_statistics),
    ("errorstats", error_statistics),
    ("cluster", cluster),
    ("keyspace", keyspace),
];

fn info(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let asked: Vec<_> = arguments[1..].iter().map(|name| name.to_ascii_lowercase()).collect();
    let has = |wanted: &[u8]| asked.iter().any(|name| name == wanted);
    let all = has(b"all") || has(b"everything");
    let default = asked.is_empty() || has(b"default");
    let mut text = String::new();
    for (name, write) in SECTIONS {
        if all || default && name != "commandstats" || has(name.as_bytes()) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            write(connection, &mut text);
        }
    }
    Ok(Resp::Verbatim(text.into()))
}

/// Adds a line for each name and value.
macro_rules! lines {
    ($text:ident, $title:literal, $($name:literal: $value:expr),* $(,)?) => {{
        $text.push_str(concat!("# ", $title, "\r\n"));
        // Writing to a string cannot fail.
        $(let _ = write!($text, concat!($name, ":{}\r\n"), $value);)*
    }};
}

fn server(connection: &Connection<'_>, text: &mut String) {
    let settings = connection.server.settings();
    let uptime = connection.now_us.saturating_sub(settings.started_at_us) / 1_000_000;
    lines!(text, "Server",
        "redis_version": VERSION,
        "redis_git_sha1": "00000000",
        "redis_git_dirty": 0,
        "redis_build_id": "0",
        "redis_mode": "standalone",
        "os": "simulated",
        "arch_bits": 64,
        "multiplexing_api": "none",
        "process_id": 1,
        "run_id": RUN_ID,
        "tcp_port": settings.port,
        "server_time_usec": connection.now_us,
        "uptime_in_seconds": uptime,
        "uptime_in_days": uptime / 86_400,
        "hz": 10,
        "configured_hz": 10,
        "executable": "leasehold",
        "config_file": "",
        "io_threads_active": 0,
    );
}

/// A real server draws it at its start.
const RUN_ID: &str = "1ea5e401d1ea5e401d1ea5e401d1ea5e401d1ea5";

fn clients(connection: &Connection<'_>, text: &mut String) {
    let max = setting(connection.server, "maxclients");
    lines!(text, "Clients",
        "connected_clients": connection.server.sessions().count(),
        "cluster_connections": 0,
        "maxclients": String::from_utf8_lossy(&max),
        "client_recent_max_input_buffer": 0,
        "client_recent_max_output_buffer": 0,
        "blocked_clients": connection.server.blocked(),
        "tracking_clients": 0,
        "clients_in_timeout_table": 0,
    );
}

fn memory(connection: &Connection<'_>, text: &mut String) {
    let server = &connection.server;
    let keys = count(server.redis());
    let (used, peak) = server.service().memory.used(keys);
    let max = setting_number(server, "maxmemory");
    let policy = setting(server, "maxmemory-policy");
    lines!(text, "Memory",
        "used_memory": used,
        "used_memory_human": human(used),
        "used_memory_rss": used,
        "used_memory_rss_human": human(used),
        "used_memory_peak": peak,
        "used_memory_peak_human": human(peak),
        "used_memory_peak_perc": format!("{:.2}%", used as f64 / peak as f64 * 100.0),
        "used_memory_overhead": BASE,
        "used_memory_startup": BASE,
        "used_memory_dataset": keys,
        "total_system_memory": 0,
        "total_system_memory_human": "0B",
        "used_memory_lua": 0,
        "used_memory_lua_human": "0B",
        "maxmemory": max,
        "maxmemory_human": human(u64::try_from(max).unwrap_or(0)),
        "maxmemory_policy": String::from_utf8_lossy(&policy),
        "mem_fragmentation_ratio": "1.00",
        "mem_not_counted_for_evict": 0,
        "mem_allocator": "system",
        "active_defrag_running": 0,
        "lazyfree_pending_objects": 0,
        "lazyfreed_objects": 0,
    );
}

/// A number of bytes with a unit.
fn human(bytes: u64) -> String {
    let units = [(1 << 30, 'G'), (1 << 20, 'M'), (1 << 10, 'K')];
    match units.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{:.2}{unit}", bytes as f64 / *size as f64),
        None => format!("{bytes}B"),
    }
}

fn persistence(connection: &Connection<'_>, text: &mut String) {
    lines!(text, "Persistence",
        "loading": 0,
        "async_loading": 0,
        "rdb_changes_since_last_save": 0,
        "rdb_bgsave_in_progress": 0,
        "rdb_last_save_time": connection.server.settings().started_at_us / 1_000_000,
        "rdb_last_bgsave_status": "ok",
        "rdb_last_bgsave_time_sec": -1,
        "rdb_current_bgsave_time_sec": -1,
        "aof_enabled": 0,
        "aof_rewrite_in_progress": 0,
        "aof_rewrite_scheduled": 0,
        "aof_last_rewrite_time_sec": -1,
        "aof_current_rewrite_time_sec": -1,
        "aof_last_bgrewrite_status": "ok",
        "aof_last_write_status": "ok",
    );
}

fn stats(connection: &Connection<'_>, text: &mut String) {
    let (statistics, pubsub) =
        (&connection.server.service().statistics, connection.server.pubsub());
    lines!(text, "Stats",
        "total_connections_received": statistics.connections,
        "total_commands_processed": statistics.commands,
        "instantaneous_ops_per_sec": 0,
        "total_net_input_bytes": 0,
        "total_net_output_bytes": 0,
        "rejected_connections": 0,
        "sync_full": 0,
        "sync_partial_ok": 0,
        "sync_partial_err": 0,
        "expired_keys": statistics.expired,
        "evicted_keys": statistics.evicted,
        "keyspace_hits": statistics.hits,
        "keyspace_misses": statistics.misses,
        "pubsub_channels": pubsub.names(Topic::Channel).len(),
        "pubsub_patterns": pubsub.names(Topic::Pattern).len(),
        "pubsubshard_channels": pubsub.names(Topic::Shard).len(),
        "latest_fork_usec": 0,
        "total_forks": 0,
        "unexpected_error_replies": 0,
        "total_error_replies": statistics.errors,
    );
}

fn replication(connection: &Connection<'_>, text: &mut String) {
    lines!(text, "Replication",
        "role": "master",
        "connected_slaves": connection.server.replicas(),
        "master_failover_state": "no-failover",
        "master_replid": RUN_ID,
        "master_replid2": "0000000000000000000000000000000000000000",
        "master_repl_offset": 0,
        "second_repl_offset": -1,
        "repl_backlog_active": 0,
        "repl_backlog_size": 1_048_576,
        "repl_backlog_first_byte_offset": 0,
        "repl_backlog_histlen": 0,
    );
}

fn cpu(_connection: &Connection<'_>, text: &mut String) {
    lines!(text, "CPU",
        "used_cpu_sys": "0.000000",
        "used_cpu_user": "0.000000",
        "used_cpu_sys_children": "0.000000",
        "used_cpu_user_children": "0.000000",
    );
}

fn modules(_connection: &Connection<'_>, text: &mut String) {
    text.push_str("# Modules\r\n");
}

/// By the server's clock, a command takes no time.
fn command_statistics(connection: &Connection<'_>, text: &mut String) {
    text.push_str("# Commandstats\r\n");
    for ((container, name), counts) in &connection.server.service().statistics.by_command {
        let CommandCounts { calls, rejected, failed } = counts;
        let name = match container {
            Some(container) if name.is_empty() => (*container).to_owned(),
            Some(container) => format!("{container}|{name}"),
            None => (*name).to_owned(),
        };
        let _ = write!(
            text,
            "cmdstat_{name}:calls={calls},usec=0,usec_per_call=0.00,rejected_calls={rejected},\
             failed_calls={failed}\r\n"
        );
    }
}

fn error_statistics(connection: &Connection<'_>, text: &mut String) {
    text.push_str("# Errorstats\r\n");
    for (kind, count) in &connection.server.service().statistics.by_error {
        let _ = write!(text, "errorstat_{kind}:count={count}\r\n");
    }
}

fn cluster(_connection: &Connection<'_>, text: &mut String) {
    lines!(text, "Cluster", "cluster_enabled": 0);
}

fn keyspace(connection: &Connection<'_>, text: &mut String) {
    text.push_str("# Keyspace\r\n");
    for (number, keys, expires) in connection.server.database_sizes() {
        let _ = write!(text, "db{number}:keys={keys},expires={expires},avg_ttl=0\r\n");
    }
}
