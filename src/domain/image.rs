//! Which image fits which board, and the digests that tell images apart.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A board that Home Assistant OS publishes an `.img.xz` for. The slug is `/os/info.board` (image-layouts, HA §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Board {
    GenericX86_64,
    GenericAarch64,
    Rpi3_64,
    Rpi4_64,
    Rpi5_64,
    Yellow,
    Green,
    OdroidM1,
    OdroidM1s,
    OdroidN2,
    OdroidC2,
    OdroidC4,
    KhadasVim3,
}

/// Why a board slug cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BoardError {
    #[error("there is no card image for virtual machines (board {0})")]
    Virtual(String),
    #[error("Home Assistant OS ended for this 32-bit board ({0})")]
    Ended(String),
    #[error("unknown board {0:?}; known are {known}", known = Board::slugs())]
    Unknown(String),
}

impl Board {
    pub const ALL: [Board; 13] = [
        Board::GenericX86_64,
        Board::GenericAarch64,
        Board::Rpi3_64,
        Board::Rpi4_64,
        Board::Rpi5_64,
        Board::Yellow,
        Board::Green,
        Board::OdroidM1,
        Board::OdroidM1s,
        Board::OdroidN2,
        Board::OdroidC2,
        Board::OdroidC4,
        Board::KhadasVim3,
    ];

    pub const fn slug(self) -> &'static str {
        match self {
            Board::GenericX86_64 => "generic-x86-64",
            Board::GenericAarch64 => "generic-aarch64",
            Board::Rpi3_64 => "rpi3-64",
            Board::Rpi4_64 => "rpi4-64",
            Board::Rpi5_64 => "rpi5-64",
            Board::Yellow => "yellow",
            Board::Green => "green",
            Board::OdroidM1 => "odroid-m1",
            Board::OdroidM1s => "odroid-m1s",
            Board::OdroidN2 => "odroid-n2",
            Board::OdroidC2 => "odroid-c2",
            Board::OdroidC4 => "odroid-c4",
            Board::KhadasVim3 => "khadas-vim3",
        }
    }

    /// The name people know the board by.
    pub const fn name(self) -> &'static str {
        match self {
            Board::GenericX86_64 => "Generic x86-64 computer",
            Board::GenericAarch64 => "Generic AArch64 computer",
            Board::Rpi3_64 => "Raspberry Pi 3",
            Board::Rpi4_64 => "Raspberry Pi 4",
            Board::Rpi5_64 => "Raspberry Pi 5",
            Board::Yellow => "Home Assistant Yellow",
            Board::Green => "Home Assistant Green",
            Board::OdroidM1 => "ODROID-M1",
            Board::OdroidM1s => "ODROID-M1S",
            Board::OdroidN2 => "ODROID-N2",
            Board::OdroidC2 => "ODROID-C2",
            Board::OdroidC4 => "ODROID-C4",
            Board::KhadasVim3 => "Khadas VIM3",
        }
    }

    fn slugs() -> String {
        Board::ALL.map(Board::slug).join(", ")
    }
}

impl FromStr for Board {
    type Err = BoardError;

    fn from_str(slug: &str) -> Result<Board, BoardError> {
        if let Some(board) = Board::ALL.into_iter().find(|b| b.slug() == slug) {
            return Ok(board);
        }
        Err(match slug {
            "ova" => BoardError::Virtual(slug.into()),
            "rpi" | "rpi0-w" | "rpi2" | "rpi3" | "rpi4" | "tinker" | "odroid-xu4" => BoardError::Ended(slug.into()),
            _ => BoardError::Unknown(slug.into()),
        })
    }
}

impl TryFrom<String> for Board {
    type Error = BoardError;
    fn try_from(slug: String) -> Result<Board, BoardError> {
        slug.parse()
    }
}

impl From<Board> for String {
    fn from(board: Board) -> String {
        board.slug().into()
    }
}

impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A Home Assistant OS version as it stands in URLs: digits, letters, dots and dashes only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OsVersion(String);

