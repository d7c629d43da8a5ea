//! Publishing, and who listens.

use bytes::Bytes;

use super::super::{
    command::{Answer, Call, Flags, Group, Spec},
    resp::count,
};

pub(super) const COMMANDS: &[Spec] = &[Spec::new(
    Group::PubSub,
    "publish",
    3,
    publish,
    Flags::PUBSUB
        .union(Flags::LOADING)
        .union(Flags::STALE)
        .union(Flags::FAST)
        .union(Flags::MAY_REPLICATE),
)
.about("2.0.0", "Sends a message to everyone who listens to a channel.")];

fn publish(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(count(call.redis.pubsub.publish(&arguments[1], &arguments[2])))
}
