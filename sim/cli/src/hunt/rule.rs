//! A fault of a schedule: a rule of `leasehold serve`, as words that can be changed one by one.

use std::{fmt, str::FromStr, time::Duration};

use leasehold_fake_redis::serve::faults::RuleText;

/// What a replay word begins with: the version of its grammar.
const VERSION: &str = "h1";

/// The fields that are lengths of time.
const TIMES: &[&str] = &[
    "after", "back", "down", "exponential", "fixed", "for", "forward", "from", "lag", "lose", "to",
];

/// A rule, in words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fault {
    kind: String,
    fields: Vec<(String, String)>,
}

impl Fault {
    /// A rule of this kind, about nothing in particular.
    pub(super) fn new(kind: &str) -> Self {
        Self { kind: kind.into(), fields: Vec::new() }
    }

    /// With this field.
    pub(super) fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.fields.push((name.into(), value.to_string()));
        self
    }

    /// Without the field of this name.
    pub(super) fn without(&self, name: &str) -> Self {
        let fields = self.fields.iter().filter(|(found, _)| found != name).cloned().collect();
        Self { kind: self.kind.clone(), fields }
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(found, _)| found == name).map(|(_, value)| &**value)
    }

    /// The rule, named by its place in the schedule.
    pub(super) fn numbered(&self, number: usize) -> RuleText {
        let named = self.without("id").with("id", number);
        named.to_string().parse().expect("it was checked when it was made")
    }

    /// Rules that say less, or last shorter: the simplest first.
    pub(super) fn simpler(&self) -> Vec<Self> {
        let mut simpler = Vec::new();
        if self.field("connection").is_some() {
            simpler.push(self.without("connection"));
        }
        for (at, (name, value)) in self.fields.iter().enumerate() {
            let mut shorter = |value: String| {
                let mut other = self.clone();
                other.fields[at].1 = value;
                simpler.push(other);
            };
            if name == "skip" && value != "0" {
                shorter("0".into());
            } else if let Some(time) = self.time(name) {
                for part in [20, 2] {
                    let less = round(time / part);
                    if !less.is_zero() && less < time {
                        shorter(words(less));
                    }
                }
            }
        }
        simpler
    }

    /// A length of time, if it has this field.
    pub(super) fn time(&self, name: &str) -> Option<Duration> {
        let value = self.field(name).filter(|_| TIMES.contains(&name))?;
        let number = value.parse().ok().map(Duration::from_millis);
        number.or_else(|| humantime::parse_duration(value).ok())
    }

    /// What it does, as a sentence.
    pub(super) fn told(&self) -> String {
        let time = |name: &str| self.time(name).map(words);
        let or = |name: &str, otherwise: &str| time(name).unwrap_or_else(|| otherwise.into());
        let request = self.request();
        let executed = self.field("executed") == Some("true");
        let after = if executed { ", after it was executed" } else { ", before it is executed" };
        match &*self.kind {
            "request-loss" => {
                format!("{request} is lost: it is not executed, and there is no reply")
            }
            "reply-loss" => format!("{request} is executed, and its reply is lost"),
            "duplicate" => format!("{request} arrives once more, {} later", or("after", "0s")),
            "latency" => format!("{request} is late by {}", or("fixed", "some time")),
            "hang" => format!("{request} is never answered{after}"),
            "reset" => format!("the connection is reset by {request}{after}"),
            "stale-read" => {
                format!("{request} is answered by a replica that lags by {}", or("lag", "0s"))
            }
            "failover" => format!(
                "after {request} a replica takes over that lacks the writes of the last {}",
                or("lose", "0s")
            ),
            "restart" => format!("after {request} the server restarts without its data"),
            "server-clock" => match (time("forward"), time("back")) {
                (Some(by), _) => {
                    format!("right before {request} the server's clock is set forward by {by}")
                }
                (_, by) => {
                    let by = by.unwrap_or_default();
                    format!("right before {request} the server's clock is set back by {by}")
                }
            },
            "hold" if self.field("until") == Some("next") => {
                format!("{request} waits until another request has been executed")
            }
            "hold" => format!("{request} is held for {}", or("for", "some time")),
            kind => format!("{kind} at {request}"),
        }
    }

    /// Which request it is about: `the 3rd EVALSHA of connection 2`.
    fn request(&self) -> String {
        let command = self.field("command").unwrap_or("request");
        let on = match self.field("connection") {
            None => String::new(),
            Some("rest") => " over REST".into(),
            Some(name) => format!(" of connection {name}"),
        };
        let skip = self.field("skip").and_then(|skip| skip.parse().ok()).unwrap_or(0_u64);
        let (from, next) = (skip + 1, self.field("next").and_then(|next| next.parse().ok()));
        let key = self.field("key").map_or_else(String::new, |key| format!(" on {key}"));
        match next {
            Some(1_u64) => format!("the {} {command}{key}{on}", ordinal(from)),
            Some(next) => format!(
                "each {command}{key}{on} from the {} to the {}",
                ordinal(from),
                ordinal(skip.saturating_add(next))
            ),
            None => format!("each {command}{key}{on} from the {} on", ordinal(from)),
        }
    }
}

