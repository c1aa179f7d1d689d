//! Little-endian numbers out of and into bytes of unknown length, without a panic.

/// `N` bytes from `at`; zeros where `data` ends before.
pub(crate) fn array<const N: usize>(data: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    if let Some(found) = at.checked_add(N).and_then(|end| data.get(at..end)) {
        out.copy_from_slice(found);
    }
    out
}

pub(crate) fn le16(data: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(data, at))
}

pub(crate) fn le32(data: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(data, at))
}

pub(crate) fn le64(data: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(data, at))
}

/// Puts `value` at `at`; nothing where `data` ends before.
pub(crate) fn put(data: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = at.checked_add(value.len()).and_then(|end| data.get_mut(at..end)) {
        place.copy_from_slice(value);
    }
}
