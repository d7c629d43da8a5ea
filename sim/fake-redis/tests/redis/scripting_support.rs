//! A server that runs scripts, and shows every kind of reply in one line.

use leasehold_fake_redis::{Redis, Resp, ScriptRules};

use crate::sessions_support::bytes;

/// A Monday in 2023.
const NOW_US: u64 = 1_700_000_000_000_000;

pub(crate) struct Server(pub(crate) Redis);

impl Server {
    pub(crate) fn new(rules: ScriptRules) -> Self {
        let mut redis = Redis::default();
        redis.script_rules = rules;
        Self(redis)
    }

    pub(crate) fn ask(&mut self, words: &[&str]) -> String {
        shown(&self.0.execute(NOW_US, &bytes(words)))
    }

    pub(crate) fn eval(&mut self, script: &str) -> String {
        self.ask(&["EVAL", script, "0"])
    }
}

/// Runs each script of `transcript`, and compares with what Redis 7.0.15 answered: that stands
/// behind `-->`, which ends the script.
pub(crate) fn check(server: &mut Server, transcript: &str) {
    let mut script = String::new();
    for line in transcript.trim().lines() {
        let (part, reply) = line.split_once("--> ").map_or((line, None), |(a, b)| (a, Some(b)));
        script = format!("{script}\n{part}").trim().to_owned();
        if let Some(reply) = reply {
            assert_eq!(server.eval(&script), reply, "{script}");
            script.clear();
        }
    }
    assert_eq!(script, "", "a script without a reply");
}

/// Strings in quotes, with what is no ASCII escaped; errors with the line instead of the script.
fn shown(reply: &Resp) -> String {
    let all = |replies: &[Resp]| replies.iter().map(shown).collect::<Vec<_>>().join(" ");
    match reply {
        Resp::Array(replies) => format!("[{}]", all(replies)),
        Resp::Set(members) => format!("~[{}]", all(members)),
        Resp::Map(pairs) => {
            let pair = |(name, value): &(Resp, Resp)| format!("{}={}", shown(name), shown(value));
            format!("%{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(" "))
        }
        Resp::Bulk(bytes) => format!("'{}'", bytes.escape_ascii()),
        Resp::Double(text) => format!(",{}", text.escape_ascii()),
        Resp::BigNumber(text) => format!("({}", text.escape_ascii()),
        Resp::Verbatim(text) => format!("={}", text.escape_ascii()),
        Resp::Boolean(yes) => format!("#{yes}"),
        Resp::Integer(number) => format!(":{number}"),
        Resp::Simple(status) => format!("+{status}"),
        Resp::Nil => "nil".into(),
        Resp::Error(message) => match message.split_once(" script: ") {
            Some((message, place)) => {
                let (_, line) = place.rsplit_once(':').unwrap_or_default();
                format!("-{message} @{}", line.trim_end_matches('.'))
            }
            None => format!("-{message}"),
        },
        other => unreachable!("{other:?}"),
    }
}
