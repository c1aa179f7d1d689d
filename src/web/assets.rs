//! The static files, inside the program, under names that change with their content and are cached for ever.

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use sha2::{Digest, Sha256};

use super::error;

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

const FILES: [Asset; 7] = [
    Asset { name: "icon.svg", kind: "image/svg+xml", bytes: include_bytes!("../../static/icon.svg") },
    Asset { name: "style.css", kind: "text/css; charset=utf-8", bytes: include_bytes!("../../static/style.css") },
    Asset { name: "face.js", kind: SCRIPT, bytes: include_bytes!("../../static/face.js") },
    Asset { name: "finish.js", kind: SCRIPT, bytes: include_bytes!("../../static/finish.js") },
    Asset { name: "swap.js", kind: SCRIPT, bytes: include_bytes!("../../static/swap.js") },
    Asset { name: "htmx.min.js", kind: SCRIPT, bytes: include_bytes!("../../static/htmx.min.js") },
    Asset { name: "sse.min.js", kind: SCRIPT, bytes: include_bytes!("../../static/sse.min.js") },
];

/// The hashed name of each file, in the order of [`FILES`].
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| FILES.iter().map(hashed_name).collect());

fn hashed_name(asset: &Asset) -> String {
    let digest = hex::encode(Sha256::digest(asset.bytes));
    let short = digest.get(..12).unwrap_or(&digest);
    match asset.name.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}.{short}.{ending}"),
        None => format!("{}.{short}", asset.name),
    }
}

/// `style.css` → `style.0123456789ab.css`
pub fn hashed(name: &str) -> &str {
    let known = FILES.iter().zip(NAMES.iter()).find(|(asset, _)| asset.name == name);
    known.map_or(name, |(_, hashed)| hashed.as_str())
}

pub async fn get(req: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let found = FILES.iter().zip(NAMES.iter()).find(|(_, hashed)| **hashed == *name);
    let Some((asset, _)) = found else { return error::not_found(&req) };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, asset.kind))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(asset.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_is_what_was_published() {
        let note = include_str!("../../static/VENDORED.md");
        for name in ["htmx.min.js", "sse.min.js"] {
            let asset = FILES.iter().find(|a| a.name == name).unwrap();
            let line = note.lines().find(|line| line.starts_with(&format!("| `{name}`"))).unwrap();
            let digest = hex::encode(Sha256::digest(asset.bytes));
            assert!(line.contains(&format!("`{digest}`")), "{name} is {digest}, noted is: {line}");
        }
    }

    #[test]
    fn names_carry_their_content() {
        let name = hashed("style.css");
        assert!(name.starts_with("style.") && name.ends_with(".css") && name.len() == "style..css".len() + 12);
        assert_eq!(hashed("nothing.js"), "nothing.js");
    }

    #[test]
    fn our_script_is_small_and_speaks_es5() {
        let asset = FILES.iter().find(|a| a.name == "face.js").unwrap();
        assert!(asset.bytes.len() <= 3 * 1024, "{} bytes", asset.bytes.len());
        let text = std::str::from_utf8(asset.bytes).unwrap();
        for newer in ["=>", "let ", "const ", "`", "?.", "async ", "class "] {
            assert!(!text.contains(newer), "{newer:?} is not ES5");
        }
    }

    /// The style's tokens as `--name: #rrggbb`, of the first or of the last block that sets them.
    fn tokens(dark: bool) -> std::collections::BTreeMap<String, [u8; 3]> {
        let style = include_str!("../../static/style.css");
        let blocks: Vec<&str> = style.split('{').filter(|block| block.contains("--on-danger:")).collect();
        assert_eq!(blocks.len(), 3, "light, dark by the system, dark by the window around");
        assert_eq!(
            blocks[1].split('}').next().map(str::split_whitespace).map(Vec::from_iter),
            blocks[2].split('}').next().map(str::split_whitespace).map(Vec::from_iter),
            "both are the same dark"
        );
        let block = if dark { blocks[2] } else { blocks[0] };
        let pairs =
            block.split('}').next().unwrap_or_default().split(';').filter_map(|line| line.trim().split_once(": #"));
        let colour = |hex: &str| <[u8; 3]>::try_from(hex::decode(hex).unwrap()).unwrap();
        pairs.map(|(name, hex)| (name.trim_start_matches("--").to_string(), colour(hex))).collect()
    }

    /// WCAG 2.2, "contrast ratio".
    fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
        let light = |colour: [u8; 3]| {
            let part = |value: u8| {
                let value = f64::from(value) / 255.0;
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            let [r, g, b] = colour.map(part);
            0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
        };
        let (one, other) = (light(one), light(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn colours_keep_their_contrast_in_both_themes() {
        let text = [
            ("ink", "bg"),
            ("ink", "card"),
            ("dim", "bg"),
            ("dim", "card"),
            ("accent", "bg"),
            ("accent", "card"),
            ("on-accent", "accent"),
            ("danger", "bg"),
            ("danger", "card"),
            ("on-danger", "danger"),
            ("ink", "accent-soft"),
            ("ink", "danger-soft"),
            ("ink", "warn-soft"),
            ("ink", "ok-soft"),
            ("accent", "accent-soft"),
            ("accent", "danger-soft"),
            ("accent", "warn-soft"),
            ("accent", "ok-soft"),
            ("warn", "warn-soft"),
            ("ok", "ok-soft"),
            ("danger", "danger-soft"),
        ];
        let shapes =
            [("edge", "bg"), ("edge", "card"), ("accent", "track"), ("warn", "bg"), ("ok", "bg"), ("ok", "card")];
        for dark in [false, true] {
            let tokens = tokens(dark);
            assert_eq!(tokens.len(), 17, "{tokens:?}");
            let pairs = text.iter().map(|pair| (pair, 4.5)).chain(shapes.iter().map(|pair| (pair, 3.0)));
            for ((one, other), least) in pairs {
                let found = contrast(tokens[*one], tokens[*other]);
                assert!(found >= least, "{one} on {other}, dark {dark}: {found:.2}");
            }
        }
    }
}
