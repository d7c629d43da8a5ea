//! What no lock can be faster than: two round trips that do nothing.

use std::{fmt, time::Duration};

use bytes::Bytes;
use leasehold_upstash::redis::{self, Client, Cmd, aio::MultiplexedConnection};
use serde_json::Value;

use super::{cycles::Cycle, scripts::Carrier};

/// Two PINGs over a connection of the crate `redis`.
#[derive(Clone)]
pub struct Pings(MultiplexedConnection);

impl Pings {
    /// Over a connection to the server at `url`, which clones share.
    ///
    /// # Panics
    ///
    /// If it is not there.
    pub async fn to(url: &str) -> Self {
        let client = Client::open(url).expect("a server's own URL is one");
        let connection = client.get_multiplexed_async_connection().await;
        Self(connection.expect("the server is there"))
    }

    /// What the server has had of its processor until now.
    ///
    /// # Panics
    ///
    /// If it does not say.
    pub async fn server_time(&mut self) -> Duration {
        let mut info = redis::cmd("INFO");
        let told: String =
            info.arg("cpu").query_async(&mut self.0).await.expect("the server is there");
        let seconds = |name: &str| {
            let line = told.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs_f64)
        };
        let times = [seconds("used_cpu_sys:"), seconds("used_cpu_user:")];
        times.map(|time| time.expect("redis-server counts its time")).iter().sum()
    }
}

impl Cycle for Pings {
    async fn run(&mut self) {
        for _ in 0..2 {
            let pong: String =
                redis::cmd("PING").query_async(&mut self.0).await.expect("the server is there");
            assert_eq!(pong, "PONG");
        }
    }
}

impl Carrier for Pings {
    async fn carry(&mut self, words: &[&[u8]]) -> Option<String> {
        let mut command = Cmd::new();
        command.arg(words).query_async(&mut self.0).await.ok()
    }
}

impl fmt::Debug for Pings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pings").finish_non_exhaustive()
    }
}

/// Two POSTs of a PING over reqwest.
#[derive(Clone, Debug)]
pub struct Posts {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Posts {
    /// To the server at `url`, by a pool that clones share.
    #[must_use]
    pub fn to(url: &str, token: &str) -> Self {
        Self { client: reqwest::Client::new(), url: url.to_owned(), token: token.to_owned() }
    }

    async fn post(&self, line: String) -> Bytes {
        let request = self.client.post(&self.url).bearer_auth(&self.token).body(line);
        let answer = request.send().await.expect("the server is there");
        answer.bytes().await.expect("the server is there")
    }
}

impl Cycle for Posts {
    async fn run(&mut self) {
        for _ in 0..2 {
            let body = self.post(r#"["PING"]"#.into()).await;
            assert!(body.ends_with(br#""PONG"}"#), "{body:?}");
        }
    }
}

impl Carrier for Posts {
    async fn carry(&mut self, words: &[&[u8]]) -> Option<String> {
        let words: Vec<_> = words.iter().map(|word| String::from_utf8_lossy(word)).collect();
        let line = serde_json::to_string(&words).expect("a list of strings becomes JSON");
        let answer: Value = serde_json::from_slice(&self.post(line).await).ok()?;
        match answer.get("result")? {
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) => Some(text.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use leasehold_fake_redis::serve::{Host, HostOptions, resp, rest};
    use tokio::net::TcpListener;

    use super::*;
    use crate::stores::{cycles::solo, scripts::Scripts};

    #[tokio::test]
    async fn each_floor_makes_its_round_trips() {
        let (over_tcp, over_http) = (bind().await, bind().await);
        let at = |listener: &TcpListener| listener.local_addr().unwrap();
        let redis = format!("redis://{}", at(&over_tcp));
        let upstash = format!("http://{}", at(&over_http));
        let host = Host::new(HostOptions::default());
        tokio::spawn(resp::listen(Arc::clone(&host), over_tcp));
        let tokens = rest::Tokens::new(Some("token".into()), None);
        tokio::spawn(rest::listen(host, tokens, over_http));

        assert_eq!(solo(Pings::to(&redis).await, 3).await.cycles, 3);
        let posts = Posts::to(&upstash, "token");
        assert_eq!(solo(posts.clone(), 3).await.cycles, 3);
        let by_hand = Scripts::over(Pings::to(&redis).await, "job");
        assert_eq!(solo(by_hand, 3).await.cycles, 3);
        assert_eq!(solo(Scripts::over(posts, "job"), 3).await.cycles, 3);
    }

    async fn bind() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").await.unwrap()
    }
}
