//! Name and network of the system go along; the Wi-Fi password is where it has to be, and nowhere else.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use sd_swap::demo::supervisor::Network;
use sd_swap::domain::carry::{Carried, Carry};
use sd_swap::domain::certificate::Certificate;
use sd_swap::domain::job::{CardRequest, JobView};
use sd_swap::domain::secret::Secret;
use sd_swap::jobs::start::Plan;

use crate::house::*;
use crate::watched::Watched;

const PASSWORD: &str = "correct-horse-battery";
/// As the stand-in tells it.
const WIFI: &str = "Home WLAN";

fn files(dir: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.is_dir() {
            true => files(&entry, found),
            false => found.push(fs::read(entry).unwrap()),
        }
    }
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|part| part == word.as_bytes())
}

/// What stayed behind.
fn left(view: &JobView) -> Vec<&str> {
    view.warnings.iter().map(|warning| warning.code.as_str()).filter(|code| code.ends_with("_left")).collect()
}

fn carried(interfaces: &[&str]) -> Option<Carried> {
    let interfaces = interfaces.iter().map(ToString::to_string).collect();
    Some(Carried { hostname: Some("homeassistant".into()), interfaces })
}

#[actix_web::test]
async fn a_password_reaches_the_card_and_nothing_else() {
    let world = World::new();
    world.around.supervisor.configure(|config| config.network = Network::Both);
    let watched = Watched::new(&world.around.host, |_, _| ());
    let house = world.open_with(Plan { host: Arc::new(watched.clone()), ..world.around.plan() }).await;
    let carry = Carry::of_system(Secret::new(PASSWORD));
    let view = house.done(CardRequest { carry, ..house.request().await }).await;
    assert_eq!(view.made.carried, carried(&["wlan0", "eth0"]));
    assert_eq!(left(&view), [""; 0]);
    assert!(holds(&fs::read(world.path("card.img")).unwrap(), &format!("psk={PASSWORD}\n")));

    let log = house.jobs.log(view.id).await.unwrap();
    assert!(log.contains("carried over: the name homeassistant; the settings of wlan0, eth0\n"), "{log}");
    let certificate = serde_json::to_string(&Certificate::of(&view)).unwrap();
    assert!(certificate.contains(r#""interfaces":["wlan0","eth0"]"#), "{certificate}");
    let mut kept = vec![log.into_bytes(), certificate.into_bytes(), serde_json::to_vec(&*view).unwrap()];
    kept.push(format!("{view:?} {:?}", watched.calls()).into_bytes());
    let before = kept.len();
    files(&world.path("data"), &mut kept);
    assert!(kept.len() > before + 2, "ledger, log and image are kept");
    for bytes in kept {
        assert!(!holds(&bytes, PASSWORD) && !holds(&bytes, WIFI), "{}", String::from_utf8_lossy(&bytes));
    }
}

#[actix_web::test]
async fn what_goes_along_is_what_is_true_when_the_job_starts() {
    let world = World::new();
    let house = world.open().await;
    let request = house.request().await;
    world.around.supervisor.configure(|config| (config.network, config.hostname) = (Network::Wifi, "villa".into()));
    let view = house.done(request).await;
    assert_eq!(view.made.carried, Some(Carried { hostname: Some("villa".into()), interfaces: Vec::new() }));
    assert_eq!(left(&view), ["wifi_left"]);

    house.replug().await;
    let nothing = house.done(CardRequest { carry: Carry::nothing(), ..house.request().await }).await;
    assert_eq!((&nothing.made.carried, left(&nothing)), (&None, vec![]));
    assert!(!holds(&fs::read(world.path("card.img")).unwrap(), "nmconnection"));
}
