//! Faults to order: rules that say what goes wrong, for which requests and how often, and a record
//! of what did.
//!
//! Nothing here waits or touches a socket: [`Faults::judge`] turns a request into [`Orders`], and
//! whoever serves the request carries them out.

mod duplicate;
mod error;
mod failover;
mod fault;
mod hang;
mod kind;
mod latency;
mod lost_reply;
mod lost_request;
mod orders;
mod request;
mod reset;
mod restart;
mod rule;
mod stale_read;
mod status;
mod strike;

use std::{collections::VecDeque, fmt};

pub use duplicate::DuplicateRequest;
pub use error::ErrorReply;
pub use failover::Failover;
pub use hang::Hang;
pub use kind::Kind;
pub use latency::Latency;
pub use lost_reply::LostReply;
pub use lost_request::LostRequest;
pub use orders::{Duplicate, Ending, Orders, Slot, Upheaval, UpheavalKind};
pub use request::{Request, Transport};
pub use reset::Reset;
pub use restart::Restart;
pub use rule::{Often, Rule, RuleReport, Text, When};
pub use stale_read::StaleRead;
pub use status::Status;
pub use strike::{Strike, StrikeId};

pub(super) use request::told;

use fault::Scope;

/// How many strikes are remembered.
const REMEMBERED: usize = 10_000;

/// The rules in force, and what they did.
///
/// ```
/// use bytes::Bytes;
/// use leasehold_fake_redis::serve::faults::{Ending, Faults, Request, Transport};
///
/// let mut faults = Faults::new(1);
/// faults.add(&"lost-reply command=SET next=1".parse().unwrap()).unwrap();
///
/// let set = ["SET", "job", "token"].map(Bytes::from);
/// let mut judge = || {
///     let commands = [&set[..]];
///     let request = Request { transport: Transport::Rest, client: "a", unix_ms: 0, commands: &commands };
///     faults.judge(&request)
/// };
/// let first = judge();
/// assert!(first.executed && first.ending == Ending::Close);
/// assert_eq!(judge().ending, Ending::Reply);
/// ```
#[derive(Debug)]
pub struct Faults {
    seed: u64,
    made: u64,
    rules: Vec<Rule>,
    strikes: VecDeque<Strike>,
    struck: u64,
}

/// Why a rule was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleError {
    /// It says nothing that can be done: what is wrong, and what to write.
    Wrong(String),
    /// There is a rule of this name.
    Taken(String),
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(what) => f.write_str(what),
            Self::Taken(id) => {
                write!(f, "there is a rule `{id}`: remove it, or choose another `id`")
            }
        }
    }
}

impl std::error::Error for RuleError {}

