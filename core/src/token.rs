//! Tokens name one attempt at a lock; fences order the grants.

use alloc::{format, string::String, sync::Arc};
use core::{error, fmt};

/// The value stored under a lock's key: whoever knows it may release or extend the lease.
///
/// Every attempt gets a fresh token. Reusing one is unsound: finding "my token" under the key
/// would not say *which* send put it there, so nor when it expires.
///
/// A token is a capability, so its text is not shown by `Debug`.
///
/// ```
/// use leasehold_core::Token;
///
/// let token = Token::new("7f0c…").expect("it is not empty");
/// assert_eq!(format!("{token:?}"), "Token(..)"); // whoever knows it may release the lock
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(Arc<str>);

impl Token {
    /// A token given by the caller, to hand a lease to another process or to share one with
    /// another implementation.
    ///
    /// # Errors
    ///
    /// [`EmptyToken`] if `text` is empty.
    pub fn new(text: impl Into<Arc<str>>) -> Result<Self, EmptyToken> {
        let text = text.into();
        if text.is_empty() { Err(EmptyToken) } else { Ok(Self(text)) }
    }

    /// The text that is stored under the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The series that the token belongs to, and its number there: `job.4#2` is the second of
    /// `job.4`. Within a series, giving up a token gives up all that came before it, so that one
    /// tombstone is enough to refuse the late copies of every try, call after call. A token that
    /// does not end in `#` and decimal digits is a series of its own, with the number 0.
    #[must_use]
    pub fn series(&self) -> (&str, u64) {
        let numbered = self.0.rsplit_once('#').and_then(|(series, digits)| {
            let is_number = !digits.is_empty()
                && digits.len() <= 15
                && !digits.starts_with('0')
                && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then_some(())?;
            Some((series, digits.parse().ok()?))
        });
        numbered.unwrap_or((&self.0, 0))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// A token given by the caller was empty.
///
/// ```
/// use leasehold_core::{EmptyToken, Token};
///
/// assert_eq!(Token::new(""), Err(EmptyToken));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmptyToken;

impl fmt::Display for EmptyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token must not be empty: give one that is unique in the world, e.g. a UUID")
    }
}

impl error::Error for EmptyToken {}

/// Makes fresh tokens: an owner name that is unique in the world, the number of the series, and
/// that of the try in it.
///
/// ```
/// use leasehold_core::Tokens;
///
/// let mut tokens = Tokens::from_random([7; 16]);
/// assert_ne!(tokens.fresh(), tokens.fresh());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tokens {
    owner: Arc<str>,
    series: u64,
    tries: u64,
}

impl Tokens {
    /// Tokens of `owner`. No two owners that contend for one key may have the same name.
    #[must_use]
    pub fn of_owner(owner: impl Into<Arc<str>>) -> Self {
        Self { owner: owner.into(), series: 0, tries: 0 }
    }

    /// Tokens of an owner named by 128 bits that the caller drew from a good random source.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self::of_owner(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    /// Tokens of an owner named by 128 bits from the operating system.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness to give.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn from_os() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        Self::from_random(bytes)
    }

    /// A number that differs between owners, to spread their delays. FNV-1a:
    /// <https://datatracker.ietf.org/doc/html/rfc9923>
    #[cfg(any(feature = "std", test))]
    pub(crate) fn seed(&self) -> u64 {
        self.owner.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    /// The name of the owner.
    #[cfg(feature = "std")]
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// Tokens of an owner of its own, named after this one. No other child has its name.
    #[cfg(feature = "std")]
    pub(crate) fn child(&mut self) -> Self {
        Self::of_owner(self.fresh().as_str())
    }

    /// The first token of a new series, never the same twice.
    pub fn fresh(&mut self) -> Token {
        self.series += 1;
        self.tries = 0;
        self.next_in_series()
    }

    /// The next token of the series that [`Tokens::fresh`] began.
    pub(crate) fn next_in_series(&mut self) -> Token {
        self.tries += 1;
        let mut text = String::with_capacity(self.owner.len() + 16);
        text.push_str(&self.owner);
        text.push('.');
        push_decimal(&mut text, self.series);
        text.push('#');
        push_decimal(&mut text, self.tries);
        Token(text.into())
    }
}

/// `write!` without its formatting machinery, which would be a tenth of a simulated message.
fn push_decimal(text: &mut String, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend(digits[start..].iter().map(|&digit| char::from(digit)));
}

/// A fencing token: later grants of one lock have greater fences.
///
/// Send it with every write to a protected resource, and let the resource refuse a write whose
/// fence is less than one it has seen ([Kleppmann 2016]). Made by the server as `max(last + 1, its
/// time in µs)`, so it grows even when a failover forgets the last one.
///
/// [Kleppmann 2016]: https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html
///
/// ```
/// use leasehold_core::Fence;
///
/// let (earlier, later) = (Fence(1), Fence(2));
/// assert!(later > earlier); // a resource refuses the earlier one from now on
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub u64);

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn no_token_is_made_twice_and_its_text_is_not_shown() {
        let mut tokens = Tokens::of_owner("me");
        let made: Vec<_> = (0..12).map(|_| tokens.fresh()).collect();
        assert_eq!(made[0].as_str(), "me.1#1");
        assert_eq!(made[11].as_str(), "me.12#1");
        assert_eq!(tokens.next_in_series().as_str(), "me.12#2");
        assert_eq!(format!("{:?}", made[0]), "Token(..)");
    }

    #[test]
    fn only_a_number_after_a_hash_makes_a_series() {
        let series = |text: &str| {
            let token = Token::new(text).unwrap();
            let (series, number) = token.series();
            (String::from(series), number)
        };
        assert_eq!(series("me.12#34"), ("me.12".into(), 34));
        for text in ["me", "me#", "me#x", "me#01", "me#0", "me#1234567890123456", "#"] {
            assert_eq!(series(text), (text.into(), 0), "{text}");
        }
    }

    #[test]
    fn an_empty_token_is_refused_and_what_to_give_instead_is_said() {
        assert_eq!(Token::new(""), Err(EmptyToken));
        assert!(format!("{EmptyToken}").contains("UUID"));
    }

    #[test]
    fn owners_are_told_apart_by_a_published_hash() {
        let seed = |owner: &str| Tokens::of_owner(owner).seed();
        // Published test vectors of FNV-1a of 64 bits.
        assert_eq!(seed(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(seed("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(seed("foobar"), 0x8594_4171_f739_67e8);
    }
}
