//! A server on this machine that plays a script: one act a request. It is written on bare sockets,
//! since an HTTP library would not leave a reply half sent.

#![allow(clippy::unwrap_used, reason = "it is part of the tests")]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use leasehold_upstash::{Options, Upstash};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) const TOKEN: &str = "a-secret-token";

/// What to do with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// Answer with this status and body.
    Answer(u16, &'static str),
    /// Read it, and close the connection.
    Cut,
    /// Announce a body, send half of it, and close the connection.
    Half,
    /// Read it, and say nothing.
    Hang,
}

/// A server and what it was asked: header lines in lower case, an empty line, the body.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn playing(acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(serve(listener, acts.into_iter().collect(), requests.clone()));
        Self { url, requests }
    }

    pub(crate) fn store(&self) -> Upstash {
        Upstash::new(&self.url, TOKEN).unwrap()
    }

    pub(crate) fn store_with(&self, options: &Options) -> Upstash {
        Upstash::with_options(&self.url, TOKEN, options).unwrap()
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(listener: TcpListener, mut acts: VecDeque<Act>, asked: Arc<Mutex<Vec<String>>>) {
    let mut hanging = Vec::new();
    while let Ok((mut connection, _)) = listener.accept().await {
        let Some(request) = read(&mut connection).await else { continue };
        asked.lock().unwrap().push(request);
        match acts.pop_front().expect("the script has an act for each request") {
            Act::Answer(status, body) => answer(&mut connection, status, body, body.len()).await,
            Act::Half => answer(&mut connection, 200, r#"{"result":"#, 100).await,
            Act::Cut => {}
            Act::Hang => hanging.push(connection),
        }
    }
}

async fn read(connection: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.split_once("content-length: ").map_or("0", |(_, rest)| rest);
            let length: usize = length.lines().next()?.parse().ok()?;
            if body.len() == length {
                return Some(format!("{head}\n\n{body}"));
            }
        }
        match connection.read(&mut buffer).await.ok()? {
            0 => return None,
            count => text.push_str(std::str::from_utf8(&buffer[..count]).ok()?),
        }
    }
}

async fn answer(connection: &mut TcpStream, status: u16, body: &str, length: usize) {
    let head = format!(
        "HTTP/1.1 {status} .\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
}
