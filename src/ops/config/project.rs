//! `ops.toml`: what belongs to the project and goes into its repository.

use std::path::Path;

use serde::Deserialize;

use crate::ops::outcome::Problem;

/// All of it; everything may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Project {
    pub check: Check,
    pub verify: Verify,
    pub publish: Publish,
    pub bump: Bump,
    pub invariant: Vec<Invariant>,
}

/// `[check]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Check {
    /// The project's tests, one command a line: words, with quotes around those with spaces. No shell reads them.
    pub run: Vec<String>,
    /// Seconds for each; 1800 if nothing is said.
    pub limit: Option<u64>,
    /// Percent of lines that the tests have to cover.
    pub coverage_min: Option<f64>,
    /// Where `run` leaves its coverage (Cobertura or LCOV) and its results (JUnit), from the project's folder.
    pub coverage: Option<String>,
    pub junit: Option<String>,
    /// Also builds the image where this machine has a Docker engine.
    pub build: bool,
}

/// `[verify]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Verify {
    /// Asked after the start; `{version}` stands for ours.
    pub url: Option<String>,
    /// What its answer holds: the build's mark. `{version}` stands for ours.
    pub contains: Option<String>,
    pub log_contains: Vec<String>,
    pub log_lacks: Vec<String>,
    /// Seconds in which it must not restart; 30 if nothing is said.
    pub steady: Option<u64>,
    /// Seconds until its page has to answer; 60 if nothing is said.
    pub answer: Option<u64>,
}

/// `[publish]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Publish {
    /// A remote of git's, or a URL.
    pub remote: Option<String>,
    pub branch: Option<String>,
    /// `image:` of the published configuration; without one the Supervisor builds.
    pub image: Option<String>,
    /// Before the version in the tag; `v` if nothing is said.
    pub tag: Option<String>,
    /// The tag stands on the commit that was published from, not on the published one: for a CI that builds from it.
    pub tag_source: bool,
    /// Only these files and folders of the app; all of them if nothing is said.
    pub files: Vec<String>,
}

impl Publish {
    /// Whether the project publishes at all.
    pub fn is_set(&self) -> bool {
        self.remote.is_some() || self.branch.is_some() || self.image.is_some() || !self.files.is_empty()
    }
}

/// `[bump]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bump {
    /// Files of the project that say the version, too: in a line of their own, `version = "…"`.
    pub files: Vec<String>,
}

/// `[[invariant]]`: a file of the app and a text that it holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invariant {
    pub path: String,
    #[serde(default)]
    pub contains: Option<String>,
}

impl Project {
    pub fn load(project: &Path) -> Result<Project, Problem> {
        let file = project.join("ops.toml");
        let wrong = |why: String| Problem::usage(format!("{} cannot be read", file.display()), why, "");
        match std::fs::read_to_string(&file) {
            Ok(text) => basic_toml::from_str(&text).map_err(|error| wrong(error.to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Project::default()),
            Err(error) => Err(wrong(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_it_and_nothing_of_it() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Project::load(dir.path()).unwrap().check.run.is_empty());
        let text = "[check]\nrun = ['cargo test', 'make \"a b\"']\ncoverage_min = 80\n\n[verify]\nlog_lacks = ['panicked']\n\n\
                    [publish]\nremote = 'origin'\nbranch = 'release'\n\n[[invariant]]\npath = 'run.sh'\ncontains = 'exec'\n";
        std::fs::write(dir.path().join("ops.toml"), text).unwrap();
        let project = Project::load(dir.path()).unwrap();
        assert_eq!(project.check.run.len(), 2);
        assert_eq!(project.check.coverage_min, Some(80.0));
        assert_eq!(project.invariant[0].contains.as_deref(), Some("exec"));
        std::fs::write(dir.path().join("ops.toml"), "[chekc]\n").unwrap();
        assert!(Project::load(dir.path()).unwrap_err().why.contains("chekc"));
    }
}
