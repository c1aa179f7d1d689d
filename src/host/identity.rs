//! stub
use crate::domain::disk::Fingerprint;
use sha2::{Digest, Sha256};
#[allow(clippy::too_many_arguments)]
pub fn fingerprint(
    bus_path: &str,
    vendor: &str,
    model: &str,
    serial: &str,
    size: u64,
    medium_id: &str,
    first: &[u8],
    last: &[u8],
) -> Fingerprint {
    let mut h = Sha256::new();
    for p in [
        bus_path.as_bytes(),
        vendor.as_bytes(),
        model.as_bytes(),
        serial.as_bytes(),
        medium_id.as_bytes(),
        &size.to_le_bytes(),
        first,
        last,
    ] {
        h.update((p.len() as u64).to_le_bytes());
        h.update(p);
    }
    Fingerprint(format!("v1-{}", &hex::encode(h.finalize())[..32]))
}
