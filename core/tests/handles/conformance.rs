//! `MemoryStore` passes the suite that every store must pass, on a clock that the suite moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use leasehold_core::{Instant, MemoryStore, conformance::Fixture};

type Time = Box<dyn Fn() -> Instant + Send + Sync>;

struct InMemory {
    store: Arc<MemoryStore<Time>>,
    micros: Arc<AtomicU64>,
}

impl InMemory {
    fn new() -> Self {
        let micros = Arc::new(AtomicU64::new(1));
        let clock = micros.clone();
        let time: Time = Box::new(move || Instant::from_micros(clock.load(Ordering::Relaxed)));
        Self { store: Arc::new(MemoryStore::with_time(time)), micros }
    }
}

impl Fixture for InMemory {
    type Store = Arc<MemoryStore<Time>>;

    fn store(&self) -> Self::Store {
        self.store.clone()
    }

    async fn pass(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).expect("a case waits for seconds");
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn is_exact(&self) -> bool {
        true
    }
}

leasehold_core::store_conformance! {
    run: |case| {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime without drivers")
            .block_on(case)
    },
    fixture: async { Some(InMemory::new()) },
}
