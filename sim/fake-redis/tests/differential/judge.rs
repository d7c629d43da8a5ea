//! Runs a case on both servers and finds the first difference.

use std::{collections::BTreeSet, fmt, time::Instant};

use bytes::Bytes;

use crate::{
    compare::{in_order_of_names, is, same},
    fake::{Fake, Outcome, START_US},
    real::{Link, PATIENCE, RealRedis, is_pending},
    reply::Reply,
    settings,
    step::{SESSIONS, Step, effective},
    tally::Tally,
    words::{KEYS, ODD},
};

/// What a session does that is blocked.
const WAITS: &str = "(waits)";

/// How often one behind the other it is seen to wait before that counts.
const LOOKS: usize = 20;

/// Commands that on the real server also see what has expired, until somebody looks.
const STALE: [&[&str]; 2] = [&["DBSIZE"], &["MEMORY", "USAGE"]];

/// Reads a number, after which the real server has forgotten that one before was too large: else it
/// would take what it sorts for too large.
const HARMLESS: &str = "ZADD nobody XX 1 a";

/// Both servers.
pub(crate) struct Judge {
    real: RealRedis,
    control: Link,
    pub(crate) tally: Tally,
    /// Makes some replies of the fake wrong, so as to see that this is found.
    pub(crate) planted: Option<fn(&[Bytes], &mut Reply)>,
}

/// The first reply that is not the same.
#[derive(Debug)]
pub(crate) struct Difference {
    steps: Vec<Step>,
    fake: String,
    real: String,
}

/// A step, and what the fake made of it: `None` if its session waits and cannot send it.
struct Expected {
    step: Step,
    outcome: Option<Outcome>,
    now_us: u64,
}

/// One case on the real server.
struct Trial<'a> {
    real: &'a RealRedis,
    control: &'a mut Link,
    tally: &'a mut Tally,
    links: Vec<Link>,
    queues: [Option<Vec<Vec<Bytes>>>; SESSIONS],
    expected: &'a [Expected],
    /// The steps that were sent, but not yet answered: all of one session.
    unanswered: Vec<usize>,
}

impl Judge {
    pub(crate) fn new(real: RealRedis) -> Self {
        let control = real.connect();
        Self { real, control, tally: Tally::default(), planted: None }
    }

    /// # Errors
    ///
    /// The first difference, with the steps that lead to it.
    pub(crate) fn run(&mut self, steps: &[Step]) -> Result<(), Difference> {
        let expected = self.on_the_fake(&prepared(steps));
        self.reset();
        let mut trial = Trial {
            links: (0..SESSIONS).map(|_| self.real.connect()).collect(),
            real: &self.real,
            control: &mut self.control,
            tally: &mut self.tally,
            queues: [const { None }; SESSIONS],
            expected: &expected,
            unanswered: Vec::new(),
        };
        let result = trial.run();
        for words in settings::to_set_back(steps.iter().map(Step::words)) {
            self.control.ask_words(&words);
        }
        result
    }

    fn on_the_fake(&self, steps: &[Step]) -> Vec<Expected> {
        let mut fake = Fake::new();
        let mut expected = Vec::new();
        for step in steps {
            let step = match step {
                // A setting that the fake has not.
                Step::Command { session, words }
                    if is(words, &["CONFIG", "SET"]) && Fake::new().refuses(words) =>
                {
                    &Step::command(*session, "PING")
                }
                Step::Command { session, words } if fake.would_hear_itself(*session, words) => {
                    &Step::command(*session, "PING")
                }
                // Not sent; nor is a transaction left open.
                Step::Command { session, words } if fake.would_wake_at_random(*session, words) => {
                    &Step::command(*session, "DISCARD")
                }
                step => step,
            };
            let outcome = match step {
                Step::Advance { ms } => {
                    let deliveries = fake.advance(*ms);
                    Some(Outcome { deliveries, ..Outcome::default() })
                }
                Step::Command { session, .. } if fake.is_blocked(*session) => None,
                Step::Command { session, words } => {
                    let mut outcome = fake.execute(*session, words);
                    if let Some(plant) = self.planted {
                        outcome.replies.iter_mut().for_each(|reply| plant(words, reply));
                    }
                    Some(outcome)
                }
            };
            expected.push(Expected { step: step.clone(), outcome, now_us: fake.now_us() });
        }
        expected
    }

