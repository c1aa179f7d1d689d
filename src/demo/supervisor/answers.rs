//! The info calls, as the recorded Supervisor answers them, with the values of the configuration.

use serde_json::{Value, json};

use super::config::{Network, StandinConfig};
use super::state::{State, Stored};

pub fn info(state: &State) -> Value {
    let config = &state.config;
    let haos = config.board.is_some();
    json!({
        "supervisor": config.supervisor_version, "homeassistant": config.core_version,
        "hassos": haos.then_some(&config.os_version), "docker": "29.1.3", "hostname": config.hostname,
        "operating_system": operating_system(config), "features": features(haos), "machine": config.machine,
        "machine_id": "0123456789abcdef0123456789abcdef", "arch": "aarch64", "state": running_state(state),
        "supported_arch": ["aarch64"], "supported": config.supported, "channel": "stable", "logging": "info",
        "timezone": "Europe/Berlin",
    })
}

/// While a backup runs it is `freeze`.
pub fn running_state(state: &State) -> &str {
    if state.frozen { "freeze" } else { &state.config.state }
}

fn operating_system(config: &StandinConfig) -> String {
    match config.board {
        Some(_) => format!("Home Assistant OS {}", config.os_version),
        None => "Debian GNU/Linux 13 (trixie)".into(),
    }
}

fn features(haos: bool) -> Vec<&'static str> {
    let all =
        ["reboot", "shutdown", "services", "network", "hostname", "timedate", "os_agent", "haos", "disk", "mount"];
    all.into_iter().filter(|f| haos || *f != "haos").collect()
}

pub fn os_info(config: &StandinConfig) -> Value {
    let haos = config.board.is_some();
    json!({
        "version": haos.then_some(&config.os_version), "version_latest": haos.then_some(&config.os_latest),
        "version_pending": config.os_pending, "update_available": haos && config.os_version != config.os_latest,
        "board": config.board, "boot": haos.then_some("A"), "data_disk": haos.then_some(&config.data_disk),
        "boot_slots": if haos { json!({"A": {"state": "booted", "status": "good", "version": config.os_version}}) }
                      else { json!({}) },
    })
}

pub fn host_info(config: &StandinConfig) -> Value {
    json!({
        "agent_version": "1.8.1", "chassis": "embedded", "deployment": "production",
        "disk_free": config.disk_free_gib, "disk_total": config.disk_total_gib, "disk_used": config.disk_used_gib,
        "disk_life_time": null, "features": features(config.board.is_some()), "hostname": config.hostname,
        "kernel": "6.12.87-haos-raspi", "operating_system": operating_system(config), "timezone": "Europe/Berlin",
    })
}

pub fn network_info(config: &StandinConfig) -> Value {
    let v4 = |method: &str, address: &[&str]| {
        json!({"method": method, "address": address, "nameservers": ["192.168.1.1"], "gateway": "192.168.1.1",
               "route_metric": null, "ready": !address.is_empty()})
    };
    let wired = config.network != Network::Wifi;
    let method = match config.network {
        Network::Dhcp => "auto",
        Network::Static | Network::Both => "static",
        Network::Wifi => "disabled",
    };
    let wireless = matches!(config.network, Network::Wifi | Network::Both);
    let wifi =
        wireless.then(|| json!({"mode": "infrastructure", "auth": "wpa-psk", "ssid": "Home WLAN", "signal": 62}));
    let wireless_v4 = if wireless { v4("auto", &["192.168.1.41/24"]) } else { v4("disabled", &[]) };
    let wired_v4 = if wired { v4(method, &["192.168.1.40/24"]) } else { v4(method, &[]) };
    json!({
        "interfaces": [
            {"interface": "wlan0", "type": "wireless", "enabled": wireless, "connected": wireless, "primary": !wired,
             "mac": "DC:A6:32:00:00:02", "ipv4": wireless_v4, "ipv6": null, "wifi": wifi, "vlan": null},
            {"interface": "eth0", "type": "ethernet", "enabled": wired, "connected": wired, "primary": wired,
             "mac": "DC:A6:32:00:00:01", "ipv4": wired_v4, "ipv6": null, "wifi": null, "vlan": null},
        ],
        "docker": {"interface": "hassio", "address": "172.30.32.0/23", "gateway": "172.30.32.1", "dns": "172.30.32.3"},
        "host_internet": config.internet, "supervisor_internet": config.internet,
    })
}

