//! Stand-ins that speak real HTTP, for `sd-swap demo` and for the tests. The app's own binary is built without them.

pub mod releases;
//! Floor 4, feature `demo`: stand-ins that speak real HTTP on loopback, for `sd-swap demo` and for tests.

pub mod supervisor;
