//! A rule: what goes wrong, for which requests, and how often.

use std::str::FromStr;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Connection, Effects, FaultKind, InjectionId, RuleError, Transport, fault::Opportunity,
    latency::unit,
};

/// What a rule says, checked. It is read from JSON such as
/// `{"kind": "reply-loss", "command": "EVALSHA", "next": 1}`, or from words such as
/// `reply-loss command=EVALSHA next=1`.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleText {
    id: Option<String>,
    kind: FaultKind,
    when: When,
    often: Often,
}

/// Which requests a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct When {
    /// The names of commands; all if empty.
    #[serde(rename = "command", skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// A glob that one of the command's keys must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The connection on which it comes; all if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<Connection>,
    /// The way by which it comes; both if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// Whether only commands that read count.
    #[serde(skip)]
    pub reads_only: bool,
}

/// How often a rule injects its fault.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Often {
    /// How many are passed over first.
    pub skip: u64,
    /// Into how many it injects at most; all if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// How likely it injects into each; certainly if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// The seed of that chance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// A rule in force.
#[derive(Clone, Debug)]
pub struct Rule {
    id: String,
    text: RuleText,
    random: ChaCha8Rng,
    seen: u64,
    injected: u64,
    effective: u64,
}

/// A rule and what it has done.
#[derive(Clone, Debug, Serialize)]
pub struct RuleReport {
    /// Its name.
    pub id: String,
    /// The name of its kind.
    #[serde(rename = "kind")]
    pub kind_name: &'static str,
    /// Its kind, with what belongs to it.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Which requests it is about.
    #[serde(flatten)]
    pub when: When,
    /// How often it injects its fault.
    #[serde(flatten)]
    pub often: Often,
    /// How many requests it was about.
    pub seen: u64,
    /// Into how many of them it has injected its fault.
    pub injected: u64,
    /// How often that changed what would have happened.
    pub effective: u64,
}

/// A rule as JSON has it; what is left over belongs to its kind.
#[derive(Deserialize)]
struct Wire {
    id: Option<String>,
    kind: String,
    #[serde(default)]
    command: Names,
    key: Option<String>,
    connection: Option<Connection>,
    transport: Option<Transport>,
    next: Option<u64>,
    probability: Option<f64>,
    #[serde(default)]
    skip: u64,
    seed: Option<u64>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`command` must be a name or a list of names")]
enum Names {
    One(String),
    Many(Vec<String>),
}

impl Default for Names {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl RuleText {
    /// Reads a rule from JSON: an object, or the words of a rule as one text.
    ///
    /// # Errors
    ///
    /// Says what is wrong, and what to write instead.
    pub fn from_json(json: &[u8]) -> Result<Self, RuleError> {
        if let Ok(words) = serde_json::from_slice::<String>(json) {
            return words.parse();
        }
        let wire = serde_json::from_slice(json)
            .map_err(|error| RuleError::Wrong(format!("not a rule: {error}")))?;
        Self::new(wire).map_err(RuleError::Wrong)
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether it is about requests that only come over REST.
    pub(crate) fn needs_rest(&self) -> bool {
        let named = |connection: &Connection| matches!(connection, Connection::Name(name) if name == "rest");
        self.when.transport == Some(Transport::Rest)
            || self.when.connection.as_ref().is_some_and(named)
    }

    fn new(wire: Wire) -> Result<Self, String> {
        let kind = FaultKind::read(&wire.kind, wire.rest)?;
        if wire.probability.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) {
            return Err("`probability` must be from 0 to 1".into());
        }
        if kind.rest_only() && wire.transport == Some(Transport::Resp) {
            return Err(format!("fault `{}` exists over REST only", kind.name()));
        }
        let commands = match wire.command {
            Names::One(name) => vec![name],
            Names::Many(names) => names,
        };
        let transport = if kind.rest_only() { Some(Transport::Rest) } else { wire.transport };
        let Wire { key, connection, .. } = wire;
        let when = When { commands, key, connection, transport, reads_only: kind.reads_only() };
        let Wire { skip, next, probability, seed, .. } = wire;
        Ok(Self { id: wire.id, kind, when, often: Often { skip, next, probability, seed } })
    }
}

impl FromStr for RuleText {
    type Err = RuleError;

