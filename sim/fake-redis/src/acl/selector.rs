//! One set of rights: commands, keys and channels.

use bytes::Bytes;

use super::commands::Commands;
use crate::{
    command::{Group, Spec},
    glob::matches,
};

/// What a user may do, all of it at once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Selector {
    pub(crate) commands: Commands,
    pub(crate) keys: Vec<KeyPattern>,
    pub(crate) all_channels: bool,
    pub(crate) channels: Vec<Bytes>,
}

/// Keys, and what may be done with them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyPattern {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) pattern: Bytes,
}

/// Why a command is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    Command,
    Key(Bytes),
    Channel(Bytes),
}

impl Denial {
    /// How far the check had come.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Command => 0,
            Self::Key(_) => 1,
            Self::Channel(_) => 2,
        }
    }
}

impl KeyPattern {
    pub(crate) fn is_all(&self) -> bool {
        self.read && self.write && self.pattern == "*"
    }

    /// As a rule.
    pub(crate) fn text(&self) -> String {
        let sign = match (self.read, self.write) {
            (true, true) => "~",
            (true, false) => "%R~",
            (false, _) => "%W~",
        };
        format!("{sign}{}", String::from_utf8_lossy(&self.pattern))
    }
}

impl Selector {
    pub(crate) fn new(all_channels: bool) -> Self {
        Self { commands: Commands::NONE, keys: Vec::new(), all_channels, channels: Vec::new() }
    }

    pub(super) fn unlimited() -> Self {
        let all = KeyPattern { read: true, write: true, pattern: Bytes::from_static(b"*") };
        Self { commands: Commands::ALL, keys: vec![all], all_channels: true, channels: Vec::new() }
    }

    pub(super) fn is_unlimited(&self) -> bool {
        self.commands == Commands::ALL && self.all_keys() && self.all_channels
    }

    pub(crate) fn all_keys(&self) -> bool {
        self.keys.iter().any(KeyPattern::is_all)
    }

    pub(super) fn check(&self, spec: &Spec, arguments: &[Bytes]) -> Result<(), Denial> {
        if !self.commands.allow(spec, arguments) {
            return Err(Denial::Command);
        }
        if !self.all_keys() {
            for (key, access) in spec.keys_with_access(arguments) {
                let reads = access.contains(&"access");
                let writes = access.iter().any(|it| matches!(*it, "insert" | "delete" | "update"));
                if !self.allows_key(key, reads, writes) {
                    return Err(Denial::Key(key.clone()));
                }
            }
        }
        let is_pattern = spec.name == "psubscribe";
        for channel in channels(spec, arguments) {
            if !self.allows_channel(channel, is_pattern) {
                return Err(Denial::Channel(channel.clone()));
            }
        }
        Ok(())
    }

    fn allows_key(&self, key: &[u8], reads: bool, writes: bool) -> bool {
        self.keys
            .iter()
            .any(|it| (it.read || !reads) && (it.write || !writes) && matches(&it.pattern, key))
    }

    /// A pattern must be allowed by the very same one.
    pub(super) fn allows_channel(&self, name: &[u8], is_pattern: bool) -> bool {
        let allows = |pattern: &Bytes| {
            if is_pattern { pattern == name } else { matches(pattern, name) }
        };
        self.all_channels || self.channels.iter().any(allows)
    }

    pub(super) fn text(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        if self.all_keys() {
            words.push("~*".into());
        } else {
            words.extend(self.keys.iter().map(KeyPattern::text));
        }
        if self.all_channels {
            words.push("&*".into());
        } else {
            words.push("resetchannels".into());
            words.extend(self.channels_text());
        }
        words.push(self.commands.text());
        words.join(" ")
    }

    /// The keys as rules.
    pub(crate) fn keys_text(&self) -> String {
        if self.all_keys() {
            return "~*".into();
        }
        self.keys.iter().map(KeyPattern::text).collect::<Vec<_>>().join(" ")
    }

    /// The channels as rules.
    pub(crate) fn channels_text(&self) -> Vec<String> {
        if self.all_channels {
            return vec!["&*".into()];
        }
        let text = |name: &Bytes| format!("&{}", String::from_utf8_lossy(name));
        self.channels.iter().map(text).collect()
    }
}

/// The channels that a command names.
fn channels<'a>(spec: &Spec, arguments: &'a [Bytes]) -> &'a [Bytes] {
    if spec.group != Group::PubSub {
        return &[];
    }
    match spec.name {
        "publish" | "spublish" => &arguments[1..2],
        "psubscribe" | "subscribe" | "ssubscribe" => &arguments[1..],
        _ => &[],
    }
}
