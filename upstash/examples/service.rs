//! A service with two locks and a debounced webhook, on whatever store the environment names.
//!
//! ```sh
//! REDIS_URL=redis://127.0.0.1:6379 cargo run -p leasehold-upstash --example service
//! curl -d 'page 7' 127.0.0.1:3000/changed
//! curl -X POST 127.0.0.1:3000/import
//! ```

mod environment;

use std::{error::Error, future::IntoFuture, io, time::Duration};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use leasehold_core::{
    Fence,
    debounce::{Called, Debounce, DebounceOptions, Swept},
    lock::{HoldError, Lock, NotAcquired},
};
use tokio::{net::TcpListener, signal, time::sleep};

#[derive(Clone)]
struct App {
    import: Lock,
    report: Lock,
    reindex: Debounce,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = environment::store()?;
    let debounce = DebounceOptions::new().wait(Duration::from_secs(1)).within(Duration::ZERO);
    let app = App {
        import: Lock::new(store.clone(), "import")?,
        report: Lock::new(store.clone(), "report")?,
        reindex: Debounce::with_options(store, "reindex", &debounce)?,
    };
    let routes = Router::new().route("/import", post(import)).route("/changed", post(changed));
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    let server = axum::serve(listener, routes.with_state(app.clone()))
        .with_graceful_shutdown(async { drop(signal::ctrl_c().await) });
    tokio::select! {
        served = server.into_future() => Ok(served?),
        never = reindex_what_is_due(app.reindex) => never,
        reported = report_for_ever(app.report) => reported,
    }
}

async fn import(State(app): State<App>) -> (StatusCode, String) {
    let import = app.import.acquire().within(Duration::from_secs(5));
    match import.hold(async |lease| save("import", lease.fence())).await {
        Ok(()) => (StatusCode::OK, "imported".into()),
        Err(HoldError::NotAcquired(NotAcquired::Busy { .. } | NotAcquired::Queued)) => {
            (StatusCode::CONFLICT, "an import is under way".into())
        }
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

async fn changed(State(app): State<App>, page: String) -> (StatusCode, String) {
    match app.reindex.call(page, async |run| save("index", run.fence())).await {
        Ok(Called::Delegated { due_in }) => (StatusCode::ACCEPTED, format!("due in {due_in:?}")),
        Ok(called) => (StatusCode::OK, format!("{called:?}")),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

async fn reindex_what_is_due(reindex: Debounce) -> Result<(), Box<dyn Error>> {
    loop {
        let pause = match reindex.sweep(async |run| save("index", run.fence())).await {
            Ok(Swept::Idle { due_in: Some(due_in) }) => due_in,
            _ => Duration::from_millis(200),
        };
        sleep(pause).await;
    }
}

async fn report_for_ever(report: Lock) -> Result<(), Box<dyn Error>> {
    loop {
        if let Some(mut lease) = report.try_acquire().await? {
            lease.keep_alive()?;
            save("report", lease.fence())?;
            lease.release().await?;
        }
        sleep(Duration::from_secs(60)).await;
    }
}

fn save(what: &str, fence: Fence) -> io::Result<()> {
    println!("saving the {what}, unless a fence greater than {fence} was seen");
    Ok(())
}
