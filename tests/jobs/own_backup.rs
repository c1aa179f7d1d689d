//! The app's own backup holds its ledger and its logs, and no byte of an image, whenever it is made: `backup_exclude` in
//! config.yaml is held to the names that files really have, by the Supervisor's rule.

use std::fs;
use std::path::{Path, PathBuf};

use sd_swap::demo::releases::Fault;
use sd_swap::domain::stage::Stage;
use yaml_rust2::YamlLoader;

use crate::house::*;

/// Python's `PurePath.match` with a relative pattern: from the right, part by part (Supervisor, `apps/app.py`).
fn matches(path: &Path, pattern: &str) -> bool {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let wanted: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    !wanted.is_empty()
        && wanted.len() <= parts.len()
        && parts.iter().rev().zip(wanted.iter().rev()).all(|(part, wanted)| fits(part.as_bytes(), wanted.as_bytes()))
}

/// `fnmatch` with `*` and `?`.
fn fits(name: &[u8], pattern: &[u8]) -> bool {
    match pattern {
        [] => name.is_empty(),
        [b'*', rest @ ..] => (0..=name.len()).any(|n| fits(&name[n..], rest)),
        [b'?', rest @ ..] => !name.is_empty() && fits(&name[1..], rest),
        [first, rest @ ..] => name.first() == Some(first) && fits(&name[1..], rest),
    }
}

fn left_out() -> Vec<String> {
    let config = YamlLoader::load_from_str(include_str!("../../config.yaml")).unwrap();
    let patterns = config[0]["backup_exclude"].as_vec().expect("backup_exclude");
    patterns.iter().map(|pattern| pattern.as_str().unwrap().to_string()).collect()
}

/// Every file below a folder.
fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.path().is_dir() { files(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

/// What a backup of the data folder would hold now, and what it would leave out.
fn parted(data: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let (mut all, patterns) = (Vec::new(), left_out());
    files(data, &mut all);
    // As the Supervisor names it: the whole path on the host.
    let on_host = |path: &Path| Path::new("/data/addons/data/0a1b2c3d_sd_swap").join(path.strip_prefix(data).unwrap());
    all.into_iter().partition(|path| !patterns.iter().any(|pattern| matches(&on_host(path), pattern)))
}

/// Nothing of an image is in it: neither by its name nor by its length.
fn assert_small(kept: &[PathBuf]) {
    for path in kept {
        let length = fs::metadata(path).map_or(0, |meta| meta.len());
        assert!(length < 100_000, "{} has {length} bytes", path.display());
    }
    assert!(kept.iter().any(|path| path.ends_with("ledger.json")), "{kept:?}");
    assert!(kept.iter().any(|path| path.ends_with("logs/sd-swap-job-1.txt")), "{kept:?}");
}

#[actix_web::test]
async fn the_apps_own_backup_has_no_image_in_it() {
    let world = World::new();
    world.around.releases.set_fault(Fault::Slow { per_second: 400_000 });
    let house = world.open().await;
    let id = house.start().await;
    house.until(id, |view| runs(view, Stage::Download) && view.stages[2].amount.done > 100_000).await;
    // This is when it is made: beside the download.
    let (kept, out) = parted(&world.path("data"));
    assert_small(&kept);
    assert!(out.iter().any(|path| path.to_string_lossy().contains("unfinished-")), "{out:?}");
    world.around.releases.clear_faults();
    house.jobs.stop(id).await.unwrap();
    house.ended(id).await;
    let (kept, out) = parted(&world.path("data"));
    assert_small(&kept);
    assert_eq!(out.len(), 1, "what was begun is kept: {out:?}");
    house.assert_usable().await;
    let (kept, out) = parted(&world.path("data"));
    assert_small(&kept);
    let [image] = out.as_slice() else { panic!("{out:?}") };
    assert!(image.ends_with("images/haos_rpi4-64-18.2.img.xz"), "{image:?}");
}

#[test]
fn the_rule_is_pythons() {
    let cases = [
        ("/data/x/haos.img.xz", "*.img.xz", true),
        ("/data/x/haos.img.xz.json", "*.img.xz", false),
        ("/data/haos.img.xz/note", "*.img.xz", false),
        ("/data/images/a", "images/*", true),
        ("/data/images/deep/a", "images/*", false),
        ("/data/images", "images", true),
        ("/data/a", "?", true),
        ("/data/ab", "?", false),
        ("/data/a", "x/data/a", false),
    ];
    for (path, pattern, want) in cases {
        assert_eq!(matches(Path::new(path), pattern), want, "{path} {pattern}");
    }
}
