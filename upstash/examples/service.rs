//! A service with two locks and a debounced webhook, on whatever store the environment names.
//!
//! ```sh
//! REDIS_URL=redis://127.0.0.1:6379 cargo run -p leasehold-upstash --example service
//! curl -X POST 127.0.0.1:3000/import
//! curl -d 'page 7' 127.0.0.1:3000/changed
//! ```

mod environment;

use std::{env, error::Error, fmt::Display, future::IntoFuture, io, time::Duration};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use leasehold_core::{Fence, debounce::Debounce, lock::Lock};
use tokio::{net::TcpListener, signal, time::sleep};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = environment::store()?;
    let reports = report_every_minute(Lock::new(store.clone(), "report")?);
    let routes = Router::new()
        .route("/import", post(import).with_state(Lock::new(store.clone(), "import")?))
        .route("/changed", post(changed).with_state(Debounce::new(store, "reindex")?));
    let listen = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let listener = TcpListener::bind(listen).await?;
    println!("listening at {}", listener.local_addr()?);
    let interrupted = async { drop(signal::ctrl_c().await) };
    let server = axum::serve(listener, routes).with_graceful_shutdown(interrupted);
    tokio::select!(served = server.into_future() => Ok(served?), () = reports => Ok(()))
}

async fn import(State(lock): State<Lock>) -> (StatusCode, String) {
    let waiting = lock.acquire().within(Duration::from_secs(5));
    match waiting.hold(async |lease| save("import", lease.fence())).await {
        Ok(()) => (StatusCode::OK, "imported".into()),
        Err(error) if error.is_busy() => (StatusCode::CONFLICT, error.to_string()),
        Err(error) => unavailable(error),
    }
}

async fn changed(State(reindex): State<Debounce>, page: String) -> (StatusCode, String) {
    let called = reindex.call(page, async |run| save(run.args(), run.fence())).await;
    called.map_or_else(unavailable, |called| (StatusCode::OK, format!("{called:?}")))
}

async fn report_every_minute(lock: Lock) {
    loop {
        let once = lock.acquire().attempts(1);
        if let Err(error) = once.hold(async |lease| save("report", lease.fence())).await {
            println!("no report: {error}");
        }
        sleep(Duration::from_secs(60)).await;
    }
}

fn save(what: impl Display, fence: Fence) -> io::Result<()> {
    println!("saving the {what}, unless a fence greater than {fence} was seen");
    Ok(())
}

fn unavailable(error: impl Display) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}
