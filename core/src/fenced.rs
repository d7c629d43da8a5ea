//! The resource's side of a fence: it refuses what comes too late.

use core::{error, fmt};

use crate::token::Fence;

/// What a resource keeps to refuse an older holder after a newer one: the greatest fence that it
/// has seen.
///
/// Keep it with what is protected, and change both in one atomic step: in one transaction, under
/// one lock, or in one script. A guard that is checked first and written later protects nothing.
///
/// ```
/// use leasehold_core::{Fence, FencedResource};
///
/// let mut balance = FencedResource::new(100);
/// balance.write(Fence(7), |euros| *euros -= 30)?;
/// let late = balance.write(Fence(6), |euros| *euros -= 30);
/// assert!(late.is_err());
/// assert_eq!(*balance.value(), 70);
/// # Ok::<(), leasehold_core::StaleFence>(())
/// ```
///
/// See Kleppmann, [How to do distributed locking][post] (2016).
///
/// [post]: https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FencedResource<T> {
    newest: Option<Fence>,
    value: T,
}

/// The same in Redis, as a Lua script: a `SET` that refuses an older fence.
///
/// `KEYS`: what is protected, and where its fence is kept (in one slot). `ARGV`: the new value, and
/// the fence. It returns 1 if the value was set, 0 if a newer holder has written. The second key
/// must never expire before the last holder that may still write.
pub const FENCED_SET: &str = include_str!("redis/scripts/fenced_set.lua");

impl<T> FencedResource<T> {
    /// A resource that nobody has written to.
    pub const fn new(value: T) -> Self {
        Self { newest: None, value }
    }

    /// What is protected. Reading needs no fence.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// Changes what is protected, on behalf of the holder with this fence. A holder may write more
    /// than once.
    ///
    /// # Errors
    ///
    /// [`StaleFence`] if a newer holder has written; nothing was changed.
    pub fn write<R>(
        &mut self,
        fence: Fence,
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<R, StaleFence> {
        match self.newest {
            Some(newest) if fence < newest => Err(StaleFence { fence, newest }),
            _ => {
                self.newest = Some(fence);
                Ok(change(&mut self.value))
            }
        }
    }
}

/// A write came from a holder whose lease is over: a newer one has written.
///
/// ```
/// use leasehold_core::{Fence, FencedResource, StaleFence};
///
/// let mut resource = FencedResource::new(String::new());
/// assert!(resource.write(Fence(2), |text| text.push('b')).is_ok());
/// let late: Result<(), StaleFence> = resource.write(Fence(1), |text| text.push('a'));
/// assert!(late.is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleFence {
    /// The fence of the write.
    pub fence: Fence,
    /// The greatest fence that the resource has seen.
    pub newest: Fence,
}

impl fmt::Display for StaleFence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fence, newest } = self;
        write!(f, "fence {fence} is stale, {newest} has written: the lease is over, stop the work")
    }
}

impl error::Error for StaleFence {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_holder_is_refused_after_a_newer_one_and_changes_nothing() {
        let mut resource = FencedResource::new(0);
        assert_eq!(resource.write(Fence(5), |value| *value = 5), Ok(()));
        assert_eq!(resource.write(Fence(5), |value| *value += 1), Ok(()));
        assert_eq!(resource.write(Fence(9), |value| *value = 9), Ok(()));
        let stale = StaleFence { fence: Fence(5), newest: Fence(9) };
        assert_eq!(resource.write(Fence(5), |value| *value = 5), Err(stale));
        assert_eq!(*resource.value(), 9);
    }
}
