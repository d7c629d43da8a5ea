//! What can go wrong: one kind a file. The fake Redis never misbehaves; faults do.
//!
//! A fault **strikes** when the world decides that it does, and **bites** when it changes what
//! would have happened: a message dropped, an acknowledged write lost, a timer that fired late. A
//! schedule in which a fault was switched on but did not bite does not count for that fault.

mod cancellation;
mod client_clock;
mod client_crash;
mod client_pause;
mod duplicate;
mod failover;
mod hang;
mod latency;
mod out_of_memory;
mod partition;
mod reply_loss;
mod request_loss;
mod resend;
mod restart;
mod server_clock;

pub(crate) use cancellation::{Cancelled, FUTURE_ONLY, WITH_HANDLE};
pub(crate) use hang::Silence;

use crate::decide::{Kind, Site};

macro_rules! faults {
    ($($variant:ident $module:ident $name:literal $cause:literal;)*) => {
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

            /// What it is in the real world, as a sentence.
            #[must_use]
            pub fn cause(self) -> &'static str {
                match self { $(Self::$variant => $cause),* }
            }

            /// The decision by which it strikes.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$variant),* }
            }

            /// The decision at `site` in words: when, whom, and how.
            pub(crate) fn describe(self, site: Site, choice: u32) -> String {
                match self { $(Self::$variant => $module::describe(site, choice)),* }
            }

            /// What an onlooker sees as it strikes `who`, if it strikes a client.
            pub(crate) fn strike(self, who: &str, choice: u32) -> String {
                match self { $(Self::$variant => $module::strike(who, choice)),* }
            }

            /// What an onlooker sees as it bites, if that is news after [`Fault::strike`].
            pub(crate) fn bite(self, who: &str, call: u32) -> Option<String> {
                match self { $(Self::$variant => $module::bite(who, call)),* }
            }
        }
    };
}

faults! {
    Latency latency "latency" "A message takes much longer than usual: a full queue, a retransmission.";
    RequestLoss request_loss "request-loss" "A request never arrives, and the client sees a broken connection.";
    ReplyLoss reply_loss "reply-loss" "A request is applied, but its reply is lost with the connection.";
    Duplicate duplicate "duplicate" "A second copy of a request arrives later: something on the way sent it again.";
    Hang hang "hang" "A server or a link goes silent without an error: only a time-out can tell.";
    Partition partition "partition" "A client's link drops everything for a while, in one or both directions.";
    ClientCrash client_crash "client-crash" "A client's process dies, and a new one starts without its memory.";
    ClientPause client_pause "client-pause" "A client's process stands still: garbage collection, swapping, a suspended machine.";
    Cancellation cancellation "cancellation" "A caller drops the future it awaits, or the whole handle.";
    ClientClock client_clock "client-clock" "A client's clock runs fast or slow within the stated drift, and its wall clock jumps.";
    ServerClock server_clock "server-clock" "The server's wall clock, by which keys expire, jumps.";
    Restart restart "restart" "The server restarts without its data.";
    Failover failover "failover" "A replica takes over without the last acknowledged writes.";
    Resend resend "resend" "What carries a command sends it again after its reply was lost, and tells the last answer.";
    OutOfMemory out_of_memory "out-of-memory" "The server is at its limit of memory, and refuses what may need more.";
}

/// A set of faults.
///
/// ```
/// use leasehold_sim::faults::{Fault, FaultSet};
///
/// let both: FaultSet = [Fault::Hang, Fault::Failover].into_iter().collect();
/// assert!(both.contains(Fault::Hang) && !both.contains(Fault::Latency));
/// assert_eq!(both.iter().count(), 2);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FaultSet(u32);

impl FaultSet {
    /// No fault.
    pub const NONE: Self = Self(0);

    /// This one.
    #[must_use]
    pub const fn only(fault: Fault) -> Self {
        Self(1 << fault as u8)
    }

    /// These and `fault`.
    #[must_use]
    pub const fn with(self, fault: Fault) -> Self {
        Self(self.0 | 1 << fault as u8)
    }

    /// These, in the order of the reports.
    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.iter().copied().filter(move |&fault| self.contains(fault))
    }

    /// As a number, for a schedule's word.
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// The set with this number, if every fault in it is known.
    pub(crate) fn from_bits(bits: u32) -> Option<Self> {
        (bits >> Fault::ALL.len() == 0).then_some(Self(bits))
    }

    /// Whether `fault` is one of them.
    #[inline]
    #[must_use]
    pub const fn contains(self, fault: Fault) -> bool {
        self.0 & 1 << fault as u8 != 0
    }
}

impl FromIterator<Fault> for FaultSet {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        faults.into_iter().fold(Self::NONE, Self::with)
    }
}
