//! A bug of what a claim looks at: a replica, which lags behind.

use bytes::Bytes;
use leasehold_core::{Command, debounce::DebounceCommand};

use super::Mutant;
use leasehold_fake_redis::{Redis, Replica, Resp, Value};

/// If `mutant` decides on the replica's word whether a run is due: then it is due on the primary,
/// too, whatever has come since.
pub(crate) fn decide_on_replica(
    mutant: Mutant,
    redis: &mut Redis,
    replica: Option<&Replica>,
    wall_us: u64,
    command: &Command,
) {
    let (Mutant::ReplicaDecides, Command::Debounce(DebounceCommand::Claim { keys, .. })) =
        (mutant, command)
    else {
        return;
    };
    let stale = replica.and_then(|replica| due(replica, wall_us, keys.record()));
    let Some(due) = stale.filter(|due| is_past(due, wall_us)) else { return };
    let record = Bytes::copy_from_slice(keys.record().as_bytes());
    let field = Bytes::from_static(b"due");
    let waits = [Bytes::from_static(b"HEXISTS"), record.clone(), field.clone()];
    if redis.execute(wall_us, &waits) == Resp::Integer(1) {
        let _is_due = redis.execute(wall_us, &[Bytes::from_static(b"HSET"), record, field, due]);
    }
}

/// When what waits is due, as the replica has it.
fn due(replica: &Replica, wall_us: u64, record: &str) -> Option<Bytes> {
    match &replica.keyspace.peek(wall_us / 1_000, record.as_bytes())?.value {
        Value::Hash(fields) => fields.get(b"due").cloned(),
        _ => None,
    }
}

fn is_past(due: &[u8], wall_us: u64) -> bool {
    let due = std::str::from_utf8(due).ok().and_then(|digits| digits.parse::<u64>().ok());
    due.is_some_and(|due| due <= wall_us)
}
