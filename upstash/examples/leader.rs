//! A leader whose writes to a database are fenced, so that one that was paused cannot undo what its
//! successor did.
//!
//! The database keeps with each row the fence of its last writer, and the statement checks it:
//!
//! ```sql
//! UPDATE settings SET value = $2, fence = $3 WHERE name = $1 AND fence <= $3;
//! ```
//!
//! No row changed means that there is a newer leader. The statement is the same in PostgreSQL, where
//! `fence` is a `bigint`; here it is SQLite.
//!
//! ```sh
//! REDIS_URL=redis://127.0.0.1:6379 cargo run -p leasehold-upstash --example leader
//! ```
//!
//! It plays a leader that stalls for longer than its lease, and its successor, and ends.

mod environment;

use std::{error::Error, time::Duration};

use leasehold_core::{
    Fence,
    lock::{Lock, LockOptions},
};
use rusqlite::{Connection, params};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = environment::store()?;
    let database = Database::open()?;
    let election = format!("demo-leader-{}", std::process::id());
    // Short, so that there is little to wait for. Ten seconds are more usual.
    let options = LockOptions::new().lease(Duration::from_secs(1));

    let first = Lock::with_options(store.clone(), &election, &options)?;
    let stalled = first.acquire().await?;
    database.lead("the first leader", "10", stalled.fence())?;

    // It stalls, as in a long garbage collection, and nothing renews its lease.
    let second = Lock::with_options(store, &election, &options)?;
    let mut lease = second.acquire().within(Duration::from_secs(10)).await?;
    database.lead("the second leader", "20", lease.fence())?;

    // It comes to itself, and does not look at the clock.
    database.lead("the first leader", "11", stalled.fence())?;
    println!("the rate is {}", database.rate()?);
    lease.release().await?;
    Ok(())
}

/// What the leaders write to.
struct Database(Connection);

impl Database {
    fn open() -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(
            "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL, fence INTEGER NOT NULL);
             INSERT INTO settings VALUES ('rate', '0', 0);",
        )?;
        Ok(Self(connection))
    }

    /// Sets the rate, unless a newer leader has.
    fn lead(&self, leader: &str, rate: &str, fence: Fence) -> rusqlite::Result<()> {
        let changed = self.0.execute(
            "UPDATE settings SET value = ?2, fence = ?3 WHERE name = ?1 AND fence <= ?3",
            // A fence is a time in µs, far below 2^63.
            params!["rate", rate, fence.0.cast_signed()],
        )?;
        match changed {
            0 => println!("{leader} is refused: there is a newer one"),
            _ => println!("{leader} sets the rate to {rate}"),
        }
        Ok(())
    }

    fn rate(&self) -> rusqlite::Result<String> {
        self.0.query_row("SELECT value FROM settings WHERE name = 'rate'", [], |row| row.get(0))
    }
}
