//! Headers with things in them that nobody should believe, and that no page should show.

use crate::house::Alone;
use crate::wire::{each, get_with, post};

/// In each made-up value: it may be found nowhere.
const MARK: &str = "zq7x";

const VALUES: [&str; 14] = [
    "//zq7x.example/",
    "https://zq7x.example/",
    "/api/hassio_ingress/T\"><script>zq7x</script>",
    "'><img src=x onerror=zq7x>",
    "javascript:zq7x",
    "data:text/html,zq7x",
    "{{zq7x}}{%zq7x%}${zq7x}",
    "../../zq7x",
    "/zq7x/../../",
    "\\\\zq7x\\share",
    "zq7x%0d%0aSet-Cookie:%20zq7x=1",
    "zq7x\tzq7x",
    "<zq7x>,zq7x;q=zq7x",
    "\u{fc}zq7x\u{202e}",
];

const NAMES: [&str; 17] = [
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Prefix",
    "X-Real-IP",
    "Forwarded",
    "X-Ingress-Path",
    "X-Hass-Source",
    "X-Remote-User-Id",
    "X-Remote-User-Name",
    "X-Remote-User-Display-Name",
    "X-Original-URL",
    "X-Rewrite-URL",
    "Referer",
    "User-Agent",
    "Accept-Language",
    "Last-Event-ID",
];

const PAGES: [&str; 10] = [
    "/",
    "/about",
    "/history",
    "/cache",
    "/jobs/1",
    "/jobs/1/swap",
    "/jobs/1/certificate",
    "/card?disk=none",
    "/nothing",
    "/api/jobs/1",
];

#[test]
fn what_headers_say_is_found_in_no_page_and_in_no_header() {
    let house = Alone::new();
    for page in PAGES {
        let plain = get_with(house.port(), page, "");
        for value in VALUES {
            // All at once, and the ones that pages read alone.
            let all: String = NAMES.iter().map(|name| format!("{name}: {value}\r\n")).collect();
            let ingress =
                format!("X-Ingress-Path: {value}\r\nX-Forwarded-Host: {value}\r\nX-Forwarded-Proto: {value}\r\n");
            for headers in [all, ingress] {
                let reply = get_with(house.port(), page, &headers);
                assert_eq!(reply.status(), plain.status(), "{page} {value:?}: {}", reply.text);
                assert!(!reply.text.contains(MARK), "{page} {value:?}: {}", reply.text);
                assert_eq!(reply.header("location"), plain.header("location"), "{page} {value:?}");
            }
        }
    }
}

#[test]
fn a_host_that_is_none_is_shown_nowhere() {
    let house = Alone::new();
    for value in VALUES {
        for page in PAGES {
            let ask = format!("GET {page} HTTP/1.1\r\nHost: {value}\r\n\r\n");
            let reply = crate::wire::send(crate::wire::here(house.port()), ask);
            assert!(matches!(reply.status(), 200 | 303 | 400 | 404), "{page} {value:?}: {}", reply.text);
            assert!(!reply.text.contains(MARK), "{page} {value:?}: {}", reply.text);
        }
    }
}

#[test]
fn redirects_stay_in_the_house() {
    let house = Alone::new();
    for value in VALUES {
        let headers = format!("X-Ingress-Path: {value}\r\nX-Forwarded-Host: {value}\r\nX-Original-URL: {value}\r\n");
        // A job that is over: the page of stopping it leads back to it.
        let reply = get_with(house.port(), "/jobs/1/stop", &headers);
        assert_eq!(
            (reply.status(), reply.header("location")),
            (303, Some("../../jobs/1")),
            "{value:?}: {}",
            reply.text
        );
        let form = format!("{}{headers}", crate::wire::FORM);
        let reply = post(house.port(), "/jobs/1/stop", &form, "token=x");
        assert_eq!(
            (reply.status(), reply.header("location")),
            (303, Some("../../jobs/1")),
            "{value:?}: {}",
            reply.text
        );
    }
}

#[test]
fn what_breaks_a_line_is_no_header() {
    let house = Alone::new();
    for bad in [
        "X-Ingress-Path: a\nSet-Cookie: zq7x=1\r\n",
        "X-Ingress-Path: a\rSet-Cookie: zq7x=1\r\n",
        "X-Ingress-Path: a\r\n Set-Cookie: zq7x=1\r\n",
        "X-Ingress-Path: a\0zq7x\r\n",
        "X-Ingress Path: zq7x\r\n",
        "X-Ingress-Path : zq7x\r\n",
        ": zq7x\r\n",
        "zq7x\r\n",
    ] {
        let reply = get_with(house.port(), "/about", bad);
        // A bare line feed may end a line (RFC 9112, 2.2): then it was a header of its own, and is not heeded.
        let is_line = bad.contains("a\nSet") && reply.status() == 200;
        assert!(reply.status() == 400 || is_line, "{bad:?}: {}", reply.text);
        assert!(!reply.text.contains(MARK), "{bad:?}: {}", reply.text);
    }
}

#[test]
fn a_very_long_value_is_as_harmless_as_a_short_one() {
    let house = Alone::new();
    each(NAMES, |name| {
        let reply = get_with(house.port(), "/jobs/1/swap", &format!("{name}: /{}\r\n", MARK.repeat(12_000)));
        assert_eq!(reply.status(), 200, "{name}: {}", reply.head());
        assert!(!reply.text.contains(MARK), "{name}");
    });
}
