//! Which schedules to try: faults at requests that were seen.

use std::collections::{BTreeMap, HashSet, VecDeque};

use leasehold_fake_redis::serve::{Observations, faults::Transport};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::{
    group::{CHATTER, Group, below},
    rule::Fault,
    singles::Singles,
};

/// The kinds of faults, named as in a rule.
pub(super) const KINDS: &[&str] = &[
    "request-loss", "reply-loss", "duplicate", "latency", "hang", "reset", "stale-read",
    "failover", "restart", "server-clock", "hold",
];

/// How often it is tried to draw a schedule that was not tried yet.
const DRAWS: usize = 20;

/// Leases, if none was seen, in milliseconds.
const USUAL_MS: [u64; 3] = [1_000, 10_000, 60_000];

/// After so many schedules of one fault comes one by chance.
const SINGLES: u64 = 3;

/// Draws schedules.
#[derive(Debug)]
pub(super) struct Planner {
    pub(super) groups: Vec<Group>,
    times_ms: Vec<u64>,
    kinds: Vec<&'static str>,
    seed: u64,
    /// Schedules of one fault that are still to be tried.
    singles: VecDeque<Fault>,
    asked: u64,
    drawn: u64,
    tried: HashSet<Vec<Fault>>,
}

impl Planner {
    /// Plans for a command that made these requests on calm days.
    pub(super) fn new(calm: &[&Observations], kinds: Vec<&'static str>, seed: u64) -> Self {
        let mut groups = BTreeMap::new();
        for seen in calm {
            for (key, (count, reads)) in counted(seen) {
                let group = groups.entry(key).or_insert((0, reads));
                group.0 = count.max(group.0);
            }
        }
        let connections: HashSet<_> = groups.keys().filter_map(|(name, _)| name.clone()).collect();
        let groups = groups.into_iter();
        // With only one connection its name says nothing.
        let told = groups.filter(|((name, _), _)| name.is_none() || connections.len() > 1);
        let groups: Vec<Group> = told
            .map(|((connection, command), (count, reads))| Group {
                connection,
                command,
                count,
                reads,
            })
            .collect();
        let all = calm.iter().flat_map(|seen| &seen.requests).flat_map(|one| &one.commands);
        let mut times_ms: Vec<u64> = all.flat_map(|command| command.times_ms.clone()).collect();
        times_ms.sort_unstable();
        times_ms.dedup();
        times_ms.truncate(8);
        if times_ms.is_empty() {
            times_ms = USUAL_MS.to_vec();
        }
        let random = &mut ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(u64::MAX);
        let singles =
            calm.first().map(|seen| Singles::new(&groups, &times_ms, &kinds).all(seen, random));
        let (singles, tried) = (singles.unwrap_or_default(), HashSet::new());
        Self { groups, times_ms, kinds, seed, singles, asked: 0, drawn: 0, tried }
    }

    /// The next schedule: those of one fault first, with some by chance among them.
    pub(super) fn draw(&mut self) -> Vec<Fault> {
        self.asked += 1;
        if !self.asked.is_multiple_of(SINGLES + 1)
            && let Some(fault) = self.singles.pop_front()
        {
            let faults = vec![fault];
            self.tried.insert(faults.clone());
            return faults;
        }
        for _ in 0..DRAWS {
            let faults = self.try_draw();
            if !faults.is_empty() && self.tried.insert(faults.clone()) {
                return faults;
            }
        }
        // All there is has been tried: a program that is not deterministic may yet go another way.
        self.try_draw()
    }

