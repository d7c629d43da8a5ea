//! What is kept beside a value without being part of it.

use std::hash::{Hash, Hasher};

/// Something beside a value, or nothing: whatever it is, the value is equal to one without, hashes
/// as one without, and a copy has none.
#[derive(Debug)]
pub(crate) struct Aside<T>(pub(crate) Option<T>);

/// The steps by which a collection changes, each as what takes it back; collected while somebody
/// wants to know them.
pub(crate) type Trace<S> = Aside<Vec<S>>;

impl<S> Trace<S> {
    /// Adds a step, if they are collected.
    pub(crate) fn note(&mut self, step: impl FnOnce() -> S) {
        if let Some(steps) = &mut self.0 {
            steps.push(step());
        }
    }

    pub(crate) fn begin(&mut self) {
        self.0 = Some(Vec::new());
    }

    /// The steps, which are collected no more.
    pub(crate) fn end(&mut self) -> Vec<S> {
        self.0.take().unwrap_or_default()
    }
}

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