impl OsVersion {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A version that has a release of its own: `18.2`, `18.2.rc1`; not `18.2.dev20260101`.
    pub fn is_released(&self) -> bool {
        !self.0.contains("dev")
    }
}

impl FromStr for OsVersion {
    type Err = String;
    fn from_str(text: &str) -> Result<OsVersion, String> {
        let fits = (1..=40).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
            && !text.contains("..");
        fits.then(|| OsVersion(text.into())).ok_or_else(|| format!("{text:?} is not a version; write for example 18.2"))
    }
}

impl TryFrom<String> for OsVersion {
    type Error = String;
    fn try_from(text: String) -> Result<OsVersion, String> {
        text.parse()
    }
}

impl From<OsVersion> for String {
    fn from(version: OsVersion) -> String {
        version.0
    }
}

impl fmt::Display for OsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a board's image among a release's assets: `haos_rpi4-64-18.2.img.xz`.
pub fn asset_name(board: Board, version: &OsVersion) -> String {
    format!("haos_{}-{}.img.xz", board.slug(), version)
}

/// What a name of [`asset_name`] says; `None` for any other.
pub fn parse_asset_name(name: &str) -> Option<(Board, OsVersion)> {
    let rest = name.strip_prefix("haos_")?.strip_suffix(".img.xz")?;
    let version = |board: Board| rest.strip_prefix(board.slug())?.strip_prefix('-')?.parse().ok();
    Board::ALL.into_iter().find_map(|board| Some((board, version(board)?)))
}

/// A SHA-256 digest; written as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl FromStr for Digest {
    type Err = String;
    /// Takes 64 hex digits, with or without the `sha256:` that GitHub puts before them.
    fn from_str(text: &str) -> Result<Digest, String> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|e| format!("{text:?} is not a SHA-256 digest: {e}"))?;
        Ok(Digest(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = String;
    fn try_from(text: String) -> Result<Digest, String> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slug_leads_back_to_its_board() {
        for board in Board::ALL {
            assert_eq!(board.slug().parse(), Ok(board));
            let others = Board::ALL.into_iter().filter(|other| *other != board);
            assert!(board.to_string().len() > 5 && others.into_iter().all(|other| other.name() != board.name()));
        }
        assert!(matches!("ova".parse::<Board>(), Err(BoardError::Virtual(_))));
        assert!(matches!("rpi4".parse::<Board>(), Err(BoardError::Ended(_))));
        assert!(matches!("../x".parse::<Board>(), Err(BoardError::Unknown(_))));
    }

    #[test]
    fn versions_are_safe_in_urls() {
        for good in ["18.2", "9.5", "18.3.rc1", "18.2.dev20260101"] {
            assert!(good.parse::<OsVersion>().is_ok(), "{good}");
        }
        for bad in ["", "latest", "18.2/../..", "18 2", "1..2", "18.2?x", &"1".repeat(41)] {
            assert!(bad.parse::<OsVersion>().is_err(), "{bad}");
        }
        let version: OsVersion = "18.2".parse().unwrap();
        assert_eq!(asset_name(Board::Rpi4_64, &version), "haos_rpi4-64-18.2.img.xz");
        for board in Board::ALL {
            assert_eq!(parse_asset_name(&asset_name(board, &version)), Some((board, version.clone())));
        }
        for other in ["", "haos_.img.xz", "haos_rpi4-64.img.xz", "rpi4-64-18.2.img.xz", "haos_rpi4-64-x.img.xz"] {
            assert_eq!(parse_asset_name(other), None, "{other}");
        }
        assert!(!"18.2.dev1".parse::<OsVersion>().unwrap().is_released());
    }

    #[test]
    fn digests_read_with_and_without_prefix() {
        let digits = "ab".repeat(32);
        assert_eq!(digits.parse(), format!("sha256:{digits}").parse::<Digest>());
        assert!("sha256:abc".parse::<Digest>().is_err());
    }
}
