//! Whatever numbers commands are given, the server lives, and what it answers and keeps stays small.

use std::sync::LazyLock;

use leasehold_fake_redis::{Resp, Server};

#[path = "../../sim/fake-redis/tests/redis/extreme_words.rs"]
mod extreme_words;

use extreme_words::{ask, command, fill, size, table};

/// How many commands are run of one input.
const COMMANDS: usize = 40;
/// About how many bytes of the past are kept.
const MOST_PAST: usize = 1 << 20;
/// How many parts a reply may have.
const MOST_PARTS: usize = 2 << 20;

static TABLE: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    let mut server = Server::default();
    let client = server.connect();
    table(&mut server, client)
});

/// Runs commands that the bytes choose, each by a client of its own.
///
/// # Panics
///
/// If the server is not well afterwards, or has answered or kept too much.
pub fn commands(bytes: &[u8]) {
    let mut server = Server::default();
    server.redis_mut().script_rules.instructions = 100_000;
    server.redis_mut().keep_past(Some(MOST_PAST));
    let client = server.connect();
    fill(&mut server, client);
    // A large text is allowed, but takes a fuzzer long.
    ask(&mut server, client, &["CONFIG", "SET", "proto-max-bulk-len", "1mb"]);
    let mut bytes = bytes.iter().copied();
    for number in 1..=COMMANDS {
        let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else { break };
        let name = &TABLE[usize::from(u16::from_be_bytes([high, low])) % TABLE.len()];
        let words = command(name, |bound| usize::from(bytes.next().unwrap_or(0)) % bound);
        let client = server.connect();
        let reply = ask(&mut server, client, &words);
        assert!(size(&reply) <= MOST_PARTS, "{words:?}");
        server.disconnect(client);
        server.redis_mut().end_write(number as u64, number as u64, 0);
        assert!(server.redis().past_bytes() <= MOST_PAST, "{words:?}");
        let other = server.connect();
        ask(&mut server, other, &["CLIENT", "UNPAUSE"]);
        assert_eq!(ask(&mut server, other, &["PING"]), Resp::Simple("PONG".into()), "{words:?}");
        server.disconnect(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::{corpus, inputs, neighbours};

    #[test]
    fn noise_and_the_corpus_are_borne() {
        for seed in corpus("commands") {
            commands(&seed);
            neighbours(&seed).step_by(9).for_each(|bytes| commands(&bytes));
        }
        inputs(300, 400).for_each(|bytes| commands(&bytes));
    }

    #[test]
    fn the_bytes_can_name_every_command() {
        assert!(TABLE.len() > 200 && TABLE.len() <= usize::from(u16::MAX), "{}", TABLE.len());
    }
}
