//! Whatever a script does, it ends, the server lives, and nothing of the host is within reach.

use bytes::Bytes;
use leasehold_fake_redis::{Redis, Resp};

/// Runs a script, and asks the server whether it is still well.
///
/// # Panics
///
/// If it is not, or if the script has reached what it must not.
pub fn lua(bytes: &[u8]) {
    let mut redis = Redis::default();
    let eval = |redis: &mut Redis, text: &[u8]| {
        let words = [b"EVAL", text, b"1", b"key", b"argument"];
        redis.execute(1_000_000, &words.map(Bytes::copy_from_slice))
    };
    let _whatever = eval(&mut redis, bytes);
    let reached = b"local found = {}
        for _, name in ipairs({'io', 'debug', 'package', 'require', 'dofile', 'loadfile'}) do
            local there, value = pcall(function() return _G[name] end)
            if there and value ~= nil then found[#found + 1] = name end
        end
        return found";
    assert_eq!(eval(&mut redis, reached), Resp::Array(Vec::new()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::{corpus, inputs, neighbours};

    #[test]
    fn noise_and_the_corpus_end() {
        for seed in corpus("lua") {
            lua(&seed);
            neighbours(&seed).step_by(5).for_each(|bytes| lua(&bytes));
        }
        inputs(500, 40).for_each(|bytes| lua(&bytes));
    }
}
