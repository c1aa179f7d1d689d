//! The client of the Supervisor's API, against recorded exchanges and against the stand-in with everything that can go
//! wrong (BK-1…BK-7).

#![cfg(feature = "demo")]

#[path = "supervisor/faults.rs"]
mod faults;
#[path = "supervisor/recorded.rs"]
mod recorded;
#[path = "supervisor/replay.rs"]
mod replay;
#[path = "supervisor/standin.rs"]
mod standin;
