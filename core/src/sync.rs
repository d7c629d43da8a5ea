//! The system's locks, for files that a test also compiles over the locks of a scheduler.

#[cfg(feature = "memory")]
pub(crate) use std::sync::atomic::{AtomicUsize, Ordering};
pub(crate) use std::sync::{Arc, Mutex, MutexGuard};
