//! Whether the image that is named can be pulled: for each architecture, in this version. Docker is asked, where there is
//! one; where not, or where the registry cannot be reached, that is said and nothing is claimed.

use serde_json::Value;

use crate::ops::bench::Bench;
use crate::ops::outcome::{Kind, Problem};
use crate::ops::program::Call;
use crate::ops::tree::Tree;
use crate::ops::yaml;

/// Home Assistant's names, and those of images.
const ARCHES: [(&str, &str); 5] =
    [("aarch64", "arm64"), ("amd64", "amd64"), ("armv7", "arm"), ("armhf", "arm"), ("i386", "386")];

pub fn check(bench: &mut Bench<'_>, tree: &Tree) -> Result<(), Problem> {
    let config = tree.text(bench.app.file).and_then(|text| yaml::read(&text).ok()).unwrap_or_default();
    let Some(image) = config.get("image").and_then(Value::as_str) else { return Ok(()) };
    let arches = config.get("arch").and_then(Value::as_array).cloned().unwrap_or_default();
    for arch in arches.iter().filter_map(Value::as_str) {
        let name = format!("{}:{}", image.replace("{arch}", arch), bench.app.version);
        let missing = match ask(bench, &name)? {
            Answer::Unknown(why) => {
                bench.note("image", format!("{name}: not checked ({why})"));
                continue;
            }
            Answer::Missing => true,
            Answer::There(described) => !image.contains("{arch}") && !holds(&described, arch),
        };
        if missing {
            let why = "every user's Supervisor would try to pull it, and fail";
            let what = format!("{name} is not there for {arch}");
            return Err(Problem::new(Kind::Refused, what, why, "Build and push the images first; then publish."));
        }
        bench.note("image", format!("{name} is there for {arch}"));
    }
    Ok(())
}

enum Answer {
    There(Value),
    Missing,
    Unknown(String),
}

fn ask(bench: &mut Bench<'_>, name: &str) -> Result<Answer, Problem> {
    let call = Call::look("is the image there", "docker", ["buildx", "imagetools", "inspect", "--raw", name]);
    let ran = match bench.run(&call) {
        Ok(ran) => ran,
        Err(problem) if problem.kind == Kind::Stopped => return Err(problem),
        Err(problem) => return Ok(Answer::Unknown(problem.why)),
    };
    if ran.ok() {
        let described = serde_json::from_str(&ran.output);
        return Ok(described.map_or_else(|_| Answer::Unknown("docker's answer is no JSON".into()), Answer::There));
    }
    let missing = ["not found", "manifest unknown", "name unknown"].iter().any(|text| ran.errors.contains(text));
    // A docker without that command says "unknown command", a registry that is away something else.
    Ok(if missing { Answer::Missing } else { Answer::Unknown(ran.said(1)) })
}

/// A list of images for several machines names each; a single image tells nothing about it here.
fn holds(described: &Value, arch: &str) -> bool {
    let Some(images) = described.get("manifests").and_then(Value::as_array) else { return true };
    let wanted = ARCHES.iter().find(|(name, _)| *name == arch).map(|(_, machine)| *machine);
    let machine = |image: &Value| image.get("platform")?.get("architecture")?.as_str().map(str::to_owned);
    images.iter().filter_map(machine).any(|machine| Some(machine.as_str()) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn machines_of_a_list() {
        let list = json!({ "manifests": [{ "platform": { "architecture": "arm64" } }, { "platform": { "architecture": "unknown" } }] });
        assert!(holds(&list, "aarch64") && !holds(&list, "amd64"));
        assert!(holds(&json!({ "config": {} }), "amd64"));
    }
}
