//! Floor 4, feature `demo`: stand-ins that speak real HTTP on loopback, for `sd-swap demo` and for tests.

pub mod supervisor;
