//! When two replies are the same. They have to be equal but for what this table names.

use bytes::Bytes;

use crate::{reply::Reply, step::effective};

/// What is compared of a command's reply.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sameness {
    /// All of it.
    Exact,
    /// A list without an order.
    Unordered,
    /// Names and values, where the names have no order.
    UnorderedPairs,
    /// The second part is a list without an order, if the first says that it is whole.
    Scan,
    /// The same for names and values.
    ScanPairs,
    /// Chosen at random: how many there are.
    Count,
    /// The form of a value; of a string, a hash or a sorted set, any.
    Encoding,
    /// About the process or in words of its own: whether it is an error.
    Kind,
}

/// The commands whose replies may differ, in capitals.
const DIFFER: &[(&[&str], Sameness)] = &[
    // The order in a table of hashes.
    (&["KEYS"], Sameness::Unordered),
    (&["SMEMBERS"], Sameness::Unordered),
    (&["SINTER"], Sameness::Unordered),
    (&["SUNION"], Sameness::Unordered),
    (&["SDIFF"], Sameness::Unordered),
    (&["HKEYS"], Sameness::Unordered),
    (&["HVALS"], Sameness::Unordered),
    (&["HGETALL"], Sameness::UnorderedPairs),
    (&["PUBSUB", "CHANNELS"], Sameness::Unordered),
    (&["PUBSUB", "SHARDCHANNELS"], Sameness::Unordered),
    (&["SCAN"], Sameness::Scan),
    (&["SSCAN"], Sameness::Scan),
    (&["HSCAN"], Sameness::ScanPairs),
    (&["ZSCAN"], Sameness::ScanPairs),
    // Drawn from a generator of random numbers. (A popped member would leave another set behind:
    // each SPOP is followed by a DEL.)
    (&["RANDOMKEY"], Sameness::Kind),
    (&["SPOP"], Sameness::Count),
    (&["SRANDMEMBER"], Sameness::Count),
    (&["HRANDFIELD"], Sameness::Count),
    (&["ZRANDMEMBER"], Sameness::Count),
    // About this process: its numbers, its memory, its settings, which commands it has.
    (&["CLIENT", "ID"], Sameness::Kind),
    (&["CLIENT", "INFO"], Sameness::Kind),
    (&["CLIENT", "LIST"], Sameness::Kind),
    (&["COMMAND"], Sameness::Kind),
    (&["CONFIG"], Sameness::Kind),
    (&["HELLO"], Sameness::Kind),
    (&["INFO"], Sameness::Kind),
    (&["LASTSAVE"], Sameness::Kind),
    (&["LATENCY"], Sameness::Kind),
    (&["MEMORY"], Sameness::Kind),
    // How a string came to be is not kept, nor what a hash held before or whether a sorted set was
    // sorted.
    (&["OBJECT", "ENCODING"], Sameness::Encoding),
    (&["OBJECT", "IDLETIME"], Sameness::Kind),
    (&["OBJECT", "REFCOUNT"], Sameness::Kind),
    (&["ROLE"], Sameness::Kind),
    (&["SLOWLOG"], Sameness::Kind),
    // In words of its own.
    (&["LOLWUT"], Sameness::Kind),
    (&["CLIENT", "HELP"], Sameness::Kind),
    (&["OBJECT", "HELP"], Sameness::Kind),
    (&["PUBSUB", "HELP"], Sameness::Kind),
    (&["SCRIPT", "HELP"], Sameness::Kind),
    (&["XGROUP", "HELP"], Sameness::Kind),
    (&["XINFO", "HELP"], Sameness::Kind),
];

