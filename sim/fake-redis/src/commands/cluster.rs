//! `CLUSTER` and what goes with it: as of a server without cluster support.

use bytes::Bytes;

use super::super::command::{Answer, Call, Flags, Group, Refusal, Spec};

const CONNECTION: Flags = Flags::LOADING.union(Flags::STALE).union(Flags::FAST);
const ADMIN: Flags = Flags::ADMIN.union(Flags::STALE);
const CHANGE: Flags = ADMIN.union(Flags::NO_ASYNC_LOADING);

pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(Group::Connection, "asking", 1, disabled, Flags::FAST)
        .about("3.0.0", "Refused: this is no cluster."),
    Spec::container(Group::Server, "cluster", SUBCOMMANDS)
        .about("3.0.0", "Refused: this is no cluster."),
    Spec::new(Group::Connection, "readonly", 1, disabled, CONNECTION)
        .about("3.0.0", "Refused: this is no cluster."),
    Spec::new(Group::Connection, "readwrite", 1, disabled, CONNECTION)
        .about("3.0.0", "Refused: this is no cluster."),
];

const fn row(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(Group::Server, name, arity, disabled, flags)
        .about("3.0.0", "Refused: this is no cluster.")
}

const SUBCOMMANDS: &[Spec] = &[
    row("addslots", -3, CHANGE),
    row("addslotsrange", -4, CHANGE),
    row("bumpepoch", 2, CHANGE),
    row("count-failure-reports", 3, ADMIN),
    row("countkeysinslot", 3, Flags::STALE),
    row("delslots", -3, CHANGE),
    row("delslotsrange", -4, CHANGE),
    row("failover", -2, CHANGE),
    row("flushslots", 2, CHANGE),
    row("forget", 3, CHANGE),
    row("getkeysinslot", 4, Flags::STALE),
    row("help", 2, Flags::LOADING.union(Flags::STALE)),
    row("info", 2, Flags::STALE),
    row("keyslot", 3, Flags::STALE),
    row("links", 2, Flags::STALE),
    row("meet", -4, CHANGE),
    row("myid", 2, Flags::STALE),
    row("nodes", 2, Flags::STALE),
    row("replicas", 3, ADMIN),
    row("replicate", 3, CHANGE),
    row("reset", -2, ADMIN.union(Flags::NOSCRIPT)),
    row("saveconfig", 2, CHANGE),
    row("set-config-epoch", 3, CHANGE),
    row("setslot", -4, CHANGE),
    row("shards", 2, Flags::STALE),
    row("slaves", 3, ADMIN),
    row("slots", 2, Flags::STALE),
];

fn disabled(_call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    Err(Refusal("ERR This instance has cluster support disabled".into()))
}
