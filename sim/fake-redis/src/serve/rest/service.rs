//! Requests in, answers out.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::Either;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};

use super::{
    access::{Access, Tokens},
    events,
    path::Query,
    refusal::Refusal,
    reply::{self, Strings},
    request::{Asked, parse},
    sync_token,
    work::{Failed, Work},
};
use crate::{
    Protocol, Resp,
    serve::{
        Host,
        faults::{Ending, Transport},
        host::desk,
        http::{Body, Line, NoBody, Site, full, receive},
        resp::encode,
    },
};

/// How large the body of a request may be: a pipeline of many commands, each within its limit.
const BODY_LIMIT: usize = 256 << 20;

const SYNC_TOKEN: HeaderName = HeaderName::from_static("upstash-sync-token");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The server as REST shows it.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) host: Arc<Host>,
    pub(super) tokens: Tokens,
}

/// How replies are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json(Strings),
    Resp2,
}

/// An answer, or why there is none.
type Answer = Result<Response<Body>, Failed>;

impl Site for Rest {
    async fn answer(&self, request: Request<Incoming>, line: &Line) -> Response<Body> {
        let origin = request.headers().get(header::ORIGIN).cloned();
        let mut answer = match *request.method() {
            Method::OPTIONS => preflight(request.headers()),
            Method::GET | Method::HEAD | Method::POST | Method::PUT => {
                match self.serve(request, line).await {
                    Ok(answer) => answer,
                    Err(Failed::Refused(refusal)) => refused(&refusal),
                    Err(Failed::Ended(Ending::Status { code, text })) => {
                        refused(&Refusal { status: code, text: text.into() })
                    }
                    Err(Failed::Ended(ending)) => line.lose(&ending).await,
                }
            }
            _ => with_status(405, Bytes::new()),
        };
        self.add_headers(answer.headers_mut(), origin);
        answer
    }
}

impl Rest {
    async fn serve(&self, request: Request<Incoming>, line: &Line) -> Answer {
        let (head, body) = request.into_parts();
        let query = Query::of(head.uri.query().unwrap_or_default());
        let header = head.headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        let access = self.tokens.access(query.token.as_deref(), header);
        let access = access.ok_or(Failed::Refused(Refusal::UNAUTHORIZED))?;
        let format = format(&head.headers).map_err(Failed::Refused)?;
        let body = receive(body, BODY_LIMIT).await.map_err(|reason| match reason {
            NoBody::TooLarge => Failed::Refused(Refusal::too_large(BODY_LIMIT + 1)),
            NoBody::Broken => Failed::Ended(Ending::Close),
        })?;
        let asked = parse(head.uri.path(), query.arguments, body).map_err(Failed::Refused)?;
        let known = head.headers.get(SYNC_TOKEN).map(HeaderValue::as_bytes);
        let known = known.map_or(0, sync_token::decode);
        if self.host.desk().is_busy() {
            return self.answer_busy(asked, access, format).await;
        }
        let work = |commands, atomic| Work { commands, atomic, access, known };
        let run = |work: Work| work.run(&self.host, line.peer());
        match asked {
            Asked::Command(command) => Ok(single(run(work(vec![command], false)).await?, format)),
            Asked::Pipeline(commands) => Ok(many(run(work(commands, false)).await?, format)),
            Asked::Transaction(commands) => {
                let format =
                    if format == Format::Resp2 { Format::Json(Strings::Text) } else { format };
                Ok(many(run(work(commands, true)).await?, format))
            }
            Asked::Subscribe(channels) => self.listen("SUBSCRIBE", channels, line).await,
            Asked::SubscribeToPatterns(patterns) => self.listen("PSUBSCRIBE", patterns, line).await,
            Asked::Monitor if access == Access::ReadOnly => {
                let text = "NOPERM this user has no permissions to run the 'monitor' command";
                Err(Failed::Refused(Refusal::bad(text)))
            }
            Asked::Monitor => self.listen("MONITOR", Vec::new(), line).await,
        }
    }

