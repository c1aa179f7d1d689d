//! The confirm form's fields as they came.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, web};

use crate::domain::secret::Secret;
use crate::web::body;

/// A form has a dozen short fields.
pub const LONGEST_FORM: usize = 16 * 1024;

/// What the user chose; kept when the form comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    pub agree: bool,
    pub size: String,
    pub backup: String,
    pub have_key: bool,
    pub version: String,
    /// Name, addresses and Wi-Fi of this system go along.
    pub network: bool,
    /// The password of its Wi-Fi; never shown again.
    pub wifi: Secret,
    /// A cable will be connected for the first start.
    pub cable: bool,
}

impl Default for Filled {
    fn default() -> Filled {
        Filled {
            agree: false,
            size: String::new(),
            backup: "new".into(),
            have_key: false,
            version: "running".into(),
            network: true,
            wifi: Secret::default(),
            cable: false,
        }
    }
}

impl Filled {
    /// Something in the folded options is not as it is beforehand.
    pub fn has_options(&self) -> bool {
        let usual = Filled::default();
        let mine = (&self.backup, self.have_key, &self.version, self.network);
        mine != (&usual.backup, usual.have_key, &usual.version, usual.network)
    }

    /// Without what confirms, and without a password: those are taken neither from a link nor from a form for another disk.
    pub fn unconfirmed(self) -> Filled {
        Filled { agree: false, size: String::new(), wifi: Secret::default(), ..self }
    }
}

pub struct Sent(HashMap<String, String>);

impl Sent {
    /// Fields past the first sixty-four are nobody's.
    pub fn parse(text: &[u8]) -> Sent {
        let pairs = url::form_urlencoded::parse(text).take(64);
        Sent(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub fn filled(&self) -> Filled {
        let or = |name, usual: &str| match self.get(name) {
            "" => usual.to_string(),
            given => given.chars().take(40).collect(),
        };
        Filled {
            agree: self.get("agree") == "yes",
            size: self.get("size").chars().take(20).collect(),
            backup: or("backup", "new"),
            have_key: self.get("have_key") == "yes",
            version: or("version", "running"),
            // A box that is not ticked sends nothing; the hidden field before it does.
            network: self.get("network") != "no",
            wifi: Secret::new(self.get("wifi").chars().take(100).collect::<String>()),
            cable: self.get("cable") == "yes",
        }
    }
}

pub async fn read(req: &HttpRequest, payload: web::Payload) -> Result<Sent, StatusCode> {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.trim().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    body::read(req, payload, LONGEST_FORM).await.map(|bytes| Sent::parse(&bytes))
}

/// The token of a form without other fields that matter, as the stop page's.
pub async fn token_of(req: &HttpRequest, payload: web::Payload) -> Result<String, StatusCode> {
    read(req, payload).await.map(|sent| sent.get("token").to_string())
}
