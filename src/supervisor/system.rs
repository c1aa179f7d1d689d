//! What is known of the running system: nine questions, and what they add up to.

use super::client::Supervisor;
use super::error::SupervisorError;
use super::model::{
    HardwareInfo, HostInfo, Info, Interface, NetworkInfo, OsInfo, RawDrive, ResolutionInfo, SelfInfo, SupervisorInfo,
};
use crate::domain::size::Bytes;
use crate::domain::system::{Drive, SystemFacts};

/// One look at the system is asked about once a minute anyway: fewer tries than elsewhere.
const TRIES: u32 = 3;

/// One reading of the system, and which questions stayed without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    pub facts: SystemFacts,
    /// The errors name their paths.
    pub failed: Vec<SupervisorError>,
}

impl Supervisor {
    /// Asks everything that is known of the system: `/info` first, and where somebody is there the rest side by side. Err
    /// only if nothing at all answered: the error that `/info` met.
    pub async fn system(&self) -> Result<Reading, SupervisorError> {
        let tries = self.pace.tries.min(TRIES);
        let info = match self.reach(tries).await {
            Err(error) if error.is_passing() => return Err(error),
            info => info,
        };
        let (os, host, network, hardware, resolution, supervisor, backups, own) = tokio::join!(
            self.get::<OsInfo>("/os/info", tries),
            self.get::<HostInfo>("/host/info", tries),
            self.get::<NetworkInfo>("/network/info", tries),
            self.get::<HardwareInfo>("/hardware/info", tries),
            self.get::<ResolutionInfo>("/resolution/info", tries),
            self.get::<SupervisorInfo>("/supervisor/info", tries),
            self.backups(),
            self.get::<SelfInfo>("/addons/self/info", 1),
        );
        let unreached = info.as_ref().err().cloned();
        let mut failed = Failed::default();
        let mut facts = SystemFacts::default();
        // In rising order of authority: a later one overwrites.
        failed.or(host, |host| take_host(&mut facts, host));
        failed.or(supervisor, |supervisor| take_supervisor(&mut facts, supervisor));
        failed.or(info, |info| take_info(&mut facts, info));
        failed.or(os, |os| take_os(&mut facts, os));
        failed.or(network, |network| take_network(&mut facts, network));
        failed.or(hardware, |hardware| facts.drives = Some(hardware.drives.into_iter().map(drive).collect()));
        failed.or(resolution, |r| (facts.unhealthy, facts.unsupported) = (r.unhealthy, r.unsupported));
        failed.or(backups, |backups| facts.backups = Some(backups));
        // Of use for one address only: nobody is told where it is missing.
        facts.app = own.ok().and_then(|own| own.slug).filter(|slug| is_slug(slug));
        match unreached.filter(|_| failed.answered == 0) {
            Some(error) => Err(error),
            None => Ok(Reading { facts, failed: failed.errors }),
        }
    }

    /// Whether the wait after the last look in vain is over.
    pub fn is_due(&self) -> bool {
        self.line.is_due()
    }

    /// `/info`, so often in vain before somebody hears of it; then once for each call.
    async fn reach(&self, tries: u32) -> Result<Info, SupervisorError> {
        let mut silences = 0;
        loop {
            let error = match self.get_once::<Info>("/info").await {
                Ok(info) => {
                    self.line.worked();
                    return Ok(info);
                }
                Err(error) => error,
            };
            silences += u32::from(matches!(error, SupervisorError::Silent { .. }));
            let setback = self.line.failed(&error);
            if !error.is_passing() || setback.tries >= tries || silences > 1 {
                return Err(error);
            }
            tokio::time::sleep(setback.wait).await;
        }
    }
}

