//! Which tasks of a process are ready, in the order in which they became so.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
    thread::{self, ThreadId},
};

/// A queue without duplicates.
#[derive(Debug)]
pub(crate) struct Ready {
    queue: Mutex<VecDeque<usize>>,
    thread: ThreadId,
    woken_from_outside: AtomicBool,
}

impl Default for Ready {
    fn default() -> Self {
        let thread = thread::current().id();
        Self { queue: Mutex::default(), thread, woken_from_outside: AtomicBool::new(false) }
    }
}

impl Ready {
    pub(crate) fn push(&self, task: usize) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if !queue.contains(&task) {
            queue.push_back(task);
        }
    }

    /// Takes the one at this place in line.
    pub(crate) fn take(&self, place: usize) -> Option<usize> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).remove(place)
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether another thread has woken one of the tasks.
    pub(crate) fn woken_from_outside(&self) -> bool {
        self.woken_from_outside.load(Ordering::Relaxed)
    }

    /// What wakes `task`.
    pub(crate) fn waker(self: &Arc<Self>, task: usize) -> Waker {
        Waker::from(Arc::new(TaskWaker { ready: self.clone(), task }))
    }
}

struct TaskWaker {
    ready: Arc<Ready>,
    task: usize,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if thread::current().id() != self.ready.thread {
            self.ready.woken_from_outside.store(true, Ordering::Relaxed);
        }
        self.ready.push(self.task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_stands_in_line_once_and_a_wake_from_another_thread_is_noticed() {
        let ready = Arc::new(Ready::default());
        for task in [2, 0, 2] {
            ready.waker(task).wake();
        }
        assert_eq!((ready.len(), ready.take(0), ready.take(0)), (2, Some(2), Some(0)));
        assert!(!ready.woken_from_outside());
        let waker = ready.waker(1);
        thread::spawn(move || waker.wake()).join().unwrap();
        assert!(ready.woken_from_outside());
    }
}
