//! The endpoint by which a test injects faults, moves the clock, and asks what happened.

mod call;
mod snapshots;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    Host,
    faults::Ending,
    http::{self, Body, Line, NoBody, Site, full, receive},
};
use call::Problem;
use snapshots::Snapshots;

/// How large the body of a call may be.
const BODY_LIMIT: usize = 1 << 20;

/// What a caller has to show.
#[derive(Clone)]
pub struct AdminToken(String);

impl AdminToken {
    /// This text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    fn is_shown(&self, header: Option<&HeaderValue>) -> bool {
        let shown = header.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        shown.is_some_and(|shown| shown == self.0.as_bytes())
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(redacted)")
    }
}

/// Serves callers that know the token, until the host shuts down. From the start the host
/// [keeps records](Host::keep_records).
pub async fn listen(host: Arc<Host>, token: AdminToken, listener: TcpListener) {
    host.keep_records();
    let admin = Admin { host: Arc::clone(&host), token, snapshots: Snapshots::default() };
    http::listen(host, admin, listener).await;
}

#[derive(Debug)]
struct Admin {
    host: Arc<Host>,
    token: AdminToken,
    snapshots: Snapshots,
}

impl Site for Admin {
    async fn answer(&self, request: Request<Incoming>, line: &Line) -> Response<Body> {
        let (head, body) = request.into_parts();
        if !self.token.is_shown(head.headers.get(header::AUTHORIZATION)) {
            let text = "send the admin token as `Authorization: Bearer TOKEN`";
            return answer(401, &json!({ "error": text }));
        }
        let body = match receive(body, BODY_LIMIT).await {
            Ok(body) => body,
            Err(NoBody::TooLarge) => {
                return answer(413, &json!({ "error": "the body is too large" }));
            }
            Err(NoBody::Broken) => line.lose(&Ending::Close).await,
        };
        self.host.until_free().await;
        match call::perform(self, &head.method, head.uri.path(), &body).await {
            Ok(value) => answer(200, &value),
            Err(Problem { status, text }) => answer(status, &json!({ "error": text })),
        }
    }
}

fn answer(status: u16, value: &Value) -> Response<Body> {
    let mut answer = Response::new(full(Bytes::from(format!("{value}\n"))));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}
