//! Which keys there are.

use bytes::Bytes;

use super::{super::scan as pages, Answer, Call, Resp};
use crate::glob::matches;

/// In the order of their bytes; Redis promises none.
pub(super) fn keys(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let now_ms = call.now_ms();
    let found = call
        .keys()
        .iter()
        .filter(|(key, entry)| !entry.is_expired(now_ms) && matches(&arguments[1], key));
    Ok(Resp::Array(found.map(|(key, _)| Resp::Bulk(key.clone())).collect()))
}

pub(super) fn scan(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let cursor = pages::cursor(&arguments[1])?;
    let mut options = arguments[2..].to_vec();
    // Upstash's own option, the only one without a value.
    let mut names = options.iter().step_by(2);
    let place = names.position(|name| name.eq_ignore_ascii_case(b"withtype"));
    let place = place.filter(|_| call.redis.is_upstash());
    let with_type = place.map(|place| options.remove(2 * place)).is_some();
    let options = pages::Scan::parse(&options, true)?;
    let (next, keys) = call.keys().scan(cursor, options.count);
    let keys: Vec<_> = keys.into_iter().cloned().collect();
    let of_type = |name: &str| options.kind.as_ref().is_none_or(|kind| kind == name);
    let mut found = Vec::new();
    for key in keys.into_iter().filter(|key| options.wants(key)) {
        let kind = call.entry(&key).map(|entry| entry.value.type_name());
        if let Some(kind) = kind.filter(|kind| of_type(kind)) {
            found.push(Resp::Bulk(key));
            found.extend(with_type.then(|| Resp::Bulk(kind.into())));
        }
    }
    Ok(pages::reply(next, found))
}

pub(super) fn random_key(call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    // Expired keys are only left over if very many expired at once.
    for _ in 0..100 {
        let from = call.redis.random.next();
        let Some(key) = call.keys().near(from).cloned() else { break };
        if call.entry(&key).is_some() {
            return Ok(Resp::Bulk(key));
        }
    }
    Ok(Resp::Nil)
}
