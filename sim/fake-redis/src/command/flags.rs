//! What the server knows of a command besides its code.

use bitflags::bitflags;

bitflags! {
    /// What a command does and where it may be used, as `COMMAND INFO` says.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Flags: u32 {
        /// Changes data.
        const WRITE = 1;
        /// Only reads data.
        const READONLY = 1 << 1;
        /// Refused when memory is full.
        const DENYOOM = 1 << 2;
        /// For operators.
        const ADMIN = 1 << 3;
        /// Publishes or subscribes.
        const PUBSUB = 1 << 4;
        /// Not allowed in scripts.
        const NOSCRIPT = 1 << 5;
        /// May wait for others.
        const BLOCKING = 1 << 6;
        /// Allowed while data is loaded.
        const LOADING = 1 << 7;
        /// Allowed on a replica that has lost its primary.
        const STALE = 1 << 8;
        /// Not shown to `MONITOR`.
        const SKIP_MONITOR = 1 << 9;
        /// Not logged as slow.
        const SKIP_SLOWLOG = 1 << 10;
        /// Constant or logarithmic time.
        const FAST = 1 << 12;
        /// Allowed before `AUTH`.
        const NO_AUTH = 1 << 13;
        /// May change data although it is no write, as a script may.
        const MAY_REPLICATE = 1 << 14;
        /// Not allowed in a transaction.
        const NO_MULTI = 1 << 15;
        /// Where its keys are depends on its arguments.
        const MOVABLEKEYS = 1 << 16;
        /// Allowed while a script runs for too long.
        const ALLOW_BUSY = 1 << 17;
        /// Not allowed while data is loaded in the background.
        const NO_ASYNC_LOADING = 1 << 18;
        /// May be called without a key, though it takes some.
        const NO_MANDATORY_KEYS = 1 << 19;
    }
}

/// The chapter of the manual, which is also a category of access rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Bitmap,
    Connection,
    Generic,
    Hash,
    List,
    PubSub,
    Scripting,
    Server,
    Set,
    SortedSet,
    Stream,
    String,
    Transactions,
}

/// Which arguments are keys.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keys {
    /// None.
    None,
    /// From `first` to `last`, every `step`th; a `last` below 0 counts from the end.
    Range { first: i32, last: i32, step: i32 },
    /// As many as the argument at `count` says, right behind it; and those in the range `also`
    /// (a destination).
    Counted { count: usize, also: Option<usize> },
    /// None, but those from `first` to `last` say to which server of a cluster the command goes.
    Hashed { first: i32, last: i32 },
    /// The first, and one behind the word `STORE`: the last of these, if it is `stored`. Others are
    /// made of patterns and data.
    Sorted { stored: bool },
    /// Those behind the word `STREAMS`, half of what follows.
    Streams,
}

impl Flags {
    /// Reads in constant or logarithmic time.
    pub(crate) const FAST_READ: Self = Self::READONLY.union(Self::FAST);
    /// Writes in constant or logarithmic time, and never takes more memory.
    pub(crate) const FAST_WRITE: Self = Self::WRITE.union(Self::FAST);
    /// Writes, and may take more memory.
    pub(crate) const GROW: Self = Self::WRITE.union(Self::DENYOOM);
    /// Writes in constant or logarithmic time, and may take more memory.
    pub(crate) const FAST_GROW: Self = Self::GROW.union(Self::FAST);

    /// The names of those that are set, as `COMMAND INFO` lists them: it keeps one to itself.
    pub(crate) fn names(self) -> impl Iterator<Item = String> {
        self.difference(Self::MAY_REPLICATE).iter_names().map(|(name, _)| name.to_ascii_lowercase())
    }
}

impl Keys {
    /// The only key that a command has by its place, so that it costs no list.
    #[cfg(feature = "serve")]
    pub(crate) fn lone(self, arguments: &[bytes::Bytes]) -> Option<&bytes::Bytes> {
        match self {
            Self::Range { first, last, .. } if first == last => {
                arguments.get(usize::try_from(first).ok()?)
            }
            _ => None,
        }
    }

    /// The keys among a command's arguments (which begin with its name).
    pub(crate) fn of(self, arguments: &[bytes::Bytes]) -> Vec<&bytes::Bytes> {
        match self {
            Self::None | Self::Hashed { .. } => Vec::new(),
            Self::Range { first, last, step } => range(arguments, first, last, step),
            Self::Counted { count, also } => counted(arguments, count, also),
            Self::Sorted { stored } => sorted(arguments, stored),
            Self::Streams => streams(arguments),
        }
    }
}

fn range(arguments: &[bytes::Bytes], first: i32, last: i32, step: i32) -> Vec<&bytes::Bytes> {
    let length = i32::try_from(arguments.len()).unwrap_or(i32::MAX);
    let last = if last < 0 { length + last } else { last };
    let indexes = (first..=last).step_by(usize::try_from(step).unwrap_or(1).max(1));
    indexes.filter_map(|index| arguments.get(usize::try_from(index).ok()?)).collect()
}

fn counted(arguments: &[bytes::Bytes], count: usize, also: Option<usize>) -> Vec<&bytes::Bytes> {
    let number = arguments.get(count).and_then(|text| super::integer(text).ok()).unwrap_or(0);
    let number = usize::try_from(number).unwrap_or(0);
    let also = also.and_then(|index| arguments.get(index));
    also.into_iter().chain(arguments.iter().skip(count + 1).take(number)).collect()
}

fn sorted(arguments: &[bytes::Bytes], stored: bool) -> Vec<&bytes::Bytes> {
    let mut store = None;
    let mut rest = arguments.get(2..).unwrap_or_default();
    while let [option, behind @ ..] = rest {
        let taken = match &*super::word(option) {
            b"LIMIT" => 2,
            b"BY" | b"GET" => 1,
            b"STORE" if stored => {
                store = behind.first().or(store);
                0
            }
            _ => 0,
        };
        rest = behind.get(taken..).unwrap_or_default();
    }
    arguments.get(1).into_iter().chain(store).collect()
}

fn streams(arguments: &[bytes::Bytes]) -> Vec<&bytes::Bytes> {
    let begin = arguments.iter().position(|word| word.eq_ignore_ascii_case(b"streams"));
    let rest = begin.map_or(&[][..], |begin| &arguments[begin + 1..]);
    rest.iter().take(rest.len() / 2).collect()
}
