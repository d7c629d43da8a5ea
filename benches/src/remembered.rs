//! Changes of each type of data, in each way in which they come: what it costs a served fake to
//! remember them, as it does with an admin endpoint.

use std::{
    io,
    time::{Duration, Instant},
};

use leasehold_upstash::redis::{self, Client, Cmd, Connection, Pipeline, RedisResult};

use crate::servers::Server;

/// How many commands come at once.
const AT_ONCE: usize = 100;

/// How many one long script has.
const LONG: usize = 16_000;

/// How many keys there are, but in a long script.
const KEYS: usize = 1_000;

/// What is changed, each as the command and its arguments behind the key: `I` is the number of the
/// change.
pub const CHANGES: [(&str, &[&str]); 8] = [
    ("SET", &["value-I"]),
    ("INCR", &[]),
    ("RPUSH", &["item-I"]),
    ("LPOP", &[]),
    ("HSET", &["field-F", "value-I"]),
    ("SADD", &["member-I"]),
    ("ZADD", &["I", "member-F"]),
    ("XADD", &["*", "field", "value-I"]),
];

/// How commands come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A hundred behind one another.
    Pipeline,
    /// A hundred in a transaction.
    Transaction,
    /// A hundred in a script.
    Script,
    /// Sixteen thousand in one script, on one key.
    LongScript,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pipeline, Self::Transaction, Self::Script, Self::LongScript];

    /// For a table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pipeline => "pipeline",
            Self::Transaction => "MULTI",
            Self::Script => "script",
            Self::LongScript => "one script",
        }
    }
}

/// Some thousands of changes.
#[derive(Debug)]
pub struct Load {
    requests: Vec<Pipeline>,
    /// What fills the lists that are taken from.
    before: Vec<Pipeline>,
    /// How many commands there are.
    pub commands: usize,
}

impl Load {
    /// At least so many commands.
    #[must_use]
    pub fn new(way: Way, change: usize, commands: usize) -> Self {
        let size = if way == Way::LongScript { LONG } else { AT_ONCE };
        let rounds = commands.div_ceil(size);
        let requests = |change| {
            let numbers = (0..rounds).map(|round| round * size..(round + 1) * size);
            numbers.map(|numbers| request(way, change, numbers)).collect()
        };
        let is_taken = CHANGES[change].0 == "LPOP";
        let before = if is_taken { requests(pushing()) } else { Vec::new() };
        Self { requests: requests(change), before, commands: rounds * size }
    }

    /// What one command takes of the server's processor; of the time, where that is not told. What
    /// was there before stays.
    ///
    /// # Errors
    ///
    /// What the server answered instead.
    pub fn run(&self, server: &Server) -> RedisResult<Duration> {
        let mut connection = connect(server)?;
        for request in &self.before {
            request.query::<()>(&mut connection)?;
        }
        let (time, begun) = (server.processor_time(), Instant::now());
        for request in &self.requests {
            request.query::<()>(&mut connection)?;
        }
        let took = server.processor_time().zip(time).map(|(after, before)| after - before);
        let commands = u32::try_from(self.commands).unwrap_or(u32::MAX);
        Ok(took.unwrap_or_else(|| begun.elapsed()) / commands)
    }
}

/// Has the server remember as much as it does at most, so that each change has it forget another.
///
/// # Errors
///
/// What the server answered instead.
pub fn fill(server: &Server) -> RedisResult<()> {
    let mut connection = connect(server)?;
    let text = "x".repeat(1 << 20);
    (0..300).try_for_each(|_| redis::cmd("SET").arg("large").arg(&text).query(&mut connection))
}

fn pushing() -> usize {
    CHANGES.iter().position(|(name, _)| *name == "RPUSH").unwrap_or_default()
}

fn request(way: Way, change: usize, numbers: std::ops::Range<usize>) -> Pipeline {
    let mut pipeline = redis::pipe();
    if matches!(way, Way::Script | Way::LongScript) {
        pipeline.add_command(script(way, change, &numbers)).ignore();
        return pipeline;
    }
    for number in numbers {
        pipeline.add_command(command(change, number)).ignore();
    }
    if way == Way::Transaction {
        pipeline.atomic();
    }
    pipeline
}

/// Lists are pushed to and taken from under the same keys.
fn kind(name: &str) -> &str {
    if name == "LPOP" { "RPUSH" } else { name }
}

fn command(change: usize, number: usize) -> Cmd {
    let (name, words) = CHANGES[change];
    let mut command = redis::cmd(name);
    command.arg(format!("{}:{}", kind(name), number % KEYS));
    for word in words {
        let field = (number / KEYS % 100).to_string();
        command.arg(word.replace('I', &number.to_string()).replace('F', &field));
    }
    command
}

fn script(way: Way, change: usize, numbers: &std::ops::Range<usize>) -> Cmd {
    let (name, words) = CHANGES[change];
    let key = if way == Way::LongScript { "0".into() } else { format!("i % {KEYS}") };
    let field = if way == Way::LongScript { "i" } else { "math.floor(i / 1000) % 100" };
    let quoted = |word: &&str| match word.split_once(['I', 'F']) {
        Some((begin, _)) if word.ends_with('I') => format!(", '{begin}' .. i"),
        Some((begin, _)) => format!(", '{begin}' .. {field}"),
        None => format!(", '{word}'"),
    };
    let words: String = words.iter().map(quoted).collect();
    let text = format!(
        "for i = ARGV[1], ARGV[2] - 1 do redis.call('{name}', '{}:' .. {key}{words}) end",
        kind(name)
    );
    let mut command = redis::cmd("EVAL");
    command.arg(text).arg(0).arg(numbers.start).arg(numbers.end);
    command
}

fn connect(server: &Server) -> RedisResult<Connection> {
    Client::open(server.url.as_str())
        .map_err(|error| io::Error::other(error).into())
        .and_then(|client| client.get_connection())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(command: &Cmd) -> String {
        String::from_utf8_lossy(&command.get_packed_command()).into_owned()
    }

    #[test]
    fn a_command_and_a_script_change_the_same() {
        let at = |name: &str| CHANGES.iter().position(|(it, _)| *it == name).unwrap();
        let words = text(&command(at("ZADD"), 2_345));
        assert!(words.contains("ZADD:345") && words.contains("\r\n2345\r\n"), "{words}");
        assert!(words.contains("member-2\r\n"), "{words}");
        let script = text(&script(Way::Script, at("HSET"), &(0..100)));
        let call = "redis.call('HSET', 'HSET:' .. i % 1000, \
                    'field-' .. math.floor(i / 1000) % 100, 'value-' .. i)";
        assert!(script.contains(call), "{script}");
        assert!(text(&command(at("LPOP"), 7)).contains("RPUSH:7\r\n"));
    }

    #[test]
    fn a_load_has_whole_requests() {
        assert_eq!(Load::new(Way::LongScript, 0, 20_000).commands, 32_000);
        let load = Load::new(Way::Transaction, 3, 250);
        assert_eq!((load.commands, load.requests.len(), load.before.len()), (300, 3, 3));
    }
}
