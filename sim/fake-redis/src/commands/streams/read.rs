//! Reading what is new, for oneself or for a group.

use bytes::Bytes;

use super::{
    Answer, Call, EntryId, Refusal, Resp, Stream, entry, identifier, integer, owned, parse_id,
    text_of, word,
};
use crate::{
    ConsumerGroup, Pending,
    command::{Origin, Wait},
};

/// What `XREAD` and `XREADGROUP` are asked for.
#[derive(Debug)]
struct Query<'a> {
    count: usize,
    block_ms: Option<u64>,
    group: Option<(&'a Bytes, &'a Bytes)>,
    no_ack: bool,
    keys: &'a [Bytes],
    ids: &'a [Bytes],
}

/// From where to read.
#[derive(Clone, Copy, Debug)]
enum From {
    /// What comes after this one.
    After(EntryId),
    /// What the group was not delivered.
    Undelivered,
}

pub(super) fn read(call: &mut Call<'_>, arguments: &[Bytes], grouped: bool) -> Answer {
    let script = (call.origin == Origin::Script).then_some(&arguments[0]);
    let query = Query::parse(&arguments[1..], grouped, script)?;
    let from: Vec<_> = query.starts(call)?;
    let mut found = Vec::new();
    for (key, from) in query.keys.iter().zip(from) {
        let entries = match (query.group, from) {
            (None, From::After(id)) => after(call, key, id, query.count)?,
            (Some(_), From::After(id)) => Some(query.history(call, key, id)?),
            (_, From::Undelivered) => query.deliver(call, key)?,
        };
        if let Some(entries) = entries {
            found.push((Resp::Bulk(key.clone()), Resp::Array(entries)));
        }
    }
    Ok(if found.is_empty() { Resp::NilArray } else { Resp::Entries(found) })
}

fn after(
    call: &Call<'_>,
    key: &[u8],
    id: EntryId,
    limit: usize,
) -> Result<Option<Vec<Resp>>, Refusal> {
    let stream = call.read::<Stream>(key)?.filter(|stream| stream.last_id > id);
    let Some((stream, begin)) = stream.zip(id.next()) else { return Ok(None) };
    let found = stream.entries.range(begin..).take(limit);
    let found: Vec<_> = found.map(|(id, fields)| entry(*id, fields)).collect();
    Ok(news(call, found))
}

/// Nothing is no news, unless it was waited for: then an entry came, if only to be removed again.
fn news(call: &Call<'_>, found: Vec<Resp>) -> Option<Vec<Resp>> {
    (!found.is_empty() || call.origin == Origin::Wait).then_some(found)
}

impl<'a> Query<'a> {
    /// Reads everything behind the command's name. A `script` may not wait: it gives the name under
    /// which it called the command.
    fn parse(
        arguments: &'a [Bytes],
        grouped: bool,
        script: Option<&Bytes>,
    ) -> Result<Self, Refusal> {
        let mut query = Self {
            count: usize::MAX,
            block_ms: None,
            group: None,
            no_ack: false,
            keys: &[],
            ids: &[],
        };
        let mut rest = arguments;
        while let [option, behind @ ..] = rest {
            rest = behind;
            match (&*word(option), behind) {
                (b"BLOCK", [millis, behind @ ..]) => {
                    script.map_or(Ok(()), |name| Err(not_in_script(name)))?;
                    query.block_ms = Some(timeout(millis)?);
                    rest = behind;
                }
                (b"COUNT", [number, behind @ ..]) => {
                    let number = usize::try_from(integer(number)?).unwrap_or(0);
                    query.count = if number == 0 { usize::MAX } else { number };
                    rest = behind;
                }
                (b"STREAMS", [_, ..]) => {
                    if !behind.len().is_multiple_of(2) {
                        return Err(unbalanced());
                    }
                    (query.keys, query.ids) = behind.split_at(behind.len() / 2);
                    rest = &[];
                }
                (b"GROUP", [group, consumer, behind @ ..]) => {
                    if !grouped {
                        return Err(only_for_groups("GROUP"));
                    }
                    query.group = Some((group, consumer));
                    rest = behind;
                }
                (b"NOACK", _) if !grouped => return Err(only_for_groups("NOACK")),
                (b"NOACK", _) => query.no_ack = true,
                _ => return Err(Refusal::SYNTAX),
            }
        }
        if query.keys.is_empty() {
            return Err(Refusal::SYNTAX);
        }
        if grouped && query.group.is_none() {
            return Err(Refusal("ERR Missing GROUP option for XREADGROUP".into()));
        }
        Ok(query)
    }

    fn starts(&self, call: &Call<'_>) -> Result<Vec<From>, Refusal> {
        self.keys.iter().zip(self.ids).map(|(key, id)| self.start(call, key, id)).collect()
    }

    fn start(&self, call: &Call<'_>, key: &Bytes, id: &[u8]) -> Result<From, Refusal> {
        let stream = call.read::<Stream>(key)?;
        if let Some((group, _)) = self.group
            && stream.is_none_or(|stream| !stream.groups.contains_key(group))
        {
            let (key, group) = (text_of(key), text_of(group));
            let text = format!(
                "NOGROUP No such key '{key}' or consumer group '{group}' in XREADGROUP with GROUP \
                 option"
            );
            return Err(Refusal(text.into()));
        }
        match (id, self.group) {
            (b"$", Some(_)) => Err(Refusal(
                "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the \
                 history of this consumer by specifying a proper ID, or use the > ID to get new \
                 messages. The $ ID would just return an empty result set."
                    .into(),
            )),
            (b"$", None) => {
                Ok(From::After(stream.map(|stream| stream.last_id).unwrap_or_default()))
            }
            (b">", Some(_)) => Ok(From::Undelivered),
            (b">", None) => Err(Refusal(
                "ERR The > ID can be specified only when calling XREADGROUP using the GROUP \
                 <group> <consumer> option."
                    .into(),
            )),
            (id, _) => Ok(From::After(parse_id(id, 0)?)),
        }
    }

