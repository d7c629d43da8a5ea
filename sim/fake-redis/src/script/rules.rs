//! What a server allows its scripts.

/// How a server treats scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ScriptRules {
    /// Whether `#!lua flags=allow-key-locking` is understood, as by Upstash. A script with this
    /// flag may use no key that was not among its `KEYS`. A stock Redis refuses the flag.
    pub key_locking: bool,
    /// Whether a script that fails leaves nothing behind, as with Upstash. In Redis, what it wrote
    /// before its error stays. Costs a copy of the keyspace for each script that writes.
    pub undo_failed: bool,
    /// How many instructions of Lua's virtual machine one script may run. What takes longer than an
    /// instruction, such as `redis.call` or a search in a long text, counts for more.
    ///
    /// A script beyond it is stopped, whatever it tries to catch; what it wrote is treated as after
    /// any other error. A real server lets it run until somebody sends `SCRIPT KILL`.
    pub instructions: u64,
}

impl ScriptRules {
    /// Those of a stock Redis.
    pub const REDIS: Self = Self { key_locking: false, ..Self::DEFAULT };
    /// Those of Upstash.
    pub const UPSTASH: Self = Self { undo_failed: true, ..Self::DEFAULT };
    /// Both kinds of scripts run, and errors are treated as Redis does.
    const DEFAULT: Self =
        Self { key_locking: true, undo_failed: false, instructions: 1_000_000_000 };
}

impl Default for ScriptRules {
    fn default() -> Self {
        Self::DEFAULT
    }
}
