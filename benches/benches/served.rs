//! The served fake beside a real `redis-server`, in turns: throughput, memory, and how long the
//! expiry of very many keys holds others up. Needs Debian's packages redis-server and redis-tools.

use std::time::Duration;

use leasehold_benches::{
    served::{Ending, Load},
    servers::{Protocol, Server, serve_if_asked},
};

const COMMANDS: [&str; 3] = ["set", "get", "incr"];
const PIPELINES: [u32; 2] = [1, 16];

fn main() {
    serve_if_asked().expect("this machine has a free port");
    let quick = std::env::args().any(|argument| argument == "--test");
    let real = match Server::redis() {
        Ok(real) => real,
        Err(error) => return println!("skipped: redis-server: {error}"),
    };
    let fake = Server::fake(Protocol::Resp).expect("this program can start itself");
    if quick {
        println!("each runs once, to see that it does: the figures mean nothing");
    }
    println!("redis-benchmark, 50 connections; the fake's throughput by redis-server's, aim: 0.80");
    for pipeline in PIPELINES {
        for command in COMMANDS {
            let commands = if quick { 500 } else { 100_000 * u64::from(pipeline.min(8)) };
            throughput(
                &real,
                &fake,
                Load { command, pipeline, commands },
                if quick { 1 } else { 9 },
            );
        }
    }
    let (keys, lasts) = if quick { (1_000, 1) } else { (1_000_000, 15) };
    println!("{keys} keys that end at once; aim: memory of at most 2 times, no pause over 10 ms");
    for (name, server) in [("redis-server", &real), ("fake", &fake)] {
        if let Err(error) = ending(name, server, keys, Duration::from_secs(lasts)) {
            println!("  {name}: {error}");
        }
    }
}

/// Prints the median ratio over the rounds, in each of which both have their turn.
fn throughput(real: &Server, fake: &Server, load: Load, rounds: usize) {
    let round = |_| Ok(load.run(fake)? / load.run(real)?);
    let mut ratios: Vec<f64> = match (0..rounds).map(round).collect::<std::io::Result<_>>() {
        Ok(ratios) => ratios,
        Err(error) => return println!("skipped: redis-benchmark: {error}"),
    };
    ratios.sort_by(f64::total_cmp);
    let (least, median) = (ratios[0], ratios[ratios.len() / 2]);
    let most = ratios[ratios.len() - 1];
    let Load { command, pipeline, .. } = load;
    println!("  {command:<5} pipeline {pipeline:>2}   × {median:.2}   ({least:.2} to {most:.2})");
}

fn ending(
    name: &str,
    server: &Server,
    keys: u64,
    lasts: Duration,
) -> Result<(), Box<dyn std::error::Error>> {
    let before = server.resident_bytes();
    let ending = Ending::fill(server, keys, lasts)?;
    let bytes =
        server.resident_bytes().zip(before).map(|(after, before)| after.saturating_sub(before));
    let memory = bytes.map_or_else(|| "unknown".into(), |bytes| format!("{} bytes", bytes / keys));
    let pause = ending.longest_pause(server)?;
    println!("  {name:<14} {memory:>10} a key, longest pause {pause:.1?}");
    Ok(())
}
