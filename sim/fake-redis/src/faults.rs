//! Faults to inject: rules that say what goes wrong, for which requests and how often, and a record
//! of what did.
//!
//! Nothing here waits or touches a socket: [`Faults::judge`] turns a request into [`Effects`], and
//! whoever serves the request carries them out.

mod connection;
mod duplicate;
mod effects;
mod error;
mod failover;
mod fault;
pub(crate) mod fields;
mod hang;
mod hold;
mod injection;
mod kind;
mod latency;
mod outage;
mod reply_loss;
mod request;
mod request_loss;
mod reset;
mod restart;
mod rule;
mod server_clock;
mod span;
mod stale_read;
mod status;

use std::{collections::VecDeque, fmt};

pub use connection::Connection;
pub use duplicate::DuplicateRequest;
pub use effects::{Duplicate, Effects, Ending, Lost, ServerEvent, ServerEventKind, Slot};
pub use error::ErrorReply;
pub use failover::Failover;
pub use hang::Hang;
pub use hold::{Held, Hold, Until};
pub use injection::{Injection, InjectionId};
pub use kind::FaultKind;
pub use latency::Latency;
pub use reply_loss::ReplyLoss;
pub use request::{Request, Transport};
pub use request_loss::RequestLoss;
pub use reset::Reset;
pub use restart::Restart;
pub use rule::{Often, Rule, RuleReport, RuleText, When};
pub use server_clock::ServerClock;
pub use span::Span;
pub use stale_read::StaleRead;
pub use status::Status;

pub(crate) use outage::Outage;
#[cfg(feature = "serve")]
pub(crate) use request::{KEYS_TOLD, cut, told};

use fault::Scope;

/// How many injections are remembered.
const REMEMBERED: usize = 10_000;

