//! Floor 2: where image bytes come from: the releases of Home Assistant OS, the download, the kept image, the file.
//!
//! ```text
//! Catalog::release ─► Release ─► Source ─► fetch ─► Kept (in the Cache) ─► ImageFile::inspect ─► open() ─► bytes of the card
//!                                            └─► Growing ─► ImageStream ──────────────────────────────────┘ meanwhile
//! ```
//!
//! Catalog and fetch are async and belong to the thread that owns the HTTP client; everything else blocks.

pub mod adapters;
pub mod blocks;
pub mod cache;
pub mod catalog;
mod error;
pub mod fetch;
pub mod file;
mod get;
pub mod growing;
mod part;
mod source;
pub mod stream;
mod writer;
mod xz;

pub use error::ImageError;

use crate::domain::pace::Pace;

/// A client for the release server: HTTPS with the built-in roots, HTTP/1.1 (one stream has a connection of its own, so
/// that dropping a download drops its bytes), redirects left to us because they have to keep `Range`.
///
/// To be called on the thread that will use it.
pub fn http_client(pace: &Pace) -> awc::Client {
    // An error says that a provider is installed already, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let connector = awc::Connector::new().timeout(pace.answer).handshake_timeout(pace.answer);
    awc::Client::builder()
        .connector(connector)
        .max_http_version(awc::http::Version::HTTP_11)
        .timeout(pace.answer)
        .disable_redirects()
        .add_default_header((awc::http::header::USER_AGENT, concat!("sd-swap/", env!("CARGO_PKG_VERSION"))))
        .finish()
}
