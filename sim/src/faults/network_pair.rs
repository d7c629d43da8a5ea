//! Two kinds of fault of the network in one run. Which two is decided as it begins, any pair as often
//! as another; from then on each is as if it were switched on. It takes effect if both do.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    history::Client,
    world::{Faults, Observer, Step, System},
};

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum NetworkPair {}

impl<S: System> Faults<S> for NetworkPair {
    fn starting<C: DecisionSource, W: Observer>(step: &mut Step<'_, S, C, W>, client: Client) {
        // For the whole run, by the first of its clients.
        if client > 0 {
            return;
        }
        let options = 1 + pairs().count() as u32;
        let choice = step.injects(Fault::NetworkPair, client, 0, options);
        step.core.drawn = pair(choice).into_iter().flatten().collect();
    }
}

/// Those of which two may occur.
fn of_the_network() -> impl Iterator<Item = Fault> + Clone {
    Fault::ALL.iter().copied().filter(|fault| fault.is_single_of_network())
}

fn pairs() -> impl Iterator<Item = [Fault; 2]> {
    let all = of_the_network();
    let firsts = all.clone().enumerate();
    firsts.flat_map(move |(place, first)| {
        all.clone().skip(place + 1).map(move |second| [first, second])
    })
}

/// The pair with this number, from 1.
fn pair(choice: u32) -> Option<[Fault; 2]> {
    choice.checked_sub(1).and_then(|place| pairs().nth(place as usize))
}

pub(crate) fn describe(_address: Address, choice: u32) -> String {
    injection("", choice)
}

pub(crate) fn injection(_who: &str, choice: u32) -> String {
    match pair(choice) {
        Some([first, second]) => {
            format!("{} and {} may both occur in this run", first.name(), second.name())
        }
        None => "no two faults of the network may occur in this run".into(),
    }
}

pub(crate) fn effect(_who: &str, _call: u32) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_two_faults_of_the_network_are_one_pair() {
        let count = of_the_network().count();
        let different: BTreeSet<[Fault; 2]> = pairs().collect();
        assert_eq!(different.len(), count * (count - 1) / 2);
        assert_eq!(pairs().count(), different.len());
        assert!(pairs().all(|[first, second]| first < second));
        assert_eq!(pair(0), None);
        assert_eq!(pair(pairs().count() as u32 + 1), None);
    }
}