    fn reset(&mut self) {
        self.real.set_clock(START_US);
        for line in ["FLUSHALL", "SCRIPT FLUSH"] {
            let reply = self.control.ask(line);
            assert!(reply.is_status("OK"), "{line}: {reply}");
        }
    }
}

/// With a look at what was set until a time that may be past, which a real server removes when it
/// comes across it; with a deletion after each random pop, which leaves the two with different data; with a look at
/// every key before they are counted, since the real server counts what has expired until somebody
/// looks; with a harmless command before each sort; and at the end a word from each session, before which whatever is left over would come.
fn prepared(steps: &[Step]) -> Vec<Step> {
    let mut all = Vec::new();
    for step in steps {
        if let Step::Command { session, words } = step
            && STALE.iter().any(|name| is(effective(words), name))
        {
            let used = all.iter().flat_map(Step::words).cloned();
            let words = look_at_every_key().into_iter().chain(used.collect::<BTreeSet<_>>());
            all.push(Step::Command { session: *session, words: words.collect() });
        }
        if let Step::Command { session, words } = step
            && (is(effective(words), &["SORT"]) || is(effective(words), &["SORT_RO"]))
        {
            all.push(Step::command(*session, HARMLESS));
        }
        all.push(step.clone());
        if let Step::Command { session, words } = step
            && let [name, key, ..] = effective(words)
            && name.eq_ignore_ascii_case(b"set")
            && words
                .iter()
                .any(|it| it.eq_ignore_ascii_case(b"exat") || it.eq_ignore_ascii_case(b"pxat"))
        {
            all.push(Step::Command {
                session: *session,
                words: vec!["EXISTS".into(), key.clone()],
            });
        }
        if let Step::Command { session, words } = step
            && let [name, key, ..] = effective(words)
            && name.eq_ignore_ascii_case(b"spop")
        {
            let words = vec!["DEL".into(), key.clone()];
            all.push(Step::Command { session: *session, words });
        }
    }
    all.extend((0..SESSIONS).map(|session| Step::command(session, "PING")));
    all
}

fn look_at_every_key() -> Vec<Bytes> {
    let keys = KEYS.iter().chain(&ODD).map(|key| Bytes::from_static(key.as_bytes()));
    std::iter::once("EXISTS".into()).chain(keys).collect()
}

