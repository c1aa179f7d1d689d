//! A QR code as one path of an SVG.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};

/// Modules of white around it, as the standard asks for.
const QUIET: i32 = 4;

/// Drawn on a square of `size` units.
pub struct Qr {
    pub size: i32,
    pub path: String,
}

impl Qr {
    /// `None` where the text is longer than any code holds.
    pub fn of(text: &str) -> Option<Qr> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let mut path = String::new();
        for y in 0..code.size() {
            let mut x = 0;
            while x < code.size() {
                let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count() as i32;
                if run > 0 {
                    // Writing to a string cannot fail.
                    let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
                }
                x += run.max(1);
            }
        }
        Some(Qr { size: code.size() + 2 * QUIET, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills a grid as a browser fills the path.
    fn drawn(qr: &Qr) -> Vec<(i32, i32)> {
        let mut dark = Vec::new();
        for run in qr.path.split('M').skip(1) {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (x, y): (i32, i32) = (x.parse().unwrap(), y.parse().unwrap());
            let length: i32 = rest.split_once('v').unwrap().0.parse().unwrap();
            assert_eq!(rest, format!("{length}v1h-{length}z"));
            dark.extend((x..x + length).map(|x| (x, y)));
        }
        dark
    }

    #[test]
    fn every_dark_module_is_drawn_once_inside_the_quiet_zone() {
        let text = "http://192.168.1.42:8123/_my_redirect/supervisor_ingress?addon=0123abcd_sd_swap";
        let (qr, code) = (Qr::of(text).unwrap(), QrCode::encode_text(text, QrCodeEcc::Medium).unwrap());
        assert_eq!(qr.size, code.size() + 8);
        let all = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
        let want: Vec<_> = all.filter(|(x, y)| code.get_module(*x, *y)).map(|(x, y)| (x + 4, y + 4)).collect();
        assert_eq!(drawn(&qr), want);
    }

    #[test]
    fn what_no_code_holds_gets_none() {
        assert!(Qr::of(&"x".repeat(4000)).is_none());
    }
}
