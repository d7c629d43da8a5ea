//! What was delivered and not acknowledged.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    Answer, Call, EntryId, Refusal, Resp, Stream, count, identifier, integer, no_group, parse_id,
    range_begin, range_end, word,
};
use crate::ConsumerGroup;

pub(super) fn xack(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (key, name) = (&arguments[1], &arguments[2]);
    let group = call.read::<Stream>(key)?.and_then(|stream| stream.groups.get(name));
    let Some(group) = group else { return Ok(count(0)) };
    let ids = arguments[3..].iter().map(|id| parse_id(id, 0)).collect::<Result<Vec<_>, _>>()?;
    if !ids.iter().any(|id| group.pending.contains_key(id)) {
        return Ok(count(0));
    }
    let acknowledged = call.change_unnoticed(key, |stream: &mut Stream| {
        let Some(group) = stream.groups.within(name) else { return 0 };
        ids.iter().filter(|id| group.pending.remove(id)).count()
    })?;
    Ok(count(acknowledged))
}

pub(super) fn xpending(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (key, name) = (&arguments[1], &arguments[2]);
    let query = match &arguments[3..] {
        [] => None,
        options => Some(Query::parse(options)?),
    };
    let group = call.read::<Stream>(key)?.and_then(|stream| stream.groups.get(name));
    let group = group.ok_or_else(|| no_group(key, name))?;
    Ok(query.map_or_else(|| summary(group), |query| query.list(group, call.now_ms())))
}

fn summary(group: &ConsumerGroup) -> Resp {
    let mut consumers = BTreeMap::<&Bytes, usize>::new();
    group.pending.values().for_each(|it| *consumers.entry(&it.consumer).or_default() += 1);
    let ends = group.pending.first_key_value().zip(group.pending.last_key_value());
    let Some(((first, _), (last, _))) = ends else {
        return Resp::Array(vec![count(0), Resp::Nil, Resp::Nil, Resp::NilArray]);
    };
    let pair = |(name, number): (&Bytes, usize)| {
        Resp::Array(vec![Resp::Bulk(name.clone()), Resp::Bulk(number.to_string().into())])
    };
    let consumers = Resp::Array(consumers.into_iter().map(pair).collect());
    let total = count(group.pending.len());
    Resp::Array(vec![total, identifier(*first), identifier(*last), consumers])
}

/// Which pending entries to list.
#[derive(Debug)]
struct Query<'a> {
    idle_ms: u64,
    first: EntryId,
    last: EntryId,
    count: usize,
    consumer: Option<&'a Bytes>,
}

impl<'a> Query<'a> {
    fn parse(options: &'a [Bytes]) -> Result<Self, Refusal> {
        // Up to two words more than it has are not looked at.
        if !(3..=6).contains(&options.len()) {
            return Err(Refusal::SYNTAX);
        }
        let (idle, rest) = match options {
            [name, idle, rest @ ..] if &*word(name) == b"IDLE" => (integer(idle)?, rest),
            _ => (0, options),
        };
        let (first, last, number, consumer) = match rest {
            [first, last, number, others @ ..] => (first, last, number, others.first()),
            _ => return Err(Refusal::SYNTAX),
        };
        let count = usize::try_from(integer(number)?).unwrap_or(0);
        let (first, last) = (range_begin(first)?, range_end(last)?);
        Ok(Self { idle_ms: u64::try_from(idle).unwrap_or(0), first, last, count, consumer })
    }

    fn list(&self, group: &ConsumerGroup, now_ms: u64) -> Resp {
        if self.first > self.last {
            return Resp::Array(Vec::new());
        }
        let found = group.pending.range(self.first..=self.last).filter_map(|(id, pending)| {
            let idle = now_ms.saturating_sub(pending.delivered_ms);
            let wanted = self.consumer.is_none_or(|name| *name == pending.consumer);
            (wanted && idle >= self.idle_ms).then(|| {
                let number = |number: u64| Resp::Integer(i64::try_from(number).unwrap_or(i64::MAX));
                let name = Resp::Bulk(pending.consumer.clone());
                Resp::Array(vec![identifier(*id), name, number(idle), number(pending.deliveries)])
            })
        });
        Resp::Array(found.take(self.count).collect())
    }
}
