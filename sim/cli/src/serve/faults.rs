//! The faults and the clock that `leasehold serve` begins with.

use std::str::FromStr;

use clap::Args;
use serde_json::json;

use super::Failure;
use leasehold_fake_redis::serve::{
    Clock,
    clock::{ClockChange, Mode},
    faults::{Faults, RuleText},
};

#[derive(Debug, Args)]
pub(super) struct FaultOptions {
    /// A fault, as in 'reset next=1'.
    ///
    /// In words such as `reply-loss command=EVALSHA next=1`, or as JSON; may be repeated. First its
    /// kind: latency, request-loss, reply-loss, duplicate, hang, error, status, reset, stale-read,
    /// failover, restart, server-clock or hold. Then what belongs to it, and any of id, command,
    /// key, connection, transport, next, skip, probability and seed. SERVE.md describes them all.
    #[arg(long = "fault", value_name = "RULE")]
    faults: Vec<RuleText>,
    /// Delays each request, as in 20ms.
    ///
    /// By this time, or evenly spread between two, as in 5ms..20ms.
    #[arg(long, value_name = "TIME")]
    latency: Option<Delay>,
    /// Seed of what is left to chance.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How the clock runs.
    ///
    /// `real`, `frozen`, or a number of seconds for each that passes.
    #[arg(long, value_name = "PACE", default_value = "real")]
    clock: Pace,
}

/// The rule that stands for a delay.
#[derive(Clone, Debug)]
struct Delay(RuleText);

/// How a clock runs.
#[derive(Clone, Debug)]
struct Pace(ClockChange);

impl FaultOptions {
    pub(super) fn faults(&self) -> Result<Faults, Failure> {
        let mut faults = Faults::new(self.seed);
        let delay = self.latency.iter().map(|Delay(text)| text);
        for text in delay.chain(&self.faults) {
            faults.add(text).map_err(|error| Failure::Use(format!("--fault: {error}")))?;
        }
        Ok(faults)
    }

    pub(super) fn clock(&self) -> Clock {
        let clock = Clock::default();
        clock.set(&self.clock.0).expect("it was checked when it was read");
        clock
    }
}

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = match text.split_once("..") {
            Some((from, to)) => json!({ "kind": "latency", "from": from.trim(), "to": to.trim() }),
            None => json!({ "kind": "latency", "fixed": text.trim() }),
        };
        let wrong = |_| "write a time such as 20ms, or two as in 5ms..20ms".to_owned();
        RuleText::from_json(rule.to_string().as_bytes()).map(Self).map_err(wrong)
    }
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let change = match text {
            "real" => ClockChange { mode: Some(Mode::Real), ..ClockChange::default() },
            "frozen" => ClockChange { mode: Some(Mode::Frozen), ..ClockChange::default() },
            rate => {
                let rate =
                    rate.parse().map_err(|_| "write real, frozen, or a number such as 60")?;
                ClockChange { rate: Some(rate), ..ClockChange::default() }
            }
        };
        change.check()?;
        Ok(Self(change))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_one_time_or_two() {
        for right in ["20ms", "5ms..20ms", "5ms .. 1s"] {
            assert!(right.parse::<Delay>().is_ok(), "{right}");
        }
        for wrong in ["", "soon", "20", "0", "5..20ms", "20ms..5ms", "5ms..", "1ms next=1"] {
            assert!(wrong.parse::<Delay>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pace_is_a_word_or_a_number() {
        for right in ["real", "frozen", "0.5", "60"] {
            assert!(right.parse::<Pace>().is_ok(), "{right}");
        }
        for wrong in ["", "fast", "-1", "NaN", "1e9"] {
            assert!(wrong.parse::<Pace>().is_err(), "{wrong}");
        }
    }
}
