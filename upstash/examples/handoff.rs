//! One process takes a lock, and another finishes the work under the same lease and releases it.
//!
//! What travels is the token, the fence, and how much of the lease is left. Time passes on the way,
//! so the receiver counts what is left from *before* it asked. And the token is all it takes to
//! release the lock, so it goes through a pipe: arguments can be seen by others on the machine.
//!
//! ```sh
//! REDIS_URL=redis://127.0.0.1:6379 cargo run -p leasehold-upstash --example handoff
//! ```
//!
//! It starts itself again as the other process, and ends.

mod environment;

use std::{
    error::Error,
    io::{self, BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use leasehold_core::{
    DynStore, Fence, Token,
    lock::{Lock, NotAcquired},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = environment::store()?;
    match std::env::args().nth(1) {
        Some(id) => receive(store, &id).await,
        None => give(store, &format!("demo-handoff-{}", std::process::id())).await,
    }
}

/// The process that takes the lock.
async fn give(store: DynStore, id: &str) -> Result<(), Box<dyn Error>> {
    let lock = Lock::new(store.clone(), id)?;
    let lease = lock.acquire().await?;
    println!("the giver holds the lock, fence {}", lease.fence());

    let mut receiver = Command::new(std::env::current_exe()?)
        .arg(id)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = receiver.stdin.take().ok_or("it was asked for")?;
    let mut lines = BufReader::new(receiver.stdout.take().ok_or("it was asked for")?).lines();
    lines.next().ok_or("the receiver ended before it asked")??;
    let left_ms = lease.remaining().as_millis();
    writeln!(input, "{} {} {left_ms}", lease.token().as_str(), lease.fence())?;
    // From here on it is the receiver's.
    lease.forget();

    for line in lines {
        println!("{}", line?);
    }
    if !receiver.wait()?.success() {
        return Err("the receiver failed".into());
    }
    match lock.acquire().await {
        Ok(mut lease) => println!("the lock is free again: {:?}", lease.release().await?),
        Err(NotAcquired::Busy { remaining }) => println!("still held, for {remaining:?}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// The process that finishes the work.
async fn receive(store: DynStore, id: &str) -> Result<(), Box<dyn Error>> {
    let asked = Instant::now();
    println!("ready");
    io::stdout().flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let [token, fence, left_ms] = words[..] else { return Err("no lease came".into()) };

    let left = Duration::from_millis(left_ms.parse()?).saturating_sub(asked.elapsed());
    let lock = Lock::new(store, id)?;
    let mut lease = lock.adopt(Token::new(token)?, Fence(fence.parse()?), left)?;
    // Nobody was asked so far. This asks, and makes time for the work.
    lease.extend(Duration::from_secs(10)).await?;
    println!("the receiver holds the lock, fence {}", lease.fence());
    println!("the receiver is done: {:?}", lease.release().await?);
    Ok(())
}
