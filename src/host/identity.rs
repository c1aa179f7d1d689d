//! Which disk it is: one string over everything that tells it from another (DV-5).

use sha2::{Digest, Sha256};

use crate::domain::disk::Fingerprint;

/// `v1-` and 32 hex digits over what the machine says of a disk and what lies at its two ends.
///
/// `size` is in bytes; `medium_id` is the card's own number (CID), empty where the reader does not tell it; `first` and
/// `last` are the first and last MiB, or all of it twice where the disk is smaller.
///
/// Every field goes in behind its length, so that no two different lists of fields give the same bytes.
#[allow(clippy::too_many_arguments)] // Each is one field of DV-5, in its order; a struct would only repeat their names.
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
    let ends = Sha256::new().chain_update(first).chain_update(last).finalize();
    let mut hash = Sha256::new();
    for field in [bus_path, vendor, model, serial, &size.to_string(), medium_id] {
        add(&mut hash, field.as_bytes());
    }
    add(&mut hash, &ends);
    let mut digits = hex::encode(hash.finalize());
    digits.truncate(32);
    Fingerprint(format!("v1-{digits}"))
}

fn add(hash: &mut Sha256, field: &[u8]) {
    hash.update((field.len() as u64).to_le_bytes());
    hash.update(field);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn of(fields: [&str; 5], size: u64, first: &[u8], last: &[u8]) -> String {
        let [bus, vendor, model, serial, medium] = fields;
        fingerprint(bus, vendor, model, serial, size, medium, first, last).0
    }

    #[test]
    fn every_field_counts_and_none_runs_into_the_next() {
        let (head, tail) = ([1u8; 512], [2u8; 512]);
        let all = [
            of(["usb1/1-2", "ab", "c", "7", ""], 1000, &head, &tail),
            of(["usb1/1-3", "ab", "c", "7", ""], 1000, &head, &tail),
            of(["usb1/1-2", "a", "bc", "7", ""], 1000, &head, &tail),
            of(["usb1/1-2", "ab", "c7", "", ""], 1000, &head, &tail),
            of(["usb1/1-2", "ab", "c", "", "7"], 1000, &head, &tail),
            of(["usb1/1-2", "ab", "c", "7", ""], 1512, &head, &tail),
            of(["usb1/1-2", "ab", "c", "7", ""], 1000, &tail, &head),
            of(["usb1/1-2", "ab", "c", "7", ""], 1000, &head, &head),
        ];
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    /// The string is kept in reports and compared across versions: it may only change together with its `v1`.
    #[test]
    fn it_stays_what_it_is() {
        let card = of(["usb1/1-2", "Generic", "STORAGE DEVICE", "0001", ""], 63_864_569_856, &[0; 1024], &[0; 1024]);
        assert_eq!(card, "v1-c5279a988f294554b268af403b9ae3b3");
    }
}
