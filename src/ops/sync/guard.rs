//! Which folder may be written and cleared: one that is missing, empty, or this very app's.

/// The folder on the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    pub kind: Kind,
    /// The folder it lies in is there.
    pub parent: bool,
    /// Whatever is directly in it.
    pub entries: u64,
    /// Of its configuration.
    pub slug: Option<String>,
    /// A first copy was begun there and not ended: what is in it is ours.
    pub begun: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Missing,
    Folder,
    Link,
    Other,
}

/// Names that hold apps, or other people's things, and are never one app.
const NOT_AN_APP: [&str; 13] = [
    "addons",
    "local_apps",
    "apps",
    "local",
    "addon_configs",
    "backup",
    "config",
    "homeassistant",
    "media",
    "share",
    "ssl",
    "data",
    "root",
];

/// Why nothing may be written to `path`, for the app `slug`; None where it may.
pub fn refuses(path: &str, seen: &Seen, slug: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let last = parts.last().copied().unwrap_or_default();
    if parts.len() < 2 || NOT_AN_APP.contains(&last) {
        return Some("it is where apps lie, not the folder of one app".into());
    }
    match seen.kind {
        Kind::Link => Some("it is a symbolic link: what it leads to would be cleared".into()),
        Kind::Other => Some("it is no folder".into()),
        Kind::Missing if !seen.parent => Some("the folder it would lie in does not exist".into()),
        Kind::Missing => None,
        Kind::Folder if seen.entries == 0 => None,
        Kind::Folder => match &seen.slug {
            Some(theirs) if theirs == slug => None,
            Some(theirs) => Some(format!("it holds another app, with the slug {theirs}")),
            None if seen.begun => None,
            None => Some("it holds files, but no config.yaml of an app".into()),
        },
    }
}

/// More than three of ten files would go.
pub fn is_much(deleted: usize, there: u64) -> bool {
    deleted as u64 * 10 > there * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(entries: u64, slug: Option<&str>) -> Seen {
        Seen { kind: Kind::Folder, parent: true, entries, slug: slug.map(Into::into), begun: false }
    }

    #[test]
    fn only_our_own_folder() {
        let missing = Seen { parent: true, ..Seen::default() };
        for fine in [&missing, &folder(0, None), &folder(7, Some("x"))] {
            assert_eq!(refuses("/addons/x", fine, "x"), None);
        }
        for bad in [folder(7, Some("y")), folder(7, None), Seen::default()] {
            assert!(refuses("/addons/x", &bad, "x").is_some(), "{bad:?}");
        }
        let begun = |slug| Seen { begun: true, ..folder(7, slug) };
        assert_eq!(refuses("/addons/x", &begun(None), "x"), None);
        assert!(refuses("/addons/x", &begun(Some("y")), "x").is_some());
        for kind in [Kind::Link, Kind::Other] {
            assert!(refuses("/addons/x", &Seen { kind, ..folder(0, None) }, "x").is_some());
        }
    }

    /// Even empty, or with an app's configuration right in it.
    #[test]
    fn never_the_folder_of_all_apps() {
        for path in
            ["/", "/x", "/addons", "/addons/", "/mnt/host/addons", "/local_apps", "/addons/local", "/mnt/config"]
        {
            assert!(refuses(path, &folder(0, None), "x").is_some(), "{path}");
            assert!(refuses(path, &folder(5, Some("x")), "x").is_some(), "{path}");
        }
    }

    #[test]
    fn three_of_ten() {
        assert!(!is_much(3, 10) && is_much(4, 10) && !is_much(0, 0) && is_much(1, 1));
    }
}
