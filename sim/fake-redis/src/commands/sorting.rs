//! `SORT`: the members of a list, a set or a sorted set in another order, or what belongs to them.

use std::{cmp::Ordering, ops::Range};

use bytes::Bytes;

use super::super::{
    Entry, Items, Resp, Value,
    command::{
        Answer, Call, Flags, Group, Keys, Origin, Refusal, Spec, float, integer, owned, word,
    },
    resp::count,
};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(Group::Generic, "sort", -2, sort, Flags::GROW)
        .keys_are(Keys::Sorted { stored: true }).access("RO access, RO access, OW update")
        .about("1.0.0", "Sorts the members of a list, a set or a sorted set, and may store them."),
    Spec::new(Group::Generic, "sort_ro", -2, sort_read_only, Flags::READONLY)
        .keys_are(Keys::Sorted { stored: false }).access("RO access, RO access")
        .about("7.0.0", "Sorts the members of a list, a set or a sorted set."),
];

fn sort(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    run(call, &arguments[1], Options::parse(&arguments[2..], true)?)
}

fn sort_read_only(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    run(call, &arguments[1], Options::parse(&arguments[2..], false)?)
}

#[derive(Debug, Default)]
struct Options<'a> {
    descending: bool,
    by_bytes: bool,
    first: i64,
    at_most: Option<i64>,
    by: Option<&'a Bytes>,
    get: Vec<&'a Bytes>,
    store: Option<&'a Bytes>,
}

impl<'a> Options<'a> {
    fn parse(options: &'a [Bytes], may_store: bool) -> Result<Self, Refusal> {
        let mut parsed = Self::default();
        let mut rest = options;
        while let [option, behind @ ..] = rest {
            rest = match (&*word(option), behind) {
                (b"ASC", _) => {
                    parsed.descending = false;
                    behind
                }
                (b"DESC", _) => {
                    parsed.descending = true;
                    behind
                }
                (b"ALPHA", _) => {
                    parsed.by_bytes = true;
                    behind
                }
                (b"LIMIT", [first, number, behind @ ..]) => {
                    (parsed.first, parsed.at_most) = (integer(first)?, Some(integer(number)?));
                    behind
                }
                (b"STORE", [key, behind @ ..]) if may_store => {
                    parsed.store = Some(key);
                    behind
                }
                (b"BY", [pattern, behind @ ..]) => {
                    parsed.by = Some(pattern);
                    behind
                }
                (b"GET", [pattern, behind @ ..]) => {
                    parsed.get.push(pattern);
                    behind
                }
                _ => return Err(Refusal::SYNTAX),
            };
        }
        Ok(parsed)
    }

    /// A pattern that is the same for all members tells none from another.
    fn sorts(&self) -> bool {
        self.by.is_none_or(|pattern| pattern.contains(&b'*'))
    }

    /// The places that `LIMIT` leaves of so many.
    fn places(&self, length: usize) -> Range<usize> {
        let begin = usize::try_from(self.first).unwrap_or(0).min(length);
        let number = self.at_most.and_then(|number| usize::try_from(number).ok());
        begin..number.map_or(length, |number| begin.saturating_add(number).min(length))
    }
}

fn run(call: &mut Call<'_>, key: &Bytes, mut options: Options<'_>) -> Answer {
    let entry = call.entry(key);
    let (mut members, is_set) = members(entry)?;
    // Its order is none, which must not get into what is stored or into a script.
    if is_set && !options.sorts() && (options.store.is_some() || call.origin == Origin::Script) {
        (options.by, options.by_bytes) = (None, true);
    }
    if options.sorts() {
        members = sorted(call, members, &options)?;
    } else if options.descending && !is_set {
        members.reverse();
    }
    let places = options.places(members.len());
    let found = members.drain(places).flat_map(|member| fetched(call, &options, member));
    let found: Vec<_> = found.collect();
    match options.store {
        None => Ok(Resp::Array(found.into_iter().map(Resp::from).collect())),
        Some(key) => Ok(store(call, key, found)),
    }
}

/// What is to be sorted, and whether it had no order.
fn members(entry: Option<&Entry>) -> Result<(Vec<Bytes>, bool), Refusal> {
    match entry.map(|entry| &entry.value) {
        None => Ok((Vec::new(), false)),
        Some(Value::List(items)) => Ok((items.iter().cloned().collect(), false)),
        Some(Value::Set(members)) => Ok((members.iter().cloned().collect(), true)),
        Some(Value::SortedSet(set)) => Ok((set.iter().map(|(_, it)| it.clone()).collect(), false)),
        Some(_) => Err(Refusal::WRONG_TYPE),
    }
}

