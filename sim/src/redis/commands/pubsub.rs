//! Publishing, and who listens.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::super::{
    Resp,
    command::{Answer, Call, Flags, Group, Refusal, Spec, help},
    glob::matches,
    resp::count,
};

pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(
        Group::PubSub,
        "publish",
        3,
        publish,
        FLAGS.union(Flags::FAST).union(Flags::MAY_REPLICATE),
    )
    .about("2.0.0", "Sends a message to everyone who listens to a channel."),
    Spec::container(Group::PubSub, "pubsub", SUBCOMMANDS)
        .about("2.8.0", "Tells who listens to what."),
];

/// What `PUBSUB` and its subcommands share.
const FLAGS: Flags = Flags::PUBSUB.union(Flags::LOADING).union(Flags::STALE);

const SUBCOMMANDS: &[Spec] = &[
    Spec::new(Group::PubSub, "channels", -2, channels, FLAGS)
        .about("2.8.0", "Lists the channels that someone listens to."),
    Spec::new(Group::PubSub, "help", 2, help, Flags::LOADING.union(Flags::STALE))
        .about("6.2.0", "Lists the subcommands."),
    Spec::new(Group::PubSub, "numpat", 2, numpat, FLAGS)
        .about("2.8.0", "Counts the patterns that someone listens to."),
    Spec::new(Group::PubSub, "numsub", -2, numsub, FLAGS)
        .about("2.8.0", "Counts the listeners of channels."),
];

fn publish(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(count(call.redis.pubsub.publish(&arguments[1], &arguments[2])))
}

fn channels(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    if arguments.len() > 3 {
        let text =
            "ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.";
        return Err(Refusal(text.into()));
    }
    let wanted = |channel: &Bytes| arguments.get(2).is_none_or(|glob| matches(glob, channel));
    let found = call.redis.pubsub.channels().filter(|(channel, _)| wanted(channel));
    Ok(Resp::Array(found.map(|(channel, _)| Resp::Bulk(channel.clone())).collect()))
}

fn numpat(call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(count(call.redis.pubsub.patterns()))
}

fn numsub(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let listeners: BTreeMap<_, _> = call.redis.pubsub.channels().collect();
    let pair = |channel: &Bytes| {
        let number = listeners.get(channel).copied().unwrap_or(0);
        [Resp::Bulk(channel.clone()), count(number)]
    };
    Ok(Resp::Array(arguments[2..].iter().flat_map(pair).collect()))
}
