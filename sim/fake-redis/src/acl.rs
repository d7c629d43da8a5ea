//! The users of a server: what each may do, and what was denied.

mod commands;
mod log;
mod rules;
mod selector;
mod user;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;

pub(crate) use commands::CATEGORIES;
pub(crate) use log::{Context, Denied, Line, Log, Reason, full_name};
pub(crate) use selector::{Denial, Selector};
pub(crate) use user::User;

/// The name of the user that every session begins as.
pub(crate) const DEFAULT: Bytes = Bytes::from_static(b"default");

/// All users. A server has this only once somebody has changed a user: until then everything is
/// allowed to everybody, and costs nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Acl {
    users: BTreeMap<Bytes, Arc<User>>,
}

impl Acl {
    /// The user `default` alone, who may do everything.
    pub(crate) fn new(default: User) -> Self {
        Self { users: BTreeMap::from([(DEFAULT, Arc::new(default))]) }
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<&Arc<User>> {
        self.users.get(name)
    }

    pub(crate) fn default_user(&self) -> &Arc<User> {
        self.users.get(&DEFAULT).expect("the user default cannot be removed")
    }

    pub(crate) fn set(&mut self, name: Bytes, user: User) {
        self.users.insert(name, Arc::new(user));
    }

    pub(crate) fn remove(&mut self, name: &[u8]) -> bool {
        self.users.remove(name).is_some()
    }

    /// By name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Bytes, &Arc<User>)> {
        self.users.iter()
    }
}
