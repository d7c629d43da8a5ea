//! What the fuzz targets do, as ordinary functions.

mod bytes;
mod reply;

pub use reply::reply;
