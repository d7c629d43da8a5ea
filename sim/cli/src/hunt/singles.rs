//! Schedules of one fault each, at the requests that were seen. They come before those by chance: most
//! bugs need no more, and what is aimed at a lease finds them steadily.

use std::collections::VecDeque;

use leasehold_fake_redis::serve::{Observations, Observed};
use rand_chacha::ChaCha8Rng;

use super::{
    plan::{CHATTER, Group, below},
    rule::Fault,
};

/// How many leases, and how many requests under one, are aimed at.
const LEASES: usize = 3;
const AIMED: usize = 6;

/// Where a kind of fault can be put, and how.
pub(super) struct Singles<'a> {
    /// Requests of one sort each, of all connections: connections may change places from run to run.
    groups: Vec<&'a Group>,
    /// The lengths of leases, in milliseconds.
    leases_ms: &'a [u64],
    kinds: &'a [&'static str],
}

impl<'a> Singles<'a> {
    pub(super) fn new(
        groups: &'a [Group],
        leases_ms: &'a [u64],
        kinds: &'a [&'static str],
    ) -> Self {
        let fits =
            |group: &&Group| group.connection.is_none() && !CHATTER.contains(&&*group.command);
        Self { groups: groups.iter().filter(fits).collect(), leases_ms, kinds }
    }

    /// All of them, the most promising first.
    pub(super) fn all(&self, calm: &Observations, random: &mut ChaCha8Rng) -> VecDeque<Fault> {
        let mut all: Vec<Fault> = self.jumps();
        if self.kinds.contains(&"latency") {
            all.extend(late(&calm.requests));
        }
        let ranks = self.groups.iter().map(|group| places(group.count).len()).max().unwrap_or(0);
        for rank in 0..ranks {
            let mut some = self.of_rank(rank);
            shuffle(&mut some, random);
            all.extend(some);
        }
        all.into()
    }

    /// The server's clock jumps over a lease while somebody may hold it, which is before the second
    /// request of a sort rather than before the first.
    fn jumps(&self) -> Vec<Fault> {
        if !self.kinds.contains(&"server-clock") {
            return Vec::new();
        }
        let mut jumps = Vec::new();
        for rank in [1, 2, 3, 0] {
            for lease_ms in self.leases_ms.iter().take(LEASES) {
                let jump =
                    Fault::new("server-clock").with("forward", format!("{}ms", lease_ms + 1));
                let of = |group: &&&Group| places(group.count).get(rank).copied();
                let places = self.groups.iter().filter_map(|group| Some((group, of(&group)?)));
                jumps.extend(places.map(|(group, skip)| at(&jump, &group.command, skip)));
            }
        }
        jumps
    }

    /// Each kind of fault in each of its ways, at one place of each sort of request.
    fn of_rank(&self, rank: usize) -> Vec<Fault> {
        let mut faults = Vec::new();
        for group in &self.groups {
            let Some(skip) = places(group.count).get(rank).copied() else { continue };
            let fits = |kind: &&&str| **kind != "stale-read" || group.reads;
            let ways = self.kinds.iter().filter(fits).flat_map(|kind| ways(kind));
            faults.extend(ways.map(|way| at(&way, &group.command, skip)));
        }
        faults
    }
}

/// Requests that take so long that the lease is over which their connection has: they are executed
/// while the next owner may be in the middle of its work.
fn late(requests: &[Observed]) -> Vec<Fault> {
    let delays = requests.iter().enumerate().filter_map(|(place, request)| {
        let earlier = &requests[..place];
        let (command, lease_ms, since_us) = under_lease(earlier, request)?;
        let held_us = request.arrived_us.saturating_sub(since_us);
        let delay_ms = lease_ms.checked_sub(held_us / 2_000)?;
        let same = |one: &&Observed| one.commands.iter().any(|one| one.name == command);
        let skip = earlier.iter().filter(same).count();
        let delay = Fault::new("latency").with("fixed", format!("{delay_ms}ms"));
        Some(at(&delay, command, skip))
    });
    delays.take(AIMED).collect()
}

