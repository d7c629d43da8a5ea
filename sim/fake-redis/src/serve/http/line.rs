//! A connection that can be cut from inside of a request.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
};

use crate::faults::Ending;

/// One connection, as those see it who answer its requests.
#[derive(Debug)]
pub(in crate::serve) struct Line {
    peer: String,
    cut: watch::Sender<bool>,
    reset: AtomicBool,
}

impl Line {
    pub(super) fn new(peer: String) -> Self {
        Self { peer, cut: watch::Sender::new(false), reset: AtomicBool::new(false) }
    }

    /// The address of the client.
    pub(in crate::serve) fn peer(&self) -> &str {
        &self.peer
    }

    /// Ends a request without an answer; never returns.
    pub(in crate::serve) async fn lose(&self, ending: &Ending) -> ! {
        if *ending != Ending::Hang {
            self.reset.store(*ending == Ending::Reset, Ordering::Relaxed);
            self.cut.send_replace(true);
        }
        loop {
            std::future::pending::<()>().await;
        }
    }

    /// Completes once the line is cut.
    pub(super) async fn is_cut(&self) {
        // The sender lives as long as `self`, so the only way to end is the value.
        let _ = self.cut.subscribe().wait_for(|cut| *cut).await;
    }
}

/// The socket of a line: closed when dropped, or reset if that was ordered.
pub(super) struct Socket {
    stream: TcpStream,
    line: Arc<Line>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, line: Arc<Line>) -> Self {
        Self { stream, line }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.line.reset.load(Ordering::Relaxed) {
            // If it fails, the connection is gone already.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
