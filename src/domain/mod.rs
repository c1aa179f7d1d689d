//! Floor 1: words. Data and rules; no I/O, no async, no clock.

pub mod backoff;
pub mod backup;
pub mod carry;
pub mod causes;
pub mod certificate;
pub mod chance;
pub mod confirm;
pub mod disk;
pub mod estimate;
pub mod ext4;
pub mod finish;
pub mod image;
pub mod job;
pub mod layout;
pub mod network;
pub mod pace;
pub mod problem;
pub mod progress;
pub mod secret;
pub mod size;
pub mod stage;
pub mod system;
