//! Stand-ins for everything outside: what `sd-swap demo` and the tests put in the place of a release, a Supervisor, a card.

pub mod image;
mod tools;
