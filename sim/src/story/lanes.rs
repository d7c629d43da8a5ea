//! Where things happen: the lanes of a story, and who is which of the servers just now.

use leasehold_story::{Lane, LaneKind, Run};

use crate::{
    history::Client,
    words::client,
    world::{ELSEWHERE, Parcel, Settings, Topology},
};

/// All lanes that a world has, in order: clients, servers, replicas, and what is no server.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    names: Vec<Lane>,
    clients: usize,
    servers: usize,
    replicas: usize,
}

impl Lanes {
    /// Those of a world in which a client is called `who`, and what is no server `resource`.
    pub(crate) fn of(settings: &Settings, who: &str, resource: &str) -> Self {
        let clients = usize::from(settings.clients);
        let (servers, replicas) = match settings.topology {
            Topology::Single => (1, 0),
            Topology::Replicated => (1, 1),
            Topology::Acknowledged(_) => (1, 2),
            Topology::Independent => (usize::from(settings.servers), 0),
        };
        let numbered = |name: &str, of: usize, index: usize| match of {
            1 => name.to_owned(),
            _ => format!("{name} {}", index + 1),
        };
        let lane = |name: String, kind| Lane { name, kind };
        let mut names = Vec::new();
        names.extend((0..settings.clients).map(|number| {
            let name = format!("{who} {}", client(number));
            lane(name, LaneKind::Client)
        }));
        names.extend(
            (0..servers).map(|index| lane(numbered("server", servers, index), LaneKind::Server)),
        );
        names.extend(
            (0..replicas)
                .map(|index| lane(numbered("replica", replicas, index), LaneKind::Replica)),
        );
        names.push(lane(resource.to_owned(), LaneKind::Resource));
        Self { names, clients, servers, replicas }
    }

    pub(crate) fn client(&self, client: Client) -> usize {
        usize::from(client)
    }

    pub(crate) fn is_client(&self, lane: usize) -> bool {
        lane < self.clients
    }

    pub(crate) fn name(&self, lane: usize) -> &str {
        &self.names[lane].name
    }

    pub(crate) fn resource(&self) -> usize {
        self.names.len() - 1
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Leaves out the lanes to which nothing happens in any of `runs`.
    pub(crate) fn in_use(self, runs: &mut [Run]) -> Vec<Lane> {
        let mut used = vec![false; self.len()];
        for run in &*runs {
            run.events.iter().for_each(|event| used[event.lane] = true);
            for message in &run.messages {
                (used[message.from], used[message.to]) = (true, true);
            }
            run.spans.iter().filter_map(|span| span.lane).for_each(|lane| used[lane] = true);
        }
        let place: Vec<usize> =
            (0..used.len()).map(|lane| used[..lane].iter().filter(|used| **used).count()).collect();
        for run in runs {
            run.events.iter_mut().for_each(|event| event.lane = place[event.lane]);
            for message in &mut run.messages {
                (message.from, message.to) = (place[message.from], place[message.to]);
            }
            for span in &mut run.spans {
                span.lane = span.lane.map(|lane| place[lane]);
            }
        }
        let kept = self.names.into_iter().zip(used).filter(|(_, used)| *used);
        kept.map(|(lane, _)| lane).collect()
    }
}

/// Which lane is the server just now, and which its replicas: they change their parts.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    servers: Vec<usize>,
    replicas: Vec<usize>,
    elsewhere: usize,
}

impl Parts {
    pub(crate) fn of(lanes: &Lanes) -> Self {
        let first = lanes.clients;
        let second = first + lanes.servers;
        Self {
            servers: (first..second).collect(),
            replicas: (second..second + lanes.replicas).collect(),
            elsewhere: lanes.resource(),
        }
    }

    /// Where a message to a server goes.
    pub(crate) fn server_of(&self, parcel: Parcel) -> usize {
        if parcel.node == ELSEWHERE { self.elsewhere } else { self.server(parcel.node) }
    }

    pub(crate) fn server(&self, node: u8) -> usize {
        self.servers.get(usize::from(node)).copied().unwrap_or(self.servers[0])
    }

    pub(crate) fn replica(&self, replica: u8) -> Option<usize> {
        self.replicas.get(usize::from(replica)).copied()
    }

    /// A replica and the server change their parts.
    pub(crate) fn take_over(&mut self, replica: u8) {
        if let Some(place) = self.replicas.get_mut(usize::from(replica)) {
            std::mem::swap(place, &mut self.servers[0]);
        }
    }
}