/// Whether two replies to `words` say the same. `queued` is what a transaction has queued, whose
/// replies come all at once.
pub(crate) fn same(words: &[Bytes], queued: &[Vec<Bytes>], left: &Reply, right: &Reply) -> bool {
    if left == right {
        return true;
    }
    match (left, right) {
        (Reply::Array(lefts), Reply::Array(rights)) if is(words, &["EXEC"]) => {
            let pairs = || lefts.iter().zip(rights).zip(queued);
            lefts.len() == rights.len()
                && queued.len() == lefts.len()
                && pairs().all(|((left, right), words)| same(words, &[], left, right))
        }
        _ => {
            let sameness = sameness(words);
            let (left, right) = (reduced(sameness, left), reduced(sameness, right));
            left == right || tells_scores(words) && left.with_one_zero() == right.with_one_zero()
        }
    }
}

/// Replies that come one by one to a command without names, in the order of a table of hashes: what
/// they say, with the names sorted.
pub(crate) fn in_order_of_names(words: &[Bytes], replies: &[Reply]) -> Vec<Reply> {
    let nameless =
        is(words, &["UNSUBSCRIBE"]) || is(words, &["PUNSUBSCRIBE"]) || is(words, &["SUNSUBSCRIBE"]);
    if !nameless || words.len() > 1 {
        return replies.to_vec();
    }
    let name = |reply: &Reply| match reply {
        Reply::Array(parts) | Reply::Push(parts) => parts.get(1).cloned(),
        _ => None,
    };
    let mut names: Vec<_> = replies.iter().map(name).collect();
    names.sort();
    let renamed = replies.iter().zip(names).map(|(reply, name)| {
        let mut reply = reply.clone();
        if let (Reply::Array(parts) | Reply::Push(parts), Some(name)) = (&mut reply, name) {
            parts[1] = name;
        }
        reply
    });
    renamed.collect()
}

fn sameness(sent: &[Bytes]) -> Sameness {
    let words = effective(sent);
    if is(words, &["SORT"]) || is(words, &["SORT_RO"]) {
        return sameness_of_sort(words, words.len() < sent.len());
    }
    let found = DIFFER.iter().find(|(names, _)| is(words, names));
    match found.map_or(Sameness::Exact, |(_, sameness)| *sameness) {
        // A cursor that was made up means another place in each server.
        Sameness::Scan | Sameness::ScanPairs if !is_at_the_begin(words) => Sameness::Kind,
        sameness => sameness,
    }
}

/// Whether the reply may have scores in it, of which Redis keeps a `-0` once a sorted set was sorted.
/// What was waited for is without its command.
fn tells_scores(words: &[Bytes]) -> bool {
    let name = effective(words).first().map(|name| name.to_ascii_lowercase()).unwrap_or_default();
    name.is_empty() || name.starts_with(b"z") || name.starts_with(b"bz")
}

/// What is not told apart by its weights comes in any order, and so does a set that is not sorted,
/// unless it is stored or given to a script.
fn sameness_of_sort(words: &[Bytes], in_script: bool) -> Sameness {
    let at = |name: &str| words.iter().position(|word| word.eq_ignore_ascii_case(name.as_bytes()));
    let by = at("BY").and_then(|at| words.get(at + 1));
    let any_order = match by {
        None => false,
        Some(pattern) if pattern.contains(&b'*') => at("ALPHA").is_some(),
        Some(_) => at("STORE").is_none() && !in_script,
    };
    match (any_order, at("LIMIT")) {
        (false, _) => Sameness::Exact,
        (true, None) => Sameness::Unordered,
        (true, Some(_)) => Sameness::Count,
    }
}

fn is_at_the_begin(words: &[Bytes]) -> bool {
    let cursor = words.get(if is(words, &["SCAN"]) { 1 } else { 2 });
    cursor.is_some_and(|cursor| matches!(&cursor[..], b"" | b"0" | b"-0"))
}

/// Whether the command begins with these names.
pub(crate) fn is(words: &[Bytes], names: &[&str]) -> bool {
    let equal = |(word, name): (&Bytes, &&str)| word.eq_ignore_ascii_case(name.as_bytes());
    words.len() >= names.len() && words.iter().zip(names).all(equal)
}