    /// Reads a rule from JSON, or from words as a shell splits them: the kind, then `name=value`.
    fn from_str(text: &str) -> Result<Self, RuleError> {
        if text.trim_start().starts_with('{') {
            return Self::from_json(text.as_bytes());
        }
        let wrong = |what: &str| RuleError::Wrong(what.into());
        let words = shlex::split(text).ok_or_else(|| wrong("a quotation mark is not closed"))?;
        let mut words = words.into_iter();
        let kind = words.next().ok_or_else(|| wrong("begin with the kind, such as reply-loss"))?;
        let mut fields = Map::from_iter([("kind".to_owned(), Value::String(kind))]);
        for word in words {
            let (name, value) = word.split_once('=').ok_or_else(|| {
                RuleError::Wrong(format!("`{word}` is no field: write name=value, as in next=1"))
            })?;
            if fields.insert(name.into(), value_of(name, value)).is_some() {
                return Err(RuleError::Wrong(format!("`{name}` is given twice")));
            }
        }
        Self::from_json(Value::Object(fields).to_string().as_bytes())
    }
}

/// A value in the type that its field has in JSON.
fn value_of(name: &str, value: &str) -> Value {
    let text = || Value::String(value.into());
    match name {
        "command" => value.split(',').map(|name| Value::String(name.trim().into())).collect(),
        "id" | "key" | "text" | "transport" => text(),
        _ => match serde_json::from_str(value) {
            Ok(typed @ (Value::Number(_) | Value::Bool(_))) => typed,
            _ => text(),
        },
    }
}

impl Rule {
    pub(super) fn new(text: &RuleText, number: u64, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(text.often.seed.unwrap_or(seed));
        // Rules on one seed draw independently.
        random.set_stream(if text.often.seed.is_some() { 0 } else { number });
        let id = text.id.clone().unwrap_or_else(|| number.to_string());
        Self { id, text: text.clone(), random, seen: 0, injected: 0, effective: 0 }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn kind(&self) -> &FaultKind {
        &self.text.kind
    }

    pub(super) fn when(&self) -> &When {
        &self.text.when
    }

    pub(super) fn report(&self) -> RuleReport {
        let RuleText { kind, when, often, .. } = self.text.clone();
        RuleReport {
            id: self.id.clone(),
            kind_name: kind.name(),
            kind,
            when,
            often,
            seen: self.seen,
            injected: self.injected,
            effective: self.effective,
        }
    }

    pub(super) fn took_effect(&mut self) {
        self.effective += 1;
    }

    /// Injects the fault into a command that the rule is about, if it is its turn.
    pub(super) fn inject(
        &mut self,
        effects: &mut Effects,
        command: usize,
        id: InjectionId,
    ) -> bool {
        self.seen += 1;
        let often = self.text.often;
        if self.seen <= often.skip || often.next.is_some_and(|next| self.injected >= next) {
            return false;
        }
        if often.probability.is_some_and(|chance| unit(&mut self.random) >= chance) {
            return false;
        }
        let mut opportunity = Opportunity { effects, command, id, random: &mut self.random };
        let injected = self.text.kind.inject(&mut opportunity);
        self.injected += u64::from(injected);
        injected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        text.parse::<RuleText>().unwrap_err().to_string()
    }

    #[test]
    fn words_and_json_say_the_same() {
        let words = r#"error text="ERR on purpose" command=GET,set key=lock:* next=2 skip=1"#;
        let json = r#"{"kind": "error", "text": "ERR on purpose", "command": ["GET", "set"],
                       "key": "lock:*", "next": 2, "skip": 1}"#;
        assert_eq!(words.parse::<RuleText>(), json.parse());
        let one = r#"{"kind": "failover", "lose": "50ms", "down": "20ms", "command": "SET"}"#;
        let words = "failover lose=50ms down=20ms command=SET";
        assert_eq!(words.parse::<RuleText>(), one.parse());
        assert_eq!(RuleText::from_json(format!("{words:?}").as_bytes()), one.parse());
    }

    #[test]
    fn a_wrong_rule_says_what_to_write() {
        assert!(wrong("").contains("begin with the kind"));
        assert!(wrong("explode").contains("choose one of latency, request-loss"));
        assert!(wrong("hang soon").contains("write name=value"));
        assert!(wrong("hang lag=5ms").contains("`lag`: there are executed, id, kind"));
        assert!(wrong("stale-read lga=5ms").contains("did you mean `lag`?"));
        assert!(wrong("hang probabilty=1").contains("did you mean `probability`?"));
        assert!(wrong("stale-read").contains("missing field `lag`"));
        assert!(wrong("hang next=1 next=2").contains("twice"));
        assert!(wrong("hang probability=2").contains("from 0 to 1"));
        assert!(wrong("hang key='a").contains("not closed"));
        assert!(wrong("status code=200").contains("400 to 599"));
        assert!(wrong("status code=500 transport=resp").contains("REST only"));
        assert!(wrong(r#"{"kind": "hang", "connection": 0}"#).contains("a number from 1"));
        assert!(wrong("server-clock").contains("give `forward` or `back`"));
        assert!(wrong("server-clock forward=1s back=1s").contains("give `forward` or `back`"));
        assert!(wrong("hold until=dawn").contains("dawn"));
        assert!(wrong("hang transport=udp").contains("udp"));
        assert!(wrong("{").contains("not a rule"));
        assert!(
            RuleText::from_json(br#""\"hang\"""#).is_ok()
                && wrong("'\"hang\"'").contains("choose one of")
        );
        assert!(wrong(r#"{"kind": "hang", "command": 5}"#).contains("list of names"));
        for time in ["soon", "5", "0", "1.5"] {
            assert!(wrong(&format!("stale-read lag={time}")).contains("with its unit"), "{time}");
        }
    }

    #[test]
    fn a_report_reads_like_the_rule() {
        let text = r#"{"kind": "stale-read", "lag": "100ms", "command": "GET", "next": 1}"#;
        let rule = Rule::new(&text.parse().unwrap(), 4, 0);
        let json = serde_json::to_value(rule.report()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "id": "4", "kind": "stale-read", "lag": "100ms", "command": ["GET"], "next": 1,
                "skip": 0, "seen": 0, "injected": 0, "effective": 0
            })
        );
    }
}
