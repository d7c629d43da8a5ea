//! `leasehold serve`: the fake Redis on sockets.

use std::{io, sync::Arc};

use clap::Args;
use serde::Serialize;
use tokio::net::TcpListener;

use super::{Ending, Failure, output::print};
use crate::{
    redis::{Password, Settings},
    serve::{Host, Options, keep_time, resp},
};

/// Serves an in-memory Redis to clients of any language, until it is interrupted.
///
/// It speaks RESP2 and RESP3, as a Redis does. Once it is ready it prints where, one address a
/// line, such as `resp redis://127.0.0.1:6379`. Nothing is kept when it ends.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  leasehold serve                            on the port of Redis, for this machine only
  leasehold serve --resp 127.0.0.1:0         on a free port, which it prints
  LEASEHOLD_PASSWORD=… leasehold serve       clients have to say the password

Exit status: 0 after an interrupt, SIGTERM or SHUTDOWN, 2 if it cannot begin.")]
pub(super) struct Serve {
    /// Where to listen for clients that speak RESP. Port 0 is any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:6379")]
    resp: String,
    /// What RESP clients say to AUTH. Without it they need not. Other users of this machine can see
    /// the command line: the environment is safer.
    #[arg(long, value_name = "P", env = "LEASEHOLD_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Prints the addresses as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Where it listens.
#[derive(Debug, Serialize)]
struct Addresses {
    resp: String,
}

impl Serve {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::Use(format!("cannot start: {error}")))?;
        runtime.block_on(self.serve())?;
        Ok(Ending::AsClaimed)
    }

    async fn serve(self) -> Result<(), Failure> {
        let interrupted = interrupted()
            .map_err(|error| Failure::Use(format!("cannot listen for signals: {error}")))?;
        let resp = bind("--resp", &self.resp).await?;
        let port = resp.local_addr().map(|address| address.port()).unwrap_or_default();
        let password = self.password.clone().filter(|password| !password.is_empty());
        let settings =
            Settings { password: password.map(Password::new), port, ..Settings::default() };
        let host = Host::new(Options { settings, ..Options::default() });
        let addresses = Addresses { resp: url("redis", &resp)? };
        tokio::spawn(keep_time(Arc::clone(&host)));
        tokio::spawn(resp::listen(Arc::clone(&host), resp));
        self.announce(&addresses)?;
        tokio::select! {
            () = interrupted => {}
            () = host.stopping() => {}
        }
        host.shut_down().await;
        Ok(())
    }

    fn announce(&self, addresses: &Addresses) -> Result<(), Failure> {
        if self.json {
            let text = serde_json::to_string(addresses)
                .map_err(|error| Failure::Use(format!("cannot write JSON: {error}")))?;
            return print(&(text + "\n"));
        }
        print(&format!("resp {}\n", addresses.resp))
    }
}

async fn bind(option: &str, address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::Use(format!(
            "cannot listen on {address}: {error}; give {option} another address, such as \
             127.0.0.1:0 for a free port"
        ))
    })
}

fn url(scheme: &str, listener: &TcpListener) -> Result<String, Failure> {
    let address = listener
        .local_addr()
        .map_err(|error| Failure::Use(format!("cannot tell the address: {error}")))?;
    Ok(format!("{scheme}://{address}"))
}

/// Completes at an interrupt from the keyboard, or at SIGTERM.
#[cfg(unix)]
fn interrupted() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Completes at an interrupt from the keyboard.
#[cfg(not(unix))]
fn interrupted() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a way to be told of it, only SHUTDOWN ends the server.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
