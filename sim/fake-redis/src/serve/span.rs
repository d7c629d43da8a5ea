//! Lengths of time, as people and programs write them.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time. In JSON: a number of milliseconds, or text such as `"1s 500ms"`.
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
        deserializer.deserialize_any(Visitor).map(Self)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a length of time: milliseconds as a number, or text such as \"250ms\" or \"2s\"",
        )
    }

    fn visit_u64<E: de::Error>(self, milliseconds: u64) -> Result<Duration, E> {
        Ok(Duration::from_millis(milliseconds))
    }

    fn visit_i64<E: de::Error>(self, milliseconds: i64) -> Result<Duration, E> {
        let number = u64::try_from(milliseconds)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(milliseconds), &self))?;
        self.visit_u64(number)
    }

    fn visit_f64<E: de::Error>(self, milliseconds: f64) -> Result<Duration, E> {
        Duration::try_from_secs_f64(milliseconds / 1_000.0)
            .map_err(|_| E::invalid_value(de::Unexpected::Float(milliseconds), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        if let Ok(number) = text.parse() {
            return self.visit_u64(number);
        }
        humantime::parse_duration(text)
            .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(json: &str) -> Option<Duration> {
        serde_json::from_str(json).ok().map(|Span(time)| time)
    }

    #[test]
    fn a_number_is_milliseconds_and_text_is_for_people() {
        assert_eq!(span("250"), Some(Duration::from_millis(250)));
        assert_eq!(span("0.5"), Some(Duration::from_micros(500)));
        assert_eq!(span("\"250\""), Some(Duration::from_millis(250)));
        assert_eq!(span("\"1s 500ms\""), Some(Duration::from_millis(1_500)));
        for wrong in ["-1", "-0.5", "\"soon\"", "null", "1e300"] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }
}
