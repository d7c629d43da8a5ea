//! Ways to the REST server: by a proxy, with a client of the caller's, over HTTP/2.

use std::{sync::Arc, time::Duration};

use leasehold_core::{Cause, RejectionKind, Store, StoreError};
use leasehold_upstash::{
    Notification, Notifications, RetryPolicy, Upstash, UpstashBuilder,
    reqwest::{Client, Proxy},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

use crate::{
    acquire,
    fake::{Fake, LIMIT, TOKEN},
    take_and_release,
};

/// Stands between a client and a server, and remembers how each connection began.
struct Between {
    url: String,
    beginnings: watch::Receiver<Vec<String>>,
}

/// What it does with a connection.
#[derive(Clone)]
enum Deed {
    /// Passes on what comes to this address, and what comes back.
    Pass(String),
    /// Says this, and closes.
    Say(&'static str),
}

impl Between {
    async fn doing(deed: Deed) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (noted, beginnings) = watch::channel(Vec::new());
        let noted = Arc::new(noted);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(stand(connection, deed.clone(), noted.clone()));
            }
        });
        Self { url, beginnings }
    }

    async fn before(fake: &Fake) -> Self {
        Self::doing(Deed::Pass(fake.rest.replace("http://", ""))).await
    }

    /// The first lines of all connections.
    fn beginnings(&self) -> Vec<String> {
        self.beginnings.borrow().clone()
    }
}

async fn stand(mut outside: TcpStream, deed: Deed, noted: Arc<watch::Sender<Vec<String>>>) {
    let mut begun = Vec::new();
    while !begun.windows(4).any(|window| window == b"\r\n\r\n") {
        if matches!(outside.read_buf(&mut begun).await, Ok(0) | Err(_)) {
            return;
        }
    }
    let text = String::from_utf8_lossy(&begun);
    noted.send_modify(|noted| noted.push(text.lines().next().unwrap_or_default().to_owned()));
    match deed {
        Deed::Say(words) => outside.write_all(words.as_bytes()).await.unwrap(),
        Deed::Pass(server) => {
            let mut inside = TcpStream::connect(server).await.unwrap();
            inside.write_all(&begun).await.unwrap();
            // Whoever closes first is right.
            let _ = copy_bidirectional(&mut outside, &mut inside).await;
        }
    }
}

fn builder(url: &str) -> UpstashBuilder {
    let builder = Upstash::builder(url, TOKEN).retry(RetryPolicy::new().retries(0));
    builder.timeout(LIMIT).connect_timeout(LIMIT)
}

fn by(proxy: &str, url: &str) -> Upstash {
    builder(url).proxy(Proxy::all(proxy).unwrap()).build().unwrap()
}

#[tokio::test]
async fn a_proxy_is_gone_by_also_to_this_machine() {
    let fake = Fake::start().await;
    let proxy = Between::before(&fake).await;
    take_and_release(&by(&proxy.url, &fake.rest)).await;
    let beginnings = proxy.beginnings();
    assert_eq!(beginnings, [format!("POST {}/ HTTP/1.1", fake.rest)]);
}

#[tokio::test]
async fn a_proxy_that_makes_no_tunnel_has_sent_nothing() {
    for refusal in ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"] {
        let refusal: &str = format!("HTTP/1.1 {refusal}\r\ncontent-length: 0\r\n\r\n").leak();
        let proxy = Between::doing(Deed::Say(refusal)).await;
        let reply =
            by(&proxy.url, "https://leasehold.invalid").execute(acquire("job", "a#1")).await;
        assert!(matches!(reply, Err(StoreError::NotSent(_))), "{refusal}: {reply:?}");
        assert_eq!(proxy.beginnings(), ["CONNECT leasehold.invalid:443 HTTP/1.1"]);
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_has_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let fake = Fake::start().await;
    for url in [&*fake.rest, "https://leasehold.invalid"] {
        let reply = by(&proxy, url).execute(acquire("job", "a#1")).await;
        assert!(matches!(reply, Err(StoreError::NotSent(Cause::Unreachable(_)))), "{reply:?}");
    }
}

#[tokio::test]
async fn a_proxy_answers_in_the_clear_for_a_server_that_may_have_gone_on() {
    let fake = Fake::start().await;
    for (status, certain) in [("502 Bad Gateway", false), ("407 Who are you", true)] {
        let words: &str = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").leak();
        let proxy = Between::doing(Deed::Say(words)).await;
        let reply = by(&proxy.url, &fake.rest).execute(acquire("job", "a#1")).await;
        match reply {
            Err(StoreError::Unknown(_)) if !certain => {}
            Err(StoreError::Rejected(refused)) if certain => {
                assert_eq!(refused.kind, RejectionKind::Other);
            }
            other => panic!("{status}: {other:?}"),
        }
    }
}

/// The next notification. One that never comes is a failure, not a test without end.
async fn next(notifications: &mut Notifications) -> Option<Notification> {
    timeout(LIMIT, notifications.next()).await.expect("a notification")
}

/// Without pipelines, so that each command is a request of its own.
fn one_by_one(url: &str, client: Client) -> Upstash {
    let builder = builder(url).client(client);
    builder.requests_in_flight(64).commands_per_request(1).build().unwrap()
}

#[tokio::test]
async fn over_http2_requests_and_notifications_share_one_connection() {
    let fake = Fake::start().await;
    let between = Between::before(&fake).await;
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    let store = one_by_one(&between.url, client);
    take_and_release(&store).await;
    let mut notifications = store.notifications("gate");
    assert_eq!(next(&mut notifications).await, Some(Notification::Gap));
    let asking: Vec<_> = (0..64)
        .map(|id| {
            let store = store.clone();
            let command = acquire(&format!("job-{id}"), "a.1#1");
            tokio::spawn(async move { store.execute(command).await })
        })
        .collect();
    for asked in asking {
        assert!(asked.await.unwrap().is_ok());
    }
    fake.run(&["PUBLISH", "gate", "x"]);
    assert_eq!(next(&mut notifications).await, Some(Notification::Message(b"x".as_slice().into())));
    assert_eq!(between.beginnings(), ["PRI * HTTP/2.0"]);
}

#[tokio::test]
async fn over_http1_a_connection_is_kept_for_the_next_request() {
    let fake = Fake::start().await;
    let between = Between::before(&fake).await;
    let store = builder(&between.url).build().unwrap();
    take_and_release(&store).await;
    assert_eq!(between.beginnings(), ["POST / HTTP/1.1"]);
}

#[tokio::test]
async fn the_time_limits_of_a_callers_client_are_kept() {
    let fake = Fake::start().await;
    fake.fault("hang executed=true");
    let impatient = Duration::from_millis(50);
    let client = Client::builder().no_proxy().read_timeout(impatient).build().unwrap();
    let reply = one_by_one(&fake.rest, client).execute(acquire("job", "a.1#1")).await;
    assert!(matches!(reply, Err(StoreError::Unknown(Cause::TimedOut(_)))), "{reply:?}");
}
