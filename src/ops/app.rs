//! The app's folder: what its configuration says, and the project it belongs to.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::outcome::Problem;
use super::yaml;

/// As the Supervisor looks for them.
pub const CONFIG_NAMES: [&str; 3] = ["config.yaml", "config.yml", "config.json"];

#[derive(Debug, Clone)]
pub struct App {
    /// The folder with `config.yaml`, absolute.
    pub folder: PathBuf,
    /// The folder with `ops.toml`, `ops.env` and the receipts: the first one from the app's upwards that holds one of
    /// these or `.git`; else the app's.
    pub project: PathBuf,
    /// The name of the configuration's file.
    pub file: &'static str,
    pub config: Value,
    pub slug: String,
    pub version: String,
}

impl App {
    /// Reads the configuration in `folder`, as far as every lane needs it; its rules are `check`'s.
    pub fn read(folder: &Path) -> Result<App, Problem> {
        let shown = folder.display();
        let folder = fs::canonicalize(folder)
            .map_err(|error| Problem::usage(format!("{shown} cannot be opened"), error.to_string(), POINT))?;
        let found = CONFIG_NAMES.into_iter().find(|name| folder.join(name).is_file());
        let file =
            found.ok_or_else(|| Problem::usage(format!("{shown} is no app"), "it holds no config.yaml", POINT))?;
        let wrong = |why: String| Problem::usage(format!("{shown}/{file} cannot be read"), why, "");
        let text = fs::read_to_string(folder.join(file)).map_err(|error| wrong(error.to_string()))?;
        // JSON is YAML, but for what nobody writes.
        let config = yaml::read(&text).map_err(wrong)?;
        let of = |key: &str| match config.get(key) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            Some(Value::Number(number)) if key == "version" => Ok(number.to_string()),
            _ => Err(wrong(format!("it has no {key}"))),
        };
        let (slug, version) = (of("slug")?, of("version")?);
        let slug_fine = slug.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !slug_fine || slug.starts_with('.') {
            return Err(wrong(format!("{slug:?} is no slug")));
        }
        let project = project_of(&folder);
        Ok(App { folder, project, file, config, slug, version })
    }

    /// As the Supervisor names it: with the name of the repository of local apps before it.
    pub fn full_slug(&self) -> String {
        format!("local_{}", self.slug)
    }
}

const POINT: &str = "Point --app to the folder that holds the app's config.yaml.";

fn project_of(folder: &Path) -> PathBuf {
    let holds = |folder: &&Path| {
        ["ops.toml", "ops.env", ".git"].iter().any(|name| folder.join(name).symlink_metadata().is_ok())
    };
    folder.ancestors().find(holds).unwrap_or(folder).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_its_slug_and_version() {
        let dir = tempfile::tempdir().unwrap();
        let project = fs::canonicalize(dir.path()).unwrap();
        let folder = project.join("addon");
        fs::create_dir(&folder).unwrap();
        assert!(App::read(&folder).unwrap_err().why.contains("no config.yaml"));
        fs::write(folder.join("config.yaml"), "slug: my_app\nversion: \"1.2.3\"\n").unwrap();
        let app = App::read(&folder).unwrap();
        assert_eq!((app.slug.as_str(), app.version.as_str()), ("my_app", "1.2.3"));
        assert_eq!(app.full_slug(), "local_my_app");
        assert_eq!(app.project, folder);
        fs::write(project.join("ops.toml"), "").unwrap();
        assert_eq!(App::read(&folder).unwrap().project, project);
    }

    #[test]
    fn a_slug_is_no_path() {
        let dir = tempfile::tempdir().unwrap();
        for slug in ["../x", "a b", "..", "\"\"", "a/b", "$(x)"] {
            fs::write(dir.path().join("config.yaml"), format!("slug: {slug}\nversion: \"1\"\n")).unwrap();
            assert!(App::read(dir.path()).is_err(), "{slug}");
        }
    }
}