impl Faults {
    /// No rule yet. Those without a seed of their own draw their chances from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, made: 0, rules: Vec::new(), strikes: VecDeque::new(), struck: 0 }
    }

    /// Puts a rule in force, behind the others, and says its name.
    ///
    /// # Errors
    ///
    /// If its name is taken.
    pub fn add(&mut self, text: &Text) -> Result<String, RuleError> {
        let mut number = self.made + 1;
        if let Some(id) = text.id() {
            if self.rule(id).is_some() {
                return Err(RuleError::Taken(id.into()));
            }
        } else {
            while self.rule(&number.to_string()).is_some() {
                number += 1;
            }
        }
        self.made = number;
        let rule = Rule::new(text, number, self.seed);
        let id = rule.id().to_owned();
        self.rules.push(rule);
        Ok(id)
    }

    /// Takes a rule out of force; whether there was one. Its strikes stay on record.
    pub fn remove(&mut self, id: &str) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| rule.id() != id);
        self.rules.len() < before
    }

    /// Takes every rule out of force and forgets what they did.
    pub fn clear(&mut self) {
        self.rules.clear();
        self.strikes.clear();
    }

    /// Whether no rule is in force, so that there is nothing to judge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a rule needs to know what the data was a while ago.
    #[must_use]
    pub fn need_history(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.kind(), Kind::StaleRead(_) | Kind::Failover(_)))
    }

    /// Says what is to happen to a request, and records it.
    pub fn judge(&mut self, request: &Request<'_>) -> Orders {
        let mut orders = Orders::calm(request.commands.len());
        for scope in [Scope::Request, Scope::Command] {
            if scope == Scope::Command && !orders.executed {
                break;
            }
            for index in 0..self.rules.len() {
                if self.rules[index].kind().scope() == scope {
                    self.apply(index, scope, request, &mut orders);
                }
            }
        }
        orders
    }

    /// What every rule is and has done, in order.
    pub fn report(&self) -> impl Iterator<Item = RuleReport<'_>> {
        self.rules.iter().map(Rule::report)
    }

    /// What was struck, oldest first: the last ten thousand.
    pub fn strikes(&self) -> impl Iterator<Item = &Strike> {
        self.strikes.iter()
    }

    /// Notes that a strike changed what would have happened, and how.
    pub fn bite(&mut self, id: StrikeId, effect: impl Into<String>) {
        let Some(strike) = self.strikes.iter_mut().find(|strike| strike.id == id) else { return };
        strike.effect = Some(effect.into());
        if !std::mem::replace(&mut strike.bit, true)
            && let Some(rule) = self.rules.iter_mut().find(|rule| rule.id() == strike.rule)
        {
            rule.bitten();
        }
    }

    fn apply(&mut self, index: usize, scope: Scope, request: &Request<'_>, orders: &mut Orders) {
        let matching = request.matching(self.rules[index].when());
        let many = if scope == Scope::Request { 1 } else { usize::MAX };
        for command in matching.into_iter().take(many) {
            let id = StrikeId(self.struck + 1);
            if self.rules[index].strike(orders, command, id) {
                self.struck += 1;
                self.record(index, request, command, id);
            }
        }
    }

    fn record(&mut self, index: usize, request: &Request<'_>, command: usize, id: StrikeId) {
        if self.strikes.len() == REMEMBERED {
            self.strikes.pop_front();
        }
        let rule = &self.rules[index];
        self.strikes.push_back(Strike::new(id, rule, request, command));
        if let Some(effect) = rule.kind().certain_effect() {
            self.bite(id, effect);
        }
    }

    fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id() == id)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;

    fn faults(rules: &[&str]) -> Faults {
        let mut faults = Faults::new(7);
        for rule in rules {
            faults.add(&rule.parse().unwrap()).unwrap();
        }
        faults
    }

    fn judge(faults: &mut Faults, transport: Transport, lines: &[&str]) -> Orders {
        let lines: Vec<Vec<Bytes>> = lines
            .iter()
            .map(|line| line.split(' ').map(|word| Bytes::from(word.to_owned())).collect())
            .collect();
        let commands: Vec<&[Bytes]> = lines.iter().map(|line| &line[..]).collect();
        faults.judge(&Request { transport, client: "a", unix_ms: 5, commands: &commands })
    }

    fn endings(faults: &mut Faults, count: usize) -> Vec<Ending> {
        (0..count).map(|_| judge(faults, Transport::Resp, &["GET key"]).ending).collect()
    }

    #[test]
    fn a_rule_strikes_only_what_it_names() {
        let mut faults = faults(&["hang command=get key=lock:* transport=rest"]);
        let calm = |faults: &mut Faults, transport, line| {
            judge(faults, transport, &[line]).ending == Ending::Reply
        };
        assert!(calm(&mut faults, Transport::Rest, "SET lock:1 x"));
        assert!(calm(&mut faults, Transport::Rest, "GET other"));
        assert!(calm(&mut faults, Transport::Resp, "GET lock:1"));
        assert!(!calm(&mut faults, Transport::Rest, "GET lock:1"));
        let report = faults.report().next().unwrap();
        assert_eq!((report.seen, report.struck, report.bit), (1, 1, 1));
    }

    #[test]
    fn a_rule_passes_over_some_and_strikes_the_next() {
        use Ending::{Close, Reply};
        let mut faults = faults(&["lost-request skip=1 next=2"]);
        assert_eq!(endings(&mut faults, 5), [Reply, Close, Close, Reply, Reply]);
        assert_eq!(faults.strikes().count(), 2);
    }

    #[test]
    fn the_same_seed_strikes_the_same_requests() {
        let rule = "reset probability=0.5 seed=3";
        let first = endings(&mut faults(&[rule]), 64);
        assert_eq!(first, endings(&mut faults(&[rule]), 64));
        let struck = first.iter().filter(|ending| **ending == Ending::Reset).count();
        assert!((16..=48).contains(&struck), "{struck} of 64");
        assert_ne!(first, endings(&mut faults(&["reset probability=0.5 seed=4"]), 64));
    }

    #[test]
    fn the_first_of_two_endings_wins_and_the_other_does_not_count() {
        let mut faults = faults(&["hang next=1", "reset next=1"]);
        assert_eq!(endings(&mut faults, 3), [Ending::Hang, Ending::Reset, Ending::Reply]);
        assert_eq!(faults.report().map(|rule| rule.struck).collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn delays_add_up() {
        let mut faults = faults(&["latency fixed=20ms", "latency from=5ms to=5ms"]);
        let orders = judge(&mut faults, Transport::Rest, &["PING"]);
        assert_eq!(orders.delay, Duration::from_millis(25));
    }

    #[test]
    fn an_error_is_for_one_command_of_a_pipeline() {
        let mut faults = faults(&["error text=OOM command=SET"]);
        let orders = judge(&mut faults, Transport::Rest, &["GET a", "SET a 1"]);
        assert_eq!(orders.slots[0], Slot::Serve);
        let text = "OOM command not allowed when used memory > 'maxmemory'.";
        assert_eq!(orders.slots[1], Slot::Error(text.into()));
        let strike = faults.strikes().next().unwrap();
        assert_eq!((&*strike.command, &strike.keys[..]), ("SET", &["a".to_owned()][..]));
    }

    #[test]
    fn nothing_strikes_the_commands_of_a_lost_request() {
        let mut faults = faults(&["error text=BUSY", "lost-request"]);
        assert!(!judge(&mut faults, Transport::Rest, &["GET a"]).executed);
        assert_eq!(faults.report().map(|rule| rule.struck).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_status_is_for_rest_only() {
        let mut faults = faults(&["status code=503"]);
        assert_eq!(endings(&mut faults, 1), [Ending::Reply]);
        let orders = judge(&mut faults, Transport::Rest, &["GET a"]);
        assert!(matches!(orders.ending, Ending::Status { code: 503, .. }), "{orders:?}");
    }

    #[test]
    fn a_stale_read_bites_only_once_it_has_changed_a_reply() {
        let mut faults = faults(&["stale-read lag=100ms"]);
        let orders = judge(&mut faults, Transport::Rest, &["GET a"]);
        let Slot::Stale { strike, .. } = orders.slots[0] else { panic!("{orders:?}") };
        assert!(!faults.strikes().next().unwrap().bit);
        faults.bite(strike, "an older value");
        faults.bite(strike, "an older value");
        assert!(faults.strikes().next().unwrap().bit);
        assert_eq!(faults.report().next().unwrap().bit, 1);
    }

    #[test]
    fn a_write_is_never_stale() {
        let mut faults = faults(&["stale-read lag=100ms"]);
        let orders = judge(&mut faults, Transport::Rest, &["SET a 1"]);
        assert_eq!((&orders.slots[..], faults.strikes().count()), (&[Slot::Serve][..], 0));
    }

    #[test]
    fn a_name_is_taken_once() {
        let mut faults = faults(&["hang id=2", "hang"]);
        let again = faults.add(&"reset id=2".parse().unwrap());
        assert_eq!(again, Err(RuleError::Taken("2".into())));
        assert_eq!(faults.add(&"reset".parse().unwrap()), Ok("4".into()));
        assert!(faults.remove("2") && !faults.remove("2"));
    }
}
