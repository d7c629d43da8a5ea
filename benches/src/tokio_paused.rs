//! The simulator's workload on tokio's paused clock: what one would write without a simulator.
//!
//! One server and eight clients contend for one key during 60 simulated seconds. A client acquires
//! with a lease of 1 s, holds for 50 ms, releases, and idles for 0–100 ms; if the key is taken, it
//! tries again after 100 ms. Each message takes 1–20 ms, uniformly.
//!
//! The server is a task behind a channel, and a client sleeps through the latency of its own
//! request and reply, so no task is spawned for a message: the cheapest form of this. Tokio's
//! timers are a millisecond wide, which makes the counts differ by a few per cent from those on an
//! exact clock.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, sleep},
};

/// How long the workload runs, in simulated time.
pub const SIMULATED: Duration = Duration::from_secs(60);
const CLIENTS: u64 = 8;
const LEASE: Duration = Duration::from_secs(1);
const HOLD: Duration = Duration::from_millis(50);
const RETRY: Duration = Duration::from_millis(100);

/// What happened in one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages delivered, to the server or to a client.
    pub messages: u64,
    /// Acquires that were granted, as the clients saw it.
    pub acquisitions: u64,
}

/// Runs the workload once.
///
/// # Panics
///
/// If no runtime can be built.
#[must_use]
pub fn run(seed: u64) -> Counts {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O needs nothing from the system");
    runtime.block_on(cluster(seed))
}

async fn cluster(seed: u64) -> Counts {
    let end = Instant::now() + SIMULATED;
    let (requests, inbox) = mpsc::unbounded_channel();
    tokio::spawn(serve(inbox));
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(number);
        let (server, counts) = (requests.clone(), Counts::default());
        clients.spawn(Client { number, random, server, end, counts }.live());
    }
    let mut total = Counts::default();
    for counts in clients.join_all().await {
        total.messages += counts.messages;
        total.acquisitions += counts.acquisitions;
    }
    total
}

enum Question {
    Acquire,
    Release,
}

struct Request {
    client: u64,
    question: Question,
    reply: oneshot::Sender<bool>,
}

/// One key with a time to live.
async fn serve(mut inbox: mpsc::UnboundedReceiver<Request>) {
    let mut holder: Option<(u64, Instant)> = None;
    while let Some(Request { client, question, reply }) = inbox.recv().await {
        let now = Instant::now();
        holder = holder.filter(|(_, expires)| now < *expires);
        let ours = holder.is_none_or(|(owner, _)| owner == client);
        if ours {
            holder = match question {
                Question::Acquire => Some((client, now + LEASE)),
                Question::Release => None,
            };
        }
        // A client whose time is up no longer listens.
        let _ = reply.send(ours);
    }
}

struct Client {
    number: u64,
    random: ChaCha8Rng,
    server: mpsc::UnboundedSender<Request>,
    end: Instant,
    counts: Counts,
}

impl Client {
    async fn live(mut self) -> Counts {
        while let Some(granted) = self.ask(Question::Acquire).await {
            if !granted {
                sleep(RETRY).await;
                continue;
            }
            self.counts.acquisitions += 1;
            sleep(HOLD).await;
            if self.ask(Question::Release).await.is_none() {
                break;
            }
            let idle = self.between(0, 100_000);
            sleep(idle).await;
        }
        self.counts
    }

    /// `None` when the time is up before the reply arrives.
    async fn ask(&mut self, question: Question) -> Option<bool> {
        self.deliver().await?;
        let (reply, answer) = oneshot::channel();
        self.server.send(Request { client: self.number, question, reply }).ok()?;
        let answer = answer.await.ok()?;
        self.deliver().await?;
        Some(answer)
    }

    async fn deliver(&mut self) -> Option<()> {
        let latency = self.between(1_000, 20_000);
        sleep(latency).await;
        if Instant::now() >= self.end {
            return None;
        }
        self.counts.messages += 1;
        Some(())
    }

    fn between(&mut self, least_us: u64, most_us: u64) -> Duration {
        Duration::from_micros(least_us + self.random.next_u64() % (most_us - least_us + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workload_is_the_one_described() {
        let counts = run(1);
        assert!((8_000..10_000).contains(&counts.messages), "{counts:?}");
        assert!((550..750).contains(&counts.acquisitions), "{counts:?}");
    }

    #[test]
    fn a_seed_gives_one_run_and_another_seed_another() {
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }
}
