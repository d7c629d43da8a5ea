//! A server on this machine that plays a script: one act a request, in the order of their coming.
//! It is written on bare sockets, since an HTTP library would not leave a reply half sent.

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use leasehold_upstash::{RetryPolicy, Upstash, UpstashBuilder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
    time::sleep,
};

pub(crate) const TOKEN: &str = "a-secret-token";

/// What to do with a request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Answer with this status and body.
    Answer(u16, Cow<'static, str>),
    /// Give each command this answer, as an element of a pipeline or alone.
    Each(&'static str),
    /// Answer with this sync token.
    Synced(&'static str, &'static str),
    /// Read it, and close the connection.
    Cut,
    /// Announce a body, send half of it, and close the connection.
    Half,
    /// Read it, and say nothing.
    Hang,
    /// Announce a body, and send it byte by byte, so slowly that it never ends.
    Drip,
    /// Wait for the gate to open, and then act.
    Held(Arc<Notify>, Box<Self>),
    /// Begin a stream of events with this, and close it only if told so.
    Stream(&'static str, Then),
}

/// How a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Close,
    Stay,
}

impl Act {
    pub(crate) const fn says(status: u16, body: &'static str) -> Self {
        Self::Answer(status, Cow::Borrowed(body))
    }

    /// The act, and what lets it happen.
    pub(crate) fn held(self) -> (Self, Arc<Notify>) {
        let gate = Arc::new(Notify::new());
        (Self::Held(gate.clone(), Box::new(self)), gate)
    }
}

/// A server and what it was asked: header lines in lower case, an empty line, the body.
pub(crate) struct Server {
    pub(crate) url: String,
    asked: watch::Receiver<Vec<String>>,
}

impl Server {
    pub(crate) async fn playing(acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (requests, asked) = watch::channel(Vec::new());
        let script = Arc::new(Script { acts: Mutex::new(acts.into_iter().collect()), requests });
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, script.clone()));
            }
        });
        Self { url, asked }
    }

    /// A store that sends nothing again.
    pub(crate) fn store(&self) -> Upstash {
        self.builder().retry(RetryPolicy::new().retries(0)).build().unwrap()
    }

    /// One that is patient, since many tests may share a processor.
    pub(crate) fn builder(&self) -> UpstashBuilder {
        Upstash::builder(&self.url, TOKEN).timeout(Duration::from_secs(30))
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }

    /// The body of each request so far.
    pub(crate) fn bodies(&self) -> Vec<String> {
        let body = |request: &String| request.split_once("\n\n").unwrap().1.to_owned();
        self.requests().iter().map(body).collect()
    }

    /// Waits until so many requests have come.
    pub(crate) async fn asked(&self, count: usize) {
        self.asked.clone().wait_for(|requests| requests.len() >= count).await.unwrap();
    }
}

struct Script {
    acts: Mutex<VecDeque<Act>>,
    requests: watch::Sender<Vec<String>>,
}

async fn serve(mut connection: TcpStream, script: Arc<Script>) {
    let Some(request) = read(&mut connection).await else { return };
    let act = {
        let mut acts = script.acts.lock().unwrap();
        script.requests.send_modify(|requests| requests.push(request.clone()));
        acts.pop_front().expect("the script has an act for each request")
    };
    play(connection, act, &request).await;
}

async fn play(mut connection: TcpStream, mut act: Act, request: &str) {
    while let Act::Held(gate, next) = act {
        gate.notified().await;
        act = *next;
    }
    match act {
        Act::Answer(status, body) => answer(&mut connection, status, "", &body, body.len()).await,
        Act::Each(slot) => {
            let body = for_each(request, slot);
            answer(&mut connection, 200, "", &body, body.len()).await;
        }
        Act::Synced(token, body) => {
            let header = format!("upstash-sync-token: {token}\r\n");
            answer(&mut connection, 200, &header, body, body.len()).await;
        }
        Act::Half => answer(&mut connection, 200, "", r#"{"result":"#, 100).await,
        Act::Cut => {}
        Act::Hang => hang(connection).await,
        Act::Drip => {
            let head = "HTTP/1.1 200 .\r\ncontent-length: 1000000\r\n\r\n";
            connection.write_all(head.as_bytes()).await.unwrap();
            // Until the other side has had enough.
            while connection.write_all(b" ").await.is_ok() {
                sleep(Duration::from_millis(1)).await;
            }
        }
        Act::Stream(text, then) => {
            let head = "HTTP/1.1 200 .\r\ncontent-type: text/event-stream\r\n\r\n";
            connection.write_all(head.as_bytes()).await.unwrap();
            connection.write_all(text.as_bytes()).await.unwrap();
            if then == Then::Stay {
                hang(connection).await;
            }
        }
        Act::Held(..) => unreachable!("it was opened above"),
    }
}

/// Until the other side closes.
async fn hang(mut connection: TcpStream) {
    let mut buffer = [0; 64];
    while matches!(connection.read(&mut buffer).await, Ok(count) if count > 0) {}
}

fn for_each(request: &str, slot: &str) -> String {
    let (head, body) = request.split_once("\n\n").unwrap();
    if !head.starts_with("post /pipeline ") {
        return slot.into();
    }
    let commands: Vec<Vec<String>> = serde_json::from_str(body).unwrap();
    format!("[{}]", vec![slot; commands.len()].join(","))
}

async fn read(connection: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match connection.read(&mut buffer).await.ok()? {
            0 => return None,
            count => bytes.extend_from_slice(&buffer[..count]),
        }
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&bytes[..end]).ok()?.to_lowercase();
        let length = head.split_once("content-length: ").map_or("0", |(_, rest)| rest);
        let length: usize = length.lines().next()?.parse().ok()?;
        while bytes.len() < end + 4 + length {
            match connection.read(&mut buffer).await.ok()? {
                0 => return None,
                count => bytes.extend_from_slice(&buffer[..count]),
            }
        }
        let body = std::str::from_utf8(&bytes[end + 4..]).ok()?;
        return Some(format!("{head}\n\n{body}"));
    }
}

async fn answer(connection: &mut TcpStream, status: u16, header: &str, body: &str, length: usize) {
    let head = format!(
        "HTTP/1.1 {status} .\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\n{header}\
         content-length: {length}\r\n\r\n"
    );
    // That the other side has gone is its own affair.
    let _ = connection.write_all(head.as_bytes()).await;
    let _ = connection.write_all(body.as_bytes()).await;
}
