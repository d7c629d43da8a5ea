//! A served fake in this process, and bare clients of it.

#![allow(dead_code, reason = "each test file uses a part of it")]
use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, body::Incoming, client::conn};
use hyper_util::rt::TokioIo;
use leasehold_fake_redis::serve::{
    Host, HostOptions, admin, clock, keep_time, resp,
    rest::{self, Tokens},
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

pub(crate) const TOKEN: &str = "full-secret";
pub(crate) const READ_ONLY: &str = "read-secret";
pub(crate) const ADMIN: &str = "admin-secret";

/// Long enough for any machine; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A fake with all its listeners, on a clock that stands still.
pub(crate) struct Fake {
    pub(crate) host: Arc<Host>,
    pub(crate) rest: SocketAddr,
    pub(crate) resp: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Fake {
    pub(crate) async fn start() -> Self {
        Self::start_with(HostOptions::default()).await
    }

    pub(crate) async fn start_with(options: HostOptions) -> Self {
        let host = Host::new(options);
        host.clock().set(&frozen()).unwrap();
        tokio::spawn(keep_time(Arc::clone(&host)));
        let (rest, resp, admin) = (bind().await, bind().await, bind().await);
        let at = |listener: &TcpListener| listener.local_addr().unwrap();
        let fake =
            Self { host: Arc::clone(&host), rest: at(&rest), resp: at(&resp), admin: at(&admin) };
        let tokens = Tokens::new(Some(TOKEN.into()), Some(READ_ONLY.into()));
        host.keep_records();
        tokio::spawn(rest::listen(Arc::clone(&host), tokens, rest));
        tokio::spawn(resp::listen(Arc::clone(&host), resp));
        tokio::spawn(admin::listen(host, admin::AdminToken::new(ADMIN), admin));
        fake
    }

    pub(crate) async fn with_fault(rule: &str) -> Self {
        let fake = Self::start().await;
        fake.fault(rule);
        fake
    }

    pub(crate) fn fault(&self, rule: &str) {
        self.host.add_fault(&rule.parse().unwrap()).unwrap();
    }

    /// How often the faults of the rules took effect, in order.
    pub(crate) fn effective(&self) -> Vec<u64> {
        self.host.with_faults(|faults| faults.report().map(|rule| rule.effective).collect())
    }

    pub(crate) fn advance(&self, advance_ms: u64) {
        let order =
            clock::ClockChange { advance_ms: Some(advance_ms), ..clock::ClockChange::default() };
        self.host.clock().set(&order).unwrap();
    }

    /// Completes once a session waits that is to be woken.
    pub(crate) async fn until_a_wait_begins(&self) {
        in_time(async {
            while self.host.with_server(|server| server.next_wake().is_none()) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// One command over REST: what is in `result` or `error`.
    pub(crate) async fn rest(&self, line: &str) -> Result<Value, Broken> {
        let words: Vec<&str> = line.split(' ').collect();
        let body = serde_json::to_string(&words).unwrap();
        let mut json = self.ask("POST", "/", &[], body).await?.json();
        let object = json.as_object_mut().unwrap();
        Ok(object.remove("result").or_else(|| object.remove("error")).unwrap())
    }

    /// One request over REST, with the token, on a connection of its own.
    pub(crate) async fn ask(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, Broken> {
        let bearer = format!("Bearer {TOKEN}");
        let mut all = vec![("authorization", &*bearer)];
        all.extend(headers);
        request(self.rest, method, target, &all, body.into()).await
    }

    /// One call of the admin endpoint.
    pub(crate) async fn order(&self, method: &str, target: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {ADMIN}");
        let headers = [("authorization", &*bearer)];
        request(self.admin, method, target, &headers, body.to_owned().into()).await.unwrap()
    }

    pub(crate) async fn client(&self) -> Client {
        Client(BufReader::new(TcpStream::connect(self.resp).await.unwrap()))
    }
}

/// A client that speaks RESP.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    /// Sends a command, and waits for its reply.
    pub(crate) async fn ask(&mut self, line: &str) -> Result<String, Broken> {
        self.send(line).await;
        self.reply().await
    }

    pub(crate) async fn send(&mut self, line: &str) {
        let mut bytes = Vec::new();
        let words: Vec<&str> = line.split(' ').collect();
        bytes.extend(format!("*{}\r\n", words.len()).into_bytes());
        for word in words {
            bytes.extend(format!("${}\r\n{word}\r\n", word.len()).into_bytes());
        }
        self.0.get_mut().write_all(&bytes).await.unwrap();
    }

    /// A reply that is no list: a status, an error or an integer with its sign, a string bare.
    pub(crate) async fn reply(&mut self) -> Result<String, Broken> {
        let mut line = String::new();
        match self.0.read_line(&mut line).await {
            Ok(0) => return Err(Broken::Closed),
            Ok(_) => {}
            Err(error) => return Err(Broken::from(error)),
        }
        let line = line.trim_end();
        let length = line.strip_prefix('$').map(|length| length.parse::<i64>().unwrap());
        match length.map(usize::try_from) {
            None => Ok(line.into()),
            Some(Err(_)) => Ok("nil".into()),
            Some(Ok(length)) => {
                let mut text = vec![0; length + 2];
                self.0.read_exact(&mut text).await?;
                text.truncate(length);
                Ok(String::from_utf8(text).unwrap())
            }
        }
    }
}

/// What comes of something that would be waited for forever if the server forgot it.
pub(crate) async fn in_time<T>(awaited: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, awaited).await.expect("the server answers")
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Closed,
    Reset,
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::Reset,
            io::ErrorKind::UnexpectedEof => Self::Closed,
            other => panic!("{other}: {error}"),
        }
    }
}

impl From<hyper::Error> for Broken {
    fn from(error: hyper::Error) -> Self {
        let source = std::error::Error::source(&error);
        match source.and_then(|source| source.downcast_ref::<io::Error>()) {
            Some(source) => source.kind().into_broken(),
            None => Self::Closed,
        }
    }
}

trait IntoBroken {
    fn into_broken(self) -> Broken;
}

impl IntoBroken for io::ErrorKind {
    fn into_broken(self) -> Broken {
        io::Error::from(self).into()
    }
}

/// One request over HTTP/1.1, on a connection of its own.
pub(crate) async fn request(
    to: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Result<Answer, Broken> {
    let (head, body) = open(to, method, target, headers, body).await?;
    let body = body.collect().await?.to_bytes();
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
}

/// The same, but the body is left to be read as it comes.
pub(crate) async fn open(
    to: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Result<(hyper::http::response::Parts, Incoming), Broken> {
    let stream = TcpStream::connect(to).await.unwrap();
    let (mut sender, connection) = conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(target).header("host", "fake");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = sender.send_request(request.body(Full::new(body)).unwrap()).await?;
    Ok(answer.into_parts())
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

pub(crate) fn frozen() -> clock::ClockChange {
    clock::ClockChange { mode: Some(clock::Mode::Frozen), ..clock::ClockChange::default() }
}
