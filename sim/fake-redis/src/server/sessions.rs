//! The sessions of a server, by their names.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHashMap;

use super::{Session, SessionId};

/// The sessions. A command looks its own up many times, so that this is a table; whoever sees all
/// of them sees them in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sessions(FxHashMap<SessionId, Session>);

impl Sessions {
    pub(super) fn get(&self, id: SessionId) -> Option<&Session> {
        self.0.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.0.get_mut(&id)
    }

    pub(super) fn insert(&mut self, id: SessionId, session: Session) {
        self.0.insert(id, session);
    }

    pub(super) fn remove(&mut self, id: SessionId) -> Option<Session> {
        self.0.remove(&id)
    }

    /// All of them, oldest first. Sorts them: not for a hot path.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        let mut all: Vec<_> = self.0.iter().map(|(id, session)| (*id, session)).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all.into_iter()
    }
}

impl Hash for Sessions {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.0.len());
        self.iter().for_each(|pair| pair.hash(state));
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use foldhash::quality::FixedState;

    use super::*;

    fn sessions(numbers: impl IntoIterator<Item = u64>) -> Sessions {
        let mut sessions = Sessions::default();
        for number in numbers {
            sessions.insert(SessionId(number), Session::default());
        }
        sessions
    }

    #[test]
    fn sessions_come_oldest_first_and_hash_alike_whatever_happened_before() {
        let (up, mut down) = (sessions(1..=100), sessions((1..=200).rev()));
        (101..=200).for_each(|number| drop(down.remove(SessionId(number))));
        let ids: Vec<_> = down.iter().map(|(id, _)| id.number()).collect();
        assert_eq!(ids, Vec::from_iter(1..=100));
        let hash = |sessions: &Sessions| FixedState::default().hash_one(sessions);
        assert_eq!((hash(&up), &up), (hash(&down), &down));
        assert_ne!(hash(&up), hash(&sessions(2..=101)));
    }
}
