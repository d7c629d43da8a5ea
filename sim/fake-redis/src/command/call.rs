//! What a command's code is given, and what it is read and changed through.

use std::sync::Arc;

use bytes::Bytes;

use super::{Refusal, Table};
use crate::{Entry, Fields, Items, Keyspace, Members, Redis, SortedSet, Stream, Value};

/// One run of a command.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) redis: &'a mut Redis,
    /// The server's wall clock in microseconds since the Unix epoch. Frozen inside a script.
    pub(crate) now_us: u64,
    pub(crate) origin: Origin,
    /// Every command, for those that run others or tell of them.
    pub(crate) table: &'static Table,
}

/// Who runs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Client,
    Script,
    /// The server, for a client that has waited.
    Wait,
}

/// A type of data with parts. All but streams are removed when they become empty.
pub(crate) trait Collection: Clone + Default {
    fn of(value: &Value) -> Option<&Self>;
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    fn into_value(self) -> Value;
    fn is_void(&self) -> bool;
}

macro_rules! collections {
    ($($type:ty: $variant:ident),* $(,)?) => {$(
        impl Collection for $type {
            fn of(value: &Value) -> Option<&Self> {
                if let Value::$variant(this) = value { Some(this) } else { None }
            }

            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                if let Value::$variant(this) = value { Some(Arc::make_mut(this)) } else { None }
            }

            fn into_value(self) -> Value {
                Value::$variant(self.into())
            }

            fn is_void(&self) -> bool {
                self.is_empty()
            }
        }
    )*};
}

collections! {
    Fields: Hash,
    Items: List,
    Members: Set,
    SortedSet: SortedSet,
}

impl Collection for Stream {
    fn of(value: &Value) -> Option<&Self> {
        if let Value::Stream(this) = value { Some(this) } else { None }
    }

    fn of_mut(value: &mut Value) -> Option<&mut Self> {
        if let Value::Stream(this) = value { Some(Arc::make_mut(this)) } else { None }
    }

    fn into_value(self) -> Value {
        Value::Stream(self.into())
    }

    fn is_void(&self) -> bool {
        false
    }
}

impl Call<'_> {
    /// The server's wall clock in milliseconds since the Unix epoch.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_us / 1_000
    }

    pub(crate) fn keys(&mut self) -> &mut Keyspace {
        &mut self.redis.keyspace
    }

    pub(crate) fn entry(&self, key: &[u8]) -> Option<&Entry> {
        self.redis.keyspace.peek(self.now_ms(), key)
    }

    /// The string under `key`.
    pub(crate) fn string(&self, key: &[u8]) -> Result<Option<&Bytes>, Refusal> {
        match self.entry(key).map(|entry| &entry.value) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::WRONG_TYPE),
        }
    }

    /// The collection under `key`.
    pub(crate) fn read<T: Collection>(&self, key: &[u8]) -> Result<Option<&T>, Refusal> {
        match self.entry(key) {
            None => Ok(None),
            Some(entry) => T::of(&entry.value).map(Some).ok_or(Refusal::WRONG_TYPE),
        }
    }

    /// Changes the collection under `key`. An absent one is empty, and one that is left empty is
    /// removed with its key.
    pub(crate) fn change<T: Collection, R>(
        &mut self,
        key: &Bytes,
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<R, Refusal> {
        self.change_and(true, key, change)
    }

    /// The same, but no change for whoever watches the key, unless it is new.
    pub(crate) fn change_unnoticed<T: Collection, R>(
        &mut self,
        key: &Bytes,
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<R, Refusal> {
        self.change_and(false, key, change)
    }

    fn change_and<T: Collection, R>(
        &mut self,
        noticed: bool,
        key: &Bytes,
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<R, Refusal> {
        if self.read::<T>(key)?.is_none() {
            return Ok(self.begin(key, change));
        }
        let now_ms = self.now_ms();
        let typed =
            |entry: &mut Entry| T::of_mut(&mut entry.value).map(change).ok_or(Refusal::WRONG_TYPE);
        let result = if noticed {
            self.keys().modify(now_ms, key, typed)
        } else {
            self.keys().modify_unnoticed(now_ms, key, typed)
        };
        result.unwrap_or(Err(Refusal::WRONG_TYPE))
    }

    /// Puts a collection under a key that has none.
    fn begin<T: Collection, R>(&mut self, key: &Bytes, change: impl FnOnce(&mut T) -> R) -> R {
        let mut new = T::default();
        let result = change(&mut new);
        if !new.is_void() {
            let entry = Entry { value: new.into_value(), expires_at_ms: None };
            self.keys().set_entry(key.clone(), Some(entry));
        }
        result
    }
}
