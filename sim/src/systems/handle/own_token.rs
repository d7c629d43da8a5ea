//! The tokens that a caller brings along.

use leasehold_core::Token;

use crate::history::{Client, TokenId};

/// Their numbers begin here, further than the calls of a run get, and those of its other owners.
const FIRST: u32 = 896;

/// A token of a client in one of its lives, and its number.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnToken {
    client: Client,
    life: u32,
    number: u32,
}

impl OwnToken {
    pub(super) fn new(client: Client, life: u32, number: u32) -> Self {
        Self { client, life, number }
    }

    pub(super) fn token(self) -> Token {
        let text = format!("{}.{}.1", TokenId::owner(self.client, self.life), FIRST + self.number);
        Token::new(text).expect("the name is not empty")
    }

    /// Whether `token` is such a one.
    pub(super) fn is(token: TokenId) -> bool {
        token.number() >> 10 >= FIRST
    }
}
