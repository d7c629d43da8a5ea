//! A fixture and a case without their types, so that the suite is compiled once, and not for each store.

use std::{boxed::Box, future::Future, pin::Pin, time::Duration};

use super::{Fixture, Foreign};
use crate::store::{DynStore, Store};

/// One case under way.
pub type Case<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// [`Fixture`], behind a pointer.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "nobody prints it")]
pub struct DynFixture<'a>(&'a dyn Erased);

trait Erased {
    fn store(&self) -> DynStore;
    fn pass(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + '_>>;
    fn is_exact(&self) -> bool;
    fn locks_any_id(&self) -> bool;
    fn forget_scripts(&self) -> Pin<Box<dyn Future<Output = bool> + '_>>;
    fn write_foreign<'a>(
        &'a self,
        key: &'a str,
        value: Foreign,
    ) -> Pin<Box<dyn Future<Output = bool> + 'a>>;
}

impl<F: Fixture> Erased for F {
    fn store(&self) -> DynStore {
        Fixture::store(self).into_dyn()
    }

    fn pass(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(Fixture::pass(self, time))
    }

    fn is_exact(&self) -> bool {
        Fixture::is_exact(self)
    }

    fn locks_any_id(&self) -> bool {
        Fixture::locks_any_id(self)
    }

    fn forget_scripts(&self) -> Pin<Box<dyn Future<Output = bool> + '_>> {
        Box::pin(Fixture::forget_scripts(self))
    }

    fn write_foreign<'a>(
        &'a self,
        key: &'a str,
        value: Foreign,
    ) -> Pin<Box<dyn Future<Output = bool> + 'a>> {
        Box::pin(Fixture::write_foreign(self, key, value))
    }
}

impl<'a> DynFixture<'a> {
    pub(super) fn new(fixture: &'a impl Fixture) -> Self {
        Self(fixture)
    }

    pub(super) fn store(self) -> DynStore {
        self.0.store()
    }

    pub(super) async fn pass(self, time: Duration) {
        self.0.pass(time).await;
    }

    pub(super) fn is_exact(self) -> bool {
        self.0.is_exact()
    }

    pub(super) fn locks_any_id(self) -> bool {
        self.0.locks_any_id()
    }

    pub(super) async fn forget_scripts(self) -> bool {
        self.0.forget_scripts().await
    }

    pub(super) async fn write_foreign(self, key: &str, value: Foreign) -> bool {
        self.0.write_foreign(key, value).await
    }
}
