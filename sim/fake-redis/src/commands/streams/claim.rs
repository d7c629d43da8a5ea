//! Giving pending entries to another consumer.

use bytes::Bytes;

use super::{
    Answer, Call, EntryId, Refusal, Resp, Stream, entry, identifier, integer, no_group, owned,
    parse_id, range_begin, text_of, word,
};
use crate::{ConsumerGroup, Pending};

/// How many pending entries `XAUTOCLAIM` looks at for each that it may claim.
const LOOKS_PER_CLAIM: usize = 10;

/// How many entries `XAUTOCLAIM` may be asked for.
const CLAIMED_AT_MOST: usize = i64::MAX as usize / 16;

/// How to claim.
#[derive(Debug, Default)]
struct Claim {
    idle_ms: u64,
    delivered_ms: u64,
    deliveries: Option<u64>,
    force: bool,
    ids_only: bool,
    last_id: EntryId,
}

pub(super) fn xclaim(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let [_, key, name, consumer, idle, rest @ ..] = arguments else {
        return Err(Refusal::arity("xclaim"));
    };
    check_group(call, key, name)?;
    let now_ms = call.now_ms();
    let idle_ms = idle_time(idle, "XCLAIM")?;
    let ids: Vec<_> = rest.iter().map_while(|id| EntryId::parse(id, 0)).collect();
    let claim = Claim { idle_ms, delivered_ms: now_ms, ..Claim::default() };
    let claim = claim.parse(&rest[ids.len()..], now_ms)?;
    in_group(call, key, name, |group, stream| {
        group.last_id = group.last_id.max(claim.last_id);
        let claimed =
            ids.into_iter().filter_map(|id| claim.take(group, stream, consumer, id, now_ms));
        Resp::Array(claimed.collect())
    })
}

pub(super) fn xautoclaim(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let [_, key, name, consumer, idle, start, options @ ..] = arguments else {
        return Err(Refusal::arity("xautoclaim"));
    };
    let idle_ms = idle_time(idle, "XAUTOCLAIM")?;
    let start = range_begin(start)?;
    let now_ms = call.now_ms();
    let mut claim = Claim { idle_ms, delivered_ms: now_ms, ..Claim::default() };
    let number = claim.parse_auto(options)?;
    check_group(call, key, name)?;
    in_group(call, key, name, |group, stream| {
        claim.take_from(group, stream, consumer, start, number)
    })
}

fn check_group(call: &Call<'_>, key: &[u8], name: &[u8]) -> Result<(), Refusal> {
    let stream = call.read::<Stream>(key)?;
    let known = stream.is_some_and(|stream| stream.groups.contains_key(name));
    if known { Ok(()) } else { Err(no_group(key, name)) }
}

fn idle_time(text: &[u8], command: &str) -> Result<u64, Refusal> {
    let number = integer(text)
        .map_err(|_| Refusal(format!("ERR Invalid min-idle-time argument for {command}").into()))?;
    Ok(u64::try_from(number).unwrap_or(0))
}

/// Works on the group, and on the stream without its groups.
fn in_group(
    call: &mut Call<'_>,
    key: &Bytes,
    name: &Bytes,
    work: impl FnOnce(&mut ConsumerGroup, &Stream) -> Resp,
) -> Answer {
    call.change_unnoticed(key, |stream: &mut Stream| {
        stream.in_group(name, work).unwrap_or(Resp::Nil)
    })
}

impl Claim {
    fn parse(mut self, options: &[Bytes], now_ms: u64) -> Result<Self, Refusal> {
        let mut rest = options;
        while let [option, behind @ ..] = rest {
            rest = behind;
            let name = word(option);
            match (&*name, behind) {
                (b"FORCE", _) => self.force = true,
                (b"JUSTID", _) => self.ids_only = true,
                (b"IDLE" | b"TIME" | b"RETRYCOUNT", [number, behind @ ..]) => {
                    rest = behind;
                    self.set_number(&name, number, now_ms)?;
                }
                (b"LASTID", [id, behind @ ..]) => {
                    rest = behind;
                    self.last_id = parse_id(id, 0)?;
                }
                _ => {
                    let option = text_of(option);
                    return Err(Refusal(
                        format!("ERR Unrecognized XCLAIM option '{option}'").into(),
                    ));
                }
            }
        }
        Ok(self)
    }

