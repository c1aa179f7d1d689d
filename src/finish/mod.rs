//! Floor 2: the new system's onboarding addresses, asked over HTTP until the home is back. The rules are
//! `domain::finish`.
//!
//! ```text
//! place    what the user named: host and ports
//! client   one exchange: limits, every end told apart; the restore request, open as long as it takes
//! driver   look, follow the rules, ask the user, until the end
//! memory   what is kept in case this program goes away meanwhile
//! mdns     names that end in .local, where the system cannot resolve them
//! ```

mod client;
mod driver;
mod mdns;
mod memory;
mod place;

pub use driver::{Ended, Face, Finishing, Timing, finish};
pub use memory::Memory;
pub use place::{Place, PlaceError};
