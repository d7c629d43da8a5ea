//! Links only if `leasehold_core` does not bring in `std`, whose panic handler would be a second.
#![no_std]

extern crate leasehold_core;

use core::{
    alloc::{GlobalAlloc, Layout},
    panic::PanicInfo,
    ptr,
};

struct Nothing;

// SAFETY: it never gives memory, so there is none to misuse.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Nothing = Nothing;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// Uses the machine, so that it is compiled into the library.
#[unsafe(no_mangle)]
pub extern "C" fn probe() -> bool {
    leasehold_core::lock::LockConfig::new("", &Default::default()).is_err()
}
