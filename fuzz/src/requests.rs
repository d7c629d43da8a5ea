//! Whatever a client of the fake Redis sends, reading it ends, and means the same however it was
//! cut on the way.

use leasehold_fake_redis::serve::fuzzing::{resp_commands, rest_request};

/// Reads requests in RESP, at once and in pieces.
///
/// # Panics
///
/// If they are not the same.
pub fn resp(bytes: &[u8]) {
    let whole = resp_commands(bytes, bytes.len());
    for size in [1, 7] {
        assert_eq!(resp_commands(bytes, size), whole, "in pieces of {size}");
    }
}

/// Reads one REST request: a line with the path and the query, and the body behind it.
pub fn rest(bytes: &[u8]) {
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    let address = String::from_utf8_lossy(&bytes[..end]);
    let body = bytes.get(end + 1..).unwrap_or_default().to_vec();
    let (path, query) = address.split_once('?').unwrap_or((&address, ""));
    let _either_way = rest_request(path, query, body.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::{corpus, inputs, neighbours};

    #[test]
    fn noise_and_the_corpus_are_read_to_the_end() {
        for (name, target) in [("resp", resp as fn(&[u8])), ("rest", rest)] {
            for seed in corpus(name) {
                target(&seed);
                neighbours(&seed).for_each(|bytes| target(&bytes));
            }
            inputs(20_000, 40).for_each(|bytes| target(&bytes));
        }
    }

    #[test]
    fn the_corpus_holds_real_requests() {
        assert!(corpus("resp").iter().any(|seed| resp_commands(seed, 9).0.len() > 1));
        assert!(rest_request("/set/a", "EX=1", "b".into()) && !rest_request("/", "", "[".into()));
    }
}
