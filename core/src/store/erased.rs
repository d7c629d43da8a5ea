//! A store whose type is not known.

use alloc::{boxed::Box, sync::Arc};
use core::{fmt, future::Future, pin::Pin};

use super::{Command, Reply, Store, StoreError};
use crate::{lock::LockKeys, subscription::Subscription};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Any [`Store`], behind a shared pointer. The handles hold their store so.
///
/// With it, one function can return stores of several kinds. It costs one allocation for each
/// command.
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use leasehold_core::{DynStore, MemoryStore, Store, lock::Lock};
///
/// fn store() -> DynStore {
///     // … or a Redis, as the environment says …
///     MemoryStore::new().into_dyn()
/// }
///
/// # #[cfg(feature = "tokio")]
/// let lock = Lock::new(store(), "job")?;
/// # }
/// # Ok::<(), leasehold_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct DynStore(Arc<dyn Erased>);

impl DynStore {
    /// `store`, behind a pointer.
    pub(crate) fn new(store: impl Store + Send + Sync + 'static) -> Self {
        Self(Arc::new(store))
    }
}

/// [`Store`] with boxed futures.
trait Erased: Send + Sync {
    fn execute(&self, command: Command) -> BoxFuture<'_, Result<Reply, StoreError>>;
    fn send(&self, command: Command) -> BoxFuture<'_, ()>;
    fn subscribe<'a>(&'a self, keys: &'a LockKeys) -> BoxFuture<'a, Option<Subscription>>;
}

impl<S: Store + Send + Sync> Erased for S {
    fn execute(&self, command: Command) -> BoxFuture<'_, Result<Reply, StoreError>> {
        Box::pin(Store::execute(self, command))
    }

    fn send(&self, command: Command) -> BoxFuture<'_, ()> {
        Box::pin(Store::send(self, command))
    }

    fn subscribe<'a>(&'a self, keys: &'a LockKeys) -> BoxFuture<'a, Option<Subscription>> {
        Box::pin(Store::subscribe(self, keys))
    }
}

impl Store for DynStore {
    fn execute(&self, command: Command) -> impl Future<Output = Result<Reply, StoreError>> + Send {
        self.0.execute(command)
    }

    fn send(&self, command: Command) -> impl Future<Output = ()> + Send {
        self.0.send(command)
    }

    async fn subscribe(&self, keys: &LockKeys) -> Option<Subscription> {
        self.0.subscribe(keys).await
    }

    fn into_dyn(self) -> Self {
        self
    }
}

impl fmt::Debug for DynStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynStore").finish_non_exhaustive()
    }
}
