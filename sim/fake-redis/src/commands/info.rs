//! `INFO`: the server in numbers, as far as they have a meaning here.

use std::fmt::Write;

use bytes::Bytes;

use super::super::{
    Resp, VERSION,
    command::{Answer, Flags, Group, Spec},
    pubsub::Topic,
    server::Connection,
};

pub(super) const COMMANDS: &[Spec] =
    &[Spec::of_connection(Group::Server, "info", -1, info, Flags::LOADING.union(Flags::STALE))
        .about("1.0.0", "Describes the server, in sections.")];

/// A section: its name and how it is written.
type Section = (&'static str, fn(&Connection<'_>, &mut String));

const SECTIONS: [Section; 9] = [
    ("server", server),
    ("clients", clients),
    ("memory", memory),
    ("persistence", persistence),
    ("stats", stats),
    ("replication", replication),
    ("cpu", cpu),
    ("cluster", cluster),
    ("keyspace", keyspace),
];

fn info(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let asked: Vec<_> = arguments[1..].iter().map(|name| name.to_ascii_lowercase()).collect();
    let is_all = |name: &Vec<u8>| matches!(name.as_slice(), b"all" | b"default" | b"everything");
    let all = asked.is_empty() || asked.iter().any(is_all);
    let mut text = String::new();
    for (name, write) in SECTIONS {
        if all || asked.iter().any(|asked| asked == name.as_bytes()) {
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
    let max = connection.server.config("maxclients").cloned().unwrap_or_else(|| "10000".into());
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
    let max = connection.server.config("maxmemory").cloned().unwrap_or_else(|| "0".into());
    let policy = connection.server.config("maxmemory-policy").cloned();
    lines!(text, "Memory",
        "used_memory": 1_048_576,
        "used_memory_human": "1.00M",
        "used_memory_rss": 1_048_576,
        "used_memory_rss_human": "1.00M",
        "used_memory_peak": 1_048_576,
        "used_memory_peak_human": "1.00M",
        "total_system_memory": 0,
        "total_system_memory_human": "0B",
        "used_memory_lua": 0,
        "used_memory_lua_human": "0B",
        "maxmemory": String::from_utf8_lossy(&max),
        "maxmemory_policy": String::from_utf8_lossy(&policy.unwrap_or_else(|| "noeviction".into())),
        "mem_fragmentation_ratio": "1.00",
        "mem_allocator": "system",
        "active_defrag_running": 0,
        "lazyfree_pending_objects": 0,
    );
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
    let (statistics, pubsub) = (&connection.server.statistics, connection.server.pubsub());
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
        "expired_keys": 0,
        "evicted_keys": 0,
        "keyspace_hits": 0,
        "keyspace_misses": 0,
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

fn cluster(_connection: &Connection<'_>, text: &mut String) {
    lines!(text, "Cluster", "cluster_enabled": 0);
}

fn keyspace(connection: &Connection<'_>, text: &mut String) {
    text.push_str("# Keyspace\r\n");
    for (number, keys, expires) in connection.server.database_sizes() {
        let _ = write!(text, "db{number}:keys={keys},expires={expires},avg_ttl=0\r\n");
    }
}
