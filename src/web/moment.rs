//! Points in time as a page says them: in UTC and named so, as the clock of an app knows no other place.

use time::OffsetDateTime;

use crate::texts::Language;

/// "2026-11-21, 14:05 UTC"; empty for a time that no calendar has.
pub fn date_time(t: Language, seconds: u64) -> String {
    let moment = i64::try_from(seconds).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let Some(at) = moment else { return String::new() };
    let two = |n: u8| format!("{n:02}");
    t.tell(
        "moment",
        &[
            ("year", &at.year().to_string()),
            ("month", &two(at.month().into())),
            ("day", &two(at.day())),
            ("hour", &two(at.hour())),
            ("minute", &two(at.minute())),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_the_language_does() {
        assert_eq!(date_time(Language::English, 1_763_733_909), "2025-11-21, 14:05 UTC");
        assert_eq!(date_time(Language::German, 1_763_733_909), "21.11.2025, 14:05 UTC");
        assert_eq!(date_time(Language::English, u64::MAX), "");
    }
}
