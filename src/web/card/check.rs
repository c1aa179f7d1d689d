//! What is wrong with the answers; in the order of the page.

use super::backups;
use super::network;
use super::page::CardPage;
use crate::domain::carry::Carry;
use crate::domain::confirm::{Printed, printed_size};
use crate::domain::job::{BackupChoice, ImageChoice};
use crate::domain::size::Bytes;
use crate::domain::system::SystemView;

/// The field that an error belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Agree,
    Size,
    Wifi,
    Backup,
    HaveKey,
    Version,
}

impl Field {
    /// What a link of the summary leads to.
    pub const fn id(self) -> &'static str {
        match self {
            Field::Agree => "agree",
            Field::Size => "size",
            Field::Wifi => "wifi",
            Field::Backup => "backup",
            Field::HaveKey => "have_key",
            Field::Version => "version",
        }
    }

    /// Among the folded options.
    pub const fn is_option(self) -> bool {
        matches!(self, Field::Backup | Field::HaveKey | Field::Version)
    }
}

/// What is said at each field.
#[derive(Default)]
pub struct Mistakes {
    pub agree: Option<String>,
    pub size: Option<String>,
    pub wifi: Option<String>,
    pub backup: Option<String>,
    pub have_key: Option<String>,
    pub version: Option<String>,
}

impl Mistakes {
    pub fn note(&mut self, field: Field, text: String) {
        let place = match field {
            Field::Agree => &mut self.agree,
            Field::Size => &mut self.size,
            Field::Wifi => &mut self.wifi,
            Field::Backup => &mut self.backup,
            Field::HaveKey => &mut self.have_key,
            Field::Version => &mut self.version,
        };
        *place = Some(text);
    }
}

/// What was chosen, or mistakes on the page.
pub fn check(page: &mut CardPage, size: Bytes, system: &SystemView) -> Option<(BackupChoice, ImageChoice, Carry)> {
    let t = page.shell.t;
    if !page.filled.agree {
        page.mistake(Field::Agree, t.say("card-error-agree"));
    }
    if page.asks_size {
        check_size(page, size);
    }
    let carry = network::chosen(page, system);
    let backup = match backups::chosen(&page.filled, system) {
        Ok(backup) => Some(backup),
        Err((field, key)) => {
            page.mistake(field, t.say(key));
            None
        }
    };
    let image = match page.filled.version.as_str() {
        "running" => Some(ImageChoice::Running),
        "latest" => Some(ImageChoice::Latest),
        _ => {
            page.mistake(Field::Version, t.say("card-error-version"));
            None
        }
    };
    let chosen = backup.zip(image).map(|(backup, image)| (backup, image, carry));
    chosen.filter(|_| page.summary.is_empty())
}

fn check_size(page: &mut CardPage, size: Bytes) {
    let t = page.shell.t;
    match printed_size(&page.filled.size, size) {
        Printed::Fits => {}
        Printed::NotANumber => page.mistake(Field::Size, t.say("card-error-size")),
        Printed::Differs => {
            let typed = page.filled.size.trim();
            let unit = if typed.ends_with(|c: char| c.is_ascii_digit()) { " GB" } else { "" };
            let text = t.with("card-error-other-size", "size", format!("{typed}{unit}"));
            page.mistake(Field::Size, text);
        }
    }
}
