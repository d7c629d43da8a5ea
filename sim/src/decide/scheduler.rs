//! Who comes first when several events are due at the same instant.
//!
//! Uniform choices find bugs that need one unusual order; a bug that needs the same client to be
//! late again and again is rare among them. Priorities (as in PCT: Burckhardt, Kothari, Musuvathi
//! and Nagarakatte, "A randomized scheduler with probabilistic guarantees of finding bugs", 2010)
//! keep a client late for as long as they stand. So each schedule draws which it uses.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::seed::below;

/// Who may take part.
const ACTORS: usize = 8;

/// A priority changes at one of so many first ties.
const HORIZON: u32 = 48;

/// Keeps these draws apart from all others of the same seed.
const SALT: u64 = 0x7469_6573;

/// A rule for ties.
#[derive(Clone, Debug)]
pub enum Scheduler {
    /// What was sent first comes first.
    InOrder,
    /// Each is as likely as the others.
    Uniform(Box<ChaCha8Rng>),
    /// The client of the highest priority comes first.
    Priorities {
        /// By client; the higher comes first.
        of: [i8; ACTORS],
        /// The ties, in order, at which whoever comes first falls below all others.
        changes: [u32; 2],
        /// How many ties there were.
        ties: u32,
    },
}

impl Scheduler {
    /// The rule of schedule number `schedule` of the campaign `seed`.
    #[must_use]
    pub fn drawn(seed: u64, schedule: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ SALT);
        random.set_stream(schedule);
        match below(random.next_u32(), 4) {
            0 => Self::InOrder,
            1 | 2 => Self::Uniform(Box::new(random)),
            _ => {
                let mut of = [0, 1, 2, 3, 4, 5, 6, 7];
                for place in (1..ACTORS).rev() {
                    of.swap(place, below(random.next_u32(), place as u32 + 1) as usize);
                }
                let changes = [(); 2].map(|()| below(random.next_u32(), HORIZON));
                Self::Priorities { of, changes, ties: 0 }
            }
        }
    }

    /// Which of these comes first.
    pub(super) fn first(&mut self, actors: &[u8]) -> u32 {
        match self {
            Self::InOrder => 0,
            Self::Uniform(random) => below(random.next_u32(), actors.len() as u32),
            Self::Priorities { of, changes, ties } => {
                let priority = |of: &[i8; ACTORS], place: usize| {
                    of.get(usize::from(actors[place])).copied().unwrap_or(i8::MIN)
                };
                // Of one client's own events, the first stays the first.
                let best = (0..actors.len()).rev().max_by_key(|&place| priority(of, place));
                let best = best.unwrap_or(0);
                let fall = changes.iter().position(|&change| change == *ties);
                *ties += 1;
                if let (Some(number), Some(low)) = (fall, of.get_mut(usize::from(actors[best]))) {
                    *low = -1 - number as i8;
                }
                best as u32
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_drawn_and_is_the_same_each_time() {
        let mut drawn = [0; 3];
        for schedule in 0..100 {
            let (mut one, mut other) =
                (Scheduler::drawn(3, schedule), Scheduler::drawn(3, schedule));
            drawn[match one {
                Scheduler::InOrder => 0,
                Scheduler::Uniform(_) => 1,
                Scheduler::Priorities { .. } => 2,
            }] += 1;
            for _ in 0..60 {
                assert_eq!(one.first(&[2, 0, 1]), other.first(&[2, 0, 1]));
            }
        }
        assert!(drawn.iter().all(|&times| times > 10), "{drawn:?}");
    }

    #[test]
    fn a_client_of_low_priority_stays_late_until_it_changes() {
        let of = [0, 5, 3, 1, 2, 4, 6, 7];
        let mut scheduler = Scheduler::Priorities { of, changes: [3, 9], ties: 0 };
        let order: Vec<u32> = (0..6).map(|_| scheduler.first(&[0, 2, 1])).collect();
        assert_eq!(order, [2, 2, 2, 2, 1, 1]);
    }

    #[test]
    fn of_one_clients_events_the_first_stays_first_under_priorities() {
        let of = [0, 1, 2, 3, 4, 5, 6, 7];
        let mut scheduler = Scheduler::Priorities { of, changes: [99, 99], ties: 0 };
        assert_eq!(scheduler.first(&[1, 1, 0]), 0);
    }
}
