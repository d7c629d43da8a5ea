//! What it costs the served fake to remember what was written, as it does with an admin endpoint:
//! by the type of the data and the way in which commands come, beside the same without and, if
//! there is one, a `redis-server`. Also when it has to forget as much as it remembers.

use leasehold_benches::{
    remembered::{CHANGES, Load, Way, fill},
    servers::{Server, serve_if_asked},
};
use leasehold_upstash::redis::RedisResult;

fn main() {
    serve_if_asked().expect("this machine has a free port");
    let quick = std::env::args().any(|argument| argument == "--test");
    let start = |remembers| Server::fake_that(remembers).expect("this program can start itself");
    let (plain, admin, full) = (start(false), start(true), start(true));
    let real = Server::redis().inspect_err(|error| println!("skipped: redis-server: {error}")).ok();
    if quick {
        println!("each runs once, to see that it does: the figures mean nothing");
    } else if let Err(error) = fill(&full) {
        return println!("the history was not filled: {error}");
    }
    println!("the processor's time for a command without the admin endpoint, by that with it");
    println!("  aim: 0.80, one script 0.50       its history full   by redis-server's");
    for way in Way::ALL {
        for (change, (name, _)) in CHANGES.iter().enumerate() {
            let load = Load::new(way, change, if quick { 100 } else { 50_000 });
            let rounds = if quick { 1 } else { 9 };
            let sides = [Some(&plain), Some(&admin), Some(&full), real.as_ref()];
            match medians(&load, sides, rounds) {
                Ok([remembering, full, real]) => println!(
                    "  {:<10} {name:<6}  × {remembering:.2}            × {full:.2}            × {real:.2}",
                    way.name(),
                ),
                Err(error) => println!("  {:<10} {name:<6}  {error}", way.name()),
            }
        }
    }
}

/// The time of the first side by that of each other one, the median over the rounds, in each of
/// which all have their turn. Not a number if there is none.
fn medians<const N: usize>(
    load: &Load,
    sides: [Option<&Server>; N],
    rounds: usize,
) -> RedisResult<[f64; 3]> {
    let mut ratios = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        let mut took = [f64::NAN; N];
        for (took, side) in took.iter_mut().zip(sides) {
            if let Some(side) = side {
                *took = load.run(side)?.as_secs_f64();
            }
        }
        for (ratios, other) in ratios.iter_mut().zip(&took[1..]) {
            ratios.push(took[0] / other);
        }
    }
    Ok(ratios.map(|mut ratios| {
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }))
}
