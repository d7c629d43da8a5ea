//! What the fuzz targets do, as ordinary functions.

mod bytes;
mod commands;
mod lua;
mod reply;
mod requests;
mod token;
mod world;

#[cfg(test)]
mod noise;

pub use commands::commands;
pub use lua::lua;
pub use reply::reply;
pub use requests::{resp, rest};
pub use token::token;
pub use world::world;
