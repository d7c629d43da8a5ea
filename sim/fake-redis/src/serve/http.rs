//! HTTP/1.1 and HTTP/2 (without TLS, by prior knowledge) on a socket that can be cut.

mod body;
mod line;

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::net::{TcpListener, TcpStream};

pub(super) use body::{Body, Events, NoBody, full, receive};
pub(super) use line::Line;

use super::Host;
use line::Socket;

/// How long a client may take to send the head of a request.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a shutdown waits for a request that is being answered.
const GRACE: Duration = Duration::from_millis(500);

/// How long to wait after the operating system refused a connection.
const BREATH: Duration = Duration::from_millis(20);

/// What answers requests.
pub(super) trait Site: Send + Sync + 'static {
    /// Answers one request, or cuts the line and never returns.
    fn answer(
        &self,
        request: Request<Incoming>,
        line: &Line,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// Serves whoever connects to `listener`, until the host shuts down.
pub(super) async fn listen(host: Arc<Host>, site: impl Site, listener: TcpListener) {
    let site = Arc::new(site);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = host.stopping() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let line = Arc::new(Line::new(peer.to_string()));
                drop(tokio::spawn(serve(Arc::clone(&host), Arc::clone(&site), stream, line)));
            }
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

/// Serves one connection to its end. How it ends is the client's own affair.
async fn serve(host: Arc<Host>, site: Arc<impl Site>, stream: TcpStream, line: Arc<Line>) {
    // Only speed is lost without it.
    let _ = stream.set_nodelay(true);
    let socket = TokioIo::new(Socket::new(stream, Arc::clone(&line)));
    let service = service_fn(|request| {
        let (site, line) = (Arc::clone(&site), Arc::clone(&line));
        async move { Ok::<_, Infallible>(site.answer(request, &line).await) }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    let mut connection = pin!(builder.serve_connection(socket, service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = line.is_cut() => return,
        () = host.stopping() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = line.is_cut() => {}
        () = tokio::time::sleep(GRACE) => {}
    }
}
