//! What the benchmarks run: each workload is a plain function, so that it can be tested.
//!
//! `cargo bench -p leasehold-benches` runs them all. Each prints its ratio to a floor or a peer
//! that was measured in the same run; compare ratios, not numbers from two machines.
//!
//! | bench | question |
//! |---|---|
//! | `machines` | what does one step of the lock's machine cost? |
//! | `contention` | how many acquisitions a second, beside the bare `DashMap`? |
//! | `fake` | what does one command cost on the fake Redis, beside a bare map? |
//! | `remembered` | what does the admin endpoint cost, by the type of the data that is written? |
//! | `served` | how much of a real server's throughput has the served fake, and at what memory? |
//! | `simulator` | how many simulated messages a second, beside tokio's paused clock? |
//! | `stores` | what does a lock cost over a connection, beside bare round trips? |

#![forbid(unsafe_code)]

pub mod contention;
pub mod fake;
pub mod remembered;
pub mod served;
pub mod servers;
pub mod stores;
pub mod tokio_paused;
pub mod walks;

/// That of the command `leasehold`: for `remembered`, `served` and `stores`, this program is the
/// server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