pub fn hardware_info(config: &StandinConfig) -> Value {
    let drives = config.drives.clone().unwrap_or_else(|| default_drives(config));
    json!({"devices": [], "drives": drives})
}

fn default_drives(config: &StandinConfig) -> Value {
    let file_system = |device: &str, name: &str, mounts: &[&str]| json!({"device": device, "id": "", "size": 67108864, "name": name, "system": true, "mount_points": mounts});
    json!([
        {"vendor": "", "model": "SC32G", "revision": "", "serial": "0x1a2b3c4d", "id": config.data_disk,
         "size": 31914983424u64, "connection_bus": "sdio", "seat": "seat0", "removable": false, "ejectable": false,
         "filesystems": [
            file_system("/dev/mmcblk0p1", "hassos-boot", &["/mnt/boot"]),
            file_system("/dev/mmcblk0p7", "hassos-overlay", &["/mnt/overlay"]),
            file_system("/dev/mmcblk0p8", "hassos-data", &["/mnt/data"])]},
        {"vendor": "Generic", "model": "STORAGE DEVICE", "revision": "0821", "serial": "000000000821",
         "id": "Generic-STORAGE-DEVICE-000000000821", "size": 31914983424u64, "connection_bus": "usb",
         "seat": "seat0", "removable": true, "ejectable": true, "filesystems": [
            {"device": "/dev/sda1", "id": "", "size": 31910789120u64, "name": "EOS_DIGITAL", "system": false,
             "mount_points": []}]},
    ])
}

pub fn resolution_info(config: &StandinConfig) -> Value {
    json!({"unsupported": config.unsupported, "unhealthy": config.unhealthy, "suggestions": [], "issues": [], "checks": []})
}

pub fn supervisor_info(config: &StandinConfig) -> Value {
    let app = |app: &super::config::AppConfig| {
        let repository = app.slug.split('_').next();
        json!({"name": app.name, "slug": app.slug, "version": app.version, "version_latest": app.version,
               "update_available": false, "state": "started", "repository": repository, "icon": false})
    };
    let apps: Vec<Value> = config.apps.iter().map(app).collect();
    json!({"version": config.supervisor_version, "version_latest": config.supervisor_version, "channel": "stable",
           "arch": "aarch64", "supported": config.supported, "healthy": config.unhealthy.is_empty(), "addons": apps})
}

pub fn core_info(config: &StandinConfig) -> Value {
    json!({"version": config.core_version, "version_latest": config.core_version, "machine": config.machine,
           "arch": "aarch64", "boot": true, "port": 8123, "ssl": false})
}

pub fn self_info() -> Value {
    json!({"name": "SD card swap", "slug": "local_sd_swap", "version": "0.1.0", "protected": true, "rating": 8,
           "hassio_api": true, "hassio_role": "backup", "state": "started"})
}

/// What list and details of a backup have in common.
fn backup(stored: &Stored) -> Value {
    let facts = &stored.facts;
    let mib = (stored.size as f64 / 1_048_576.0 * 100.0).round() / 100.0;
    json!({
        "slug": facts["slug"], "name": facts["name"], "date": facts["date"], "type": facts["type"], "size": mib,
        "size_bytes": stored.size, "location": null, "locations": [null], "protected": facts["protected"],
        "location_attributes": {".local": {"protected": facts["protected"], "size_bytes": stored.size}},
        "compressed": facts["compressed"],
    })
}

pub fn backup_in_list(stored: &Stored) -> Value {
    let facts = &stored.facts;
    let apps = facts["addons"].as_array().map(Vec::as_slice).unwrap_or_default();
    let slugs: Vec<&Value> = apps.iter().map(|app| &app["slug"]).collect();
    let mut entry = backup(stored);
    entry["content"] =
        json!({"homeassistant": !facts["homeassistant"].is_null(), "folders": facts["folders"], "addons": slugs});
    entry
}

pub fn backup_details(stored: &Stored) -> Value {
    let facts = &stored.facts;
    let mut details = backup(stored);
    details["supervisor_version"] = facts["supervisor_version"].clone();
    details["homeassistant"] = facts["homeassistant"]["version"].clone();
    details["homeassistant_exclude_database"] = facts["homeassistant"]["exclude_database"].clone();
    details["addons"] = facts["addons"].clone();
    details["folders"] = facts["folders"].clone();
    details["repositories"] = facts["repositories"].clone();
    details["extra"] = json!({});
    details
}
