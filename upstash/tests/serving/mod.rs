//! `leasehold serve` in this process, on free ports.

#![allow(clippy::unwrap_used, reason = "it is part of the tests")]

use std::{net::SocketAddr, sync::Arc, sync::mpsc, thread};

use leasehold_fake_redis::serve::{
    Host, HostOptions, keep_time, resp,
    rest::{self, Tokens},
};
use tokio::{net::TcpListener, runtime::Builder};

/// What opens the REST listener.
pub(crate) const TOKEN: &str = "a-token";

/// An empty server on a thread of its own, which lives as long as the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Served {
    rest: SocketAddr,
    resp: SocketAddr,
}

impl Served {
    /// Starts one, and returns when it accepts connections.
    pub(crate) fn start() -> Self {
        let (ready, started) = mpsc::channel();
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let any = "127.0.0.1:0";
                let rest = TcpListener::bind(any).await.unwrap();
                let resp = TcpListener::bind(any).await.unwrap();
                let served =
                    Self { rest: rest.local_addr().unwrap(), resp: resp.local_addr().unwrap() };
                ready.send(served).unwrap();
                let host = Host::new(HostOptions::default());
                tokio::spawn(keep_time(Arc::clone(&host)));
                tokio::spawn(resp::listen(Arc::clone(&host), resp));
                rest::listen(host, Tokens::new(Some(TOKEN.into()), None), rest).await;
            });
        });
        started.recv().unwrap()
    }

    /// Where it speaks REST.
    pub(crate) fn rest(&self) -> String {
        format!("http://{}", self.rest)
    }

    /// Where it speaks RESP.
    pub(crate) fn resp(&self) -> String {
        format!("redis://{}", self.resp)
    }
}
