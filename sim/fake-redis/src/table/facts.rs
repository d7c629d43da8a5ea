//! What the rest of the crate may know of a command.

use bytes::Bytes;

use super::TABLE;
use crate::command::Flags;
#[cfg(feature = "serve")]
use crate::command::{NotFound, absence};

/// What is known of a command before it is executed.
#[derive(Clone, Debug)]
pub(crate) struct Facts<'a> {
    /// Those of its arguments that are keys.
    pub(crate) keys: Vec<&'a Bytes>,
    /// Whether it only reads data.
    pub(crate) reads: bool,
    /// Whether it may change data.
    #[cfg(feature = "serve")]
    pub(crate) writes: bool,
    /// Whether it may wait for others.
    #[cfg(feature = "serve")]
    pub(crate) blocks: bool,
    /// Whether it may be sent before the password.
    #[cfg(feature = "serve")]
    pub(crate) allowed_to_strangers: bool,
    /// Whether it may be run while a script is late.
    #[cfg(feature = "serve")]
    pub(crate) allowed_while_busy: bool,
}

impl<'a> Facts<'a> {
    /// `None` if there is no such command, or not with so many arguments.
    pub(crate) fn of(arguments: &'a [Bytes]) -> Option<Self> {
        let spec = TABLE.find(arguments).ok()?;
        Some(Self {
            keys: spec.keys.of(arguments),
            reads: spec.flags.contains(Flags::READONLY),
            #[cfg(feature = "serve")]
            writes: spec.flags.intersects(Flags::WRITE.union(Flags::MAY_REPLICATE)),
            #[cfg(feature = "serve")]
            blocks: spec.flags.contains(Flags::BLOCKING),
            #[cfg(feature = "serve")]
            allowed_to_strangers: spec.flags.contains(Flags::NO_AUTH),
            #[cfg(feature = "serve")]
            allowed_while_busy: spec.flags.contains(Flags::ALLOW_BUSY),
        })
    }
}

#[cfg(feature = "serve")]
impl<'a> Facts<'a> {
    /// The keys among the arguments, if there is such a command.
    pub(crate) fn each_key(arguments: &'a [Bytes], mut note: impl FnMut(&'a Bytes)) {
        let Ok(spec) = TABLE.find(arguments) else { return };
        match spec.keys.lone(arguments) {
            Some(key) => note(key),
            None => spec.keys.of(arguments).into_iter().for_each(note),
        }
    }

    /// Whether there is a command of this name.
    pub(crate) fn is_known(arguments: &[Bytes]) -> bool {
        !matches!(TABLE.find(arguments), Err(NotFound::Unknown))
    }

    /// What to say of a command that Redis has and this server has not.
    pub(crate) fn absence(arguments: &[Bytes]) -> Option<String> {
        matches!(TABLE.find(arguments), Err(NotFound::Unknown | NotFound::Subcommand))
            .then(|| absence(arguments))?
    }
}