    fn set_number(&mut self, name: &[u8], number: &[u8], now_ms: u64) -> Result<(), Refusal> {
        let number = integer(number).map_err(|_| {
            let name = text_of(name);
            Refusal(format!("ERR Invalid {name} option argument for XCLAIM").into())
        })?;
        let positive = u64::try_from(number).unwrap_or(0);
        match name {
            b"IDLE" => self.delivered_ms = now_ms.saturating_sub(positive),
            b"TIME" => self.delivered_ms = positive.min(now_ms),
            _ => self.deliveries = Some(positive),
        }
        Ok(())
    }

    /// The options of `XAUTOCLAIM`; how many entries to claim.
    fn parse_auto(&mut self, options: &[Bytes]) -> Result<usize, Refusal> {
        let (mut number, mut rest) = (100, options);
        while let [option, behind @ ..] = rest {
            rest = behind;
            match (&*word(option), behind) {
                (b"COUNT", [text, behind @ ..]) => {
                    rest = behind;
                    let wanted = integer(text).ok().and_then(|count| usize::try_from(count).ok());
                    number = wanted
                        .filter(|count| (1..=CLAIMED_AT_MOST).contains(count))
                        .ok_or_else(|| Refusal("ERR COUNT must be > 0".into()))?;
                }
                (b"JUSTID", _) => self.ids_only = true,
                _ => return Err(Refusal::SYNTAX),
            }
        }
        Ok(number)
    }

    /// Claims an entry, unless it is not pending for long enough.
    fn take(
        &self,
        group: &mut ConsumerGroup,
        stream: &Stream,
        consumer: &[u8],
        id: EntryId,
        now_ms: u64,
    ) -> Option<Resp> {
        let Some(fields) = stream.entries.get(&id) else {
            // Deleted meanwhile: nobody can work on it.
            group.pending.remove(&id);
            return None;
        };
        match group.pending.get(&id) {
            None if !self.force => return None,
            Some(it) if now_ms.saturating_sub(it.delivered_ms) < self.idle_ms => return None,
            _ => {}
        }
        group.consumers.insert(owned(consumer), now_ms);
        let deliveries = group.pending.get(&id).map_or(1, |pending| pending.deliveries);
        let one_more = || deliveries.saturating_add(u64::from(!self.ids_only));
        let deliveries = self.deliveries.unwrap_or_else(one_more);
        let (consumer, delivered_ms) = (owned(consumer), self.delivered_ms);
        group.pending.insert(id, Pending { consumer, delivered_ms, deliveries });
        Some(if self.ids_only { identifier(id) } else { entry(id, fields) })
    }

    /// Claims up to `number` entries from `start` on: the next to look at, what was claimed, and
    /// what was pending though it was deleted.
    fn take_from(
        &self,
        group: &mut ConsumerGroup,
        stream: &Stream,
        consumer: &[u8],
        start: EntryId,
        number: usize,
    ) -> Resp {
        let (mut claimed, mut deleted) = (Vec::new(), Vec::new());
        let looks = number.saturating_mul(LOOKS_PER_CLAIM);
        let ids: Vec<_> = group.pending.range(start..).map(|(id, _)| *id).collect();
        let mut ids = ids.into_iter().peekable();
        for _ in 0..looks {
            if claimed.len() + deleted.len() == number {
                break;
            }
            let Some(id) = ids.next() else { break };
            if stream.entries.contains_key(&id) {
                claimed.extend(self.take(group, stream, consumer, id, self.delivered_ms));
            } else {
                group.pending.remove(&id);
                deleted.push(identifier(id));
            }
        }
        let next = ids.peek().copied().unwrap_or(EntryId::MIN);
        Resp::Array(vec![identifier(next), Resp::Array(claimed), Resp::Array(deleted)])
    }
}
