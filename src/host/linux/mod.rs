//! The real machine. The only home of `nix`, `unsafe` and child processes.

pub mod plug;
pub mod scan;
pub mod sysfs;
pub mod uevents;
pub mod under;
