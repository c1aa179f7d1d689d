//! Versions: SemVer (`1.4.0`, `1.4.0-rc.1`) and CalVer (`2026.9.1.3`: year, month, day and the how-manieth of that day).

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use time::OffsetDateTime;

/// The first year that makes four numbers a date.
const CALENDAR: u64 = 2000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    parts: Vec<u64>,
    /// After `-`.
    pre: Option<String>,
    /// After `+`; counts for nothing.
    build: Option<String>,
}

/// By how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raise {
    Patch,
    Minor,
    Major,
    To(Version),
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Version, String> {
        let wrong = || format!("{text:?} is no version: write 1.4.0 or 2026.9.1.1");
        let (rest, build) = text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
        let (rest, pre) = rest.split_once('-').map_or((rest, None), |(rest, pre)| (rest, Some(pre)));
        let number = |part: &str| match part {
            part if part.len() > 1 && part.starts_with('0') => Err(wrong()),
            part if part.is_empty() || !part.chars().all(|c| c.is_ascii_digit()) => Err(wrong()),
            part => part.parse().map_err(|_| wrong()),
        };
        let parts: Vec<u64> = rest.split('.').map(number).collect::<Result<_, _>>()?;
        let tail = |tail: Option<&str>| {
            tail.is_none_or(|tail| {
                !tail.is_empty() && tail.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
            })
        };
        if !(2..=4).contains(&parts.len()) || !tail(pre) || !tail(build) {
            return Err(wrong());
        }
        Ok(Version { parts, pre: pre.map(Into::into), build: build.map(Into::into) })
    }
}

impl FromStr for Raise {
    type Err = String;

    fn from_str(text: &str) -> Result<Raise, String> {
        Ok(match text {
            "patch" => Raise::Patch,
            "minor" => Raise::Minor,
            "major" => Raise::Major,
            version => Raise::To(version.parse()?),
        })
    }
}

impl Version {
    /// The next one. `today` is needed where versions are dates.
    pub fn raised(&self, by: &Raise, today: OffsetDateTime) -> Result<Version, String> {
        let next = match (by, self.parts.as_slice()) {
            (Raise::To(version), _) => return Ok(version.clone()),
            (Raise::Patch, [year, month, day, n]) if *year >= CALENDAR => {
                let now = [today.year() as u64, u64::from(u8::from(today.month())), u64::from(today.day())];
                let n = if [*year, *month, *day] == now { n + 1 } else { 1 };
                now.into_iter().chain([n]).collect()
            }
            (_, [year, ..]) if *year >= CALENDAR && self.parts.len() == 4 => {
                return Err("a date has no minor and no major: say patch, or the version itself".into());
            }
            // What comes after a preview is what it was a preview of.
            (Raise::Patch, [a, b, c]) => vec![*a, *b, if self.pre.is_some() { *c } else { c + 1 }],
            (Raise::Minor, [a, b, _]) => vec![*a, b + 1, 0],
            (Raise::Major, [a, _, _]) => vec![a + 1, 0, 0],
            _ => return Err(format!("{self} has not three parts: say the next version itself")),
        };
        Ok(Version { parts: next, pre: None, build: None })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        let part = |of: &Version, n: usize| of.parts.get(n).copied().unwrap_or(0);
        let numbers = (0..4).map(|n| part(self, n).cmp(&part(other, n))).find(|order| order.is_ne());
        numbers
            .unwrap_or_else(|| previews(self.pre.as_deref(), other.pre.as_deref()))
            .then_with(|| self.build.cmp(&other.build))
    }
}

/// None is higher than any; numbers count as numbers and are lower than words.
fn previews(one: Option<&str>, other: Option<&str>) -> Ordering {
    let (Some(one), Some(other)) = (one, other) else { return one.is_none().cmp(&other.is_none()) };
    let key = |part: &str| part.parse::<u64>().map_or((1, 0, part.to_owned()), |number| (0, number, String::new()));
    one.split('.').map(key).cmp(other.split('.').map(key))
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.parts.iter().map(u64::to_string).collect();
        f.write_str(&parts.join("."))?;
        self.pre.iter().try_for_each(|pre| write!(f, "-{pre}"))?;
        self.build.iter().try_for_each(|build| write!(f, "+{build}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn order() {
        let rising = [
            "0.9",
            "0.9.1",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-rc.2",
            "1.0.0-rc.10",
            "1.0.0",
            "1.0.1",
            "1.10.0",
            "2026.9.1.3",
        ];
        for pair in rising.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert_eq!(version("1.0").cmp(&version("1.0.0")), Ordering::Equal);
    }

    #[test]
    fn raising() {
        let today = datetime!(2026-09-01 12:00 UTC);
        let raised =
            |from: &str, by: &str| version(from).raised(&by.parse().unwrap(), today).map(|next| next.to_string());
        let cases = [
            ("1.2.3", "patch", "1.2.4"),
            ("1.2.3", "minor", "1.3.0"),
            ("1.2.3", "major", "2.0.0"),
            ("1.2.3-rc.1", "patch", "1.2.3"),
            ("1.2.3", "1.5.0-beta+x", "1.5.0-beta+x"),
            ("2026.8.31.7", "patch", "2026.9.1.1"),
            ("2026.9.1.7", "patch", "2026.9.1.8"),
        ];
        for (from, by, want) in cases {
            assert_eq!(raised(from, by).as_deref(), Ok(want), "{from} {by}");
        }
        assert!(raised("2026.9.1.7", "minor").is_err() && raised("1.2", "patch").is_err());
    }

    #[test]
    fn what_is_no_version() {
        for bad in [
            "",
            "1",
            "v1.2.3",
            "1.2.x",
            "1.02.3",
            "1.2.3.4.5",
            "1.2.3-",
            "1.2.3-a b",
            "1.2.3+",
            "1.-2.3",
            "$(x)",
            "1.2.99999999999999999999",
        ] {
            assert!(bad.parse::<Version>().is_err(), "{bad:?}");
        }
        assert_eq!(version("1.2.3-rc.1+b2").to_string(), "1.2.3-rc.1+b2");
    }
}
