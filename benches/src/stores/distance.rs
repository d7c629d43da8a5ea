//! A server that is some way off.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
};

/// How many pieces may be under way in one direction.
const UNDER_WAY: usize = 1_024;

/// The longest piece that is read at once.
const PIECE: usize = 64 * 1_024;

/// Carries whatever comes to `listener` to `server`, and back, each piece `one_way` after it came. How
/// that time passes is `pause`'s to say. It accepts connections for as long as it is polled; those
/// that it has accepted go on until either side closes them.
///
/// # Errors
///
/// If nobody can connect any more.
pub async fn carry<P>(
    listener: TcpListener,
    server: SocketAddr,
    one_way: Duration,
    pause: impl Fn(Duration) -> P + Copy + Send + 'static,
) -> io::Result<()>
where
    P: Future<Output = ()> + Send + 'static,
{
    loop {
        let (near, _) = listener.accept().await?;
        let far = TcpStream::connect(server).await?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
        direction(from_near, to_far, one_way, pause);
        direction(from_far, to_near, one_way, pause);
    }
}

/// One direction of a connection, until either side closes it.
fn direction<P: Future<Output = ()> + Send + 'static>(
    from: impl AsyncRead + Send + Unpin + 'static,
    to: impl AsyncWrite + Send + Unpin + 'static,
    one_way: Duration,
    pause: impl Fn(Duration) -> P + Copy + Send + 'static,
) {
    let (sender, receiver) = channel(UNDER_WAY);
    tokio::spawn(depart(from, sender, one_way));
    tokio::spawn(arrive(to, receiver, pause));
}

async fn depart(
    mut from: impl AsyncRead + Unpin,
    under_way: Sender<(Instant, Bytes)>,
    one_way: Duration,
) {
    let mut buffer = vec![0; PIECE];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let piece = Bytes::copy_from_slice(&buffer[..length]);
        if under_way.send((Instant::now() + one_way, piece)).await.is_err() {
            return;
        }
    }
}

async fn arrive<P: Future<Output = ()>>(
    mut to: impl AsyncWrite + Unpin,
    mut under_way: Receiver<(Instant, Bytes)>,
    pause: impl Fn(Duration) -> P,
) {
    while let Some((due, piece)) = under_way.recv().await {
        pause(due.saturating_duration_since(Instant::now())).await;
        if to.write_all(&piece).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use leasehold_fake_redis::serve::{Host, HostOptions, resp};

    use super::*;
    use crate::stores::{cycles::solo, floors::Pings};

    async fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[tokio::test]
    async fn a_server_that_is_some_way_off_answers_after_the_way_there_and_back() {
        let (server, address) = listener().await;
        tokio::spawn(resp::listen(Host::new(HostOptions::default()), server));
        let (near, url) = listener().await;
        let one_way = Duration::from_millis(2);
        tokio::spawn(carry(near, address, one_way, tokio::time::sleep));
        let sample = solo(Pings::to(&format!("redis://{url}")).await, 3).await;
        assert_eq!(sample.cycles, 3);
        // No less is a promise of the sleep, not a matter of speed.
        assert!(sample.latencies.min() >= 2 * 2 * 1_900_000, "{:?}", sample.p50());
    }
}