/// What has to be equal.
fn reduced(sameness: Sameness, reply: &Reply) -> Reply {
    match (sameness, reply) {
        // The fake's errors are text: what is no UTF-8 has become U+FFFD.
        (_, Reply::Error(text)) => Reply::Error(String::from_utf8_lossy(text).into_owned().into()),
        (Sameness::Exact, _) => reply.clone(),
        (Sameness::Kind, Reply::Array(_) | Reply::Map(_) | Reply::Set(_)) => Reply::Array(vec![]),
        (Sameness::Kind, Reply::Bulk(_) | Reply::Verbatim(_)) => Reply::Bulk(Bytes::new()),
        (Sameness::Kind, Reply::Integer(_)) => Reply::Integer(0),
        (Sameness::Count, Reply::Array(replies) | Reply::Set(replies)) => {
            Reply::Integer(i64::try_from(replies.len()).expect("a length fits"))
        }
        (Sameness::Count, Reply::Bulk(_)) => Reply::Bulk(Bytes::new()),
        (Sameness::Encoding, Reply::Bulk(name)) if matches!(&name[..], b"int" | b"embstr") => {
            Reply::Bulk("raw".into())
        }
        (Sameness::Encoding, Reply::Bulk(name))
            if matches!(&name[..], b"skiplist" | b"hashtable") =>
        {
            Reply::Bulk("listpack".into())
        }
        (Sameness::Unordered, Reply::Array(replies)) => Reply::Array(sorted(replies)),
        (_, Reply::Set(replies)) => Reply::Set(sorted(replies)),
        (_, Reply::Map(pairs)) => {
            let mut pairs = pairs.clone();
            pairs.sort();
            Reply::Map(pairs)
        }
        (Sameness::UnorderedPairs, Reply::Array(replies)) => Reply::Array(sorted_pairs(replies)),
        (Sameness::Scan | Sameness::ScanPairs, Reply::Array(parts)) => match &parts[..] {
            [cursor @ Reply::Bulk(at), Reply::Array(found)] if at == "0" => {
                let pairs = sameness == Sameness::ScanPairs;
                let found = if pairs { sorted_pairs(found) } else { sorted(found) };
                Reply::Array(vec![cursor.clone(), Reply::Array(found)])
            }
            _ => Reply::Array(vec![]),
        },
        _ => reply.clone(),
    }
}

fn sorted(replies: &[Reply]) -> Vec<Reply> {
    let mut replies = replies.to_vec();
    replies.sort();
    replies
}

fn sorted_pairs(replies: &[Reply]) -> Vec<Reply> {
    let mut pairs: Vec<_> = replies.chunks(2).collect();
    pairs.sort();
    pairs.concat()
}

#[test]
fn only_the_order_of_what_has_none_is_overlooked() {
    let words =
        |line: &str| -> Vec<Bytes> { line.split(' ').map(|word| word.to_owned().into()).collect() };
    let list =
        |text: &'static str| Reply::Array(text.split(' ').map(|w| Reply::Bulk(w.into())).collect());
    assert!(same(&words("smembers t"), &[], &list("a b"), &list("b a")));
    assert!(!same(&words("SMEMBERS t"), &[], &list("a b"), &list("b c")));
    assert!(!same(&words("LRANGE l 0 -1"), &[], &list("a b"), &list("b a")));
    assert!(same(&words("HGETALL h"), &[], &list("f 1 g 2"), &list("g 2 f 1")));
    assert!(!same(&words("HGETALL h"), &[], &list("f 1 g 2"), &list("g 1 f 2")));
    assert!(same(&words("SRANDMEMBER t 1"), &[], &list("a"), &list("b")));
    assert!(!same(&words("SRANDMEMBER t 1"), &[], &list("a"), &list("b c")));
    let both = |left, right| Reply::Array(vec![left, right]);
    let queued = [words("SMEMBERS t"), words("LRANGE l 0 -1")];
    let first = both(list("a b"), list("a b"));
    assert!(same(&words("EXEC"), &queued, &first, &both(list("b a"), list("a b"))));
    assert!(!same(&words("EXEC"), &queued, &first, &both(list("a b"), list("b a"))));
}
