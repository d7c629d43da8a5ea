//! The table of commands on sorted sets.

use super::{
    super::super::command::{Flags, Group, Keys, Spec},
    add, algebra, pops, range, some, zcard, zmscore, zrank, zrem, zrevrank, zscore,
};

#[rustfmt::skip]
pub(in super::super) const COMMANDS: &[Spec] = &[
    Spec::new(Group::SortedSet, "bzmpop", -5, pops::bzmpop, Flags::WRITE)
        .keys_are(Keys::Counted { count: 2, also: None }).access("RW access delete")
        .blocks(pops::of_counted)
        .about("7.0.0", "Removes members from the first sorted set that has any, waiting for one."),
    Spec::new(Group::SortedSet, "bzpopmax", -3,
        |call, words| pops::pop_one(call, words, pops::End::Max),
        Flags::FAST_WRITE.union(Flags::NOSCRIPT))
        .keys(1, -2, 1).access("RW access delete").blocks(pops::of_keys)
        .about("5.0.0", "Removes the member with the highest score from the first sorted set that has any, waiting for one."),
    Spec::new(Group::SortedSet, "bzpopmin", -3,
        |call, words| pops::pop_one(call, words, pops::End::Min),
        Flags::FAST_WRITE.union(Flags::NOSCRIPT))
        .keys(1, -2, 1).access("RW access delete").blocks(pops::of_keys)
        .about("5.0.0", "Removes the member with the lowest score from the first sorted set that has any, waiting for one."),
    Spec::new(Group::SortedSet, "zadd", -4, add::zadd, Flags::FAST_GROW)
        .key("RW update").about("1.2.0", "Adds members to a sorted set, or changes their scores."),
    Spec::new(Group::SortedSet, "zcard", 2, zcard, Flags::FAST_READ)
        .key("RO").about("1.2.0", "Counts the members of a sorted set."),
    Spec::new(Group::SortedSet, "zcount", 4, range::zcount, Flags::FAST_READ)
        .key("RO access").about("2.0.0", "Counts the members within a range of scores."),
    Spec::new(Group::SortedSet, "zdiff", -3, algebra::zdiff, Flags::READONLY)
        .keys_are(Keys::Counted { count: 1, also: None }).access("RO access")
        .about("6.2.0", "Lists the members of a sorted set that others have not."),
    Spec::new(Group::SortedSet, "zdiffstore", -4, algebra::zdiffstore, Flags::GROW)
        .keys_are(Keys::Counted { count: 2, also: Some(1) }).access("OW update, RO access")
        .about("6.2.0", "Stores the members of a sorted set that others have not."),
    Spec::new(Group::SortedSet, "zincrby", 4, add::zincrby, Flags::FAST_GROW)
        .key("RW access update").about("1.2.0", "Adds to the score of a member."),
    Spec::new(Group::SortedSet, "zinter", -3, algebra::zinter, Flags::READONLY)
        .keys_are(Keys::Counted { count: 1, also: None }).access("RO access")
        .about("6.2.0", "Lists the members that all sorted sets have."),
    Spec::new(Group::SortedSet, "zintercard", -3, algebra::zintercard, Flags::READONLY)
        .keys_are(Keys::Counted { count: 1, also: None }).access("RO access")
        .about("7.0.0", "Counts the members that all sorted sets have."),
    Spec::new(Group::SortedSet, "zinterstore", -4, algebra::zinterstore, Flags::GROW)
        .keys_are(Keys::Counted { count: 2, also: Some(1) }).access("OW update, RO access")
        .about("2.0.0", "Stores the members that all sorted sets have."),
    Spec::new(Group::SortedSet, "zlexcount", 4, range::zlexcount, Flags::FAST_READ)
        .key("RO access").about("2.8.9", "Counts the members within a range of names."),
    Spec::new(Group::SortedSet, "zmpop", -4, pops::zmpop, Flags::WRITE)
        .keys_are(Keys::Counted { count: 1, also: None }).access("RW access delete")
        .about("7.0.0", "Removes members from the first sorted set that has any."),
    Spec::new(Group::SortedSet, "zmscore", -3, zmscore, Flags::FAST_READ)
        .key("RO access").about("6.2.0", "Answers with the scores of several members."),
    Spec::new(Group::SortedSet, "zpopmax", -2, |call, words| pops::pop(call, words, pops::End::Max),
        Flags::FAST_WRITE)
        .key("RW access delete").about("5.0.0", "Removes the members with the highest scores."),
    Spec::new(Group::SortedSet, "zpopmin", -2, |call, words| pops::pop(call, words, pops::End::Min),
        Flags::FAST_WRITE)
        .key("RW access delete").about("5.0.0", "Removes the members with the lowest scores."),
    Spec::new(Group::SortedSet, "zrandmember", -2, some::zrandmember, Flags::READONLY)
        .key("RO access").about("6.2.0", "Draws members of a sorted set."),
    Spec::new(Group::SortedSet, "zrange", -4, range::zrange, Flags::READONLY)
        .key("RO access").about("1.2.0", "Lists the members of a range."),
    Spec::new(Group::SortedSet, "zrangebylex", -4, range::zrangebylex, Flags::READONLY)
        .key("RO access").about("2.8.9", "Lists the members within a range of names."),
    Spec::new(Group::SortedSet, "zrangebyscore", -4, range::zrangebyscore, Flags::READONLY)
        .key("RO access").about("1.0.5", "Lists the members within a range of scores."),
    Spec::new(Group::SortedSet, "zrangestore", -5, range::zrangestore, Flags::GROW)
        .keys(1, 2, 1).access("OW update, RO access")
        .about("6.2.0", "Stores the members of a range."),
    Spec::new(Group::SortedSet, "zrank", 3, zrank, Flags::FAST_READ)
        .key("RO access").about("2.0.0", "Tells the place of a member, from the lowest score."),
    Spec::new(Group::SortedSet, "zrem", -3, zrem, Flags::FAST_WRITE)
        .key("RW delete").about("1.2.0", "Removes members from a sorted set."),
    Spec::new(Group::SortedSet, "zremrangebylex", 4, range::zremrangebylex, Flags::WRITE)
        .key("RW delete").about("2.8.9", "Removes the members within a range of names."),
    Spec::new(Group::SortedSet, "zremrangebyrank", 4, range::zremrangebyrank, Flags::WRITE)
        .key("RW delete").about("2.0.0", "Removes the members within a range of places."),
    Spec::new(Group::SortedSet, "zremrangebyscore", 4, range::zremrangebyscore, Flags::WRITE)
        .key("RW delete").about("1.2.0", "Removes the members within a range of scores."),
    Spec::new(Group::SortedSet, "zrevrange", -4, range::zrevrange, Flags::READONLY)
        .key("RO access").about("1.2.0", "Lists the members of a range, highest score first."),
    Spec::new(Group::SortedSet, "zrevrangebylex", -4, range::zrevrangebylex, Flags::READONLY)
        .key("RO access")
        .about("2.8.9", "Lists the members within a range of names, last name first."),
    Spec::new(Group::SortedSet, "zrevrangebyscore", -4, range::zrevrangebyscore, Flags::READONLY)
        .key("RO access")
        .about("2.2.0", "Lists the members within a range of scores, highest first."),
    Spec::new(Group::SortedSet, "zrevrank", 3, zrevrank, Flags::FAST_READ)
        .key("RO access").about("2.0.0", "Tells the place of a member, from the highest score."),
    Spec::new(Group::SortedSet, "zscan", -3, some::zscan, Flags::READONLY)
        .key("RO access").about("2.8.0", "Lists the members of a sorted set in pages."),
    Spec::new(Group::SortedSet, "zscore", 3, zscore, Flags::FAST_READ)
        .key("RO access").about("1.2.0", "Answers with the score of a member."),
    Spec::new(Group::SortedSet, "zunion", -3, algebra::zunion, Flags::READONLY)
        .keys_are(Keys::Counted { count: 1, also: None }).access("RO access")
        .about("6.2.0", "Lists the members that any sorted set has."),
    Spec::new(Group::SortedSet, "zunionstore", -4, algebra::zunionstore, Flags::GROW)
        .keys_are(Keys::Counted { count: 2, also: Some(1) }).access("OW update, RO access")
        .about("2.0.0", "Stores the members that any sorted set has."),
];
