//! The classes of events that `notify-keyspace-events` names by letters.

use bitflags::bitflags;

bitflags! {
    /// What is published of what happens to keys, and how.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub(crate) struct Classes: u16 {
        /// `K`: on a channel named by the key.
        const KEYSPACE = 1;
        /// `E`: on a channel named by the event.
        const KEYEVENT = 1 << 1;
        /// `g`.
        const GENERIC = 1 << 2;
        /// `$`.
        const STRING = 1 << 3;
        /// `l`.
        const LIST = 1 << 4;
        /// `s`.
        const SET = 1 << 5;
        /// `h`.
        const HASH = 1 << 6;
        /// `z`.
        const SORTED_SET = 1 << 7;
        /// `x`.
        const EXPIRED = 1 << 8;
        /// `e`.
        const EVICTED = 1 << 9;
        /// `t`.
        const STREAM = 1 << 10;
        /// `m`: a key was read that is not there.
        const MISS = 1 << 11;
        /// `d`: of modules, which there are none of.
        const MODULE = 1 << 12;
        /// `n`: a key is new.
        const NEW = 1 << 13;
        /// `A`.
        const ALL = Self::GENERIC.bits() | Self::STRING.bits() | Self::LIST.bits()
            | Self::SET.bits() | Self::HASH.bits() | Self::SORTED_SET.bits()
            | Self::EXPIRED.bits() | Self::EVICTED.bits() | Self::STREAM.bits()
            | Self::MODULE.bits();
    }
}

/// In the order in which Redis tells them, where not all are set.
const LETTERS: [(char, Classes); 11] = [
    ('g', Classes::GENERIC),
    ('$', Classes::STRING),
    ('l', Classes::LIST),
    ('s', Classes::SET),
    ('h', Classes::HASH),
    ('z', Classes::SORTED_SET),
    ('x', Classes::EXPIRED),
    ('e', Classes::EVICTED),
    ('t', Classes::STREAM),
    ('d', Classes::MODULE),
    ('n', Classes::NEW),
];

const OTHERS: [(char, Classes); 3] =
    [('K', Classes::KEYSPACE), ('E', Classes::KEYEVENT), ('m', Classes::MISS)];

impl Classes {
    /// Reads a setting; `None` if a letter stands for nothing.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut classes = Self::empty();
        for letter in text {
            let known = LETTERS.iter().chain(&OTHERS).chain(&[('A', Self::ALL)]);
            let mut known = known.filter(|(name, _)| *name == char::from(*letter));
            classes |= known.next()?.1;
        }
        Some(classes)
    }

    /// The setting as `CONFIG GET` tells it.
    pub(crate) fn text(self) -> String {
        let named = |letters: &[(char, Self)]| -> String {
            let set = letters.iter().filter(|(_, class)| self.contains(*class));
            set.map(|(name, _)| *name).collect()
        };
        let classes = if self.contains(Self::ALL) { "A".into() } else { named(&LETTERS) };
        classes + &named(&OTHERS)
    }

    /// Whether anything is published.
    pub(crate) fn any(self) -> bool {
        self.intersects(Self::KEYSPACE | Self::KEYEVENT)
    }
}
