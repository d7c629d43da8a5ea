//! Adding, deleting and trimming.

use bytes::Bytes;

use super::{
    Answer, Call, EntryId, Refusal, Resp, Stream, count, identifier, integer, owned, parse_id, word,
};
use crate::value::PieceLimits;

/// How many full pieces an inexact trim removes at most, if it is not told how many entries.
const PIECES_AT_MOST: u64 = 100;
/// How many entries, if pieces have no bound.
const ENTRIES_AT_MOST: u64 = 10_000;
/// How many entries, however large pieces may be.
const NEVER_MORE: u64 = 1_000_000;

/// The options of `XADD` and `XTRIM`.
#[derive(Debug, Default)]
struct Options {
    only_known: bool,
    trim: Option<Trim>,
    exact: bool,
    limit: Option<usize>,
}

/// What to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trim {
    Length(usize),
    From(EntryId),
}

/// The identifier that a new entry shall have.
#[derive(Clone, Copy, Debug)]
enum NewId {
    /// By the clock.
    Automatic,
    /// The next of this millisecond.
    Of(u64),
    Given(EntryId),
}

pub(super) fn xadd(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (mut options, rest) = Options::parse(&arguments[2..], true)?;
    let [id, fields @ ..] = rest else { return Err(Refusal::arity("xadd")) };
    let id = NewId::parse(id)?;
    options.check()?;
    if fields.is_empty() || !fields.len().is_multiple_of(2) {
        return Err(Refusal::arity("xadd"));
    }
    if matches!(id, NewId::Given(EntryId::MIN)) {
        return Err(Refusal("ERR The ID specified in XADD must be greater than 0-0".into()));
    }
    options.follow_upstash(call);
    let stream = call.read::<Stream>(&arguments[1])?;
    if stream.is_none() && options.only_known {
        return Ok(Resp::Nil);
    }
    let last = stream.map(|stream| stream.last_id).unwrap_or_default();
    let id = id.after(last, call.now_ms())?;
    let fields = fields.iter().map(|field| owned(field)).collect();
    let limits = call.redis.pieces;
    call.change(&arguments[1], |stream: &mut Stream| {
        stream.add(id, fields, limits);
        stream.trim(options.surplus(stream, limits));
    })?;
    call.keys().call(&arguments[1]);
    Ok(identifier(id))
}

pub(super) fn xtrim(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (mut options, rest) = Options::parse(&arguments[2..], false)?;
    if !rest.is_empty() {
        return Err(Refusal::SYNTAX);
    }
    options.check()?;
    if options.trim.is_none() {
        return Err(Refusal("ERR syntax error, XTRIM must be called with MAXLEN or MINID".into()));
    }
    options.follow_upstash(call);
    let limits = call.redis.pieces;
    let stream = call.read::<Stream>(&arguments[1])?;
    let surplus = stream.map_or(0, |stream| options.surplus(stream, limits));
    if surplus > 0 {
        call.change(&arguments[1], |stream: &mut Stream| stream.trim(surplus))?;
    }
    Ok(count(surplus))
}

pub(super) fn xdel(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let known = call.read::<Stream>(&arguments[1])?;
    let ids = arguments[2..].iter().map(|id| parse_id(id, 0)).collect::<Result<Vec<_>, _>>();
    let Some(stream) = known else { return Ok(count(0)) };
    let ids = ids?;
    if !ids.iter().any(|id| stream.entries.contains_key(id)) {
        return Ok(count(0));
    }
    let deleted = call.change(&arguments[1], |stream: &mut Stream| {
        ids.into_iter().filter(|id| stream.delete(*id)).count()
    })?;
    Ok(count(deleted))
}

pub(super) fn xsetid(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let id = parse_id(&arguments[2], 0)?;
    let (mut added, mut deleted) = (None, None);
    for option in arguments[3..].chunks(2) {
        let [name, value] = option else { return Err(Refusal::SYNTAX) };
        match &*word(name) {
            b"ENTRIESADDED" => {
                let number = u64::try_from(integer(value)?);
                added =
                    Some(number.map_err(|_| Refusal("ERR entries_added must be positive".into()))?);
            }
            b"MAXDELETEDID" => {
                let highest = parse_id(value, 0)?;
                if id < highest {
                    return Err(smaller_than("provided max_deleted_entry_id"));
                }
                deleted = Some(highest);
            }
            _ => return Err(Refusal::SYNTAX),
        }
    }
    let stream = call.read::<Stream>(&arguments[1])?.ok_or(Refusal::NO_SUCH_KEY)?;
    let top = stream.entries.last_key_value().map(|(id, _)| *id);
    if top.is_some_and(|top| id < top) {
        return Err(smaller_than("target stream top item"));
    }
    if added.is_some_and(|added| added < stream.entries.len() as u64) {
        let text =
            "ERR The entries_added specified in XSETID is smaller than the target stream length";
        return Err(Refusal(text.into()));
    }
    call.change_unnoticed(&arguments[1], |stream: &mut Stream| {
        stream.last_id = id;
        stream.added = added.unwrap_or(stream.added);
        let deleted = deleted.filter(|deleted| *deleted > EntryId::MIN);
        stream.max_deleted = deleted.unwrap_or(stream.max_deleted);
    })?;
    Ok(Resp::OK)
}

