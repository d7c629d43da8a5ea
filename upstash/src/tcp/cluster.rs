//! Which connection of a Cluster answered.
//!
//! The client keeps a connection to each node and makes it again unseen. But what `WAIT` says is
//! about what its own connection has written. So a grant asks the node, in the same pipeline, over
//! which connection it came, and so does the `WAIT` for it.

use std::str;

use leasehold_core::{StoreError, lock::LockKeys};
use redis::{
    Pipeline, RedisResult, Value,
    cluster_routing::{Route, SingleNodeRoutingInfo, SlotAddr},
};
use tokio::time::Instant;

use super::{
    grants::{Node, Over},
    link::{Answered, Link, Live, in_time},
    target::{Connection, Target, Words},
    wire,
};
use crate::answer::{Answer, malformed};

/// Sends a command that may grant the lock under `keys`.
pub(super) async fn send_grant(
    link: &Link,
    words: &Words,
    keys: &LockKeys,
    until: Instant,
) -> Result<Answered, StoreError> {
    let live = link.ready(until).await?;
    let replied = together(live, noted(words), keys, (link.target(), until)).await?;
    let (answer, node) = of_noted(replied, link.target())?;
    Ok(Answered { answer, over: node.map(Over::Node) })
}

/// Sends a `WAIT` for the lock under `keys` over that very connection; `None` if it came over
/// another.
pub(super) async fn send_over(
    link: &Link,
    live: Live,
    over: &Node,
    wait: &Words,
    keys: &LockKeys,
    until: Instant,
) -> Option<Result<Answer, StoreError>> {
    let replied = together(live, confirmation(wait, keys), keys, (link.target(), until)).await;
    replied.and_then(|replied| of_confirmation(replied, over, link.target())).transpose()
}

/// Sends several commands to the primary of the slot of `keys`, over one connection.
async fn together(
    live: Live,
    commands: Pipeline,
    keys: &LockKeys,
    (target, until): (&Target, Instant),
) -> Result<RedisResult<Vec<Value>>, StoreError> {
    let Connection::Cluster(mut connection) = live.connection else {
        unreachable!("only a Cluster is asked so")
    };
    let count = commands.len();
    let replies = connection.route_pipeline(commands, 0, count, primary_of(keys));
    in_time(until, Some(target), replies).await
}

/// The primary of the slot in which all keys of a lock lie.
fn primary_of(keys: &LockKeys) -> SingleNodeRoutingInfo {
    SingleNodeRoutingInfo::SpecificNode(Route::with_key(keys.lock(), SlotAddr::Master))
}

/// A command, and the question over which connection it comes.
fn noted(words: &Words) -> Pipeline {
    let Words::One(command) = words else { unreachable!("a Cluster is sent one command") };
    let mut pipeline = Pipeline::with_capacity(2);
    pipeline.cmd("CLIENT").arg("INFO");
    pipeline.add_command(command.clone());
    pipeline
}

/// What came of a command that was sent so, and over which connection, if the node says.
fn of_noted(
    replied: RedisResult<Vec<Value>>,
    target: &Target,
) -> Result<(Answer, Option<Node>), StoreError> {
    match replied {
        Ok(values) => {
            let [info, value] = expected(values)?;
            wire::answer(Ok(value), target).map(|answer| (answer, node(&info)))
        }
        Err(error) => wire::answer(Err(error), target).map(|answer| (answer, None)),
    }
}

/// A `WAIT`, the question over which connection it comes, and one whether the node still has the
/// slot: moving it carries the keys away from the replicas that acknowledged them.
fn confirmation(wait: &Words, keys: &LockKeys) -> Pipeline {
    let mut pipeline = noted(wait);
    pipeline.cmd("GET").arg(keys.lock());
    pipeline
}

/// What came of a `WAIT` that was sent so; `None` if it came over another connection.
fn of_confirmation(
    replied: RedisResult<Vec<Value>>,
    over: &Node,
    target: &Target,
) -> Result<Option<Answer>, StoreError> {
    match replied {
        Ok(values) => {
            let [info, acknowledged, holder] = expected(values)?;
            wire::answer(Ok(holder), target)?;
            let is_the_same = node(&info).as_ref() == Some(over);
            wire::answer(Ok(acknowledged), target).map(|answer| is_the_same.then_some(answer))
        }
        Err(error) => wire::answer(Err(error), target).map(Some),
    }
}

fn expected<const N: usize>(values: Vec<Value>) -> Result<[Value; N], StoreError> {
    values.try_into().map_err(|_| malformed("another number of replies than of commands"))
}

/// The connection that `CLIENT INFO` describes.
fn node(info: &Value) -> Option<Node> {
    let info = match info {
        Value::BulkString(bytes) => str::from_utf8(bytes).ok()?,
        Value::VerbatimString { text, .. } => text,
        _ => return None,
    };
    let field = |name: &str| info.split_whitespace().find(|word| word.starts_with(name));
    let fields = [field("id=")?, field("addr=")?, field("laddr=")?];
    Some(Node(fields.join(" ").into()))
}

#[cfg(test)]
mod tests {
    use redis::Client;

    use super::*;

    const INFO: &str = "id=7 addr=127.0.0.1:5 laddr=127.0.0.1:6 fd=8 name= age=0 user=default\n";

    fn target() -> Target {
        Target::Single(Client::open("redis://127.0.0.1").unwrap())
    }

    fn text(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    #[test]
    fn a_connection_is_its_number_and_both_its_ends() {
        let of = |info: &str| node(&text(info)).unwrap();
        assert_eq!(of(INFO), of(&INFO.replace("age=0", "age=9")));
        for (this, other) in [("id=7", "id=8"), (":5", ":7"), (":6", ":7")] {
            assert_ne!(of(INFO), of(&INFO.replace(this, other)), "{this}");
        }
        assert_eq!(node(&text("id=7 addr=127.0.0.1:5 fd=8")), None, "it does not say");
        assert_eq!(node(&Value::Nil), None);
    }

    #[test]
    fn another_connection_and_another_number_of_replies_confirm_nothing() {
        let over = node(&text(INFO)).unwrap();
        let told = |info: &str| {
            let values = vec![text(info), Value::Int(2), text("token")];
            of_confirmation(Ok(values), &over, &target())
        };
        assert_eq!(told(INFO), Ok(Some(Answer::Value(leasehold_core::redis::Value::Integer(2)))));
        assert_eq!(told(&INFO.replace("id=7", "id=8")), Ok(None));
        let one = of_confirmation(Ok(vec![Value::Int(2)]), &over, &target());
        assert!(matches!(one, Err(StoreError::Unknown(_))), "{one:?}");
    }
}
