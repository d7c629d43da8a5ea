//! Sets.

mod algebra;
mod some;

pub(super) use algebra::limit;

use bytes::Bytes;

use super::super::{
    Entry, Members, Resp, Value,
    command::{Answer, Call, Flags, Group, Keys, Refusal, Spec, integer, word},
    resp::count,
};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(Group::Set, "sadd", -3, sadd, Flags::FAST_GROW)
        .key("RW insert").about("1.0.0", "Adds members to a set."),
    Spec::new(Group::Set, "scard", 2, scard, Flags::FAST_READ)
        .key("RO").about("1.0.0", "Counts the members of a set."),
    Spec::new(Group::Set, "sdiff", -2, algebra::sdiff, Flags::READONLY)
        .keys(1, -1, 1).access("RO access")
        .about("1.0.0", "Lists the members of a set that others have not."),
    Spec::new(Group::Set, "sdiffstore", -3,
        |call, words| algebra::store(call, words, algebra::difference), Flags::GROW)
        .keys(1, -1, 1).access("OW update, RO access")
        .about("1.0.0", "Stores the members of a set that others have not."),
    Spec::new(Group::Set, "sinter", -2, algebra::sinter, Flags::READONLY)
        .keys(1, -1, 1).access("RO access").about("1.0.0", "Lists the members that all sets have."),
    Spec::new(Group::Set, "sintercard", -3, algebra::sintercard, Flags::READONLY)
        .keys_are(Keys::Counted { count: 1, also: None }).access("RO access")
        .about("7.0.0", "Counts the members that all sets have."),
    Spec::new(Group::Set, "sinterstore", -3,
        |call, words| algebra::store(call, words, algebra::intersection), Flags::GROW)
        .keys(1, -1, 1).access("RW update, RO access")
        .about("1.0.0", "Stores the members that all sets have."),
    Spec::new(Group::Set, "sismember", 3, sismember, Flags::FAST_READ)
        .key("RO").about("1.0.0", "Says whether a set has a member."),
    Spec::new(Group::Set, "smembers", 2, smembers, Flags::READONLY)
        .key("RO access").about("1.0.0", "Lists the members of a set."),
    Spec::new(Group::Set, "smismember", -3, smismember, Flags::FAST_READ)
        .key("RO access").about("6.2.0", "Says which members a set has."),
    Spec::new(Group::Set, "smove", 4, smove, Flags::FAST_WRITE)
        .keys(1, 2, 1).access("RW access delete, RW insert")
        .about("1.0.0", "Moves a member from one set to another."),
    Spec::new(Group::Set, "spop", -2, some::spop, Flags::FAST_WRITE)
        .key("RW access delete").about("1.0.0", "Draws members of a set and removes them."),
    Spec::new(Group::Set, "srandmember", -2, some::srandmember, Flags::READONLY)
        .key("RO access").about("1.0.0", "Draws members of a set."),
    Spec::new(Group::Set, "srem", -3, srem, Flags::FAST_WRITE)
        .key("RW delete").about("1.0.0", "Removes members from a set."),
    Spec::new(Group::Set, "sscan", -3, some::sscan, Flags::READONLY)
        .key("RO access").about("2.8.0", "Lists the members of a set in pages."),
    Spec::new(Group::Set, "sunion", -2, algebra::sunion, Flags::READONLY)
        .keys(1, -1, 1).access("RO access").about("1.0.0", "Lists the members that any set has."),
    Spec::new(Group::Set, "sunionstore", -3,
        |call, words| algebra::store(call, words, algebra::union), Flags::GROW)
        .keys(1, -1, 1).access("OW update, RO access")
        .about("1.0.0", "Stores the members that any set has."),
];

fn sadd(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let members = &arguments[2..];
    let known = call.read::<Members>(&arguments[1])?;
    if known.is_some_and(|set| members.iter().all(|member| set.contains(member))) {
        return Ok(count(0));
    }
    let added = call.change(&arguments[1], |set: &mut Members| {
        members.iter().filter(|member| set.insert(member)).count()
    })?;
    Ok(count(added))
}

fn srem(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let members = &arguments[2..];
    let has_any = |set: &Members| members.iter().any(|member| set.contains(member));
    if !call.read(&arguments[1])?.is_some_and(has_any) {
        return Ok(count(0));
    }
    let removed = call.change(&arguments[1], |set: &mut Members| {
        members.iter().filter(|member| set.remove(member)).count()
    })?;
    Ok(count(removed))
}

fn scard(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(count(call.read::<Members>(&arguments[1])?.map_or(0, Members::len)))
}

fn sismember(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let set = call.read::<Members>(&arguments[1])?;
    Ok(set.is_some_and(|set| set.contains(&arguments[2])).into())
}

fn smismember(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let set = call.read::<Members>(&arguments[1])?;
    let has = |member: &Bytes| set.is_some_and(|set| set.contains(member)).into();
    Ok(Resp::Array(arguments[2..].iter().map(has).collect()))
}

fn smembers(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let members = call.read::<Members>(&arguments[1])?.into_iter().flat_map(Members::iter);
    Ok(Resp::Set(members.cloned().map(Resp::Bulk).collect()))
}

fn smove(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let [_, source, target, member] = arguments else { return Err(Refusal::SYNTAX) };
    let Some(set) = call.read::<Members>(source)? else { return Ok(count(0)) };
    let present = set.contains(member);
    call.read::<Members>(target)?;
    if source != target && present {
        call.change(source, |set: &mut Members| set.remove(member))?;
        // Whoever watches the other set sees a change only if there is one.
        if !call.read::<Members>(target)?.is_some_and(|set| set.contains(member)) {
            call.change(target, |set: &mut Members| set.insert(member))?;
        }
    }
    Ok(present.into())
}
