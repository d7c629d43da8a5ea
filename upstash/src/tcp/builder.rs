//! How a server is reached over TCP, said step by step and checked at the end.

use std::{fmt, sync::Arc, time::Duration};

use redis::{Client, RedisError, cluster::ClusterClient, sentinel::SentinelClient};
use tokio::sync::Mutex;

use super::{Shared, Tcp, grants::Grants, link::Link, pubsub::PubSub, target::Target};
use crate::{error::SetupError, retry::RetryPolicy};

const EXAMPLE: &str = "rediss://default:password@host:6379";

/// Sets up a [`Tcp`].
///
/// ```
/// use leasehold_upstash::{Tcp, TcpBuilder};
/// use std::time::Duration;
///
/// let store = TcpBuilder::new("redis://127.0.0.1:6379")?.timeout(Duration::from_secs(1)).build()?;
/// # Ok::<(), leasehold_upstash::SetupError>(())
/// ```
#[derive(Debug)]
#[must_use = "it does nothing until it is built"]
pub struct TcpBuilder {
    place: Place,
    timeout: Duration,
    connect_timeout: Duration,
    deadline: Duration,
    retry: RetryPolicy,
}

/// Where the server is, before it is known how patient to be.
enum Place {
    Single(Box<Client>),
    Sentinel(Box<SentinelClient>),
    Cluster(Vec<Client>),
}

impl TcpBuilder {
    /// One server, named by a URL such as `rediss://user:password@host:port/database`.
    ///
    /// # Errors
    ///
    /// [`SetupError::BadUrl`] if it is none.
    pub fn new(url: &str) -> Result<Self, SetupError> {
        Client::open(url).map(Self::from_client).map_err(bad_url)
    }

    /// The server of a client, with its address, credentials, certificates and database.
    pub fn from_client(client: Client) -> Self {
        Self::at(Place::Single(Box::new(client)))
    }

    /// The primary that Sentinel names: it is asked anew for each connection. A server that says
    /// it is read-only is taken for one that has been deposed.
    pub fn from_sentinel(client: SentinelClient) -> Self {
        Self::at(Place::Sentinel(Box::new(client)))
    }

    /// A Cluster, found by way of any of these nodes. The credentials are those of the first.
    ///
    /// All keys of a lock lie in one slot, so that each lock lives on one primary.
    ///
    /// # Errors
    ///
    /// [`SetupError::BadUrl`] if one of them is none, or if there are none.
    pub fn cluster<'a>(urls: impl IntoIterator<Item = &'a str>) -> Result<Self, SetupError> {
        let nodes: Vec<_> =
            urls.into_iter().map(Client::open).collect::<Result<_, _>>().map_err(bad_url)?;
        if nodes.is_empty() {
            return Err(SetupError::BadUrl { why: "no node is named".into(), example: EXAMPLE });
        }
        Ok(Self::at(Place::Cluster(nodes)))
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(1),
            deadline: Duration::from_secs(5),
            retry: RetryPolicy::default(),
        }
    }

    /// How long one attempt may wait for its reply. Default 2 s. Not zero.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long making a connection may take: finding the server, the handshakes and the
    /// credentials. Default 1 s. Not zero.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// When a command is no longer sent again, counted from its beginning. Default 5 s. Not zero.
    /// With the attempt that is then under way, a command takes at most this,
    /// [`TcpBuilder::timeout`] and [`TcpBuilder::connect_timeout`] in all. A caller that drops its
    /// future ends it sooner.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// When a command is sent again. See [`RetryPolicy`].
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Makes the store. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`SetupError`] says what to change.
    pub fn build(self) -> Result<Tcp, SetupError> {
        let zeros = [
            ("the timeout", self.timeout.is_zero()),
            ("the connect timeout", self.connect_timeout.is_zero()),
            ("the deadline", self.deadline.is_zero()),
        ];
        if let Some((what, _)) = zeros.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(SetupError::Zero { what });
        }
        let target = Arc::new(self.place.found(self.timeout, self.connect_timeout)?);
        let link = Link::new(target.clone(), self.timeout, self.connect_timeout);
        let pubsub = PubSub::new(target, self.connect_timeout);
        let shared = Shared {
            link,
            grants: Grants::default(),
            pubsub,
            patience: self.connect_timeout.saturating_add(self.timeout),
            retry: self.retry,
            deadline: self.deadline,
        };
        Ok(Tcp { shared: Arc::new(shared) })
    }
}

impl Place {
    fn found(self, timeout: Duration, connect_timeout: Duration) -> Result<Target, SetupError> {
        Ok(match self {
            Self::Single(client) => Target::Single(*client),
            Self::Sentinel(client) => Target::Sentinel(Mutex::new(*client)),
            Self::Cluster(nodes) => {
                let infos = nodes.iter().map(|node| node.get_connection_info().clone());
                let client = ClusterClient::builder(infos)
                    // What is sent again is decided here, where it is known what came before.
                    .retries(0)
                    .response_timeout(timeout)
                    .connection_timeout(connect_timeout)
                    .build()
                    .map_err(|error| SetupError::Client { why: error.to_string() })?;
                Target::Cluster { client, nodes }
            }
        })
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Single(_) => "Single",
            Self::Sentinel(_) => "Sentinel",
            Self::Cluster(_) => "Cluster",
        })
    }
}

/// Its text does not repeat the URL.
fn bad_url(error: RedisError) -> SetupError {
    SetupError::BadUrl { why: error.to_string(), example: EXAMPLE }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "redis://me:hunter2@127.0.0.1:6379";

    #[test]
    fn what_names_no_server_is_refused_and_its_secret_not_repeated() {
        for url in ["", "127.0.0.1", "https://me:hunter2@a", "redis://me:hunter2@a:hunter2/x"] {
            let refused = TcpBuilder::new(url).unwrap_err();
            assert!(matches!(refused, SetupError::BadUrl { .. }), "{url}");
            assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{refused}");
        }
        assert!(matches!(TcpBuilder::cluster([]), Err(SetupError::BadUrl { .. })));
    }

    #[test]
    fn a_limit_of_zero_is_refused() {
        let builder = || TcpBuilder::new(URL).unwrap();
        for builder in [
            builder().timeout(Duration::ZERO),
            builder().connect_timeout(Duration::ZERO),
            builder().deadline(Duration::ZERO),
        ] {
            assert!(matches!(builder.build(), Err(SetupError::Zero { .. })));
        }
    }

    #[tokio::test]
    async fn the_password_is_not_shown() {
        let single = TcpBuilder::new(URL).unwrap();
        assert!(!format!("{single:?}").contains("hunter2"));
        for builder in [single, TcpBuilder::cluster([URL, URL]).unwrap()] {
            let shown = format!("{:?}", builder.build().unwrap());
            assert!(shown.contains("127.0.0.1:6379") && !shown.contains("hunter2"), "{shown}");
        }
    }
}
