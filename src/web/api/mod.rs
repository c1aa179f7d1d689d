//! The JSON API (AP-1, AP-2): the fields and statuses of the first plan, and more beside them; `openapi.json` describes it.
//!
//! It speaks English, whatever the pages speak. Errors are JSON, always (AP-3): see [`failure`].

pub mod cancel;
pub mod devices;
pub mod events;
pub mod failure;
pub mod image_cache;
pub mod jobs;
pub mod openapi;
pub mod progress;
pub mod start;
pub mod system;
mod view;

#[cfg(test)]
mod trial;
