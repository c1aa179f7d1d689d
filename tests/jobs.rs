//! Jobs through the conductor, with a stand-in Supervisor, a stand-in release server and scratch cards: started, refused,
//! stopped in each stage, interrupted, and what is remembered of them.

#![expect(clippy::disallowed_types, reason = "a full disk is made with mount")]

#[path = "support/small.rs"]
mod small;
#[path = "support/watched.rs"]
mod watched;

#[path = "jobs/backups.rs"]
mod backups;
#[path = "jobs/carry.rs"]
mod carry;
#[path = "jobs/house.rs"]
mod house;
#[path = "jobs/images.rs"]
mod images;
#[path = "jobs/ledger.rs"]
mod ledger;
#[path = "jobs/own_backup.rs"]
mod own_backup;
#[path = "jobs/start.rs"]
mod start;
#[path = "jobs/stop.rs"]
mod stop;