/// A command about a key that its connection has set for a time: its name, that time in milliseconds, and
/// since when.
fn under_lease<'a>(earlier: &[Observed], request: &'a Observed) -> Option<(&'a str, u64, u64)> {
    let same = |one: &&Observed| {
        (one.connection, &one.name, one.transport)
            == (request.connection, &request.name, request.transport)
    };
    let command = request.commands.first()?;
    let is_same_key = |key: &String| command.keys.contains(key);
    if !command.times_ms.is_empty() {
        return None;
    }
    let mine = earlier.iter().rev().filter(same);
    mine.filter_map(|one| {
        let lease = one.commands.iter().find(|one| one.keys.iter().any(is_same_key))?;
        Some((&*command.name, *lease.times_ms.first()?, one.executed_us?))
    })
    .next()
}

/// How many requests of a sort are passed over: none, one, all but one, half of them, and all, so that
/// it is about one more than a calm run has, such as a retry.
fn places(count: u64) -> Vec<u64> {
    let mut places = Vec::new();
    for place in [0, 1, count.saturating_sub(1), count / 2, count] {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// The ways of a kind of fault.
fn ways(kind: &str) -> Vec<Fault> {
    let fault = || Fault::new(kind);
    let each = |name: &str, values: &[&str]| -> Vec<Fault> {
        values.iter().map(|value| fault().with(name, value)).collect()
    };
    match kind {
        "duplicate" => each("after", &["0ms", "100ms"]),
        "latency" => each("fixed", &["100ms"]),
        "hang" | "reset" => each("executed", &["false", "true"]),
        "stale-read" => each("lag", &["60s"]),
        "failover" => each("lose", &["1s"]),
        "hold" => vec![fault().with("until", "next").with("for", "200ms")],
        // They are aimed at leases.
        "server-clock" => Vec::new(),
        _ => vec![fault()],
    }
}

fn at(fault: &Fault, command: &str, skip: impl TryInto<u64>) -> Fault {
    let skip = skip.try_into().unwrap_or(u64::MAX);
    let fault = fault.clone().with("command", command);
    let fault = if skip > 0 { fault.with("skip", skip) } else { fault };
    fault.with("next", 1)
}

fn shuffle<T>(list: &mut [T], random: &mut ChaCha8Rng) {
    for place in (1..list.len()).rev() {
        list.swap(place, below(random, place + 1));
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;
    use crate::hunt::plan::{KINDS, Planner, tests::seen};

    fn all(lines: &[&str], kinds: &[&'static str]) -> Vec<String> {
        let seen = seen(lines);
        let groups = Planner::new(&[&seen], kinds.to_vec(), 1).groups;
        let random = &mut ChaCha8Rng::seed_from_u64(1);
        let all = Singles::new(&groups, &[700], kinds).all(&seen, random);
        all.iter().map(Fault::to_string).collect()
    }

    #[test]
    fn a_lease_is_aimed_at_first() {
        let lines = ["SET lock a NX PX 700", "SET lock b NX PX 700", "DEL lock", "PING"];
        let all = all(&lines, KINDS);
        assert_eq!(all[0], "server-clock forward=701ms command=SET skip=1 next=1");
        let late = all.iter().position(|rule| rule.starts_with("latency fixed="));
        assert!(late.is_some_and(|place| place < 12), "{all:?}");
        assert!(all[late.unwrap()].ends_with("ms command=DEL next=1"), "{all:?}");
        assert!(all.iter().all(|rule| !rule.contains("PING")), "{all:?}");
    }

    #[test]
    fn every_kind_is_put_at_the_first_of_each_request_and_at_one_more() {
        let all = all(&["SET lock a NX PX 700", "GET lock"], KINDS);
        for kind in KINDS {
            for command in ["SET", "GET"] {
                let fits = *kind != "stale-read" || command == "GET";
                for place in
                    [format!("command={command} next=1"), format!("command={command} skip=1")]
                {
                    let found =
                        all.iter().any(|rule| rule.starts_with(kind) && rule.contains(&place));
                    assert_eq!(found, fits, "{kind} {place}: {all:?}");
                }
            }
        }
        for rule in &all {
            assert!(rule.parse::<Fault>().is_ok(), "{rule}");
        }
    }

    #[test]
    fn what_was_not_wanted_is_not_tried() {
        let all = all(&["SET lock a NX PX 700", "DEL lock"], &["reset"]);
        assert!(!all.is_empty() && all.iter().all(|rule| rule.starts_with("reset")), "{all:?}");
    }
}
