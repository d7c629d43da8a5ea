//! A guide, as pages of documentation: nothing here is code.
//!
//! * [`test_your_code`]: your own code in the simulated cluster, and what to do when it fails.
//! * [`how_it_works`]: what is simulated, what a verdict means, what is claimed, and what is left out.
//!
//! Which lock to take, and how to operate it, is in the
//! [guide of `leasehold-core`](https://docs.rs/leasehold-core/latest/leasehold_core/guide/).

#[doc = include_str!("guide/how_it_works.md")]
pub mod how_it_works {}

#[doc = include_str!("guide/test_your_code.md")]
pub mod test_your_code {}
