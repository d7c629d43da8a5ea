//! What a lease has to do with the line of its process.

#[cfg(feature = "std")]
use super::room::Place;
use crate::time::Instant;

/// The first place in line, if the lease stood in one. Dropping it lets the next one try.
#[derive(Default)]
pub(super) struct Tenure(Option<Place>);

/// There is no line.
#[cfg(not(feature = "std"))]
enum Place {}

#[cfg(not(feature = "std"))]
impl Place {
    fn holds_until(&self, _deadline: Instant) {
        match *self {}
    }
}

impl Tenure {
    #[cfg(feature = "std")]
    pub(super) fn of(place: Option<Place>) -> Self {
        Self(place)
    }

    /// The lock is held until `deadline`; without one, it is no more.
    pub(super) fn follow(&mut self, deadline: Option<Instant>) {
        match (&self.0, deadline) {
            (Some(place), Some(deadline)) => place.holds_until(deadline),
            _ => self.0 = None,
        }
    }
}
