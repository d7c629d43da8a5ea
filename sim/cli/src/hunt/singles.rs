//! Schedules of one fault each, at the requests that were seen. They come before those by chance: most
//! bugs need no more, and what is aimed at a lease finds them steadily.

use std::collections::VecDeque;

use leasehold_fake_redis::serve::{Observations, Observed, ObservedCommand};
use rand_chacha::ChaCha8Rng;

use super::{
    group::{CHATTER, Group, below},
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
        let mut all = Vec::new();
        if self.kinds.contains(&"latency") {
            all.extend(late(&calm.requests));
        }
        all.extend(self.jumps());
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
        let mut groups = self.groups.clone();
        // What is asked most often is asked by who waits.
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        let mut jumps = Vec::new();
        for rank in [1, 2, 3, 0] {
            for lease_ms in self.leases_ms.iter().take(LEASES) {
                let jump =
                    Fault::new("server-clock").with("forward", format!("{}ms", lease_ms + 1));
                let of = |group: &&&Group| places(group.count).get(rank).copied();
                let places = groups.iter().filter_map(|group| Some((group, of(&group)?)));
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

/// Requests that take so long that the lease is over under which they were sent: they are executed in the
/// middle of what the next owner does, if that takes as long.
fn late(requests: &[Observed]) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for (place, request) in requests.iter().enumerate() {
        let earlier = &requests[..place];
        let ends = request.commands.iter().find(|one| ends_a_lease(one));
        let Some((command, (lease_ms, since_us))) =
            ends.and_then(|one| Some((one, lease_of(earlier, one)?)))
        else {
            continue;
        };
        let held_us = request.arrived_us.saturating_sub(since_us);
        let Some(delay_ms) = lease_ms.checked_sub(held_us / 2_000) else { continue };
        let same = |one: &&Observed| one.commands.iter().any(|one| one.name == command.name);
        let skip = earlier.iter().filter(same).count();
        let delay = Fault::new("latency").with("fixed", format!("{delay_ms}ms"));
        faults.push(at(&delay, &command.name, skip));
    }
    faults.truncate(AIMED);
    faults
}

/// Whether it may be what an owner says at the end: it writes, and asks for no time.
fn ends_a_lease(command: &ObservedCommand) -> bool {
    !command.reads && command.times_ms.is_empty() && !command.keys.is_empty()
}

/// The lease under which a command about a key is sent, in milliseconds, and since when. Connections may
/// be shared, and who waits asks again and again: so it is the first that was asked for since the last end
/// of one.
fn lease_of(earlier: &[Observed], command: &ObservedCommand) -> Option<(u64, u64)> {
    let is_same_key =
        |one: &&ObservedCommand| one.keys.iter().any(|key| command.keys.contains(key));
    let about = earlier
        .iter()
        .rev()
        .filter_map(|one| Some((one.commands.iter().find(is_same_key)?, one.executed_us?)));
    let since = about.take_while(|(one, _)| !ends_a_lease(one));
    let leases = since.filter_map(|(one, at_us)| Some((*one.times_ms.first()?, at_us)));
    leases.last()
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
    use leasehold_fake_redis::serve::faults::Transport;
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
        let late = "latency fixed=700ms command=DEL next=1";
        let jump = "server-clock forward=701ms command=SET skip=1 next=1";
        assert_eq!(all[..2], [late, jump]);
        assert!(all.iter().all(|rule| !rule.contains("PING")), "{all:?}");
    }

    #[test]
    fn a_lease_begins_with_the_first_that_asks_for_it_and_ends_with_who_writes() {
        let asked = |at_us, name: &str, reads, times_ms: &[u64]| Observed {
            connection: 1,
            name: String::new(),
            transport: Transport::Resp,
            arrived_us: at_us,
            executed_us: Some(at_us),
            commands: vec![ObservedCommand {
                name: name.into(),
                keys: vec!["lock".into()],
                text: name.into(),
                reads,
                times_ms: times_ms.to_vec(),
            }],
            rules: Vec::new(),
            effects: seen(&["PING"]).requests[0].effects.clone(),
        };
        let told = |requests: &[Observed]| -> Vec<_> {
            late(requests).iter().map(Fault::to_string).collect()
        };
        let set = |at_us| asked(at_us, "SET", false, &[700]);
        let requests = [
            set(0),
            set(90_000),
            asked(95_000, "GET", true, &[]),
            asked(100_000, "DEL", false, &[]),
            set(110_000),
            asked(150_000, "DEL", false, &[]),
            asked(151_000, "DEL", false, &[]),
        ];
        let first = "latency fixed=650ms command=DEL next=1";
        let second = "latency fixed=680ms command=DEL skip=1 next=1";
        assert_eq!(told(&requests), [first, second]);
        assert!(told(&requests[..3]).is_empty());
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
