//! A served fake on a free loopback port, and clients that speak to it in bytes.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{future::Future, sync::Arc, time::Duration};

use leasehold_fake_redis::{
    Password, Settings,
    serve::{Host, HostOptions, keep_time, resp},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Long enough for any machine; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    pub(crate) host: Arc<Host>,
    address: std::net::SocketAddr,
}

/// Runs a test with a server, and shuts it down.
pub(crate) fn with_server<F: Future<Output = ()>>(
    options: HostOptions,
    test: impl FnOnce(Arc<Server>) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let host = Host::new(options);
        tokio::spawn(keep_time(Arc::clone(&host)));
        tokio::spawn(resp::listen(Arc::clone(&host), listener));
        let server = Arc::new(Server { host: Arc::clone(&host), address });
        tokio::time::timeout(PATIENCE, test(server)).await.expect("the server answers");
        host.shut_down().await;
    });
}

pub(crate) fn with_password() -> HostOptions {
    HostOptions::default().settings(Settings::default().password(Password::new("secret")))
}

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
}

impl Server {
    pub(crate) async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.unwrap() }
    }

    /// Waits until so many clients are connected.
    pub(crate) async fn until_connected(&self, wanted: usize) {
        let mut watcher = self.connect().await;
        loop {
            let info = watcher.ask_for_text("INFO clients\r\n").await;
            if info.contains(&format!("connected_clients:{}\r\n", wanted + 1)) {
                return;
            }
        }
    }
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The next bytes must be these.
    pub(crate) async fn expect(&mut self, expected: &str) {
        let mut found = vec![0; expected.len()];
        self.stream.read_exact(&mut found).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&found), expected);
    }

    pub(crate) async fn ask(&mut self, command: &str, reply: &str) {
        self.send(command).await;
        self.expect(reply).await;
    }

    /// Everything until the server ends the connection.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset is an end, too.
        let _ = self.stream.read_to_end(&mut rest).await;
        rest
    }

    /// The rest of the present line.
    pub(crate) async fn line(&mut self) -> String {
        let mut line = String::new();
        while !line.ends_with("\r\n") {
            line.push(char::from(self.stream.read_u8().await.unwrap()));
        }
        line.trim_end().into()
    }

    /// The text of one bulk string.
    pub(crate) async fn ask_for_text(&mut self, command: &str) -> String {
        self.send(command).await;
        let length: usize = self.line().await[1..].parse().unwrap();
        let mut text = vec![0; length + 2];
        self.stream.read_exact(&mut text).await.unwrap();
        String::from_utf8(text[..length].to_vec()).unwrap()
    }
}
