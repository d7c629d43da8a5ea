//! What to connect to.

use std::fmt;

use redis::{
    AsyncConnectionConfig, Client, Cmd, Pipeline, RedisResult, Value,
    aio::{self, MultiplexedConnection},
};
#[cfg(feature = "cluster")]
use redis::{aio::ConnectionLike, cluster::ClusterClient, cluster_async::ClusterConnection};
#[cfg(feature = "sentinel")]
use {redis::sentinel::SentinelClient, tokio::sync::Mutex};

/// Where the server is.
#[allow(clippy::large_enum_variant, reason = "there is one for each store")]
pub(super) enum Target {
    Single(Client),
    #[cfg(feature = "sentinel")]
    Sentinel(Mutex<SentinelClient>),
    #[cfg(feature = "cluster")]
    Cluster {
        client: ClusterClient,
        /// The nodes by which the Cluster is found, each of which also publishes.
        nodes: Vec<Client>,
    },
}

/// A connection that all callers share.
#[derive(Clone)]
pub(super) enum Connection {
    Direct(MultiplexedConnection),
    #[cfg(feature = "cluster")]
    Cluster(ClusterConnection),
}

/// What goes over a connection at once.
pub(super) enum Words {
    One(Cmd),
    Several(Pipeline),
}

impl Target {
    /// Whether another server may be the primary by now, and be found.
    pub(super) fn finds_the_primary(&self) -> bool {
        !matches!(self, Self::Single(_))
    }

    pub(super) fn is_cluster(&self) -> bool {
        #[cfg(feature = "cluster")]
        return matches!(self, Self::Cluster { .. });
        #[cfg(not(feature = "cluster"))]
        false
    }

    pub(super) async fn open(&self, config: &AsyncConnectionConfig) -> RedisResult<Connection> {
        Ok(match self {
            Self::Single(client) => Connection::Direct(
                client.get_multiplexed_async_connection_with_config(config).await?,
            ),
            #[cfg(feature = "sentinel")]
            Self::Sentinel(client) => {
                let mut client = client.lock().await;
                Connection::Direct(client.get_async_connection_with_config(config).await?)
            }
            #[cfg(feature = "cluster")]
            Self::Cluster { client, .. } => {
                Connection::Cluster(client.get_async_connection().await?)
            }
        })
    }

    /// A connection for what is published. `attempt` chooses among the nodes of a Cluster.
    pub(super) async fn open_pubsub(&self, attempt: usize) -> RedisResult<aio::PubSub> {
        let _ = attempt;
        match self {
            Self::Single(client) => client.get_async_pubsub().await,
            #[cfg(feature = "sentinel")]
            Self::Sentinel(client) => {
                let found = client.lock().await.async_get_client().await?;
                found.get_async_pubsub().await
            }
            #[cfg(feature = "cluster")]
            Self::Cluster { nodes, .. } => nodes[attempt % nodes.len()].get_async_pubsub().await,
        }
    }

    /// The password, to keep it out of what a server says.
    pub(super) fn secret(&self) -> Option<&str> {
        let client = match self {
            Self::Single(client) => client,
            #[cfg(feature = "cluster")]
            Self::Cluster { nodes, .. } => nodes.first()?,
            #[cfg(feature = "sentinel")]
            Self::Sentinel(_) => return None,
        };
        client.get_connection_info().redis_settings().password().filter(|it| !it.is_empty())
    }
}

impl Connection {
    /// Whether it is to one server, and not one that sees to its nodes itself.
    pub(super) fn is_direct(&self) -> bool {
        matches!(self, Self::Direct(_))
    }

    pub(super) async fn send(&mut self, words: &Words) -> RedisResult<Value> {
        match (self, words) {
            (Self::Direct(connection), Words::One(command)) => {
                connection.send_packed_command(command).await
            }
            (Self::Direct(connection), Words::Several(commands)) => {
                connection.send_packed_commands(commands, 0, commands.len()).await.map(Value::Array)
            }
            #[cfg(feature = "cluster")]
            (Self::Cluster(connection), Words::One(command)) => {
                connection.req_packed_command(command).await
            }
            #[cfg(feature = "cluster")]
            (Self::Cluster(_), Words::Several(_)) => {
                unreachable!("a Cluster would send each to another server")
            }
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = |client: &Client| client.get_connection_info().addr().to_string();
        match self {
            Self::Single(client) => f.write_str(&address(client)),
            #[cfg(feature = "sentinel")]
            Self::Sentinel(_) => f.write_str("the primary that Sentinel names"),
            #[cfg(feature = "cluster")]
            Self::Cluster { nodes, .. } => {
                f.debug_list().entries(nodes.iter().map(address)).finish()
            }
        }
    }
}
