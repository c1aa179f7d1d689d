//! `sd-swap ops check`, `bump` and `publish` on real repositories: a project with an app in a folder, and a bare remote.
//! Every receipt is held to its schema.

#![expect(clippy::disallowed_types, reason = "the program itself and git are started")]

#[path = "ops_publish/bump.rs"]
mod bump;
#[path = "ops_publish/check.rs"]
mod check;
#[path = "ops_publish/house.rs"]
mod house;
#[path = "ops_publish/publish.rs"]
mod publish;
#[path = "ops_publish/refused.rs"]
mod refused;
#[path = "ops/schema.rs"]
mod schema;