/// The rules in force, and what they did.
///
/// ```
/// use bytes::Bytes;
/// use leasehold_fake_redis::faults::{Ending, Faults, Request, Transport};
///
/// let mut faults = Faults::new(1);
/// faults.add(&"reply-loss command=SET next=1".parse().unwrap()).unwrap();
///
/// let set = ["SET", "job", "token"].map(Bytes::from);
/// let mut judge = || {
///     let commands = [&set[..]];
///     let request = Request {
///         transport: Transport::Rest,
///         client: "a",
///         connection: 0,
///         name: "",
///         unix_ms: 0,
///         commands: &commands,
///     };
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
    injections: VecDeque<Injection>,
    injected: u64,
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
        Self { seed, made: 0, rules: Vec::new(), injections: VecDeque::new(), injected: 0 }
    }

    /// How many faults have been injected so far.
    #[cfg(feature = "serve")]
    pub(super) fn injected(&self) -> u64 {
        self.injected
    }

    /// The names of the rules that have injected more than so many faults ago.
    #[cfg(feature = "serve")]
    pub(super) fn rules_since(&self, injected: u64) -> Vec<String> {
        let new = self.injections.iter().rev().take_while(|injection| injection.id.0 > injected);
        let mut rules: Vec<String> = new.map(|injection| injection.rule.clone()).collect();
        rules.reverse();
        rules
    }

    /// The name of the rule that injected this.
    pub(super) fn rule_of(&self, id: InjectionId) -> Option<String> {
        let injection = self.injections.iter().rev().find(|injection| injection.id == id);
        injection.map(|injection| injection.rule.clone())
    }

    /// Whether a rule of this name is in force.
    pub(super) fn has(&self, id: &str) -> bool {
        self.rule(id).is_some()
    }

    /// Puts a rule in force, behind the others, and says its name.
    ///
    /// # Errors
    ///
    /// If its name is taken.
    pub fn add(&mut self, text: &RuleText) -> Result<String, RuleError> {
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

    /// Takes a rule out of force; whether there was one. Its injections stay on record.
    pub fn remove(&mut self, id: &str) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| rule.id() != id);
        self.rules.len() < before
    }

    /// Takes every rule out of force and forgets what they did.
    pub fn clear(&mut self) {
        self.rules.clear();
        self.injections.clear();
    }

    /// Whether no rule is in force, so that there is nothing to judge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a rule needs to know what the data was a while ago.
    #[must_use]
    pub(crate) fn need_history(&self) -> bool {
        self.rules
            .iter()
            .any(|rule| matches!(rule.kind(), FaultKind::StaleRead(_) | FaultKind::Failover(_)))
    }

    /// Says what is to happen to a request, and records it.
    pub fn judge(&mut self, request: &Request<'_>) -> Effects {
        let mut effects = Effects::calm(request.commands.len());
        for scope in [Scope::Request, Scope::Command] {
            if scope == Scope::Command && !effects.executed {
                break;
            }
            for index in 0..self.rules.len() {
                if self.rules[index].kind().scope() == scope {
                    self.apply(index, scope, request, &mut effects);
                }
            }
        }
        effects
    }

    /// What every rule is and has done, in order.
    pub fn report(&self) -> impl Iterator<Item = RuleReport> {
        self.rules.iter().map(Rule::report)
    }

    /// What was injected, oldest first: the last ten thousand.
    pub fn injections(&self) -> impl Iterator<Item = &Injection> {
        self.injections.iter()
    }

    /// Notes that an injection changed what would have happened, and how.
    pub(crate) fn take_effect(&mut self, id: InjectionId, effect: impl Into<String>) {
        let Some(injection) = self.injections.iter_mut().find(|injection| injection.id == id)
        else {
            return;
        };
        injection.effect = Some(effect.into());
        if !std::mem::replace(&mut injection.effective, true)
            && let Some(rule) = self.rules.iter_mut().find(|rule| rule.id() == injection.rule)
        {
            rule.took_effect();
        }
    }

    fn apply(&mut self, index: usize, scope: Scope, request: &Request<'_>, effects: &mut Effects) {
        let matching = request.matching(self.rules[index].when());
        let many = if scope == Scope::Request { 1 } else { usize::MAX };
        for command in matching.into_iter().take(many) {
            let id = InjectionId(self.injected + 1);
            if self.rules[index].inject(effects, command, id) {
                self.injected += 1;
                self.record(index, request, command, id);
            }
        }
    }

    fn record(&mut self, index: usize, request: &Request<'_>, command: usize, id: InjectionId) {
        if self.injections.len() == REMEMBERED {
            self.injections.pop_front();
        }
        let rule = &self.rules[index];
        self.injections.push_back(Injection::new(id, rule, request, command));
        if let Some(effect) = rule.kind().certain_effect() {
            self.take_effect(id, effect);
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

    fn judge(faults: &mut Faults, transport: Transport, lines: &[&str]) -> Effects {
        let lines: Vec<Vec<Bytes>> = lines
            .iter()
            .map(|line| line.split(' ').map(|word| Bytes::from(word.to_owned())).collect())
            .collect();
        let commands: Vec<&[Bytes]> = lines.iter().map(|line| &line[..]).collect();
        let (client, connection, name, unix_ms) = ("a", 2, "worker", 5);
        faults.judge(&Request { transport, client, connection, name, unix_ms, commands: &commands })
    }

    fn endings(faults: &mut Faults, count: usize) -> Vec<Ending> {
        (0..count).map(|_| judge(faults, Transport::Resp, &["GET key"]).ending).collect()
    }

    #[test]
    fn a_rule_injects_only_into_what_it_names() {
        let mut faults = faults(&["hang command=get key=lock:* transport=rest"]);
        let calm = |faults: &mut Faults, transport, line| {
            judge(faults, transport, &[line]).ending == Ending::Reply
        };
        assert!(calm(&mut faults, Transport::Rest, "SET lock:1 x"));
        assert!(calm(&mut faults, Transport::Rest, "GET other"));
        assert!(calm(&mut faults, Transport::Resp, "GET lock:1"));
        assert!(!calm(&mut faults, Transport::Rest, "GET lock:1"));
        let report = faults.report().next().unwrap();
        assert_eq!((report.seen, report.injected, report.effective), (1, 1, 1));
    }

    #[test]
    fn a_rule_names_a_connection_by_its_number_or_its_name() {
        for (rule, resp, rest) in [
            ("hang connection=2", true, false),
            ("hang connection=1", false, false),
            ("hang connection=worker", true, false),
            ("hang connection=other", false, false),
            ("hang connection=rest", false, true),
        ] {
            let mut faults = faults(&[rule]);
            let mut hit =
                |transport| judge(&mut faults, transport, &["GET key"]).ending == Ending::Hang;
            assert_eq!((hit(Transport::Resp), hit(Transport::Rest)), (resp, rest), "{rule}");
        }
    }

    #[test]
    fn clocks_that_are_set_add_up() {
        let mut faults = faults(&["server-clock forward=3s", "server-clock back=1s"]);
        assert_eq!(judge(&mut faults, Transport::Rest, &["PING"]).jump_us, 2_000_000);
    }

    #[test]
    fn a_rule_passes_over_some_and_injects_into_the_next() {
        use Ending::{Close, Reply};
        let mut faults = faults(&["request-loss skip=1 next=2"]);
        assert_eq!(endings(&mut faults, 5), [Reply, Close, Close, Reply, Reply]);
        assert_eq!(faults.injections().count(), 2);
    }

    #[test]
    fn the_same_seed_injects_into_the_same_requests() {
        let rule = "reset probability=0.5 seed=3";
        let first = endings(&mut faults(&[rule]), 64);
        assert_eq!(first, endings(&mut faults(&[rule]), 64));
        let injected = first.iter().filter(|ending| **ending == Ending::Reset).count();
        assert!((16..=48).contains(&injected), "{injected} of 64");
        assert_ne!(first, endings(&mut faults(&["reset probability=0.5 seed=4"]), 64));
    }

    #[test]
    fn the_first_of_two_endings_wins_and_the_other_does_not_count() {
        let mut faults = faults(&["hang next=1", "reset next=1"]);
        assert_eq!(endings(&mut faults, 3), [Ending::Hang, Ending::Reset, Ending::Reply]);
        assert_eq!(faults.report().map(|rule| rule.injected).collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn delays_add_up() {
        let mut faults = faults(&["latency fixed=20ms", "latency from=5ms to=5ms"]);
        let effects = judge(&mut faults, Transport::Rest, &["PING"]);
        assert_eq!(effects.delay, Duration::from_millis(25));
    }

    #[test]
    fn an_error_is_for_one_command_of_a_pipeline() {
        let mut faults = faults(&["error text=OOM command=SET"]);
        let effects = judge(&mut faults, Transport::Rest, &["GET a", "SET a 1"]);
        assert_eq!(effects.slots[0], Slot::Serve);
        let text = "OOM command not allowed when used memory > 'maxmemory'.";
        assert_eq!(effects.slots[1], Slot::Error(text.into()));
        let injection = faults.injections().next().unwrap();
        assert_eq!((&*injection.command, &injection.keys[..]), ("SET", &["a".to_owned()][..]));
    }

    #[test]
    fn nothing_is_injected_into_the_commands_of_a_lost_request() {
        let mut faults = faults(&["error text=BUSY", "request-loss"]);
        assert!(!judge(&mut faults, Transport::Rest, &["GET a"]).executed);
        assert_eq!(faults.report().map(|rule| rule.injected).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_status_is_for_rest_only() {
        let mut faults = faults(&["status code=503"]);
        assert_eq!(endings(&mut faults, 1), [Ending::Reply]);
        let effects = judge(&mut faults, Transport::Rest, &["GET a"]);
        assert!(matches!(effects.ending, Ending::Status { code: 503, .. }), "{effects:?}");
    }

    #[test]
    fn a_stale_read_takes_effect_only_once_it_has_changed_a_reply() {
        let mut faults = faults(&["stale-read lag=100ms"]);
        let effects = judge(&mut faults, Transport::Rest, &["GET a"]);
        let Slot::Stale { injection, .. } = effects.slots[0] else { panic!("{effects:?}") };
        assert!(!faults.injections().next().unwrap().effective);
        faults.take_effect(injection, "an older value");
        faults.take_effect(injection, "an older value");
        assert!(faults.injections().next().unwrap().effective);
        assert_eq!(faults.report().next().unwrap().effective, 1);
    }

    #[test]
    fn a_write_is_never_stale() {
        let mut faults = faults(&["stale-read lag=100ms"]);
        let effects = judge(&mut faults, Transport::Rest, &["SET a 1"]);
        assert_eq!((&effects.slots[..], faults.injections().count()), (&[Slot::Serve][..], 0));
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
