//! Names that devices and file systems give themselves, made fit to be shown.

/// Trimmed, in one line, without control characters: devices fill their names with spaces, NULs and worse. Nor with marks
/// that turn the direction of the words around them.
pub fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.chars().filter(|c| !turns_direction(*c));
    let text: String = text.map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Unicode's marks, embeddings, overrides and isolates (UAX #9).
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A field of fixed length that ends at the first NUL.
pub fn until_nul(field: &[u8]) -> String {
    readable(field.split(|byte| *byte == 0).next().unwrap_or_default())
}

/// The same for UTF-16, least significant byte first.
pub fn until_nul_utf16(field: &[u8]) -> String {
    let units = field.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    readable(String::from_utf16_lossy(&units).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_out_in_one_printable_line() {
        assert_eq!(readable(b"Generic \0\x1b[31m  CRW\xff \n"), "Generic [31m CRW\u{fffd}");
        assert_eq!(readable("<b>\u{202e}é שלום\u{2069}".as_bytes()), "<b>é שלום");
        assert_eq!(until_nul(b"hassos-data\0\0rest"), "hassos-data");
        assert_eq!(until_nul(b""), "");
        assert_eq!(until_nul_utf16(b"N\0e\0w\0\0\0x\0"), "New");
        assert_eq!(until_nul_utf16(b"\0\xd8a\0b"), "\u{fffd}a");
    }
}
