//! How a server is reached over TCP, said step by step and checked at the end.

use std::{fmt, sync::Arc, time::Duration};

#[cfg(feature = "cluster")]
use redis::cluster::ClusterClient;
use redis::{Client, ConnectionAddr, RedisError};
#[cfg(feature = "sentinel")]
use {redis::sentinel::SentinelClient, tokio::sync::Mutex};

use super::{Shared, Tcp, grants::Grants, link::Link, pubsub::PubSub, target::Target};
use crate::{
    error::SetupError,
    retry::{Budget, RetryPolicy, budget_setters},
};

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
    budget: Budget,
    retry: RetryPolicy,
}

/// Where the server is, before it is known how patient to be.
enum Place {
    Single(Box<Client>),
    #[cfg(feature = "sentinel")]
    Sentinel(Box<SentinelClient>),
    #[cfg(feature = "cluster")]
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
    #[cfg(feature = "sentinel")]
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
    #[cfg(feature = "cluster")]
    pub fn cluster<'a>(urls: impl IntoIterator<Item = &'a str>) -> Result<Self, SetupError> {
        let nodes: Vec<_> =
            urls.into_iter().map(Client::open).collect::<Result<_, _>>().map_err(bad_url)?;
        if nodes.is_empty() {
            return Err(SetupError::BadUrl { why: "no node is named".into(), example: EXAMPLE });
        }
        Ok(Self::at(Place::Cluster(nodes)))
    }

    fn at(place: Place) -> Self {
        Self { place, budget: Budget::default(), retry: RetryPolicy::default() }
    }

    budget_setters!();

    /// Makes the store. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`SetupError`] says what to change.
    pub fn build(self) -> Result<Tcp, SetupError> {
        let budget = self.budget.checked()?;
        crate::tls::check(self.place.needs_tls())?;
        let target = Arc::new(self.place.found(budget)?);
        let shared = Shared {
            link: Link::new(target.clone(), budget),
            grants: Grants::default(),
            pubsub: PubSub::new(target, budget.connect),
            retry: self.retry,
            budget,
        };
        Ok(Tcp { shared: Arc::new(shared) })
    }
}

impl Place {
    fn needs_tls(&self) -> bool {
        let is_tls = |client: &Client| {
            matches!(client.get_connection_info().addr(), ConnectionAddr::TcpTls { .. })
        };
        match self {
            Self::Single(client) => is_tls(client),
            #[cfg(feature = "cluster")]
            Self::Cluster(nodes) => nodes.iter().any(is_tls),
            // It does not say whether; and where nothing is, its own words must do.
            #[cfg(feature = "sentinel")]
            Self::Sentinel(_) => cfg!(feature = "rustls"),
        }
    }

    fn found(self, budget: Budget) -> Result<Target, SetupError> {
        let _ = budget;
        Ok(match self {
            Self::Single(client) => Target::Single(*client),
            #[cfg(feature = "sentinel")]
            Self::Sentinel(client) => Target::Sentinel(Mutex::new(*client)),
            #[cfg(feature = "cluster")]
            Self::Cluster(nodes) => {
                let infos = nodes.iter().map(|node| node.get_connection_info().clone());
                let client = ClusterClient::builder(infos)
                    // What is sent again is decided here, where it is known what came before.
                    .retries(0)
                    .response_timeout(budget.total)
                    .connection_timeout(budget.connect)
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
            #[cfg(feature = "sentinel")]
            Self::Sentinel(_) => "Sentinel",
            #[cfg(feature = "cluster")]
            Self::Cluster(_) => "Cluster",
        })
    }
}

/// Its text does not repeat the URL.
fn bad_url(error: RedisError) -> SetupError {
    if cfg!(not(feature = "rustls-no-provider")) && error.to_string().contains("with TLS") {
        return SetupError::NoTls;
    }
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
        for builder in
            [builder().timeout(Duration::ZERO), builder().connect_timeout(Duration::ZERO)]
        {
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
