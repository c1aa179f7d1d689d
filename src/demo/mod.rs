//! Stand-ins that speak real HTTP, and small but true images: for `sd-swap demo` and for the tests. The app's own binary
//! is built without them.

pub mod core;
pub mod image;
pub mod page;
pub mod releases;
pub mod stage;
pub mod supervisor;
mod tools;
