//! States by their fingerprint: 128 bits of all that their future depends on.

use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use foldhash::fast::{FixedState, FoldHasher};
use hashbrown::HashSet;

/// Two states have the same if they are the same. That two different ones do is as likely as
/// guessing a number of 64 digits or more in as many attempts as there are pairs of states.
pub(super) type Imprint = u128;

/// Two independent hashes of the same.
pub(super) struct Imprinter(FoldHasher<'static>, FoldHasher<'static>);

impl Imprinter {
    pub(super) fn new() -> Self {
        Self(FixedState::with_seed(1).build_hasher(), FixedState::with_seed(2).build_hasher())
    }

    pub(super) fn fingerprint(&self) -> Imprint {
        u128::from(self.0.finish()) << 64 | u128::from(self.1.finish())
    }
}

macro_rules! both {
    ($($write:ident $number:ty;)*) => {
        impl Hasher for Imprinter {
            fn finish(&self) -> u64 {
                self.0.finish()
            }

            $(
                #[inline]
                fn $write(&mut self, value: $number) {
                    self.0.$write(value);
                    self.1.$write(value);
                }
            )*
        }
    };
}

both! {
    write &[u8];
    write_u8 u8;
    write_u16 u16;
    write_u32 u32;
    write_u64 u64;
    write_u128 u128;
    write_usize usize;
}

/// A fingerprint is a hash already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    #[inline]
    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = fingerprint as u64;
    }
}

pub(super) type Known = HashSet<Imprint, BuildHasherDefault<AsIs>>;