    /// Answers while a script is late.
    async fn answer_busy(&self, asked: Asked, access: Access, format: Format) -> Answer {
        let Asked::Command(command) = asked else {
            return Err(Failed::Refused(Refusal::bad(desk::BUSY)));
        };
        let reply = match access.refuses(&command) {
            Some(text) => Resp::Error(text),
            None if desk::kills(&command) => self.host.desk().kill().await,
            None => Resp::Error(desk::BUSY.into()),
        };
        Ok(single(vec![reply], format))
    }

    /// Answers with events.
    async fn listen(&self, name: &'static str, names: Vec<Bytes>, line: &Line) -> Answer {
        let mut command = vec![Bytes::from_static(name.as_bytes())];
        command.extend(names);
        let (effects, _) = self.host.judge(Transport::Rest, line.peer(), &[&command]);
        if effects.waits() {
            self.host.until_due(&effects).await;
        }
        if effects.ending != Ending::Reply {
            return Err(Failed::Ended(effects.ending));
        }
        let client = self.host.connect_trusted().ok_or_else(|| {
            Failed::Refused(Refusal::bad("ERR max concurrent connections exceeded"))
        })?;
        let events = events::stream(client, command).map_err(|error| match error {
            Resp::Error(text) => Failed::Refused(Refusal::because(text)),
            _ => Failed::Ended(Ending::Close),
        })?;
        let mut answer = Response::new(Either::Right(events));
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Ok(answer)
    }

    fn add_headers(&self, headers: &mut HeaderMap, origin: Option<HeaderValue>) {
        if !self.host.desk().is_busy() {
            let token = HeaderValue::from_str(&sync_token::encode(self.host.writes()));
            headers.extend(token.ok().map(|token| (SYNC_TOKEN, token)));
        }
        if let Some(origin) = origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let exposed = HeaderValue::from_static("upstash-sync-token");
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }
}

fn format(headers: &HeaderMap) -> Result<Format, Refusal> {
    let value = |name: &str| headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
    let base64 = value("upstash-encoding").eq_ignore_ascii_case(b"base64");
    let strings = if base64 { Strings::Base64 } else { Strings::Text };
    match value("upstash-response-format") {
        b"" | b"json" => Ok(Format::Json(strings)),
        b"resp2" if base64 => {
            Err(Refusal::bad("ERR base64 encoding is not supported with the resp2 format"))
        }
        b"resp2" => Ok(Format::Resp2),
        _ => Err(Refusal::bad("ERR unsupported response format: use json or resp2")),
    }
}

/// The answer to one command: an error has a status of its own.
fn single(replies: Vec<Resp>, format: Format) -> Response<Body> {
    let status = if replies.iter().any(Resp::is_error) { 400 } else { 200 };
    let mut replies = replies;
    match (format, replies.pop()) {
        (Format::Json(strings), Some(reply)) => with_status(status, reply::object(reply, strings)),
        (_, reply) => resp2(status, &Vec::from_iter(reply)),
    }
}

/// The answer to many commands: errors are told in their places.
fn many(replies: Vec<Resp>, format: Format) -> Response<Body> {
    match format {
        Format::Json(strings) => with_status(200, reply::list(replies, strings)),
        Format::Resp2 => resp2(200, &replies),
    }
}

fn resp2(status: u16, replies: &[Resp]) -> Response<Body> {
    let mut bytes = BytesMut::new();
    replies.iter().for_each(|reply| encode(reply, Protocol::Resp2, &mut bytes));
    let mut answer = with_status(status, bytes.freeze());
    let kind = HeaderValue::from_static("application/octet-stream");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

fn refused(refusal: &Refusal) -> Response<Body> {
    with_status(refusal.status, reply::error(&refusal.text))
}

fn with_status(status: u16, body: impl Into<Bytes>) -> Response<Body> {
    let body = body.into();
    let is_empty = body.is_empty();
    let mut answer = Response::new(full(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    if !is_empty {
        answer.headers_mut().insert(header::CONTENT_TYPE, JSON);
    }
    answer
}

/// What a browser asks before it sends a request to another origin.
fn preflight(headers: &HeaderMap) -> Response<Body> {
    let mut answer = with_status(200, Bytes::new());
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST, PUT")),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or(HeaderValue::from_static("*"))),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400")),
    ];
    answer.headers_mut().extend(allowed.map(|(name, value)| (Some(name), value)));
    answer
}