    /// What is pending for the consumer behind `id`, once more.
    fn history(&self, call: &mut Call<'_>, key: &Bytes, id: EntryId) -> Result<Vec<Resp>, Refusal> {
        let (now_ms, limit) = (call.now_ms(), self.count);
        self.in_group(call, key, |group, consumer, entries| {
            let Some(begin) = id.next() else { return Vec::new() };
            let mine = |(_, pending): &(&EntryId, &Pending)| pending.consumer == *consumer;
            let again = group.pending.range(begin..).filter(mine).take(limit);
            let again: Vec<_> = again.map(|(id, pending)| (*id, pending.deliveries)).collect();
            let deliver = |(id, deliveries): (EntryId, u64)| {
                let (consumer, deliveries) = (consumer.clone(), deliveries.saturating_add(1));
                group.pending.insert(id, Pending { consumer, delivered_ms: now_ms, deliveries });
                match entries.entries.get(&id) {
                    Some(fields) => entry(id, fields),
                    None => Resp::Array(vec![identifier(id), Resp::NilArray]),
                }
            };
            again.into_iter().map(deliver).collect()
        })
    }

    /// What the group was not delivered, now delivered to the consumer.
    fn deliver(&self, call: &mut Call<'_>, key: &Bytes) -> Result<Option<Vec<Resp>>, Refusal> {
        let (now_ms, limit, no_ack) = (call.now_ms(), self.count, self.no_ack);
        // Who has waited also gets what came and has been removed again.
        let waited = call.origin == Origin::Wait;
        let has_news = |stream: &Stream| {
            let group = self.group.and_then(|(name, _)| stream.groups.get(name));
            let there = stream.entries.last_key_value().map(|(id, _)| *id);
            let last = if waited { Some(stream.last_id) } else { there };
            group.zip(last).is_some_and(|(group, last)| last > group.last_id)
        };
        // Without news, the consumer is not even noticed.
        if !call.read::<Stream>(key)?.is_some_and(has_news) {
            return Ok(None);
        }
        let found = self.in_group(call, key, |group, consumer, stream| {
            let Some(begin) = group.last_id.next() else { return Vec::new() };
            let new = stream.entries.range(begin..).take(limit);
            new.map(|(id, fields)| {
                group.note_delivery(stream, *id);
                if !no_ack {
                    let (consumer, delivered_ms) = (consumer.clone(), now_ms);
                    let pending = Pending { consumer, delivered_ms, deliveries: 1 };
                    group.pending.insert(*id, pending);
                }
                entry(*id, fields)
            })
            .collect()
        })?;
        Ok(news(call, found))
    }

    /// Works on the group, the consumer, and the stream without its groups.
    fn in_group<R>(
        &self,
        call: &mut Call<'_>,
        key: &Bytes,
        work: impl FnOnce(&mut ConsumerGroup, &Bytes, &Stream) -> Vec<R>,
    ) -> Result<Vec<R>, Refusal> {
        let Some((name, consumer)) = self.group else { return Ok(Vec::new()) };
        let now_ms = call.now_ms();
        // On Upstash, who acknowledges nothing is no consumer yet.
        let enlists = !(self.no_ack && call.redis.is_upstash());
        call.change_unnoticed(key, |stream: &mut Stream| {
            let worked = stream.in_group(name, |group, stream| {
                let consumer = owned(consumer);
                if enlists || group.consumers.contains_key(&consumer) {
                    group.consumers.insert(consumer.clone(), now_ms);
                }
                work(group, &consumer, stream)
            });
            worked.unwrap_or_default()
        })
    }
}

fn timeout(millis: &[u8]) -> Result<u64, Refusal> {
    let millis = integer(millis)
        .map_err(|_| Refusal("ERR timeout is not an integer or out of range".into()))?;
    u64::try_from(millis).map_err(|_| Refusal("ERR timeout is negative".into()))
}

fn only_for_groups(option: &str) -> Refusal {
    let text = format!(
        "ERR The {option} option is only supported by XREADGROUP. You called XREAD instead."
    );
    Refusal(text.into())
}

fn not_in_script(name: &[u8]) -> Refusal {
    let name = text_of(name);
    Refusal(format!("ERR {name} command is not allowed with BLOCK option from scripts").into())
}

fn unbalanced() -> Refusal {
    Refusal(
        "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."
            .into(),
    )
}

/// What `XREAD` and `XREADGROUP` wait for, if they were told to.
pub(super) fn waits(call: &mut Call<'_>, arguments: &[Bytes]) -> Option<Wait> {
    let grouped = word(&arguments[0]).len() > b"XREAD".len();
    let query = Query::parse(&arguments[1..], grouped, None).ok()?;
    let timeout_ms = Some(query.block_ms?).filter(|millis| *millis > 0);
    let starts = query.starts(call).ok()?;
    let mut wait = Wait::new("stream", query.keys, timeout_ms, arguments)?;
    wait.group = query.group.map(|(name, _)| name.clone());
    let first = arguments.len() - starts.len();
    for (argument, start) in wait.arguments[first..].iter_mut().zip(starts) {
        if let From::After(id) = start {
            *argument = id.to_string().into();
        }
    }
    Some(wait)
}