fn smaller_than(what: &str) -> Refusal {
    Refusal(format!("ERR The ID specified in XSETID is smaller than the {what}").into())
}

impl Options {
    /// The options, and what follows them.
    fn parse(arguments: &[Bytes], adds: bool) -> Result<(Self, &[Bytes]), Refusal> {
        let mut options = Self { exact: true, ..Self::default() };
        let mut rest = arguments;
        while let [option, behind @ ..] = rest {
            match (&*word(option), behind) {
                (b"NOMKSTREAM", _) if adds => {
                    options.only_known = true;
                    rest = behind;
                }
                (b"LIMIT", [number, behind @ ..]) => {
                    let number = usize::try_from(integer(number)?);
                    options.limit = Some(
                        number
                            .map_err(|_| Refusal("ERR The LIMIT argument must be >= 0.".into()))?,
                    );
                    rest = behind;
                }
                (name @ (b"MAXLEN" | b"MINID"), [_, ..]) => {
                    rest = options.parse_trim(name == b"MAXLEN", behind)?;
                }
                _ => break,
            }
        }
        Ok((options, rest))
    }

    fn parse_trim<'a>(
        &mut self,
        by_length: bool,
        arguments: &'a [Bytes],
    ) -> Result<&'a [Bytes], Refusal> {
        let (sign, rest) = match arguments {
            [sign, rest @ ..] if !rest.is_empty() && matches!(&**sign, b"~" | b"=") => {
                (Some(sign), rest)
            }
            _ => (None, arguments),
        };
        if self.trim.is_some() {
            return Err(Refusal(
                "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
                    .into(),
            ));
        }
        self.exact = sign.is_none_or(|sign| *sign == "=");
        let [threshold, rest @ ..] = rest else { return Err(Refusal::SYNTAX) };
        self.trim = Some(if by_length {
            let length = usize::try_from(integer(threshold)?);
            Trim::Length(
                length.map_err(|_| Refusal("ERR The MAXLEN argument must be >= 0.".into()))?,
            )
        } else {
            Trim::From(parse_id(threshold, 0)?)
        });
        Ok(rest)
    }

    fn check(&self) -> Result<(), Refusal> {
        let text = match (self.limit, self.trim) {
            (Some(_), None) => {
                "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
            }
            (Some(_), Some(_)) if self.exact => {
                "ERR syntax error, LIMIT cannot be used without the special ~ option"
            }
            _ => return Ok(()),
        };
        Err(Refusal(text.into()))
    }

    /// Upstash keeps streams in smaller pieces: a few entries more or less.
    fn follow_upstash(&mut self, call: &Call<'_>) {
        self.exact |= call.redis.is_upstash() && self.limit.is_none();
    }

    /// How many entries a trim would remove. An inexact one removes whole pieces.
    fn surplus(&self, stream: &Stream, limits: PieceLimits) -> usize {
        let length = stream.entries.len();
        let Some(trim) = self.trim else { return 0 };
        if self.exact {
            return match trim {
                Trim::Length(kept) => length.saturating_sub(kept),
                Trim::From(id) => stream.entries.range(..id).count(),
            };
        }
        let limit = match self.limit {
            Some(0) => u64::MAX,
            Some(limit) => limit as u64,
            None if limits.entries == 0 => ENTRIES_AT_MOST,
            None => limits.entries.saturating_mul(PIECES_AT_MOST).min(NEVER_MORE),
        };
        let surplus =
            stream.pieces().surplus(length as u64, limit, |left, held, last| match trim {
                Trim::Length(kept) => left - held >= kept as u64,
                Trim::From(id) => last < id,
            });
        usize::try_from(surplus).unwrap_or(length)
    }
}

impl NewId {
    fn parse(text: &[u8]) -> Result<Self, Refusal> {
        match text {
            b"*" => Ok(Self::Automatic),
            [millis @ .., b'-', b'*'] => Ok(Self::Of(parse_id(millis, 0)?.millis)),
            id => Ok(Self::Given(parse_id(id, 0)?)),
        }
    }

    /// The identifier, which must come after `last`.
    fn after(self, last: EntryId, now_ms: u64) -> Result<EntryId, Refusal> {
        let next = last.next().ok_or_else(|| {
            Refusal(
                "ERR The stream has exhausted the last possible ID, unable to add more items"
                    .into(),
            )
        })?;
        let id = match self {
            Self::Automatic if now_ms > last.millis => EntryId { millis: now_ms, sequence: 0 },
            Self::Automatic => next,
            Self::Of(millis) if millis == next.millis => next,
            Self::Of(millis) => EntryId { millis, sequence: 0 },
            Self::Given(id) => id,
        };
        if id <= last {
            return Err(Refusal(
                "ERR The ID specified in XADD is equal or smaller than the target stream top item"
                    .into(),
            ));
        }
        Ok(id)
    }
}
