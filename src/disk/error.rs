//! What goes wrong while a card is made. Texts say what was being done; `source()` says why it failed.

use std::io;

use crate::domain::layout::{GrowError, TableError};
use crate::domain::size::Bytes;
use crate::host::HostError;

#[derive(Debug, thiserror::Error)]
pub enum CardError {
    #[error("stopped")]
    Stopped,
    #[error("the card was pulled out")]
    Gone,
    #[error("claiming the card")]
    Claim(#[source] HostError),
    #[error("what is plugged in is not what was confirmed")]
    Changed,
    #[error("reading the card at {at}")]
    Read { at: Bytes, source: io::Error },
    #[error("writing the card at {at}")]
    Write { at: Bytes, source: io::Error },
    #[error("flushing the card")]
    Flush(#[source] io::Error),
    #[error("data came back wrong after {after}")]
    Counterfeit { after: Bytes },
    #[error("{places} blocks read back differently, the first at {first}: {looks_like}")]
    Unreliable { places: u64, first: Bytes, looks_like: &'static str },
    #[error("reading the image")]
    Image(#[source] io::Error),
    #[error("the image needs {image}, the card holds {card}")]
    TooSmall { image: Bytes, card: Bytes },
    #[error("reading the partition table of the image")]
    Table(#[source] TableError),
    #[error("the image's data partition {0}")]
    Data(String),
    #[error("the image's overlay partition {0}")]
    Overlay(String),
    #[error("planning the larger partition")]
    Plan(#[source] GrowError),
    #[error("running a tool on the card")]
    Tool(#[source] HostError),
    #[error("{tool} ended with status {code}: {said}")]
    ToolSaid { tool: &'static str, code: i32, said: String },
    #[error("the backup needs {need}, the card has {free} free")]
    NoRoom { need: Bytes, free: Bytes },
    #[error("reading the backup file")]
    Backup(#[source] io::Error),
    #[error("the last check: {0}")]
    LastCheck(String),
}

impl CardError {
    /// What a tool said last, short enough for a line.
    pub fn tool_said(tool: &'static str, code: i32, output: &str) -> CardError {
        let last = output.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("nothing");
        CardError::ToolSaid { tool, code, said: last.chars().take(200).collect() }
    }
}
