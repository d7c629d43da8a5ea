//! The servers of a Cluster, and the way to them.

use std::cell::Cell;

use leasehold_upstash::{RetryPolicy, Tcp, TcpBuilder};

use crate::{
    LIMIT,
    redis_server::{RedisServer, free_port, text},
};

/// In slot 2906, of the first node.
pub(crate) const FIRST: &str = "job";
/// In slot 15495, of the third.
pub(crate) const THIRD: &str = "a";
pub(crate) const SLOT_OF_THIRD: u16 = 15495;

const SLOTS: [&str; 3] = ["0 5460", "5461 10922", "10923 16383"];

pub(crate) struct Cluster {
    pub(crate) nodes: Vec<RedisServer>,
    /// The port by which the other nodes reach the first.
    bus: u16,
}

impl Cluster {
    /// Returns when each node has heard that all slots are served.
    pub(crate) async fn start() -> Option<Self> {
        let (first, bus) = node()?;
        // Nodes that settle between themselves whose epoch is whose may do so after a failover, and
        // then the dead primary keeps its slots.
        first.run("CLUSTER SET-CONFIG-EPOCH 1").await;
        let mut cluster = Self { nodes: vec![first], bus };
        for epoch in 2..=SLOTS.len() {
            let other = node()?.0;
            other.run(&format!("CLUSTER SET-CONFIG-EPOCH {epoch}")).await;
            cluster.join(&other).await;
            cluster.nodes.push(other);
        }
        for (node, slots) in cluster.nodes.iter().zip(SLOTS) {
            node.run(&format!("CLUSTER ADDSLOTSRANGE {slots}")).await;
        }
        for node in &cluster.nodes {
            is_whole(node).await;
        }
        Some(cluster)
    }

    async fn join(&self, other: &RedisServer) {
        let (port, bus) = (self.first().port(), self.bus);
        other.run(&format!("CLUSTER MEET 127.0.0.1 {port} {bus}")).await;
    }

    /// A replica of the first node that has all that it has, and that all nodes know.
    pub(crate) async fn replica_of_first(&self) -> RedisServer {
        let (replica, primary) = (node().expect("there are others").0, id(self.first()).await);
        self.join(&replica).await;
        replica.run_until("CLUSTER NODES", |nodes| nodes.contains(&primary)).await;
        replica.run(&format!("CLUSTER REPLICATE {primary}")).await;
        let known = id(&replica).await;
        for node in &self.nodes {
            node.run_until("CLUSTER NODES", |nodes| nodes.contains(&known)).await;
        }
        self.first().run_until("INFO replication", |info| info.contains("state=online")).await;
        replica
    }

    pub(crate) fn first(&self) -> &RedisServer {
        &self.nodes[0]
    }

    pub(crate) fn third(&self) -> &RedisServer {
        &self.nodes[2]
    }

    pub(crate) fn builder(&self) -> TcpBuilder {
        TcpBuilder::cluster([&*self.first().url()]).unwrap().timeout(LIMIT).connect_timeout(LIMIT)
    }

    pub(crate) fn store(&self) -> Tcp {
        self.builder().build().unwrap()
    }

    /// A store that sends nothing again.
    pub(crate) fn hasty(&self) -> Tcp {
        self.builder().timeout(LIMIT).retry(RetryPolicy::new().retries(0)).build().unwrap()
    }

    /// Marks the slot of [`THIRD`] as on its way to the first node.
    pub(crate) async fn begin_to_move(&self) {
        let (giver, heir) = (id(self.third()).await, id(self.first()).await);
        let import = format!("CLUSTER SETSLOT {SLOT_OF_THIRD} IMPORTING {giver}");
        self.first().run(&import).await;
        let migrate = format!("CLUSTER SETSLOT {SLOT_OF_THIRD} MIGRATING {heir}");
        self.third().run(&migrate).await;
    }

    /// Gives the slot of [`THIRD`] to the first node, as all know at once.
    pub(crate) async fn have_moved(&self) {
        let heir = id(self.first()).await;
        for node in &self.nodes {
            node.run(&format!("CLUSTER SETSLOT {SLOT_OF_THIRD} NODE {heir}")).await;
        }
    }
}

/// Waits until all slots are served, by what the node has heard.
pub(crate) async fn is_whole(node: &RedisServer) {
    node.run_until("CLUSTER INFO", |info| info.contains("cluster_state:ok")).await;
}

/// A Cluster of one node.
pub(crate) async fn alone() -> Option<RedisServer> {
    let (server, _) = node()?;
    server.run("CLUSTER ADDSLOTSRANGE 0 16383").await;
    is_whole(&server).await;
    Some(server)
}

/// A server, and the port by which other nodes reach it.
fn node() -> Option<(RedisServer, u16)> {
    let bus = Cell::new(0);
    let server = RedisServer::start_by("", || {
        bus.set(free_port());
        let port = bus.get().to_string();
        let arguments = ["--cluster-enabled", "yes", "--cluster-port", &port];
        // A node that dies is not to be missed while a test still looks at it.
        let manners = ["--repl-diskless-sync-delay", "0", "--cluster-node-timeout", "60000"];
        [arguments, manners].concat().into_iter().map(String::from).collect()
    });
    Some((server?, bus.get()))
}

pub(crate) async fn id(node: &RedisServer) -> String {
    text(node.run("CLUSTER MYID").await)
}
