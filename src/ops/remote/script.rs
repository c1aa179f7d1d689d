//! Scripts for the host's own shell (POSIX, as busybox has it), and what they print.

use std::collections::BTreeMap;

use crate::ops::program::quoted;

/// Lines `key=value`, then `config:` and the configuration as it is.
const LOOK: &str = r#"
say() { printf '%s=%s\n' "$1" "$2"; }
d=${p%/*}
say user "$(id -un 2>/dev/null || id -u)"
if [ -L "$p" ]; then say kind link
elif [ -d "$p" ]; then say kind folder
elif [ -e "$p" ]; then say kind other
else say kind missing; fi
[ ! -d "$d" ] || say parent yes
w=$p; [ -d "$p" ] || w=$d
[ ! -w "$w" ] || say writable yes
say owner "$(stat -c %U "$w" 2>/dev/null)"
say free "$(df -Pk "$w" 2>/dev/null | awk 'NR == 2 { print $4 }')"
say entries "$(ls -A "$p" 2>/dev/null | wc -l)"
say files "$(find "$p" ! -type d 2>/dev/null | wc -l)"
[ -z "$(find "$p" -name .git 2>/dev/null | head -n 1)" ] || say git yes
[ ! -d "$d/.ops/$slug" ] || say kept yes
[ ! -e "$d/.ops/$slug.begun" ] || say begun yes
say built "$(tr -d '\n' <"$d/.ops/$slug.json" 2>/dev/null)"
for c in yaml yml json; do
    if [ -f "$p/config.$c" ]; then echo config:; cat "$p/config.$c"; break; fi
done
"#;

/// Each app below the folders, as the Supervisor looks for them: `app=PATH<tab>the line with its slug`.
const APPS: &str = r#"
find "$b" -name '.?*' -prune -o -name rootfs -prune -o -type f -name 'config.*' -print 2>/dev/null | while read -r f; do
    case $f in *.yaml | *.yml | *.json) printf 'app=%s\t%s\n' "${f%/*}" "$(grep -m 1 -E '^[[:space:]"]*slug' "$f")" ;; esac
done
"#;

/// Copies the tree of the app aside, or back.
const COPY: &str = r#"
set -e
mkdir -p "$to"
rsync -rlt -E --delete "$from/" "$to/"
"#;

/// What `look` prints about `path`.
pub fn look(path: &str, slug: &str) -> String {
    let base = path.rsplit_once('/').map_or("", |(base, _)| base);
    format!("p={}\nslug={}\nb={}\n{APPS}{LOOK}", quoted(path), quoted(slug), quoted(base))
}

/// Which of `bases` is there, and the apps in it.
pub fn find(bases: &[&str]) -> String {
    let list = bases.iter().map(|base| quoted(base)).collect::<Vec<_>>().join(" ");
    format!("for b in {list}; do\n[ -d \"$b\" ] || continue\nprintf 'base=%s\\n' \"$b\"\n{APPS}\nbreak\ndone\n")
}

pub fn copy(from: &str, to: &str) -> String {
    format!("from={}\nto={}\n{COPY}", quoted(from), quoted(to))
}

/// Writes `text` whole into `file`, whose folder is made.
pub fn write(file: &str, text: &str) -> String {
    let (file, folder) = (quoted(file), quoted(file.rsplit_once('/').map_or(".", |(folder, _)| folder)));
    format!("set -e\nmkdir -p {folder}\nprintf '%s\\n' {} >{file}.new\nmv {file}.new {file}\n", quoted(text))
}

pub fn remove(file: &str) -> String {
    format!("rm -f {}\n", quoted(file))
}

pub fn is_folder(path: &str) -> String {
    format!("[ -d {} ]\n", quoted(path))
}

/// What a script printed.
#[derive(Debug, Default)]
pub struct Told {
    pub values: BTreeMap<String, String>,
    /// Folder and slug of each app.
    pub apps: Vec<(String, String)>,
    pub config: Option<String>,
}

pub fn read(output: &str) -> Told {
    let (lines, config) = match output.split_once("config:\n") {
        Some((lines, config)) => (lines, Some(config.to_string())),
        None => (output, None),
    };
    let mut told = Told { config, ..Told::default() };
    for (key, value) in lines.lines().filter_map(|line| line.split_once('=')) {
        match (key, value.split_once('\t')) {
            ("app", Some((folder, line))) => told.apps.push((folder.into(), slug_in(line))),
            _ => drop(told.values.insert(key.into(), value.trim().into())),
        }
    }
    told
}

/// Of `slug: x`, with any quotes, or `"slug": "x",`.
pub fn slug_in(line: &str) -> String {
    let value = line.split_once(':').map_or("", |(_, value)| value);
    let value = value.split(" #").next().unwrap_or_default();
    value.trim_matches(|c: char| c.is_whitespace() || "\"',".contains(c)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_the_host() {
        let text = "app=/addons/x\tslug: x # ours\napp=/addons/y\t  \"slug\": \"why\",\nkind=folder\nbuilt=\n\
                    config:\nname: a=b\nslug: x\n";
        let told = read(text);
        assert_eq!(told.apps, [("/addons/x".into(), "x".into()), ("/addons/y".into(), "why".into())]);
        assert_eq!((told.values["kind"].as_str(), told.values["built"].as_str()), ("folder", ""));
        assert_eq!(told.config.as_deref(), Some("name: a=b\nslug: x\n"));
    }

    #[test]
    fn paths_are_words() {
        let script = look("/addons/it's $(rm x)", "x");
        assert!(script.starts_with("p='/addons/it'\\''s $(rm x)'\nslug=x\nb=/addons\n"), "{script}");
    }
}
