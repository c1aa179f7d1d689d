//! Which of install, update and rebuild brings our version to run. The Supervisor refuses the wrong one.

/// What the Supervisor and the host's folder say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// None where the app is not installed.
    pub installed: Option<&'a str>,
    /// What the store read from the folder.
    pub store: &'a str,
    /// The last build was of this very tree.
    pub built: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Install,
    Update,
    /// Removes the old image before it builds.
    Rebuild,
    /// The image is of this tree already.
    Nothing,
}

impl Action {
    pub const fn word(self) -> &'static str {
        match self {
            Action::Install => "install",
            Action::Update => "update",
            Action::Rebuild => "rebuild",
            Action::Nothing => "nothing",
        }
    }
}

pub fn choose(facts: Facts<'_>) -> Action {
    match facts.installed {
        None => Action::Install,
        Some(installed) if installed != facts.store => Action::Update,
        Some(_) if facts.built => Action::Nothing,
        Some(_) => Action::Rebuild,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let cases = [
            (None, "1", false, Action::Install),
            // The marker may be of an app that was removed since.
            (None, "1", true, Action::Install),
            (Some("1"), "2", false, Action::Update),
            (Some("2"), "1", true, Action::Update),
            (Some("1"), "1", false, Action::Rebuild),
            (Some("1"), "1", true, Action::Nothing),
        ];
        for (installed, store, built, action) in cases {
            assert_eq!(choose(Facts { installed, store, built }), action, "{installed:?} {store} {built}");
        }
    }
}
