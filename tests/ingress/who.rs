//! Who gets in: by the address of the socket alone.

use std::net::{IpAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::house::Alone;
use crate::program::{Program, lonely, within};
use crate::support::scratch_dir;
use crate::wire::{each, get_with, line, rest, send};

/// An address of this machine that is not loopback: from it, we are strangers to ourselves.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: the kernel only says from where it would be.
    socket.connect("192.0.2.1:9").ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}

const CLAIMS: [&str; 9] = [
    "",
    "X-Forwarded-For: 127.0.0.1\r\n",
    "X-Forwarded-For: 172.30.32.2, 127.0.0.1\r\n",
    "X-Real-IP: 172.30.32.2\r\n",
    "Forwarded: for=172.30.32.2;host=127.0.0.1;proto=https\r\n",
    "X-Ingress-Path: /api/hassio_ingress/T\r\nX-Hass-Source: core.ingress\r\n",
    "X-Remote-User-Id: 1\r\nX-Remote-User-Name: admin\r\nX-Remote-User-Display-Name: Admin\r\n",
    "X-Client-IP: 127.0.0.1\r\nTrue-Client-IP: 127.0.0.1\r\nCF-Connecting-IP: 127.0.0.1\r\n",
    "Origin: http://127.0.0.1\r\nReferer: http://127.0.0.1/\r\nX-Forwarded-Host: 127.0.0.1\r\n",
];

#[test]
fn a_stranger_stays_out_whatever_the_headers_say() {
    let Some(own) = own_address() else {
        eprintln!("skipped: this machine has no address but loopback");
        return;
    };
    let dir = scratch_dir();
    let open = |allow: &str| {
        let mut command = lonely(dir.path());
        Program::start(command.env("SD_SWAP_LISTEN", "0.0.0.0:0").env("SD_SWAP_ALLOW_FROM", allow))
    };
    let program = open("172.30.32.2");
    let to = (own, program.port).into();
    each(CLAIMS, |claims| {
        for (target, words) in [("/", "Only Home Assistant may open this page"), ("/api/devices", "\"stranger\"")] {
            for host in ["127.0.0.1", "172.30.32.2:8099", "ha.local"] {
                let reply = send(to, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{claims}\r\n"));
                assert_eq!(reply.status(), 403, "{claims}: {}", reply.text);
                assert!(reply.body().contains(words) && !reply.body().contains("<html"), "{}", reply.text);
            }
        }
        let form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\ntoken=x";
        let reply = send(to, format!("POST /cache HTTP/1.1\r\nHost: x\r\n{claims}{form}"));
        assert_eq!(reply.status(), 403, "{}", reply.text);
        let socket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let reply = send(to, format!("GET /ws/progress/1 HTTP/1.1\r\nHost: x\r\n{claims}{socket}"));
        assert_eq!(reply.status(), 403, "{}", reply.text);
    });
    strangers_hold_few_places(&program, to);
    drop(program);
    // The same address, let in: it was the address that kept it out.
    let program = open(&format!("172.30.32.2,{own}/32"));
    let reply = send((own, program.port).into(), "GET /about HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(reply.status(), 200, "{}", reply.text);
}

/// Other apps on Home Assistant's network may hold what they can: its own page is served at once.
fn strangers_hold_few_places(program: &Program, to: std::net::SocketAddr) {
    let idle: Vec<_> = (0..300).map(|_| line(to)).collect();
    let held = within(Duration::from_secs(5), || (program.sockets() < 100).then_some(()));
    assert!(held.is_some(), "{} sockets", program.sockets());
    let begun = Instant::now();
    assert_eq!(get_with(program.port, "/about", "").status(), 200);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    drop(idle);
}

/// Claims change nothing for those who are let in, either.
#[test]
fn claims_give_a_guest_nothing() {
    let house = Alone::new();
    let plain = get_with(house.port(), "/about", "");
    for claims in CLAIMS {
        let reply = get_with(house.port(), "/about", claims);
        assert_eq!((reply.status(), reply.body().len()), (200, plain.body().len()), "{claims}");
    }
    // Nobody is answered before it has asked.
    let mut quiet = line(crate::wire::here(house.port()));
    assert_eq!(rest(&mut quiet, Instant::now()).body(), "");
}