    fn try_draw(&mut self) -> Vec<Fault> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(self.drawn);
        self.drawn += 1;
        let mut kinds: Vec<_> = self.kinds.iter().filter(|_| chance(&mut random, 2)).collect();
        if kinds.is_empty() {
            kinds = self.kinds.iter().collect();
        }
        let count = [1, 1, 1, 2, 2, 3][below(&mut random, 6)];
        (0..count)
            .filter_map(|_| {
                let kind = *kinds[below(&mut random, kinds.len())];
                let group = self.group(kind, &mut random)?;
                Some(self.fault(kind, group, &mut random))
            })
            .collect()
    }

    /// Some requests that a fault of this kind can hit.
    fn group(&self, kind: &str, random: &mut ChaCha8Rng) -> Option<&Group> {
        let fits = |group: &&Group| kind != "stale-read" || group.reads;
        let weight = |group: &Group| if CHATTER.contains(&&*group.command) { 1 } else { 8 };
        let weights: usize = self.groups.iter().filter(fits).map(weight).sum();
        let mut place = (weights > 0).then(|| below(random, weights))?;
        for group in self.groups.iter().filter(fits) {
            match place.checked_sub(weight(group)) {
                Some(rest) => place = rest,
                None => return Some(group),
            }
        }
        None
    }

    fn fault(&self, kind: &str, group: &Group, random: &mut ChaCha8Rng) -> Fault {
        let fault = self.kind(kind, random);
        let fault = match &group.connection {
            Some(name) => fault.with("connection", name),
            None => fault,
        };
        // Retries and waiting make more requests than a calm day has.
        let beyond = if chance(random, 4) { 4 } else { 0 };
        let skip = below(random, group.count.min(1_000) as usize + beyond);
        let fault = fault.with("command", &group.command);
        let fault = if skip > 0 { fault.with("skip", skip) } else { fault };
        fault.with("next", 1)
    }

    fn kind(&self, kind: &str, random: &mut ChaCha8Rng) -> Fault {
        let fault = Fault::new(kind);
        let mut one_of = |times: &[&'static str]| times[below(random, times.len())];
        match kind {
            "duplicate" => fault.with("after", one_of(&["0ms", "20ms", "100ms", "300ms"])),
            "latency" => fault.with("fixed", one_of(&["20ms", "100ms", "300ms"])),
            "hang" | "reset" => fault.with("executed", one_of(&["false", "true"])),
            "stale-read" => fault.with("lag", one_of(&["50ms", "1s", "60s"])),
            "failover" => {
                let fault = fault.with("lose", one_of(&["20ms", "1s", "60s"]));
                fault.with("down", one_of(&["0ms", "50ms"]))
            }
            "restart" => fault.with("down", one_of(&["0ms", "50ms"])),
            "hold" => fault.with("until", "next").with("for", "200ms"),
            "server-clock" => {
                let name = one_of(&["forward", "forward", "forward", "back"]);
                fault.with(name, format!("{}ms", self.lease_ms(random)))
            }
            _ => fault,
        }
    }

    /// A little more than a lease that was seen.
    fn lease_ms(&self, random: &mut ChaCha8Rng) -> u64 {
        self.times_ms[below(random, self.times_ms.len())] + 1
    }
}

/// How often each command was seen, on each connection and on all together.
fn counted(seen: &Observations) -> BTreeMap<(Option<String>, String), (u64, bool)> {
    let mut counts = BTreeMap::new();
    for request in &seen.requests {
        let connection = match request.transport {
            Transport::Rest => "rest".to_owned(),
            Transport::Resp if request.name.is_empty() => request.connection.to_string(),
            Transport::Resp => request.name.clone(),
        };
        let mut names: Vec<_> =
            request.commands.iter().map(|command| (command.name.clone(), command.reads)).collect();
        names.sort();
        names.dedup();
        for (name, reads) in names.into_iter().filter(|(name, _)| !name.is_empty()) {
            for place in [Some(connection.clone()), None] {
                counts.entry((place, name.clone())).or_insert((0, reads)).0 += 1;
            }
        }
    }
    counts
}

fn chance(random: &mut ChaCha8Rng, of: usize) -> bool {
    below(random, of) == 0
}

#[cfg(test)]
pub(super) mod tests {
    use leasehold_fake_redis::serve::{Host, HostOptions};

    use super::*;

    /// What is seen of a connection on which these are asked.
    pub(crate) fn seen(lines: &[&str]) -> Observations {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let host = Host::new(HostOptions::default());
            host.observe(&[]);
            let client = host.connect("peer".into(), "here".into()).unwrap();
            for line in lines {
                let words: Vec<_> = line.split(' ').map(|word| word.to_owned().into()).collect();
                client.perform(&words).await;
            }
            host.observations()
        })
    }

    fn draw(kinds: &[&'static str], seed: u64, count: usize) -> Vec<String> {
        let seen = seen(&["SET lock a NX PX 700", "GET lock", "GET lock", "PING"]);
        let mut planner = Planner::new(&[&seen], kinds.to_vec(), seed);
        let told = |faults: Vec<Fault>| -> Vec<_> { faults.iter().map(Fault::to_string).collect() };
        (0..count).flat_map(|_| told(planner.draw())).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_schedules() {
        assert_eq!(draw(KINDS, 3, 50), draw(KINDS, 3, 50));
        assert_ne!(draw(KINDS, 3, 50), draw(KINDS, 4, 50));
    }

    #[test]
    fn every_kind_is_drawn_and_every_rule_can_be_read() {
        let rules = draw(KINDS, 1, 300);
        for kind in KINDS {
            assert!(rules.iter().any(|rule| rule.starts_with(kind)), "{kind}");
        }
        for rule in &rules {
            assert!(rule.parse::<Fault>().is_ok(), "{rule}");
        }
        // Retries are reached, too.
        assert!(rules.iter().any(|rule| rule.contains("command=SET skip=3")));
    }

    #[test]
    fn a_clock_jumps_over_a_lease_that_was_seen_and_only_reads_are_stale() {
        let rules = draw(&["server-clock"], 1, 20);
        assert!(rules.iter().all(|rule| rule.contains("=701ms")), "{rules:?}");
        let rules = draw(&["stale-read"], 1, 20);
        assert!(rules.iter().all(|rule| rule.contains("command=GET")), "{rules:?}");
    }

    #[test]
    fn no_schedule_is_drawn_twice_while_there_are_others() {
        let mut drawn = draw(&["request-loss"], 1, 3);
        drawn.sort();
        drawn.dedup();
        assert!(drawn.len() >= 3, "{drawn:?}");
    }
}
