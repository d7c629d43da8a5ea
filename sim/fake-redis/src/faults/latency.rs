//! A request that is slow.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::Span;
use super::fault::{Fault, Opportunity};

/// How long a request waits before it is executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Latency {
    /// Always so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed: Option<Span>,
    /// Evenly spread, from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Span>,
    /// Evenly spread, up to here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Span>,
    /// Spread as a bell around this, never below zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<Span>,
    /// How wide the bell is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviation: Option<Span>,
    /// Mostly short with a long tail; this is the mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exponential: Option<Span>,
}

impl Fault for Latency {
    const NAME: &'static str = "latency";
    const EFFECT: Option<&'static str> = Some("delayed");

    fn check(&self) -> Result<(), String> {
        match (self.fixed, (self.from, self.to), (self.mean, self.deviation), self.exponential) {
            (Some(_), (None, None), (None, None), None)
            | (None, (None, None), (Some(_), Some(_)), None)
            | (None, (None, None), (None, None), Some(_)) => Ok(()),
            (None, (Some(from), Some(to)), (None, None), None) if from <= to => Ok(()),
            _ => Err("give one of `fixed`, `from` up to `to`, `mean` with `deviation`, or \
                      `exponential`"
                .into()),
        }
    }

    fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool {
        let delay = self.draw(opportunity.random);
        opportunity.effects.delay = opportunity.effects.delay.saturating_add(delay);
        !delay.is_zero()
    }
}

impl Latency {
    fn draw(&self, random: &mut ChaCha8Rng) -> Duration {
        let time = |span: Option<Span>| span.unwrap_or_default().0.as_secs_f64();
        let seconds = if self.from.is_some() {
            let (from, to) = (time(self.from), time(self.to));
            from + (to - from) * unit(random)
        } else if self.mean.is_some() {
            time(self.mean) + time(self.deviation) * bell(random)
        } else if self.exponential.is_some() {
            -time(self.exponential) * (1.0 - unit(random)).ln()
        } else {
            time(self.fixed)
        };
        Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
    }
}

/// From 0 to below 1.
pub(super) fn unit(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// From the standard normal distribution, by the transform of Box and Muller.
fn bell(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - unit(random)).ln()).sqrt();
    radius * (std::f64::consts::TAU * unit(random)).cos()
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    fn draws(json: &str) -> Vec<f64> {
        let latency: Latency = serde_json::from_str(json).unwrap();
        latency.check().unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        (0..2_000).map(|_| latency.draw(&mut random).as_secs_f64() * 1e3).collect()
    }

    fn mean(draws: &[f64]) -> f64 {
        draws.iter().sum::<f64>() / draws.len() as f64
    }

    #[test]
    fn each_distribution_has_its_mean_and_bounds() {
        let even = draws(r#"{"from": "10ms", "to": "30ms"}"#);
        assert!(even.iter().all(|draw| (10.0..=30.0).contains(draw)));
        assert!((19.0..21.0).contains(&mean(&even)));
        let bell = draws(r#"{"mean": "20ms", "deviation": "2ms"}"#);
        assert!((19.5..20.5).contains(&mean(&bell)));
        assert!(bell.iter().any(|draw| *draw < 18.0) && bell.iter().any(|draw| *draw > 22.0));
        let tail = draws(r#"{"exponential": "20ms"}"#);
        assert!((18.0..22.0).contains(&mean(&tail)) && tail.iter().any(|draw| *draw > 80.0));
        assert!(draws(r#"{"fixed": "20ms"}"#).iter().all(|draw| *draw == 20.0));
    }

    #[test]
    fn half_a_distribution_or_two_are_refused() {
        for wrong in [
            "{}",
            r#"{"from": "1ms"}"#,
            r#"{"from": "2ms", "to": "1ms"}"#,
            r#"{"fixed": "1ms", "exponential": "1ms"}"#,
            r#"{"mean": "1ms"}"#,
        ] {
            assert!(serde_json::from_str::<Latency>(wrong).unwrap().check().is_err(), "{wrong}");
        }
    }
}
