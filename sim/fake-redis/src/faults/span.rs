//! Lengths of time, as people and programs write them: with their unit.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time. In JSON it is text with a unit, such as `"250ms"` or `"1s 500ms"`: of a bare
/// number nobody could say which it is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Span {
    /// In microseconds, at most the greatest that fits.
    #[must_use]
    pub fn micros(self) -> u64 {
        u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Visitor).map(Self)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time with its unit, such as \"250ms\" or \"2s\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        // Which the parser would take for no time at all, whatever the unit.
        let is_bare = text.trim() == "0";
        let parsed = humantime::parse_duration(text).ok().filter(|_| !is_bare);
        parsed.ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(json: &str) -> Option<Duration> {
        serde_json::from_str(json).ok().map(|Span(time)| time)
    }

    #[test]
    fn a_length_of_time_has_a_unit() {
        assert_eq!(span("\"250ms\""), Some(Duration::from_millis(250)));
        assert_eq!(span("\"1s 500ms\""), Some(Duration::from_millis(1_500)));
        assert_eq!(span("\"0s\""), Some(Duration::ZERO));
        for wrong in ["250", "0.5", "0", "-1", "\"250\"", "\"0\"", "\"soon\"", "null"] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for millis in [0, 1, 250, 61_500] {
            let span = Span(Duration::from_millis(millis));
            let json = serde_json::to_string(&span).unwrap();
            assert_eq!(serde_json::from_str::<Span>(&json).unwrap(), span);
        }
    }
}
