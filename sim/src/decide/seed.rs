//! Choices from a seed, with swarm: each seed draws its own rates.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::{Address, DecisionKind, DecisionSource, Fault, Scheduler};

/// How often each kind of fault is injected, out of 2³².
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates([u32; DecisionKind::ALL.len()]);

/// One in so many opportunities, from a storm to a single event in a run.
const ONE_IN: [u64; 6] = [4, 12, 30, 80, 200, 500];

/// How many of these are often.
const OFTEN: usize = 3;

impl Rates {
    /// Rates drawn for one schedule.
    fn draw(random: &mut ChaCha8Rng) -> Self {
        Self(DecisionKind::ALL.map(|kind| {
            if kind.is_workload() {
                return u32::MAX;
            }
            if kind == DecisionKind::NetworkPair {
                // Drawn once in a run, any pair as often as another.
                return u32::MAX;
            }
            if kind == DecisionKind::ClientClock {
                // Decided once in a run, so that it has to be likely.
                return u32::MAX / 4 * 3;
            }
            one_of(&ONE_IN, random)
        }))
    }

    /// Faults of the network, of which two are to meet, occur often.
    fn draw_often(&mut self, random: &mut ChaCha8Rng) {
        for kind in DecisionKind::ALL {
            if kind.fault().is_some_and(Fault::is_single_of_network) {
                self.0[kind as usize] = one_of(&ONE_IN[..OFTEN], random);
            }
        }
    }
}

fn one_of(one_in: &[u64], random: &mut ChaCha8Rng) -> u32 {
    let draw = below(random.next_u32(), one_in.len() as u32) as usize;
    ((1u64 << 32) / one_in[draw]) as u32
}

/// ChaCha8 with one key per campaign and one stream per schedule, so that schedules are
/// independent and any of them can be run alone.
#[derive(Clone, Debug)]
pub struct Seeded {
    random: ChaCha8Rng,
    rates: Rates,
    scheduler: Scheduler,
}

impl Seeded {
    /// The choices of schedule number `schedule` of the campaign `seed`.
    #[must_use]
    pub fn new(seed: u64, schedule: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(schedule);
        let rates = Rates::draw(&mut random);
        Self { random, rates, scheduler: Scheduler::drawn(seed, schedule) }
    }
}

impl DecisionSource for Seeded {
    #[inline]
    fn choose(&mut self, address: Address, options: u32) -> u32 {
        if options == 1 {
            return 0;
        }
        let rate = self.rates.0[address.kind as usize];
        if address.kind == DecisionKind::NetworkPair {
            self.rates.draw_often(&mut self.random);
        }
        if rate == u32::MAX {
            return below(self.random.next_u32(), options);
        }
        if self.random.next_u32() >= rate {
            return 0;
        }
        1 + below(self.random.next_u32(), options - 1)
    }

    fn order(&mut self, _site: Address, actors: &[u8]) -> u32 {
        self.scheduler.first(actors)
    }
}

/// A number below `bound` from 32 random bits. The bias of less than `bound / 2³²` does not matter.
pub(super) fn below(random: u32, bound: u32) -> u32 {
    ((u64::from(random) * u64::from(bound)) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_the_same_each_time_and_unlike_its_neighbour() {
        let draw = |schedule| {
            let mut source = Seeded::new(7, schedule);
            (0..64)
                .map(|occurrence| {
                    source
                        .choose(Address { kind: DecisionKind::Jitter, actor: 0, occurrence }, 1_000)
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(draw(1).iter().all(|&choice| choice < 1_000));
    }
}
