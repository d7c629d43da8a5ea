//! An interrupt from the keyboard ends long work with what is known by then.

use std::{
    io::{self, Write},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use super::Failure;

/// The status of a command that was interrupted, as a shell tells it.
pub(super) const STATUS: u8 = 130;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on the first interrupt is noted, and the second ends the process at once.
pub(super) fn watch() -> Result<(), Failure> {
    let refusal = |error: io::Error| Failure::Use(format!("cannot listen for signals: {error}"));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refusal)?;
    let listening = runtime.enter();
    let mut interrupts = interrupts().map_err(refusal)?;
    drop(listening);
    thread::spawn(move || {
        runtime.block_on(async {
            interrupts.recv().await;
            INTERRUPTED.store(true, Ordering::Relaxed);
            // Nobody may be there to read it.
            let _ = writeln!(
                io::stderr(),
                "\ninterrupted: what is known so far follows; a second interrupt ends at once"
            );
            interrupts.recv().await;
            std::process::exit(STATUS.into());
        });
    });
    Ok(())
}

/// Whether there was one.
pub(super) fn happened() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

#[cfg(unix)]
fn interrupts() -> io::Result<tokio::signal::unix::Signal> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
}

#[cfg(windows)]
fn interrupts() -> io::Result<tokio::signal::windows::CtrlC> {
    tokio::signal::windows::ctrl_c()
}
