//! The `leasehold` command.

/// The fake Redis allocates often, and little at a time.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    leasehold_sim::cli::run()
}
