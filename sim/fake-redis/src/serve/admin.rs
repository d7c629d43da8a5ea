//! The endpoint by which a test injects faults, moves the clock, and asks what happened.

mod call;
mod snapshots;

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    Host, compiled_here,
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

    /// Whether it is the password that a browser has asked its user for, under whatever name.
    fn is_password(&self, header: Option<&HeaderValue>) -> bool {
        let shown = header.and_then(|value| value.as_bytes().strip_prefix(b"Basic "));
        let shown = shown.and_then(|shown| STANDARD.decode(shown).ok());
        shown.is_some_and(|shown| {
            shown.splitn(2, |byte| *byte == b':').nth(1) == Some(self.0.as_bytes())
        })
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(redacted)")
    }
}

/// What a host looks like in a browser: a page of HTML.
pub type Page = fn(&Host) -> String;

/// Serves callers that know the token, until the host shuts down. From the start the host
/// [keeps records](Host::keep_records).
pub fn listen(
    host: Arc<Host>,
    token: AdminToken,
    listener: TcpListener,
) -> impl Future<Output = ()> + Send {
    compiled_here(serve(host, token, None, listener))
}

/// The same with a page at `GET /`, for a browser, whose user is asked for the token as a password.
pub fn listen_with_page(
    host: Arc<Host>,
    token: AdminToken,
    page: Page,
    listener: TcpListener,
) -> impl Future<Output = ()> + Send {
    compiled_here(serve(host, token, Some(page), listener))
}

async fn serve(host: Arc<Host>, token: AdminToken, page: Option<Page>, listener: TcpListener) {
    host.keep_records();
    let admin = Admin { host: Arc::clone(&host), token, page, snapshots: Snapshots::default() };
    http::listen(host, admin, listener).await;
}

#[derive(Debug)]
struct Admin {
    host: Arc<Host>,
    token: AdminToken,
    page: Option<Page>,
    snapshots: Snapshots,
}

impl Site for Admin {
    async fn answer(&self, request: Request<Incoming>, line: &Line) -> Response<Body> {
        let (head, body) = request.into_parts();
        let shown = head.headers.get(header::AUTHORIZATION);
        if let Some(page) =
            self.page.filter(|_| head.method == Method::GET && head.uri.path() == "/")
        {
            // Only here: a browser would send the password along with what other pages ask of it.
            let may_see = self.token.is_shown(shown) || self.token.is_password(shown);
            return if may_see { html(page(&self.host)) } else { ask_for_password() };
        }
        if !self.token.is_shown(shown) {
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

fn html(page: String) -> Response<Body> {
    let mut answer = Response::new(full(Bytes::from(page)));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn ask_for_password() -> Response<Body> {
    let text = "the password is the admin token; a program sends `Authorization: Bearer TOKEN`";
    let mut asked = answer(401, &json!({ "error": text }));
    let basic = HeaderValue::from_static("Basic realm=\"leasehold serve\", charset=\"UTF-8\"");
    asked.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
    asked
}
