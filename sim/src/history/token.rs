//! Tokens as numbers, so that an event is small and can be compared.

use std::fmt;

use leasehold_core::Token;

use super::Client;

/// How many owners the calls of one process are told apart by.
pub const OWNERS: usize = 8;

/// A token as a number: who made it, in which life of its process, for which call, and which try. A
/// handle with several calls under way names an owner for each further one: `client-life~2` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(u32);

impl TokenId {
    /// The owner's name that [`TokenId::of`] understands.
    #[must_use]
    pub fn owner(client: Client, life: u32) -> String {
        format!("{client}-{life}")
    }

    /// The number of a token made by [`leasehold_core::Tokens::of_owner`] of such an owner.
    #[must_use]
    pub fn of(token: &Token) -> Self {
        Self::parse(token.as_str().as_bytes()).unwrap_or(Self(u32::MAX))
    }

    /// The number of a token as it is stored, or `None` if it is not of that form.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        const OWNER: usize = 4;
        let mut numbers = [0u32, 0, 0, 0, 1];
        let (mut index, mut next) = (0, 1);
        for &byte in text {
            match byte {
                b'0'..=b'9' => {
                    let number = numbers[index].checked_mul(10)?;
                    numbers[index] = number.checked_add(u32::from(byte - b'0'))?;
                }
                b'~' if index == 1 => {
                    numbers[OWNER] = 0;
                    index = OWNER;
                }
                _ if next <= 3 => {
                    index = next;
                    next += 1;
                }
                _ => return None,
            }
        }
        let [client, life, call, attempt, owner] = numbers;
        // The calls of further owners are numbered from 128 on, those of the third from 256 on …
        let index_of_owner = owner.checked_sub(1)?;
        let call = index_of_owner << 7 ^ call;
        (index == 3 && client < 1 << 4 && life < 1 << 8 && index_of_owner < OWNERS as u32)
            .then_some(Self(client << 28 | life << 20 | (call & 0x3ff) << 10 | attempt & 0x3ff))
    }

    /// Which client made it.
    #[must_use]
    pub fn client(self) -> Client {
        (self.0 >> 28) as u8
    }

    /// Its number among those made in the same life of the same process.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0 & 0xf_ffff
    }

    /// All of it as a number.
    #[must_use]
    pub fn as_u32(self) -> u32 {
        self.0
    }

    /// Which of the owners that a handle names made it, from 0. Its tokens are numbered in order.
    #[must_use]
    pub fn owner_index(self) -> usize {
        (self.number() >> 17) as usize
    }

    /// Whether both were made in the same life of the same process.
    #[must_use]
    pub(crate) fn same_life(self, other: Self) -> bool {
        self.0 >> 20 == other.0 >> 20
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.number() >> 10)?;
        match self.number() & 0x3ff {
            1 => Ok(()),
            attempt => write!(f, ", try {attempt}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use leasehold_core::Tokens;

    use super::*;

    #[test]
    fn no_two_tokens_of_any_life_have_one_number() {
        let mut numbers = BTreeSet::new();
        for (client, life) in (0..4).flat_map(|client| (0..256).map(move |life| (client, life))) {
            let mut tokens = Tokens::of_owner(TokenId::owner(client, life));
            let [first, second] = [tokens.fresh(), tokens.fresh()].map(|token| TokenId::of(&token));
            assert_eq!((first.client(), first.same_life(second)), (client, true));
            assert_eq!(format!("{first} {second}"), "#1 #2");
            numbers.extend([first, second]);
        }
        // As the machines of one handle name themselves.
        for owner in 2..=8 {
            let mut tokens = Tokens::of_owner(format!("{}~{owner}", TokenId::owner(0, 0)));
            numbers.extend([tokens.fresh(), tokens.fresh()].map(|token| TokenId::of(&token)));
        }
        assert_eq!(numbers.len(), 4 * 256 * 2 + 7 * 2);
        assert!(numbers.iter().all(|number| number.client() < 4), "each is a token of somebody");
    }

    #[test]
    fn numbers_that_no_process_has_are_no_token() {
        let owner = TokenId::owner(1, 300);
        let made = Tokens::of_owner(owner).fresh();
        assert_eq!(TokenId::parse(made.as_str().as_bytes()), None);
        let of = |text: &str| TokenId::parse(text.as_bytes());
        assert_eq!(of("12345678901-0-0-1"), None);
        assert_eq!(of("0-0-0-99999999999"), None);
        assert_eq!(of("99999999999"), None);
        assert_eq!(of("16-0-0-1"), None);
        assert_eq!(of("1-1~0.1#1"), None);
        assert_eq!(of("1-1~9.1#1"), None);
        assert_eq!(of("1~1-1.1#1"), None);
        assert!(of("15-255-0-1").is_some());
    }
}
