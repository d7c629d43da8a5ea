//! What is decided: of the workload, or whether a fault occurs. The table of faults is here, since a
//! fault is first of all a kind of decision.

/// Hands the table of faults to another macro: `Variant module "name" "place" "cause";`. A
/// fault is a line here and a file in `faults`.
macro_rules! for_each_fault {
    ($callback:ident) => {
        $callback! {
            Latency latency "latency" "network" "A message takes much longer than usual: a full queue, a retransmission.";
            RequestLoss request_loss "request-loss" "network" "A request never arrives, and the client sees a broken connection.";
            ReplyLoss reply_loss "reply-loss" "network" "A request is applied, but its reply is lost with the connection.";
            Duplicate duplicate "duplicate" "network" "A second copy of a request arrives later: something on the way sent it again.";
            Hang hang "hang" "network" "A server or a link goes silent without an error: only a time-out can tell.";
            Partition partition "partition" "network" "A client's link drops everything for a while, in one or both directions.";
            ClientCrash client_crash "client-crash" "clients" "A client's process dies, and a new one starts without its memory.";
            ClientPause client_pause "client-pause" "clients" "A client's process stands still: garbage collection, swapping, a suspended machine.";
            Cancellation cancellation "cancellation" "clients" "A caller drops the future it awaits, or the whole handle.";
            ClientClock client_clock "client-clock" "clocks" "A client's clock runs fast or slow within the stated drift, and its wall clock jumps.";
            ServerClock server_clock "server-clock" "clocks" "The server's wall clock, by which keys expire, jumps.";
            Restart restart "restart" "servers" "The server restarts without its data.";
            Failover failover "failover" "servers" "A replica takes over without the last acknowledged writes.";
            Resend resend "resend" "network" "What carries a command sends it again after its reply was lost, and tells the last answer.";
            OutOfMemory out_of_memory "out-of-memory" "servers" "The server is at its limit of memory, and refuses what may need more.";
            NetworkPair network_pair "network-pair" "network" "Two kinds of fault of the network in one run: a link that fails in one way fails in others, too.";
        }
    };
}

macro_rules! kinds {
    ($($variant:ident $module:ident $name:literal $place:literal $cause:literal;)*) => {
        /// What is decided.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum DecisionKind {
            /// How long a client idles before its next call.
            Idle,
            /// What a client does with the lock once it has it.
            Behaviour,
            /// The ordinary spread of a request's or reply's time on the wire.
            Jitter,
            /// Which of several events comes first that are due at the same instant.
            Order,
            $(#[doc = $cause] $variant,)*
        }

        impl DecisionKind {
            /// How many kinds there are.
            pub const COUNT: usize = Self::Order as usize + 1 + Fault::ALL.len();

            /// Every kind, in the order of its number.
            pub const ALL: [Self; Self::COUNT] =
                [Self::Idle, Self::Behaviour, Self::Jitter, Self::Order, $(Self::$variant),*];

            /// The fault whose decision it is, if it is not the workload's.
            #[must_use]
            pub fn fault(self) -> Option<Fault> {
                match self {
                    $(Self::$variant => Some(Fault::$variant),)*
                    Self::Idle | Self::Jitter | Self::Order | Self::Behaviour => None,
                }
            }
        }

        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Fault {
            $(#[doc = $cause] $variant,)*
        }

        impl Fault {
            /// Every kind of fault, in the order of the reports.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name on the command line and in reports.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Whether it is a kind of its own, and not a pair of others.
            #[must_use]
            pub fn is_single(self) -> bool {
                self != Self::NetworkPair
            }

            /// Whether it is one of those of which a pair draws two.
            #[must_use]
            pub(crate) fn is_single_of_network(self) -> bool {
                self.is_single() && self.place() == "network"
            }

            /// Where it occurs: the network, clients, servers or clocks.
            #[must_use]
            pub fn place(self) -> &'static str {
                match self { $(Self::$variant => $place),* }
            }

            /// What it is in the real world, as a sentence.
            #[must_use]
            pub fn cause(self) -> &'static str {
                match self { $(Self::$variant => $cause),* }
            }

            /// The decision by which it is injected.
            #[must_use]
            pub fn kind(self) -> DecisionKind {
                match self { $(Self::$variant => DecisionKind::$variant),* }
            }
        }
    };
}

for_each_fault!(kinds);

pub(crate) use for_each_fault;

impl DecisionKind {
    /// The kind with this number.
    #[must_use]
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Whether the decision belongs to the workload, not to a fault.
    #[must_use]
    pub fn is_workload(self) -> bool {
        self.fault().is_none()
    }
}
