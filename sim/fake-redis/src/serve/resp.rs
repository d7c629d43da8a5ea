//! The listener for clients that speak RESP, in either version.

mod busy;
mod connection;
mod encode;
mod request;
mod words;

use std::{io, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::net::{TcpListener, TcpStream};

pub use encode::encode;

use super::{Host, compiled_here, host::desk::Visitor};
use crate::Protocol;
use busy::Line;
use connection::Connection;
use request::Requests;

/// How much is read at once.
const READ: usize = 16 << 10;

/// How long to wait after the operating system refused a connection, as when it has no more files.
const BREATH: Duration = Duration::from_millis(20);

/// Serves whoever connects to `listener`, until the host shuts down. A client never holds up
/// another one.
pub fn listen(host: Arc<Host>, listener: TcpListener) -> impl Future<Output = ()> + Send {
    compiled_here(accept(host, listener))
}

async fn accept(host: Arc<Host>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = host.stopping() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                // Here, since those that serve them may begin in another order.
                let number = host.number_connection();
                drop(tokio::spawn(serve(Arc::clone(&host), stream, number)));
            }
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

/// The commands in `bytes`, which arrive in pieces of `size`, and why the client cannot be understood
/// any further.
pub(super) fn commands(bytes: &[u8], size: usize) -> (Vec<Vec<Bytes>>, Option<String>) {
    let (mut requests, mut input) = (Requests::default(), BytesMut::new());
    let mut commands = Vec::new();
    for piece in bytes.chunks(size.max(1)) {
        input.extend_from_slice(piece);
        loop {
            match requests.next(&mut input, false) {
                Ok(true) => commands.push(requests.arguments().to_vec()),
                Ok(false) => break,
                Err(malformed) => return (commands, Some(format!("{malformed:?}"))),
            }
        }
    }
    (commands, None)
}

/// Serves one connection to its end. How it ends is the client's own affair.
async fn serve(host: Arc<Host>, stream: TcpStream, number: u64) {
    let _ = try_serve(&host, stream, number).await;
}

async fn try_serve(host: &Arc<Host>, mut stream: TcpStream, number: u64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (peer, local) = (stream.peer_addr()?, stream.local_addr()?);
    let mut input = BytesMut::with_capacity(READ);
    let mut requests = Requests::default();
    let mut met = None;
    if host.desk().is_busy() {
        let line = Line { stream: &mut stream, input: &mut input, requests: &mut requests };
        met = Some(line.attend(host, Visitor::new(false, Protocol::default())).await?);
        host.until_free().await;
    }
    match host.connect_as(number, peer.to_string(), local.to_string()) {
        Some(client) => Connection::new(client, stream, (input, requests)).run(met).await,
        None => {
            stream.writable().await?;
            stream.try_write(b"-ERR max number of clients reached\r\n").map(drop)
        }
    }
}