fn sorted(
    call: &Call<'_>,
    members: Vec<Bytes>,
    options: &Options<'_>,
) -> Result<Vec<Bytes>, Refusal> {
    let weight = |member: &Bytes| match options.by {
        None => Some(member.clone()),
        Some(pattern) => looked_up(call, pattern, member),
    };
    let directed = |order: Ordering| if options.descending { order.reverse() } else { order };
    let mut weighed: Vec<_> = members.into_iter().map(|it| (weight(&it), it)).collect();
    if options.by_bytes {
        // Unless it stores them, Redis compares as the C library does.
        if options.store.is_none() {
            let texts = weighed.iter_mut().filter_map(|(weight, _)| weight.as_mut());
            texts.for_each(|text| text.truncate(up_to_zero(text).len()));
        }
        weighed.sort_by(|(left, _), (right, _)| directed(left.cmp(right)));
        return Ok(weighed.into_iter().map(|(_, member)| member).collect());
    }
    let scored = weighed
        .into_iter()
        .map(|(weight, member)| Ok((weight.map_or(Ok(0.0), |weight| score(&weight))?, member)));
    let mut scored = scored.collect::<Result<Vec<(f64, Bytes)>, Refusal>>()?;
    scored.sort_by(|(left, member), (right, other)| {
        let order = left.partial_cmp(right).unwrap_or(Ordering::Equal);
        directed(order.then_with(|| member.cmp(other)))
    });
    Ok(scored.into_iter().map(|(_, member)| member).collect())
}

/// What C sees of a string.
fn up_to_zero(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| *byte == 0);
    &text[..end.unwrap_or(text.len())]
}

/// A number as C reads it: blanks before it are allowed, what follows a zero byte is not seen, and
/// nothing at all is 0.
fn score(text: &[u8]) -> Result<f64, Refusal> {
    let text = up_to_zero(text);
    if text.is_empty() {
        return Ok(0.0);
    }
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let begin = text.iter().position(|byte| !blank(byte)).unwrap_or(0);
    float(&text[begin..])
        .map_err(|_| Refusal("ERR One or more scores can't be converted into double".into()))
}

/// What the client asked for of a member: itself, or what `GET` names.
fn fetched(call: &Call<'_>, options: &Options<'_>, member: Bytes) -> Vec<Option<Bytes>> {
    if options.get.is_empty() {
        return vec![Some(member)];
    }
    let get = |pattern: &&Bytes| match &pattern[..] {
        b"#" => Some(member.clone()),
        _ => looked_up(call, pattern, &member),
    };
    options.get.iter().map(get).collect()
}

/// The string, or the field of a hash behind `->`, under the key that the pattern becomes with the
/// member in the place of its first star.
fn looked_up(call: &Call<'_>, pattern: &[u8], member: &[u8]) -> Option<Bytes> {
    let star = pattern.iter().position(|byte| *byte == b'*')?;
    let (before, behind) = (&pattern[..star], &pattern[star + 1..]);
    let arrow = behind.windows(2).position(|pair| pair == b"->");
    let arrow = arrow.filter(|arrow| arrow + 2 < behind.len());
    let (behind, field) = match arrow {
        Some(arrow) => (&behind[..arrow], Some(&behind[arrow + 2..])),
        None => (behind, None),
    };
    let key = [before, member, behind].concat();
    match (&call.entry(&key)?.value, field) {
        (Value::String(text), None) => Some(text.clone()),
        (Value::Hash(fields), Some(field)) => fields.get(field).cloned(),
        _ => None,
    }
}

/// Puts what was found under a key, as a list; what was not is an empty string there.
fn store(call: &mut Call<'_>, key: &Bytes, found: Vec<Option<Bytes>>) -> Resp {
    let length = count(found.len());
    let items: Items = found.into_iter().map(|item| owned(&item.unwrap_or_default())).collect();
    if items.is_empty() {
        call.keys().take(key);
    } else {
        let entry = Entry { value: Value::List(items.into()), expires_at_ms: None };
        call.keys().set_entry(key.clone(), Some(entry));
    }
    length
}
