//! The repository as the Supervisor and Docker see it: files by path, changeable without touching the disk.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

#[derive(Clone, Default)]
pub struct Entry {
    pub bytes: Vec<u8>,
    pub executable: bool,
}

#[derive(Clone)]
pub struct Tree(pub BTreeMap<String, Entry>);

impl Tree {
    /// Everything below `root` but what is made by building.
    pub fn read(root: &Path) -> Tree {
        let mut files = BTreeMap::new();
        walk(root, root, &mut files);
        Tree(files)
    }

    pub fn text(&self, path: &str) -> String {
        self.0.get(path).map(|entry| String::from_utf8_lossy(&entry.bytes).into_owned()).unwrap_or_default()
    }

    pub fn bytes(&self, path: &str) -> &[u8] {
        self.0.get(path).map(|entry| entry.bytes.as_slice()).unwrap_or_default()
    }

    pub fn has(&self, path: &str) -> bool {
        self.0.contains_key(path) || self.below(&format!("{}/", path.trim_end_matches('/'))).next().is_some()
    }

    pub fn below<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a String> {
        self.0.keys().filter(move |path| path.starts_with(start))
    }

    /// `Null` for what is no YAML.
    pub fn yaml(&self, path: &str) -> Value {
        let documents = YamlLoader::load_from_str(&self.text(path)).unwrap_or_default();
        documents.first().map(json).unwrap_or_default()
    }
}

/// What stands beside a rule that does not hold.
pub fn complaints<T: Into<String>>(rules: impl IntoIterator<Item = (bool, T)>) -> Vec<String> {
    rules.into_iter().filter(|(fine, _)| !fine).map(|(_, what)| what.into()).collect()
}

fn walk(root: &Path, dir: &Path, files: &mut BTreeMap<String, Entry>) {
    for entry in fs::read_dir(dir).expect("a folder of the repository").map(|entry| entry.expect("an entry")) {
        let path = entry.path();
        let name = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
        if ["target", "dist", ".git"].contains(&name.as_str()) {
            continue;
        }
        let about = entry.metadata().expect("a file of the repository");
        if about.is_dir() {
            walk(root, &path, files);
        } else if about.is_file() {
            let executable = about.permissions().mode() & 0o111 != 0;
            files.insert(name, Entry { bytes: fs::read(&path).expect("a file of the repository"), executable });
        }
    }
}

fn json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Boolean(value) => Value::from(*value),
        Yaml::Integer(value) => Value::from(*value),
        Yaml::Real(text) | Yaml::String(text) => Value::from(text.as_str()),
        Yaml::Array(items) => items.iter().map(json).collect(),
        Yaml::Hash(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| (key.as_str().unwrap_or_default().to_owned(), json(value)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}
