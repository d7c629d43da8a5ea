//! A webhook that is called in bursts, and acts once a burst, with what the last call brought.
//!
//! A call is answered as soon as the store has it, so no process needs to live until it runs:
//! each replica of the service looks now and then for what is due, and one of them runs it. If that
//! one crashes, another runs it again.
//!
//! ```sh
//! REDIS_URL=redis://127.0.0.1:6379 cargo run -p leasehold-upstash --example webhook
//! ```
//!
//! It calls itself five times, and ends when that burst has run. With an address such as
//! `127.0.0.1:3000` as its argument it serves until it is interrupted:
//! `curl -d 'commit 7' 127.0.0.1:3000/pushed`.

mod environment;

use std::{convert::Infallible, error::Error, future::IntoFuture, time::Duration};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use leasehold_core::debounce::{Called, Debounce, DebounceOptions, Run, Swept};
use tokio::{net::TcpListener, time::sleep};

/// How often a replica looks while nothing waits.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = environment::store()?;
    let listen = std::env::args().nth(1);
    let options = DebounceOptions::new()
        .wait(Duration::from_millis(300))
        // However many pushes come, it runs at least this often.
        .max_wait(Duration::from_secs(5))
        // Whoever calls leaves at once, and a sweep runs it.
        .within(Duration::ZERO);
    let id = listen.as_ref().map_or_else(
        || format!("demo-webhook-{}", std::process::id()),
        |_| "index-on-push".to_owned(),
    );
    let debounce = Debounce::with_options(store, &id, &options)?;
    let runner = debounce.clone();

    let listener = TcpListener::bind(listen.as_deref().unwrap_or("127.0.0.1:0")).await?;
    let url = format!("http://{}/pushed", listener.local_addr()?);
    println!("listening at {url}");
    let server = axum::serve(listener, service(debounce)).into_future();
    if listen.is_some() {
        return tokio::select! {
            ended = server => Ok(ended?),
            failed = run_what_is_due(runner, false) => failed,
        };
    }
    tokio::spawn(server);
    push(&url).await?;
    run_what_is_due(runner, true).await
}

fn service(debounce: Debounce) -> Router {
    Router::new().route("/pushed", post(pushed)).with_state(debounce)
}

/// What is pushed is in the store when it is answered, or the sender is told to come again.
async fn pushed(State(debounce): State<Debounce>, body: String) -> (StatusCode, String) {
    match debounce.call(body, index).await {
        Ok(Called::Delegated { due_in }) => (StatusCode::ACCEPTED, format!("due in {due_in:?}")),
        Ok(called) => (StatusCode::OK, format!("{called:?}")),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

/// Runs what is due, whichever replica was called; with `once`, until something has run.
async fn run_what_is_due(debounce: Debounce, once: bool) -> Result<(), Box<dyn Error>> {
    loop {
        match debounce.sweep(index).await {
            Ok(Swept::Idle { due_in }) => sleep(due_in.unwrap_or(LOOK_EVERY)).await,
            Ok(_) if once => return Ok(()),
            Ok(_) => {}
            // The store may be back by the next look.
            Err(error) => {
                println!("cannot look for what is due: {error}");
                sleep(LOOK_EVERY).await;
            }
        }
    }
}

/// The work that should not be done for each push.
async fn index(run: Run) -> Result<(), Infallible> {
    println!("indexing {}, fence {}", run.args(), run.fence());
    Ok(())
}

/// A burst.
async fn push(url: &str) -> Result<(), Box<dyn Error>> {
    let client = reqwest::Client::new();
    for commit in 1..=5 {
        let answer = client.post(url).body(format!("commit {commit}")).send().await?;
        println!("pushed commit {commit}: {}", answer.status());
    }
    Ok(())
}
