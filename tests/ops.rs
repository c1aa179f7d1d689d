//! `sd-swap ops` against a whole house on loopback: a real sshd and real rsync, a stand-in `ha` and Core before one
//! Supervisor with a memory, shares that are file systems of their own. No output, receipt or argument list may hold the
//! token; every receipt is held to its schema.

#![expect(clippy::disallowed_types, reason = "the program itself, sshd and mounts are started")]

#[path = "ops/bench.rs"]
mod bench;
#[path = "ops/core.rs"]
mod core;
#[path = "ops/deploy.rs"]
mod deploy;
#[path = "ops/diagnose.rs"]
mod diagnose;
#[path = "ops/docs.rs"]
mod docs;
#[path = "ops/ha.rs"]
mod ha;
#[path = "ops/rebuild.rs"]
mod rebuild;
#[path = "ops/schema.rs"]
mod schema;
#[path = "ops/sshd.rs"]
mod sshd;
#[path = "ops/supervisor.rs"]
mod supervisor;
#[path = "ops/sync.rs"]
mod sync;
#[path = "ops/verify.rs"]
mod verify;
