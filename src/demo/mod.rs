//! Stand-ins that speak real HTTP, for `sd-swap demo` and for the tests. The app's own binary is built without them.

pub mod releases;
