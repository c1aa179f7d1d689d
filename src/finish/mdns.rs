//! Names that end in `.local`, asked of the network itself (RFC 6762): a static program has no resolver that knows them,
//! and many systems have none either.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

/// Machines answer within a second or not at all.
pub const PATIENCE: Duration = Duration::from_secs(2);

const GROUP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251)), 5353);
/// A packet of Ethernet.
const PACKET_MOST: usize = 1500;
/// Compressed names lead from place to place; more are a loop.
const JUMPS_MOST: usize = 16;

/// The IPv4 addresses of `name`. Empty: nobody answered.
pub async fn resolve(name: &str, patience: Duration) -> Vec<SocketAddr> {
    let Some(query) = query(name) else { return Vec::new() };
    ask(&query, name, Instant::now() + patience).await.unwrap_or_else(|error| {
        log::debug!("asking the network for {name}: {error}");
        Vec::new()
    })
}

async fn ask(query: &[u8], name: &str, until: Instant) -> std::io::Result<Vec<SocketAddr>> {
    // From a port of its own, so that answers come to us alone (section 6.7).
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    socket.send_to(query, GROUP).await?;
    let mut packet = [0; PACKET_MOST];
    while let Ok(received) = timeout_at(until, socket.recv_from(&mut packet)).await {
        let (length, _) = received?;
        let found = packet.get(..length).and_then(|packet| addresses(packet, name)).unwrap_or_default();
        if !found.is_empty() {
            return Ok(found.into_iter().map(|address| SocketAddr::new(address.into(), 0)).collect());
        }
    }
    Ok(Vec::new())
}

/// A question for the name's addresses (type A, class IN).
fn query(name: &str) -> Option<Vec<u8>> {
    let mut packet = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        packet.push(length);
        packet.extend_from_slice(label.as_bytes());
    }
    packet.extend_from_slice(&[0, 0, 1, 0, 1]);
    Some(packet)
}

/// The addresses that an answer gives for `name`. `None`: it is no answer, or broken.
fn addresses(packet: &[u8], name: &str) -> Option<Vec<Ipv4Addr>> {
    let is_answer = packet.get(2)? & 0x80 != 0;
    let (questions, answers) = (number(packet, 4)?, number(packet, 6)?);
    let mut at = 12;
    for _ in 0..questions {
        at = name_at(packet, at)?.1 + 4;
    }
    let mut found = Vec::new();
    for _ in 0..answers {
        let (owner, rest) = name_at(packet, at)?;
        let (kind, class, length) = (number(packet, rest)?, number(packet, rest + 2)?, number(packet, rest + 8)?);
        let data = packet.get(rest + 10..rest + 10 + usize::from(length))?;
        // The highest bit of the class says that older answers are void.
        let fits = kind == 1 && class & 0x7fff == 1 && owner.eq_ignore_ascii_case(name.trim_end_matches('.'));
        if let (true, [a, b, c, d]) = (fits, data) {
            found.push(Ipv4Addr::new(*a, *b, *c, *d));
        }
        at = rest + 10 + usize::from(length);
    }
    is_answer.then_some(found)
}

fn number(packet: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]))
}

/// The name at a place, and the place after it.
fn name_at(packet: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut labels: Vec<String> = Vec::new();
    let mut after = None;
    for _ in 0..JUMPS_MOST * 8 {
        let length = *packet.get(at)?;
        match length {
            0 => return Some((labels.join("."), after.unwrap_or(at + 1))),
            0xc0.. => {
                after = after.or(Some(at + 2));
                at = usize::from(number(packet, at)? & 0x3fff);
            }
            _ => {
                let label = packet.get(at + 1..at + 1 + usize::from(length))?;
                labels.push(String::from_utf8_lossy(label).into_owned());
                at += 1 + usize::from(length);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "homeassistant.local";

    /// As a responder answers a question of ours: the question, then the answer with a name that points to it.
    fn answer(address: [u8; 4]) -> Vec<u8> {
        let mut packet = query(NAME).unwrap();
        packet[2] = 0x84;
        packet[7] = 1;
        packet.extend_from_slice(&[0xc0, 12, 0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4]);
        packet.extend_from_slice(&address);
        packet
    }

    #[test]
    fn an_answer_gives_the_address_of_this_name_only() {
        let packet = answer([192, 168, 1, 42]);
        assert_eq!(addresses(&packet, "HomeAssistant.local."), Some(vec![Ipv4Addr::new(192, 168, 1, 42)]));
        assert_eq!(addresses(&packet, "other.local"), Some(vec![]));
        assert_eq!(addresses(&query(NAME).unwrap(), NAME), None, "a question is no answer");
    }

    #[test]
    fn a_broken_answer_gives_nothing() {
        let whole = answer([192, 168, 1, 42]);
        for length in 0..whole.len() {
            assert_eq!(addresses(&whole[..length], NAME).unwrap_or_default(), Vec::<Ipv4Addr>::new(), "{length}");
        }
        let mut looped = whole.clone();
        let at = looped.len() - 16;
        looped[at + 1] = at as u8;
        assert_eq!(addresses(&looped, NAME), None);
        for place in 0..whole.len() {
            for value in [0, 1, 0x3f, 0xc0, 0xff] {
                let mut harmed = whole.clone();
                harmed[place] = value;
                // Whatever it reads: it ends, and does not panic.
                let _ = addresses(&harmed, NAME);
            }
        }
    }

    #[test]
    fn a_name_that_cannot_be_asked_for_is_not() {
        assert_eq!(query(&format!("{}.local", "x".repeat(64))), None);
        assert_eq!(query("a..local"), None);
        assert!(query(NAME).is_some());
    }
}
