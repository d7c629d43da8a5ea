//! No number that a client names makes the server panic, or take memory or time without a bound.

use leasehold_fake_redis::{Resp, Server};

use crate::extreme_words::{ask, command, fill, size, table};

/// Numbers that are drawn from a seed.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

#[test]
fn every_command_of_the_table_bears_every_number() {
    let mut server = Server::default();
    server.redis_mut().script_rules.instructions = 100_000;
    let client = server.connect();
    let mut draw = Draw(7);
    let table = table(&mut server, client);
    assert!(table.len() > 200, "{}", table.len());
    for round in 0..60 {
        for name in &table {
            let client = server.connect();
            fill(&mut server, client);
            let words = command(name, |bound| draw.below(bound));
            // A large string is allowed; sixty of them a round would only take long.
            let grows = matches!(&*name[0], "setrange" | "setbit") && round > 2;
            if !grows {
                let reply = ask(&mut server, client, &words);
                assert!(size(&reply) <= 2 << 20, "{words:?}");
            }
            let other = server.connect();
            ask(&mut server, other, &["CLIENT", "UNPAUSE"]);
            let text = ask(&mut server, other, &["PING"]);
            assert_eq!(text, Resp::Simple("PONG".into()), "{words:?}");
            server.disconnect(other);
            server.disconnect(client);
        }
    }
}

#[test]
fn no_more_is_drawn_than_fits_a_reply() {
    let mut server = Server::default();
    let client = server.connect();
    fill(&mut server, client);
    for (command, key) in [("SRANDMEMBER", "set"), ("HRANDFIELD", "hash"), ("ZRANDMEMBER", "zset")]
    {
        for number in ["-9223372036854775807", "-1048577"] {
            let reply = ask(&mut server, client, &[command, key, number]);
            assert!(matches!(reply, Resp::Error(_)), "{command} {number}");
        }
        let Resp::Array(drawn) = ask(&mut server, client, &[command, key, "-2000"]) else {
            panic!()
        };
        assert_eq!(drawn.len(), 2_000);
        let large = "x".repeat(1 << 20);
        ask(&mut server, client, &["SADD", "large set", &large]);
        ask(&mut server, client, &["HSET", "large hash", "a", &large]);
        ask(&mut server, client, &["ZADD", "large zset", "1", &large]);
        let key = format!("large {key}");
        let more = if command == "HRANDFIELD" { "WITHVALUES" } else { "" };
        let words = [command, &key, "-1000", more];
        let words = if more.is_empty() { &words[..3] } else { &words[..] };
        assert!(matches!(ask(&mut server, client, words), Resp::Error(_)), "{command}");
    }
}

#[test]
fn a_pause_for_ever_can_be_ended() {
    let mut server = Server::default();
    let client = server.connect();
    for mode in ["ALL", "WRITE"] {
        ask(&mut server, client, &["CLIENT", "PAUSE", "9000000000000000", mode]);
        assert_eq!(ask(&mut server, client, &["CLIENT", "UNPAUSE"]), Resp::OK);
        assert_eq!(ask(&mut server, client, &["SET", "key", "value"]), Resp::OK);
    }
}
