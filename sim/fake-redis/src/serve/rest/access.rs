//! Who may do what: the two tokens, and the commands that REST does not carry.

use std::{borrow::Cow, fmt};

use bytes::Bytes;

use super::refusal::too_large;
use super::request::excess;
use crate::Facts;

/// The tokens that are accepted.
#[derive(Clone)]
pub struct Tokens {
    standard: Option<String>,
    read_only: Option<String>,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Full,
    ReadOnly,
}

impl Tokens {
    /// `standard` allows everything, `read_only` only commands that read. Without `standard`
    /// everybody may do everything who does not show `read_only`.
    #[must_use]
    pub fn new(standard: Option<String>, read_only: Option<String>) -> Self {
        Self { standard, read_only }
    }

    /// What is allowed with a token in the address or else in the header `Authorization`, which may
    /// hold it bare.
    pub(super) fn access(&self, address: Option<&[u8]>, header: Option<&[u8]>) -> Option<Access> {
        let token = address.or_else(|| header.map(without_scheme));
        let is = |known: &String| token.is_some_and(|token| token == known.as_bytes());
        if self.read_only.as_ref().is_some_and(is) {
            return Some(Access::ReadOnly);
        }
        self.standard.as_ref().is_none_or(is).then_some(Access::Full)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(redacted)")
    }
}

fn without_scheme(header: &[u8]) -> &[u8] {
    match header.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii(),
        _ => header.trim_ascii(),
    }
}

/// Those that need a connection of their own.
const NEED_A_CONNECTION: &[&str] = &[
    "AUTH", "CLIENT", "DISCARD", "EXEC", "HELLO", "MONITOR", "MULTI", "PSUBSCRIBE", "PUNSUBSCRIBE",
    "RESET", "SSUBSCRIBE", "SUBSCRIBE", "SUNSUBSCRIBE", "UNSUBSCRIBE", "UNWATCH", "WATCH",
];

/// Those that Upstash does not offer, though our server has them.
const NOT_OFFERED: &[&str] = &[
    "CLUSTER", "CONFIG", "DEBUG", "LATENCY", "QUIT", "REPLICAOF", "ROLE", "SELECT", "SHUTDOWN",
    "SLAVEOF", "SLOWLOG", "SWAPDB",
];

impl Access {
    /// Why a command is refused before it is executed, if it is.
    pub(super) fn refuses(self, command: &[Bytes]) -> Option<Cow<'static, str>> {
        let name = command.first().map(|name| String::from_utf8_lossy(name).to_uppercase());
        let name = name.unwrap_or_default();
        if let Some(size) = excess(command) {
            return Some(too_large(size).into());
        }
        if NEED_A_CONNECTION.contains(&&*name) {
            let text = format!(
                "ERR Command \"{name}\" is not allowed in REST or it has a special context path"
            );
            return Some(text.into());
        }
        if let Some(text) = Facts::absence(command) {
            return Some(text.into());
        }
        if !is_offered(&name, command) {
            let text = format!(
                "ERR Command is not available: '{name}'. See \
                 https://upstash.com/docs/redis/overall/rediscompatibility for details"
            );
            return Some(text.into());
        }
        if self == Self::ReadOnly && !may_read(&name, command) {
            let name = name.to_lowercase();
            let text = format!("NOPERM this user has no permissions to run the '{name}' command");
            return Some(text.into());
        }
        None
    }
}

fn is_offered(name: &str, command: &[Bytes]) -> bool {
    if NOT_OFFERED.contains(&name) || !Facts::is_known(command) {
        return false;
    }
    let blocks = Facts::of(command).is_some_and(|facts| facts.blocks);
    match name {
        "WAIT" | "WAITAOF" => true,
        "XREAD" | "XREADGROUP" => !command.iter().any(|word| word.eq_ignore_ascii_case(b"block")),
        _ => !blocks,
    }
}

/// Commands that read, but those that list all keys; and those about nothing. A command with a
/// wrong number of arguments may pass: it will be told so.
fn may_read(name: &str, command: &[Bytes]) -> bool {
    match name {
        "KEYS" | "SCAN" => false,
        "PING" | "ECHO" | "TIME" | "COMMAND" | "INFO" => true,
        _ => Facts::of(command).is_none_or(|facts| facts.reads),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(access: Access, line: &str) -> Option<String> {
        let words: Vec<_> = line.split(' ').map(|word| Bytes::from(word.to_owned())).collect();
        access.refuses(&words).map(Cow::into_owned)
    }

    #[test]
    fn the_token_in_the_address_wins() {
        let tokens = Tokens::new(Some("full".into()), Some("read".into()));
        let access = |address: Option<&str>, header: Option<&str>| {
            tokens.access(address.map(str::as_bytes), header.map(str::as_bytes))
        };
        assert_eq!(access(None, Some("Bearer full")), Some(Access::Full));
        assert_eq!(access(None, Some("bearer read")), Some(Access::ReadOnly));
        assert_eq!(access(None, Some("full")), Some(Access::Full));
        assert_eq!(access(Some("read"), Some("Bearer full")), Some(Access::ReadOnly));
        assert_eq!(access(Some("wrong"), Some("Bearer full")), None);
        assert_eq!(access(None, None), None);
        let open = Tokens::new(None, Some("read".into()));
        assert_eq!(open.access(None, None), Some(Access::Full));
        assert_eq!(open.access(None, Some(b"Bearer read")), Some(Access::ReadOnly));
        assert_eq!(format!("{tokens:?}"), "Tokens(redacted)");
    }

    #[test]
    fn commands_of_a_connection_are_not_allowed() {
        let text =
            "ERR Command \"SUBSCRIBE\" is not allowed in REST or it has a special context path";
        assert_eq!(refused(Access::Full, "subscribe a").as_deref(), Some(text));
    }

    #[test]
    fn an_unknown_command_is_not_available() {
        let text = "ERR Command is not available: 'FOO'. See \
                    https://upstash.com/docs/redis/overall/rediscompatibility for details";
        assert_eq!(refused(Access::Full, "foo a").as_deref(), Some(text));
        assert_eq!(refused(Access::Full, "get"), None);
    }

    #[test]
    fn the_read_only_token_reads() {
        for allowed in ["GET a", "HGETALL a", "PTTL a", "PING", "EVAL_RO x 0", "GET"] {
            assert_eq!(refused(Access::ReadOnly, allowed), None, "{allowed}");
        }
        for line in ["SET a 1", "EVAL x 0", "PUBLISH a b", "FLUSHALL", "SCAN 0", "KEYS *"] {
            let text = refused(Access::ReadOnly, line).unwrap_or_default();
            assert!(text.starts_with("NOPERM "), "{line}: {text}");
            assert_eq!(refused(Access::Full, line), None, "{line}");
        }
    }
}
