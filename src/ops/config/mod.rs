//! What the lanes are told: `ops.env` and the environment say where the host is, `ops.toml` what the project wants.

mod env;
mod project;
mod target;
mod token_file;

pub use env::{Pairs, parse};
pub use project::{Bump, Check, Invariant, Project, Publish, Verify};
pub use target::{Place, SECRET_NAMES, Target, Via};
pub use token_file::read_token;
