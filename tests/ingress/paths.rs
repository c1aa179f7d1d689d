//! Paths that would lead out of the house. There are no files behind the pages, only what is built in.

use crate::house::Alone;
use crate::wire::{get, here, send};

/// Where they would lead.
fn is_clean(text: &str) -> bool {
    !["root:", "[package]", "\"schema\":", "PRIVATE", "token\":"].iter().any(|leak| text.contains(leak))
}

#[test]
fn no_path_leads_to_a_file() {
    let house = Alone::new();
    let data = house.dir.path().display().to_string();
    let style = stylesheet(&house);
    let leads: Vec<String> =
        ["/etc/passwd", "/proc/self/environ", "/Cargo.toml", "/ledger.json", &data, "/data/ledger.json"]
            .iter()
            .flat_map(|file| {
                let file = file.trim_start_matches('/');
                let encoded = file.replace('/', "%2f");
                [
                    format!("/{file}"),
                    format!("/../{file}"),
                    format!("/../../../../../../{file}"),
                    format!("/%2e%2e/{file}"),
                    format!("/%2E%2e/%2e%2E/%2e%2e/{file}"),
                    format!("/.%2e/%2e./{file}"),
                    format!("/..%2f..%2f..%2f{encoded}"),
                    format!("/..%5c..%5c{}", file.replace('/', "%5c")),
                    format!("/..\\..\\{}", file.replace('/', "\\")),
                    format!("/%252e%252e/{file}"),
                    format!("/..;/{file}"),
                    format!("/;/../{file}"),
                    format!("/..%00/{file}"),
                    format!("/..%c0%af{file}"),
                    format!("/assets/../{file}"),
                    format!("/assets/../../../../../{file}"),
                    format!("/assets/%2e%2e/%2e%2e/{file}"),
                    format!("/assets/..%2f..%2f{encoded}"),
                    format!("/assets/%2f{encoded}"),
                    format!("/assets//{file}"),
                    format!("/assets/{encoded}%00.css"),
                    format!("/assets/{style}/../../{file}"),
                    format!("/static/../{file}"),
                    format!("/jobs/1/../../../{file}"),
                    format!("/jobs/..%2f..%2f{encoded}/log.txt"),
                    format!("/jobs/1%2f..%2f..%2f{encoded}/log"),
                    format!("/api/jobs/..%2f{encoded}/log"),
                    format!("//{file}"),
                    format!("///..//{file}"),
                    format!("/./{file}"),
                    format!("/?file=../../{file}"),
                    format!("/about?x=/{encoded}"),
                    format!("http://ha.local/../{file}"),
                    format!("http://ha.local/assets/..%2f{encoded}"),
                    format!("file:///{file}"),
                ]
            })
            .collect();
    for target in leads {
        let reply = get(house.port(), &target);
        let query = target.contains('?');
        assert!(matches!(reply.status(), 400 | 404) || (query && reply.status() == 200), "{target}: {}", reply.head());
        assert!(is_clean(&reply.text), "{target}: {}", reply.text);
    }
}

/// `assets/style.0123456789ab.css`, as the page names it.
fn stylesheet(house: &Alone) -> String {
    let page = get(house.port(), "/about").text;
    let rest = page.split("assets/style.").nth(1).expect("a style sheet");
    format!("style.{}", rest.split('"').next().expect("its name"))
}

#[test]
fn only_the_exact_name_of_an_asset_is_one() {
    let house = Alone::new();
    let style = stylesheet(&house);
    let name = format!("/assets/{style}");
    let whole = get(house.port(), &name);
    assert_eq!(whole.status(), 200);
    let same = ["", "?x=1", "?../../etc/passwd"].map(|behind| format!("{name}{behind}"));
    for target in same.iter().chain(&[format!("/{name}"), format!("//{name}"), format!("http://ha.local{name}")]) {
        let reply = get(house.port(), target);
        assert_eq!((reply.status(), reply.body()), (200, whole.body()), "{target}");
    }
    let (stem, upper) = (style.trim_end_matches(".css"), style.to_uppercase());
    let not = [
        format!("{name}/"),
        format!("{name}%00"),
        format!("{name}%20"),
        format!("{name};x"),
        format!("{name}/."),
        format!("/assets/./{style}"),
        format!("/assets/x/../{style}"),
        format!("/assets//{style}"),
        format!("/assets%2f{style}"),
        format!("/assets/%2f{style}"),
        format!("/assets/{stem}"),
        format!("/assets/{upper}"),
        format!("/./assets/{style}"),
        format!("/static/{style}"),
        "/assets/style.css".into(),
        "/assets/".into(),
        "/assets".into(),
        "/static/".into(),
        "/assets/%00".into(),
    ];
    for target in not {
        assert_eq!(get(house.port(), &target).status(), 404, "{target}");
    }
}

#[test]
fn odd_targets_get_an_answer_and_nothing_more() {
    let house = Alone::new();
    let cases: [(&str, &[u16]); 17] = [
        ("*", &[400, 404]),
        ("about", &[400, 404]),
        ("?", &[400, 404]),
        ("/%", &[400, 404]),
        ("/%zz", &[400, 404]),
        ("/%u002e", &[400, 404]),
        ("/\u{fc}", &[400, 404]),
        ("/%ff%fe", &[400, 404]),
        ("/about#x", &[200, 400, 404]),
        ("/about;jsessionid=1", &[404]),
        ("/about/", &[404]),
        ("/about/.", &[404]),
        ("/%61bout", &[200, 404]),
        // Servers have to take the absolute form (RFC 9112, 3.2.2); whose name stands in it does not matter.
        ("http://evil.example/about", &[200]),
        ("http://evil.example:9/nothing", &[404]),
        ("//evil.example/about", &[404]),
        ("http://user:secret@evil.example/", &[200, 400]),
    ];
    for (target, statuses) in cases {
        let reply = get(house.port(), target);
        assert!(statuses.contains(&reply.status()), "{target}: {}", reply.head());
        assert!(!reply.text.contains("evil.example") && !reply.text.contains("secret"), "{target}: {}", reply.text);
        assert!(is_clean(&reply.text), "{target}: {}", reply.text);
    }
    // Jobs are numbers.
    for id in ["0", "-1", "99999999999999999999999", "1.0", "0x1", "1e0", "%31%20", "+1 ", "1;2", "١"] {
        let status = get(house.port(), &format!("/jobs/{id}")).status();
        assert!(matches!(status, 400 | 404), "{id}: {status}");
        let status = get(house.port(), &format!("/api/jobs/{id}/log")).status();
        assert!(matches!(status, 400 | 404), "{id}: {status}");
    }
}

#[test]
fn a_long_path_is_none() {
    let house = Alone::new();
    for (length, statuses) in
        [(1_000, &[404][..]), (60_000, &[404]), (70_000, &[400, 404, 414]), (200_000, &[400, 414, 431])]
    {
        for piece in ["a", "/", "../", "%2e%2e%2f"] {
            let target = format!("/{}", piece.repeat(length / piece.len()));
            let reply = get(house.port(), &target);
            let home = piece == "/" && reply.status() == 200;
            assert!(statuses.contains(&reply.status()) || home, "{piece:?} {length}: {}", reply.head());
        }
    }
    let reply = send(here(house.port()), format!("GET /?{} HTTP/1.1\r\nHost: x\r\n\r\n", "x=1&".repeat(15_000)));
    assert_eq!(reply.status(), 200, "{}", reply.head());
    assert_eq!(get(house.port(), "/about").status(), 200);
}
