//! What somebody hears who monitors: as from a real server, but for the times and the addresses.

use bytes::Bytes;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::{
    compare::is,
    fake::{Fake, START_US},
    generate::Generator,
    real::RealRedis,
    reply::Reply,
    step::{Step, effective},
};

/// Those that may wait, end what is listened to, or leave different data behind.
const LEFT_OUT: [&str; 9] = [
    "SPOP", "WAIT", "RESET", "RANDOMKEY", "FLUSHALL", "XREAD", "XREADGROUP",
    // More of it is left out than by a real server.
    "AUTH", "HELLO",
];

/// Sends `commands` random commands; the first thing that is heard otherwise.
pub(crate) fn difference(
    real: &RealRedis,
    generator: &Generator,
    commands: usize,
) -> Option<String> {
    real.set_clock(START_US);
    let (mut fake, mut writer, mut listener) = (Fake::new(), real.connect(), real.connect());
    fake.execute(1, &["MONITOR".into()]);
    listener.ask("MONITOR");
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]);
    let mut sent = 0;
    while sent < commands {
        for step in generator.steps(20, &mut random) {
            let Step::Command { words, .. } = step else { continue };
            let name = effective(&words).first().map(|name| name.to_ascii_uppercase());
            let blocks =
                name.is_some_and(|name| name.starts_with(b"B") || name.ends_with(b"SUBSCRIBE"));
            if blocks || LEFT_OUT.iter().any(|name| is(effective(&words), &[name])) {
                continue;
            }
            let outcome = fake.execute(0, &words);
            writer.ask_words(&words);
            sent += 1;
            for (_, ours) in outcome.deliveries.iter().filter(|(session, _)| *session == 1) {
                let theirs = listener.receive().unwrap_or(Reply::Nil);
                if told(ours) != told(&theirs) {
                    return Some(format!(
                        "{}\n  fake: {ours}\n  real: {theirs}",
                        Step::Command { session: 0, words }
                    ));
                }
            }
            // Nothing more than that.
            if let Some(more) = listener.receive_if_there() {
                return Some(format!(
                    "{}\n  fake: nothing\n  real: {more}",
                    Step::Command { session: 0, words }
                ));
            }
        }
    }
    None
}

/// The line without its time, and with the database alone of who sent it.
fn told(reply: &Reply) -> Bytes {
    let Reply::Simple(line) = reply else { return Bytes::from(reply.to_string()) };
    let line = String::from_utf8_lossy(line);
    let Some((_, rest)) = line.split_once(" [") else { return line.into_owned().into() };
    let (from, words) = rest.split_once("] ").unwrap_or((rest, ""));
    let lua = from.ends_with(" lua");
    format!("{} {lua} {words}", from.split(' ').next().unwrap_or_default()).into()
}
