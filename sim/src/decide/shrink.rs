//! From a failing run to a few decisions, each of which is needed.

use super::{Address, DecisionKind, Decisions};

/// A locally minimal set of decisions.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// What is left: without any one of them, or with any one lower or earlier, it does not fail.
    pub decisions: Decisions,
    /// How many runs it took.
    pub runs: u32,
    /// Whether all of that was tried, or the runs came to an end before.
    pub minimal: bool,
}

/// Removes, lowers and moves decisions while `fails` still holds, in at most `max_runs` runs.
///
/// Whole kinds go first, then halves, quarters and so on down to single decisions (as in delta
/// debugging, Zeller and Hildebrandt 2002); then choices are lowered and addresses moved to
/// earlier occurrences, so that the story begins at once. Repeated until nothing changes.
pub fn shrink(
    decisions: Decisions,
    max_runs: u32,
    fails: impl FnMut(&Decisions) -> bool,
) -> Shrunk {
    let mut search = Search { best: decisions, runs: 0, max_runs, fails };
    search.drop_kinds();
    loop {
        let before = search.best.clone();
        search.drop_chunks();
        search.lower();
        search.move_earlier();
        search.drop_pairs();
        if search.best == before || search.runs >= max_runs {
            let minimal = search.runs < max_runs;
            return Shrunk { decisions: search.best, runs: search.runs, minimal };
        }
    }
}

struct Search<F> {
    best: Decisions,
    runs: u32,
    max_runs: u32,
    fails: F,
}

impl<F: FnMut(&Decisions) -> bool> Search<F> {
    fn attempt(&mut self, candidate: Decisions) -> bool {
        if self.runs >= self.max_runs {
            return false;
        }
        self.runs += 1;
        let fails = (self.fails)(&candidate);
        if fails {
            self.best = candidate;
        }
        fails
    }

    fn without(&mut self, gone: impl Fn(&Address) -> bool) -> bool {
        let mut candidate = self.best.clone();
        candidate.retain(|address, _| !gone(address));
        candidate.len() < self.best.len() && self.attempt(candidate)
    }

    fn drop_kinds(&mut self) {
        for kind in DecisionKind::ALL {
            self.without(|address| address.kind == kind);
        }
    }

    fn drop_chunks(&mut self) {
        let mut size = self.best.len().div_ceil(2);
        while size > 0 {
            let mut start = 0;
            while start < self.best.len() {
                let chunk: Vec<Address> =
                    self.best.keys().skip(start).take(size).copied().collect();
                if !self.without(|address| chunk.binary_search(address).is_ok()) {
                    start += size;
                }
            }
            size /= 2;
        }
    }

    fn drop_pairs(&mut self) {
        if self.best.len() > 12 {
            return;
        }
        let sites: Vec<Address> = self.best.keys().copied().collect();
        for (index, first) in sites.iter().enumerate() {
            for second in &sites[index + 1..] {
                self.without(|address| address == first || address == second);
            }
        }
    }

    fn lower(&mut self) {
        let sites: Vec<Address> = self.best.keys().copied().collect();
        for address in sites {
            let Some(&choice) = self.best.get(&address) else { continue };
            for lower in lower_choices(choice) {
                let mut candidate = self.best.clone();
                candidate.insert(address, lower);
                if self.attempt(candidate) {
                    break;
                }
            }
        }
    }

    fn move_earlier(&mut self) {
        let sites: Vec<Address> = self.best.keys().copied().collect();
        for address in sites {
            let Some(&choice) = self.best.get(&address) else { continue };
            for earlier in earlier_sites(address) {
                if self.best.contains_key(&earlier) {
                    continue;
                }
                let mut candidate = self.best.clone();
                candidate.remove(&address);
                candidate.insert(earlier, choice);
                if self.attempt(candidate) {
                    break;
                }
            }
        }
    }
}

/// Candidates below `choice`, lowest first: a few small ones, then halves towards it.
fn lower_choices(choice: u32) -> impl Iterator<Item = u32> {
    let small = 1..choice.min(8);
    let halves = (1..32).map(move |shift| choice - (choice >> shift));
    small.chain(halves.filter(move |&lower| lower >= 8 && lower < choice))
}

/// Candidates before `site`, for the least actor first.
fn earlier_sites(address: Address) -> impl Iterator<Item = Address> {
    let near = address.occurrence.saturating_sub(8)..address.occurrence;
    let first = (0..address.occurrence.min(12)).chain(near.filter(|&occurrence| occurrence >= 12));
    let same_actor = first.map(move |occurrence| Address { occurrence, ..address });
    let lower_actor = (0..address.actor).map(move |actor| Address { actor, ..address });
    same_actor.chain(lower_actor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(kind: DecisionKind, actor: u8, occurrence: u32) -> Address {
        Address { kind, actor, occurrence }
    }

    #[test]
    fn what_does_not_matter_goes_and_what_does_is_lowered() {
        let mut decisions = Decisions::new();
        for occurrence in 0..60 {
            decisions.insert(address(DecisionKind::Jitter, 1, occurrence), 9);
        }
        decisions.insert(address(DecisionKind::ClientPause, 0, 40), 900);
        decisions.insert(address(DecisionKind::Failover, 2, 3), 2);
        // Fails if any pause is longer than 600 and anybody fails over.
        let shrunk = shrink(decisions, 2_000, |candidate| {
            candidate
                .iter()
                .any(|(address, &choice)| address.kind == DecisionKind::ClientPause && choice > 600)
                && candidate.keys().any(|address| address.kind == DecisionKind::Failover)
        });
        assert_eq!(shrunk.decisions.len(), 2, "{:?}", shrunk.decisions);
        assert_eq!(shrunk.decisions[&address(DecisionKind::Failover, 0, 0)], 1);
        let (pause, &length) = shrunk.decisions.iter().next().unwrap();
        assert_eq!((pause.kind, pause.occurrence), (DecisionKind::ClientPause, 0));
        assert!((601..=616).contains(&length), "{length}");
    }

    #[test]
    fn a_run_that_needs_every_decision_keeps_every_decision() {
        let decisions: Decisions =
            (0..5).map(|occurrence| (address(DecisionKind::Hang, 0, occurrence), 1)).collect();
        let shrunk = shrink(decisions.clone(), 2_000, |candidate| {
            (0..5).all(|occurrence| {
                candidate.contains_key(&address(DecisionKind::Hang, 0, occurrence))
            })
        });
        assert_eq!(shrunk.decisions, decisions);
    }
}