impl Trial<'_> {
    fn run(&mut self) -> Result<(), Difference> {
        let expected = self.expected;
        for (index, Expected { step, outcome, now_us }) in expected.iter().enumerate() {
            let Some(outcome) = outcome else { continue };
            match step {
                Step::Advance { .. } => {
                    self.drain()?;
                    self.move_clock(*now_us);
                }
                Step::Command { session, words } => {
                    if self.unanswered.first().is_some_and(|first| self.session(*first) != *session)
                    {
                        self.drain()?;
                    }
                    self.links[*session].send(words);
                    self.unanswered.push(index);
                    if outcome.blocks {
                        self.await_blocked(index, *session)?;
                    }
                }
            }
            if !outcome.deliveries.is_empty() {
                self.drain()?;
                self.deliveries(index, outcome)?;
            }
        }
        self.drain()
    }

    fn session(&self, index: usize) -> usize {
        match self.expected[index].step {
            Step::Command { session, .. } => session,
            Step::Advance { .. } => unreachable!("an advance is never unanswered"),
        }
    }

    /// Reads the replies to all that was sent.
    fn drain(&mut self) -> Result<(), Difference> {
        for index in std::mem::take(&mut self.unanswered) {
            let session = self.session(index);
            let Expected { step: Step::Command { words, .. }, outcome: Some(outcome), .. } =
                &self.expected[index]
            else {
                unreachable!("only commands are sent")
            };
            let mut told = Vec::new();
            for fake in &outcome.replies {
                let real = self.receive(session);
                told.push(real.map_err(|why| self.difference(index, fake.to_string(), why))?);
            }
            let told = in_order_of_names(words, &told);
            for (fake, real) in in_order_of_names(words, &outcome.replies).iter().zip(told) {
                self.judge(index, session, words, fake, Ok(real))?;
            }
            if let [reply] = &outcome.replies[..] {
                self.tally.count(words, reply.is_error());
                self.follow_transaction(session, words, reply);
            } else {
                self.tally.count(words, false);
            }
        }
        Ok(())
    }

    fn judge(
        &self,
        index: usize,
        session: usize,
        words: &[Bytes],
        fake: &Reply,
        real: Result<Reply, String>,
    ) -> Result<(), Difference> {
        let queued = self.queues[session].as_deref().unwrap_or_default();
        match real {
            Ok(real) if same(words, queued, fake, &real) => Ok(()),
            Ok(real) => Err(self.difference(index, fake.to_string(), real.to_string())),
            Err(silence) => Err(self.difference(index, fake.to_string(), silence)),
        }
    }

    fn follow_transaction(&mut self, session: usize, words: &[Bytes], reply: &Reply) {
        let queue = &mut self.queues[session];
        if is(words, &["MULTI"]) && !reply.is_error() {
            *queue = Some(Vec::new());
        } else if is(words, &["EXEC"]) || is(words, &["DISCARD"]) || is(words, &["RESET"]) {
            *queue = None;
        } else if let Some(queue) = queue
            && reply.is_status("QUEUED")
        {
            queue.push(words.to_vec());
        }
    }

    /// Reads what comes to sessions that did not ask for it just now.
    fn deliveries(&mut self, index: usize, outcome: &Outcome) -> Result<(), Difference> {
        let mut told = Vec::new();
        for (session, fake) in &outcome.deliveries {
            let real = self.receive(*session);
            let real = real.map_err(|why| self.difference(index, fake.to_string(), why))?;
            told.push((*session, real));
        }
        // A message that matches several patterns comes in the order of a table of hashes.
        let mut expected = outcome.deliveries.clone();
        expected.sort();
        told.sort();
        for ((session, fake), (_, real)) in expected.iter().zip(told) {
            self.judge(index, *session, &[], fake, Ok(real))?;
        }
        Ok(())
    }

    /// Until the real server says that this session waits, too.
    fn await_blocked(&mut self, index: usize, session: usize) -> Result<(), Difference> {
        self.unanswered.pop();
        self.drain()?;
        let link = &mut self.links[session];
        link.flush().expect("the real server reads");
        let begun = Instant::now();
        while !self.waits(session) {
            if let Some(reply) = self.links[session].receive_if_there() {
                return Err(self.difference(index, WAITS.into(), reply.to_string()));
            }
            if begun.elapsed() > PATIENCE {
                return Err(self.difference(index, WAITS.into(), "no reply".into()));
            }
        }
        if let Step::Command { words, .. } = &self.expected[index].step {
            self.tally.count(words, false);
        }
        Ok(())
    }

    /// The next reply, or why there is none.
    fn receive(&mut self, session: usize) -> Result<Reply, String> {
        let (begun, mut looks) = (Instant::now(), 0);
        loop {
            match self.links[session].receive() {
                Ok(reply) => return Ok(reply),
                Err(error) if !is_pending(&error) => return Err(format!("no reply: {error}")),
                Err(_) if begun.elapsed() > PATIENCE => return Err("no reply".into()),
                // A slow machine runs a long script for longer than a glance, and what ends a wait
                // may be on its way: only one that is seen again and again counts.
                Err(_) => looks = if self.waits(session) { looks + 1 } else { 0 },
            }
            if looks == LOOKS {
                return Err(format!("{WAITS}, {}", self.told(session)));
            }
        }
    }

    /// What the real server says of this session.
    fn told(&mut self, session: usize) -> String {
        let question = format!("CLIENT LIST ID {}", self.links[session].id);
        self.control.ask(&question).to_string()
    }

    /// Whether the real server says that this session waits for something.
    fn waits(&mut self, session: usize) -> bool {
        let told = self.told(session);
        let flags = told.split(' ').find_map(|word| word.strip_prefix("flags="));
        flags.is_some_and(|flags| flags.contains('b'))
    }

    /// Moves the real server's clock. It removes expired keys when it comes across them: so that
    /// `DBSIZE` is exact, it comes across them now.
    fn move_clock(&mut self, now_us: u64) {
        self.real.set_clock(now_us);
        let touch = look_at_every_key();
        for database in 0..4 {
            self.control.ask(&format!("SELECT {database}"));
            self.control.ask_words(&touch);
        }
        self.control.ask("SELECT 0");
    }

    fn difference(&self, index: usize, fake: String, real: String) -> Difference {
        let steps = self.expected[..=index].iter().map(|expected| expected.step.clone()).collect();
        Difference { steps, fake, real }
    }
}

/// As lines for `redis-cli`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "  {step}")?;
        }
        writeln!(f, "  fake: {}", self.fake)?;
        write!(f, "  real: {}", self.real)
    }
}