/// What a slug of an app is made of; it goes into addresses.
fn is_slug(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

#[derive(Default)]
struct Failed {
    answered: usize,
    errors: Vec<SupervisorError>,
}

impl Failed {
    fn or<T>(&mut self, answer: Result<T, SupervisorError>, take: impl FnOnce(T)) {
        match answer {
            Ok(answer) => {
                self.answered += 1;
                take(answer);
            }
            Err(error) => self.errors.push(error),
        }
    }
}

fn take_info(facts: &mut SystemFacts, info: Info) {
    facts.machine = info.machine;
    facts.core_version = info.homeassistant;
    facts.state = info.state;
    facts.supervisor_version = info.supervisor.or(facts.supervisor_version.take());
    facts.hostname = info.hostname.or(facts.hostname.take());
    facts.supported = info.supported.or(facts.supported);
    facts.os_version = info.hassos.and_then(|v| v.parse().ok());
}

fn take_os(facts: &mut SystemFacts, os: OsInfo) {
    let version = |text: Option<String>| text.and_then(|v| v.parse().ok());
    facts.os_version = version(os.version).or(facts.os_version.take());
    facts.os_latest = version(os.version_latest);
    facts.os_pending = version(os.version_pending);
    facts.board = os.board.filter(|b| !b.is_empty());
    facts.data_disk = os.data_disk.filter(|d| !d.is_empty());
}

fn take_host(facts: &mut SystemFacts, host: HostInfo) {
    facts.hostname = host.hostname;
    facts.disk_free = host.disk_free.and_then(gib);
    facts.disk_used = host.disk_used.and_then(gib);
    facts.disk_total = host.disk_total.and_then(gib);
}

fn gib(number: f64) -> Option<Bytes> {
    let sane = number.is_finite() && (0.0..1e9).contains(&number);
    sane.then_some(Bytes((number * (1u64 << 30) as f64) as u64))
}

fn take_supervisor(facts: &mut SystemFacts, supervisor: SupervisorInfo) {
    facts.supervisor_version = supervisor.version;
    facts.supported = supervisor.supported;
    let slugs = supervisor.addons.into_iter().filter_map(|app| app.slug);
    facts.local_apps = slugs.filter(|slug| slug.starts_with("local_")).collect();
}

fn take_network(facts: &mut SystemFacts, network: NetworkInfo) {
    facts.internet = match (network.host_internet, network.supervisor_internet) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (None, None) => None,
        _ => Some(true),
    };
    facts.network = Some(super::network::network(&network.interfaces));
    let mut interfaces: Vec<Interface> =
        network.interfaces.into_iter().filter_map(|of| serde_json::from_value(of).ok()).collect();
    interfaces.retain(|i| i.connected != Some(false));
    interfaces.sort_by_key(|i| i.primary != Some(true));
    facts.addresses = interfaces.into_iter().flat_map(addresses).collect();
}

/// `192.168.1.40/24` → `192.168.1.40`; what is no address is left out.
fn addresses(interface: Interface) -> Vec<String> {
    let all = interface.ipv4.map(|v4| v4.address).unwrap_or_default();
    let plain = all.iter().filter_map(|a| a.split('/').next()?.parse::<std::net::Ipv4Addr>().ok());
    plain.map(|a| a.to_string()).collect()
}

fn drive(raw: RawDrive) -> Drive {
    let in_use = raw.filesystems.iter().any(|f| f.system == Some(true) || !f.mount_points.is_empty());
    Drive {
        id: raw.id,
        vendor: raw.vendor.unwrap_or_default(),
        model: raw.model.unwrap_or_default(),
        serial: raw.serial.unwrap_or_default(),
        size: Bytes(raw.size.unwrap_or_default()),
        devices: raw.filesystems.into_iter().filter_map(|f| f.device).collect(),
        used_by_system: in_use,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_slug_goes_into_addresses() {
        let long = "x".repeat(101);
        let cases = [("local_sd_swap", true), ("0123abcd_sd-swap.2", true), ("", false), (&long, false)];
        for (text, want) in cases.into_iter().chain(["a/b", "a b", "a&b=c", "<b>", "ä"].map(|text| (text, false))) {
            assert_eq!(is_slug(text), want, "{text}");
        }
    }
}
