//! A server with two sessions and a clock, asked in one line and answering in one.

use bytes::Bytes;
use leasehold_fake_redis::{Delivery, Executed, Resp, Server, SessionId, Settings};

pub(crate) struct Talk {
    pub(crate) server: Server,
    pub(crate) now_ms: u64,
    sessions: Vec<SessionId>,
}

impl Talk {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let mut server = Server::new(settings);
        let now_ms = 1_700_000_000_000;
        let connect =
            |peer: &str| server.connect_from(now_ms * 1_000, peer.into(), "127.0.0.1:6379".into());
        let sessions = ["10.0.0.1:1001", "10.0.0.2:1002", "10.0.0.3:1003"].map(connect).into();
        Self { server, now_ms, sessions }
    }

    /// What `speaker` (`a`, `b` or `c`) is answered, and what the others are told then:
    /// `reply | b: message`.
    pub(crate) fn ask(&mut self, speaker: char, line: &str) -> String {
        self.ask_words(speaker, &line.split(' ').collect::<Vec<_>>())
    }

    /// The same with words that may have spaces in them.
    pub(crate) fn ask_words(&mut self, speaker: char, words: &[&str]) -> String {
        let session = self.sessions[speaker as usize - 'a' as usize];
        let executed = self.server.execute(self.now_ms * 1_000, session, &bytes(words));
        let replies = match executed {
            Executed::Replies(replies) => replies.iter().map(shown).collect::<Vec<_>>().join(" "),
            Executed::Blocked => "waits".into(),
        };
        replies + &self.told()
    }

    /// Asks each line on the left of the speaker before it, and expects what is on the right.
    pub(crate) fn expect(&mut self, table: &[(char, &str, &str)]) {
        for (speaker, line, reply) in table {
            assert_eq!(self.ask(*speaker, line), *reply, "{speaker}: {line}");
        }
    }

    /// Moves the clock on, and what the sessions are told then.
    #[allow(dead_code, reason = "only the tests of waiting let time pass")]
    pub(crate) fn after(&mut self, ms: u64) -> String {
        self.now_ms += ms;
        self.server.wake(self.now_ms * 1_000);
        self.told().trim_start_matches(" | ").to_owned()
    }

    fn told(&mut self) -> String {
        let name = |session| {
            let index = self
                .sessions
                .iter()
                .position(|other| *other == session)
                .expect("the session was connected here");
            char::from(b'a' + u8::try_from(index).expect("tests connect few sessions"))
        };
        let deliveries = self.server.take_deliveries();
        let deliveries = deliveries.iter().map(|Delivery { session, resp, unblocks }| {
            let sign = if *unblocks { "!" } else { "" };
            format!(" | {}{sign}: {}", name(*session), shown(resp))
        });
        deliveries.collect()
    }
}

pub(crate) fn bytes(words: &[&str]) -> Vec<Bytes> {
    words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()
}

pub(crate) fn shown(resp: &Resp) -> String {
    let all = |replies: &[Resp]| replies.iter().map(shown).collect::<Vec<_>>().join(" ");
    match resp {
        Resp::Array(replies) | Resp::Set(replies) => format!("[{}]", all(replies)),
        Resp::Push(replies) => format!(">[{}]", all(replies)),
        Resp::Bulk(text) | Resp::Double(text) | Resp::Verbatim(text) => {
            String::from_utf8_lossy(text).into_owned()
        }
        Resp::Error(text) => format!("!{text}"),
        Resp::Integer(number) => format!(":{number}"),
        Resp::Nil => "nil".into(),
        Resp::NilArray => "nil-array".into(),
        Resp::Simple(text) => format!("+{text}"),
        Resp::Entries(pairs) | Resp::Map(pairs) => {
            let pairs =
                pairs.iter().map(|(left, right)| format!("{}={}", shown(left), shown(right)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(" "))
        }
        other => unreachable!("{other:?}"),
    }
}