/// The rule as `--fault` of `leasehold serve` takes it.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        for (name, value) in &self.fields {
            write!(f, " {}", quoted(&format!("{name}={value}")))?;
        }
        Ok(())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim_start().starts_with('{') {
            return Err("write the rule in words, such as: reply-loss command=SET next=1".into());
        }
        text.parse::<RuleText>().map_err(|error| error.to_string())?;
        let mut words = shlex::split(text).unwrap_or_default().into_iter();
        let kind = words.next().unwrap_or_default();
        let fields = words.filter_map(|word| {
            let (name, value) = word.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        });
        Ok(Self { kind, fields: fields.collect() })
    }
}

/// A schedule as a word that replays it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replay(pub(super) Vec<Fault>);

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules: Vec<String> = self.0.iter().map(Fault::to_string).collect();
        write!(f, "{VERSION}: {}", rules.join("; "))
    }
}

impl FromStr for Replay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rules = match text.split_once(": ") {
            Some((VERSION, rules)) => rules,
            Some((version, _)) if !version.contains([' ', '=', '{']) => {
                return Err(format!(
                    "this schedule is of version {version}, and this command reads {VERSION}: hunt again"
                ));
            }
            _ => text,
        };
        let rules = split(rules).into_iter().map(|rule| rule.trim().to_owned());
        let rules: Vec<String> = rules.filter(|rule| !rule.is_empty()).collect();
        if rules.is_empty() {
            return Err("it has no rule: write such as reply-loss command=SET next=1".into());
        }
        rules.iter().map(|rule| rule.parse()).collect::<Result<_, _>>().map(Self)
    }
}

/// The parts between semicolons that are not quoted.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut quote) = (vec![String::new()], None);
    for character in text.chars() {
        match (character, quote) {
            (';', None) => {
                parts.push(String::new());
                continue;
            }
            ('\'' | '"', None) => quote = Some(character),
            (_, Some(open)) if open == character => quote = None,
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(character);
        }
    }
    parts
}

/// A word as a shell takes it, and as it is if nothing in it means anything to a rule.
fn quoted(word: &str) -> String {
    let plain = |character: char| {
        !character.is_whitespace() && !matches!(character, '\'' | '"' | '\\' | ';' | '#')
    };
    if word.chars().all(plain) {
        return word.to_owned();
    }
    // A word with a zero byte cannot be quoted, and no shell has any.
    shlex::try_quote(word).map_or_else(|_| word.replace('\0', " "), |word| word.into_owned())
}

/// A length of time as one word.
pub(super) fn words(time: Duration) -> String {
    humantime::format_duration(time).to_string().replace(' ', "")
}

/// To whole milliseconds, and to two digits beyond a second.
fn round(time: Duration) -> Duration {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let unit = if millis >= 10_000 {
        1_000
    } else if millis >= 1_000 {
        100
    } else {
        1
    };
    Duration::from_millis(millis / unit * unit)
}

fn ordinal(number: u64) -> String {
    let end = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_read_as_it_was_written() {
        let text =
            "h1: reply-loss connection=2 command=EVALSHA skip=2 next=1; error 'text=ERR a; b'";
        let Replay(faults) = text.parse().unwrap();
        assert_eq!((faults.len(), Replay(faults).to_string()), (2, text.to_owned()));
        assert!("hang next=1;hang".parse::<Replay>().is_ok());
    }

    #[test]
    fn a_wrong_schedule_says_what_to_do() {
        let wrong = |text: &str| text.parse::<Replay>().unwrap_err();
        assert!(wrong("h9: hang").contains("of version h9"));
        assert!(wrong("").contains("no rule"));
        assert!(wrong("h1: explode").contains("choose one of"));
        assert!(wrong("lh1_abc").contains("choose one of"));
        assert!(wrong(r#"{"kind": "hang"}"#).contains("in words"));
    }

    #[test]
    fn a_fault_is_told_as_a_sentence() {
        let told = |text: &str| text.parse::<Fault>().unwrap().told();
        assert_eq!(
            told("reply-loss connection=2 command=EVALSHA skip=2 next=1"),
            "the 3rd EVALSHA of connection 2 is executed, and its reply is lost"
        );
        assert_eq!(
            told("server-clock forward=1001ms connection=rest command=SET next=1"),
            "right before the 1st SET over REST the server's clock is set forward by 1s1ms"
        );
    }

    #[test]
    fn simpler_rules_say_less_or_last_shorter() {
        let fault: Fault = "hold until=next for=200ms connection=2 skip=3 next=1".parse().unwrap();
        let simpler: Vec<String> = fault.simpler().iter().map(Fault::to_string).collect();
        assert_eq!(
            simpler,
            [
                "hold until=next for=200ms skip=3 next=1",
                "hold until=next for=10ms connection=2 skip=3 next=1",
                "hold until=next for=100ms connection=2 skip=3 next=1",
                "hold until=next for=200ms connection=2 skip=0 next=1",
            ]
        );
    }
}
