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

const FILES: [Asset; 5] = [
    Asset { name: "icon.svg", kind: "image/svg+xml", bytes: include_bytes!("../../static/icon.svg") },
    Asset { name: "style.css", kind: "text/css; charset=utf-8", bytes: include_bytes!("../../static/style.css") },
    Asset { name: "face.js", kind: SCRIPT, bytes: include_bytes!("../../static/face.js") },
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
}
