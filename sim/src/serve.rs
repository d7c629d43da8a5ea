//! The fake Redis on sockets, with faults and a clock to order.

pub mod clock;
pub mod faults;
pub mod rest;
mod span;
