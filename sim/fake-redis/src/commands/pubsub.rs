//! Publishing, and who listens.

use bytes::Bytes;

use super::super::{
    Resp,
    command::{Answer, Call, Flags, Group, Keys, Refusal, Spec},
    glob::matches,
    pubsub::Topic,
    resp::{count, text_of},
    server::{Connection, OnConnection},
};

const LISTEN: Flags =
    Flags::PUBSUB.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE);
const LOOK: Flags = Flags::PUBSUB.union(Flags::LOADING).union(Flags::STALE);

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::of_connection(Group::PubSub, "psubscribe", -2, &OnConnection(psubscribe), LISTEN)
        .about("2.0.0", "Listens to the channels whose names match patterns."),
    Spec::new(Group::PubSub, "publish", 3, publish,
        LOOK.union(Flags::FAST).union(Flags::MAY_REPLICATE))
        .about("2.0.0", "Sends a message to everyone who listens to a channel."),
    Spec::container(Group::PubSub, "pubsub", SUBCOMMANDS).about("2.8.0", "Who listens to what."),
    Spec::of_connection(Group::PubSub, "punsubscribe", -1,
        &OnConnection(|connection, words| Ok(stop(connection, Topic::Pattern, &words[1..]))),
        LISTEN)
        .about("2.0.0", "Listens to patterns no more."),
    Spec::new(Group::PubSub, "spublish", 3, publish_in_shard,
        LOOK.union(Flags::FAST).union(Flags::MAY_REPLICATE))
        .keys_are(Keys::Hashed { first: 1, last: 1 }).access("not_key")
        .about("7.0.0", "Sends a message to everyone who listens to a shard channel."),
    Spec::of_connection(Group::PubSub, "ssubscribe", -2, &OnConnection(subscribe_in_shard), LISTEN)
        .keys_are(Keys::Hashed { first: 1, last: -1 }).access("not_key")
        .about("7.0.0", "Listens to shard channels."),
    Spec::of_connection(Group::PubSub, "subscribe", -2, &OnConnection(subscribe), LISTEN)
        .about("2.0.0", "Listens to channels."),
    Spec::of_connection(Group::PubSub, "sunsubscribe", -1,
        &OnConnection(|connection, words| Ok(stop(connection, Topic::Shard, &words[1..]))), LISTEN)
        .keys_are(Keys::Hashed { first: 1, last: -1 }).access("not_key")
        .about("7.0.0", "Listens to shard channels no more."),
    Spec::of_connection(Group::PubSub, "unsubscribe", -1,
        &OnConnection(|connection, words| Ok(stop(connection, Topic::Channel, &words[1..]))),
        LISTEN)
        .about("2.0.0", "Listens to channels no more."),
];

#[rustfmt::skip]
const SUBCOMMANDS: &[Spec] = &[
    Spec::new(Group::PubSub, "channels", -2, |call, words| names(call, Topic::Channel, words), LOOK)
        .about("2.8.0", "Lists the channels that someone listens to."),
    Spec::help(Group::PubSub, "6.2.0"),
    Spec::new(Group::PubSub, "numpat", 2, number_of_patterns, LOOK)
        .about("2.8.0", "Counts the patterns that someone listens to."),
    Spec::new(Group::PubSub, "numsub", -2, numbers_of_subscribers, LOOK)
        .about("2.8.0", "Counts who listens to channels."),
    Spec::new(Group::PubSub, "shardchannels", -2, |call, words| names(call, Topic::Shard, words),
        LOOK)
        .about("7.0.0", "Lists the shard channels that someone listens to."),
    Spec::new(Group::PubSub, "shardnumsub", -2, numbers_of_shard_subscribers, LOOK)
        .about("7.0.0", "Counts who listens to shard channels."),
];

fn publish(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(count(call.redis.pubsub.publish(&arguments[1], &arguments[2])))
}

fn publish_in_shard(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(count(call.redis.pubsub.publish_in_shard(&arguments[1], &arguments[2])))
}

fn subscribe(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    arguments[1..].iter().for_each(|name| connection.subscribe(Topic::Channel, name));
    Ok(last_reply(connection))
}

fn psubscribe(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    arguments[1..].iter().for_each(|name| connection.subscribe(Topic::Pattern, name));
    Ok(last_reply(connection))
}

fn subscribe_in_shard(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    if connection.is_in_transaction() {
        return Err(Refusal("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client".into()));
    }
    arguments[1..].iter().for_each(|name| connection.subscribe(Topic::Shard, name));
    Ok(last_reply(connection))
}

fn stop(connection: &mut Connection<'_>, topic: Topic, names: &[Bytes]) -> Resp {
    if names.is_empty() {
        connection.unsubscribe_all(topic);
    }
    names.iter().for_each(|name| connection.unsubscribe(topic, name));
    last_reply(connection)
}

fn last_reply(connection: &mut Connection<'_>) -> Resp {
    connection.replies.pop().expect("each name is confirmed, and no name once")
}

fn names(call: &Call<'_>, topic: Topic, arguments: &[Bytes]) -> Answer {
    let pattern = match &arguments[2..] {
        [] => None,
        [pattern] => Some(pattern),
        _ => {
            let name = text_of(&arguments[1]);
            let text = format!(
                "ERR unknown subcommand or wrong number of arguments for '{name}'. Try PUBSUB HELP."
            );
            return Err(Refusal(text.into()));
        }
    };
    let wanted = |name: &&Bytes| pattern.is_none_or(|pattern| matches(pattern, name));
    let names = call.redis.pubsub.names(topic).filter(wanted);
    Ok(Resp::Array(names.cloned().map(Resp::Bulk).collect()))
}

fn number_of_patterns(call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(count(call.redis.pubsub.names(Topic::Pattern).len()))
}

fn numbers_of_subscribers(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(numbers(call, Topic::Channel, &arguments[2..]))
}

fn numbers_of_shard_subscribers(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(numbers(call, Topic::Shard, &arguments[2..]))
}

fn numbers(call: &Call<'_>, topic: Topic, names: &[Bytes]) -> Resp {
    let number = |name: &Bytes| count(call.redis.pubsub.listeners(topic, name));
    Resp::Array(names.iter().flat_map(|name| [Resp::Bulk(name.clone()), number(name)]).collect())
}
