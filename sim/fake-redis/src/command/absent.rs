//! Commands of Redis, and of modules that Upstash has, which are not here.

use bytes::Bytes;

/// What a stock server of our version has and this one has not. A container stands for all of its
/// subcommands, `container|name` for one.
pub(crate) const ABSENT: &[&str] = &[
    "bitfield", "bitfield_ro", "bitop", "client|caching", "client|trackinginfo", "dump",
    "failover", "fcall", "fcall_ro", "function", "geoadd", "geodist", "geohash", "geopos",
    "georadius", "georadius_ro", "georadiusbymember", "georadiusbymember_ro", "geosearch",
    "geosearchstore", "latency|doctor", "latency|graph", "latency|histogram", "memory|doctor",
    "memory|malloc-stats", "memory|stats", "migrate", "module|load", "module|loadex",
    "module|unload", "pfadd", "pfcount", "pfdebug", "pfmerge", "pfselftest", "psync", "replconf",
    "restore", "restore-asking", "sync",
];

/// How the names of commands of modules begin, which a server may have beside its own.
const MODULES: &[&str] =
    &["bf.", "cf.", "cms.", "ft.", "graph.", "json.", "search.", "tdigest.", "topk.", "ts."];

/// What to tell a client that asks for a command which Redis has and this server has not.
pub(crate) fn absence(arguments: &[Bytes]) -> Option<String> {
    let [name, rest @ ..] = arguments else { return None };
    let name = String::from_utf8(name.to_ascii_lowercase()).ok()?;
    let within = |second: &Bytes| {
        let second = String::from_utf8(second.to_ascii_lowercase()).ok()?;
        Some(format!("{name}|{second}")).filter(|full| ABSENT.contains(&&**full))
    };
    let of_module = MODULES.iter().any(|module| name.starts_with(module));
    let full = if of_module || ABSENT.contains(&&*name) {
        name.clone()
    } else {
        rest.first().and_then(within)?
    };
    Some(format!(
        "ERR this fake Redis does not have '{full}': what it has not is listed under \
         'Differences from a real server' at https://docs.rs/leasehold-fake-redis"
    ))
}
