//! What waits to be written to one client: bounded, so that a slow reader costs nobody else.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

use crate::{Delivery, Resp};

/// The deliveries for one session.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    inner: Mutex<Inner>,
    /// Whether there is anything to see: mail, or that it is closed.
    flag: AtomicBool,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    deliveries: VecDeque<Delivery>,
    size: usize,
    closed: bool,
}

impl Mailbox {
    /// Adds a delivery, or closes the mailbox if more than `limit` bytes wait in it.
    pub(super) fn put(&self, delivery: Delivery, limit: usize) {
        let mut inner = self.inner();
        if inner.closed {
            return;
        }
        inner.size = inner.size.saturating_add(size_of(&delivery.resp));
        if inner.size > limit {
            inner.deliveries.clear();
            inner.closed = true;
        } else {
            inner.deliveries.push_back(delivery);
        }
        drop(inner);
        self.tell();
    }

    /// The oldest delivery.
    pub(super) fn take(&self) -> Option<Delivery> {
        if !self.flag.load(Ordering::Acquire) {
            return None;
        }
        let mut inner = self.inner();
        let delivery = inner.deliveries.pop_front();
        match &delivery {
            Some(delivery) => inner.size -= size_of(&delivery.resp),
            None => self.flag.store(inner.closed, Ordering::Release),
        }
        delivery
    }

    /// Nothing more will come. What is in it can still be taken.
    pub(super) fn close(&self) {
        self.inner().closed = true;
        self.tell();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.flag.load(Ordering::Acquire) && self.inner().closed
    }

    /// Completes once there is mail, or the mailbox is closed.
    pub(super) async fn ready(&self) {
        while !self.flag.load(Ordering::Acquire) {
            self.changed.notified().await;
        }
    }

    /// Completes once the mailbox is closed.
    pub(super) async fn closed(&self) {
        while !self.is_closed() {
            self.changed.notified().await;
        }
    }

    fn tell(&self) {
        self.flag.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// About how many bytes a reply takes.
fn size_of(resp: &Resp) -> usize {
    let all = |replies: &[Resp]| replies.iter().map(size_of).sum::<usize>();
    let content = match resp {
        Resp::Array(replies) | Resp::Push(replies) | Resp::Set(replies) => all(replies),
        Resp::Entries(pairs) | Resp::Map(pairs) | Resp::Pairs(pairs) => {
            pairs.iter().map(|(left, right)| size_of(left) + size_of(right)).sum()
        }
        Resp::BigNumber(text) | Resp::Bulk(text) | Resp::Double(text) | Resp::Verbatim(text) => {
            text.len()
        }
        Resp::Error(text) | Resp::Simple(text) => text.len(),
        Resp::Boolean(_) | Resp::Integer(_) | Resp::Nil | Resp::NilArray => 0,
    };
    content + std::mem::size_of::<Resp>()
}
