//! `leasehold serve`: the fake Redis on sockets.

mod faults;
mod page;
mod web;

use std::{io, sync::Arc};

use clap::Args;
use serde::Serialize;
use tokio::{net::TcpListener, sync::oneshot};

use super::{Ending, Failure, output::print};
use faults::FaultOptions;
use leasehold_fake_redis::{
    Password, Settings,
    serve::{Host, HostOptions, keep_time, resp},
};
use web::Web;

/// Serves an in-memory Redis to clients of any language.
///
/// Until it is interrupted, it speaks RESP2 and RESP3, as a Redis does, and REST, as Upstash does. Once it is ready it prints
/// where, one address a line, such as `resp redis://127.0.0.1:6379`. Without `--resp` and `--rest`
/// it listens for both, at 127.0.0.1:6379 and 127.0.0.1:8079. Nothing is kept when it ends.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  leasehold serve                       on the usual ports, for this machine
  leasehold serve --resp 127.0.0.1:0    on a free port, which it prints
  LEASEHOLD_PASSWORD=… leasehold serve  clients have to say the password
  leasehold serve --fault 'reply-loss command=EVALSHA next=1' --latency 20ms

Exit status: 0 after an interrupt, SIGTERM, SHUTDOWN or the end of standard input, 2 if it cannot begin.")]
pub(super) struct Serve {
    /// Where to listen for RESP; port 0 is any.
    #[arg(long, value_name = "ADDR")]
    resp: Option<String>,
    /// Of RESP clients.
    ///
    /// What they say to AUTH. Without it they need not. Other users of this machine can see the
    /// command line: the environment is safer.
    #[arg(long, value_name = "P", env = "LEASEHOLD_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    #[command(flatten)]
    web: Web,
    #[command(flatten)]
    faults: FaultOptions,
    /// Prints the addresses as a line of JSON.
    #[arg(long)]
    json: bool,
    /// Ends once its standard input does, and so with the program that holds the other end of that
    /// pipe, however it ends. Nothing is made of what comes in.
    #[arg(long)]
    until_stdin_closes: bool,
}

/// Where it listens.
#[derive(Debug, Serialize)]
struct Addresses {
    #[serde(skip_serializing_if = "Option::is_none")]
    rest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin: Option<String>,
}

impl Serve {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            // One, so that nobody waits for the state of the host but by its leave.
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| Failure::Use(format!("cannot start: {error}")))?;
        runtime.block_on(self.serve())?;
        Ok(Ending::AsClaimed)
    }

    async fn serve(self) -> Result<(), Failure> {
        let interrupted = interrupted()
            .map_err(|error| Failure::Use(format!("cannot listen for signals: {error}")))?;
        let (resp, rest) = self.where_to_listen();
        let resp = bind("--resp", resp).await?;
        let rest = bind("--rest", rest).await?;
        let admin = bind("--admin", self.web.admin()).await?;
        let addresses = Addresses {
            rest: url("http", rest.as_ref())?,
            resp: url("redis", resp.as_ref())?,
            admin: url("http", admin.as_ref())?,
        };
        let host = Host::new(self.options(resp.as_ref())?);
        tokio::spawn(keep_time(Arc::clone(&host)));
        if let Some(resp) = resp {
            tokio::spawn(resp::listen(Arc::clone(&host), resp));
        }
        self.web.listen(&host, rest, admin)?;
        self.announce(&addresses)?;
        let abandoned = self.abandoned()?;
        tokio::select! {
            () = interrupted => {}
            () = host.stopping() => {}
            () = abandoned => {}
        }
        host.shut_down().await;
        Ok(())
    }

    /// Completes once standard input ends, if that is to end the server.
    fn abandoned(&self) -> Result<impl Future<Output = ()> + use<>, Failure> {
        let closed = self.until_stdin_closes.then(stdin_closed).transpose();
        let closed = closed.map_err(|error| Failure::Use(format!("cannot start: {error}")))?;
        Ok(async {
            match closed {
                // The thread tells it, or has ended: both mean that nothing more comes in.
                Some(closed) => _ = closed.await,
                None => std::future::pending().await,
            }
        })
    }

    fn announce(&self, addresses: &Addresses) -> Result<(), Failure> {
        if self.json {
            let text = serde_json::to_string(addresses)
                .map_err(|error| Failure::Use(format!("cannot write JSON: {error}")))?;
            return print(&(text + "\n"));
        }
        let Addresses { rest, resp, admin } = addresses;
        let lines = [("rest", rest), ("resp", resp), ("admin", admin)];
        let line = |(name, address): (_, &Option<String>)| {
            address.as_ref().map_or_else(String::new, |address| format!("{name} {address}\n"))
        };
        print(&lines.map(line).concat())
    }

    /// The addresses for RESP and for REST.
    fn where_to_listen(&self) -> (Option<&str>, Option<&str>) {
        match (self.resp.as_deref(), self.web.rest()) {
            (None, None) => (Some("127.0.0.1:6379"), Some("127.0.0.1:8079")),
            chosen => chosen,
        }
    }

    fn options(&self, resp: Option<&TcpListener>) -> Result<HostOptions, Failure> {
        let port = resp.and_then(|resp| resp.local_addr().ok()).map(|address| address.port());
        let password = self.password.clone().filter(|password| !password.is_empty());
        let mut settings = Settings::default().port(port.unwrap_or_default());
        if let Some(password) = password {
            settings = settings.password(Password::new(password));
        }
        let options = HostOptions::default().settings(settings).clock(self.faults.clock());
        Ok(options.faults(self.faults.faults()?))
    }
}

async fn bind(option: &str, address: Option<&str>) -> Result<Option<TcpListener>, Failure> {
    let Some(address) = address else { return Ok(None) };
    let bound = TcpListener::bind(address).await;
    bound.map(Some).map_err(|error| {
        Failure::Use(format!(
            "cannot listen on {address}: {error}; give {option} another address, such as \
             127.0.0.1:0 for a free port"
        ))
    })
}

fn url(scheme: &str, listener: Option<&TcpListener>) -> Result<Option<String>, Failure> {
    let address = listener.map(TcpListener::local_addr).transpose();
    let address =
        address.map_err(|error| Failure::Use(format!("cannot tell the address: {error}")))?;
    Ok(address.map(|address| format!("{scheme}://{address}")))
}

/// Is told once standard input ends. The thread that reads it is none of the runtime's, which would
/// wait for it.
fn stdin_closed() -> io::Result<oneshot::Receiver<()>> {
    let (closed, is_closed) = oneshot::channel::<()>();
    std::thread::Builder::new().name("stdin".into()).spawn(move || {
        // Also an error means that nothing more comes in.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(closed);
    })?;
    Ok(is_closed)
}

/// Completes at an interrupt from the keyboard, or at SIGTERM.
#[cfg(unix)]
pub(super) fn interrupted() -> io::Result<impl Future<Output = ()>> {
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
pub(super) fn interrupted() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a way to be told of it, only SHUTDOWN ends the server.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
