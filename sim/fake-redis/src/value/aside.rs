//! What is kept beside a value without being part of it.

use std::hash::{Hash, Hasher};

/// Something beside a value, or nothing: whatever it is, the value is equal to one without, hashes
/// as one without, and a copy has none.
#[derive(Debug)]
pub(crate) struct Aside<T>(pub(crate) Option<T>);

impl<T> Default for Aside<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Clone for Aside<T> {
    fn clone(&self) -> Self {
        Self(None)
    }
}

impl<T> PartialEq for Aside<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Aside<T> {}

impl<T> Hash for Aside<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
