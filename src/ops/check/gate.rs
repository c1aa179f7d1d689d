//! The project's own tests, and how much of it they cover.

use std::path::Path;
use std::time::Duration;

use crate::ops::bench::Bench;
use crate::ops::outcome::{Kind, Problem};
use crate::ops::program::{Call, words};
use crate::ops::token::Token;

const LIMIT: u64 = 1800;

/// Every command of `[check] run`; `WS_READY` if all of them end well and cover enough.
pub fn tests(bench: &mut Bench<'_>) -> Result<(), Problem> {
    let check = bench.project.check.clone();
    if check.run.is_empty() {
        bench.note("tests", "ops.toml names none ([check] run), so nothing says WS_READY");
        return Ok(());
    }
    for (n, line) in check.run.iter().enumerate() {
        let words = words(line).map_err(|why| Problem::usage("[check] run cannot be read", why, ""))?;
        let Some((name, arguments)) = words.split_first() else { continue };
        let limit = Duration::from_secs(check.limit.unwrap_or(LIMIT));
        let call = Call::write(format!("tests: {line}"), name, arguments);
        let ran = bench.run(&call.within(&bench.app.project).limit(limit).loud())?;
        bench.keep_output(&format!("check-{}.log", n + 1), &format!("{}{}", ran.output, ran.errors))?;
        if !ran.ok() {
            let what = format!("the tests failed: {line} ended with {}", ran.code);
            return Err(Problem::new(Kind::SaidNo, what, ran.said(20), "All of its output lies beside the receipt."));
        }
    }
    image(bench)?;
    if bench.asked.dry_run {
        return bench.token(Token::WsReady);
    }
    reports(bench)?;
    bench.token(Token::WsReady)
}

/// Coverage and results: named in the receipt, and the coverage is enough.
fn reports(bench: &mut Bench<'_>) -> Result<(), Problem> {
    let check = bench.project.check.clone();
    for file in [&check.coverage, &check.junit].into_iter().flatten() {
        if !bench.app.project.join(file).is_file() {
            let what = format!("the tests did not leave {file}");
            return Err(Problem::new(Kind::SaidNo, what, "ops.toml names it in [check]", ""));
        }
        bench.file(file);
    }
    let Some(least) = check.coverage_min else { return Ok(()) };
    let Some(file) = &check.coverage else {
        let todo = "Name the file that the tests write: [check] coverage, Cobertura's XML or LCOV.";
        return Err(Problem::usage("[check] coverage_min without coverage", "nothing says how much is covered", todo));
    };
    let covered = covered(&bench.app.project.join(file)).ok_or_else(|| {
        Problem::new(Kind::SaidNo, format!("{file} says no coverage"), "it is neither Cobertura's XML nor LCOV", "")
    })?;
    bench.note("coverage", format!("{covered:.1} % of the lines, at least {least} %"));
    if covered < least {
        return Err(Problem::new(
            Kind::SaidNo,
            format!("{covered:.1} % is covered"),
            format!("at least {least} % is asked"),
            "",
        ));
    }
    Ok(())
}

/// Percent of lines.
fn covered(file: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(file).ok()?;
    let sum =
        |key: &str| text.lines().filter_map(|line| line.strip_prefix(key)?.trim().parse::<f64>().ok()).sum::<f64>();
    if let Some((_, rest)) = text.split_once("line-rate=\"") {
        return rest.split('"').next()?.parse().ok().map(|rate: f64| rate * 100.0);
    }
    let (found, hit) = (sum("LF:"), sum("LH:"));
    (found > 0.0).then(|| hit / found * 100.0)
}

/// With `[check] build`: as the Supervisor builds it, where this machine can.
fn image(bench: &mut Bench<'_>) -> Result<(), Problem> {
    if !bench.project.check.build {
        return Ok(());
    }
    let there =
        bench.run(&Call::look("is there a Docker engine", "docker", ["version", "--format", "{{.Server.Version}}"]));
    match there {
        Ok(ran) if ran.ok() => {}
        Err(problem) if problem.kind == Kind::Stopped => return Err(problem),
        _ => {
            bench.note("image", "not built: there is no Docker engine here");
            return Ok(());
        }
    }
    let version = format!("BUILD_VERSION={}", bench.app.version);
    let arch =
        format!("BUILD_ARCH={}", if std::env::consts::ARCH == "x86_64" { "amd64" } else { std::env::consts::ARCH });
    let words = ["buildx", "build", "--pull", "--build-arg", &version, "--build-arg", &arch, "."];
    let call = Call::write("build the image", "docker", words).within(&bench.app.folder);
    let ran = bench.run(&call.limit(Duration::from_secs(LIMIT * 2)).loud())?;
    bench.keep_output("build.log", &format!("{}{}", ran.output, ran.errors))?;
    if ran.ok() {
        return Ok(());
    }
    Err(Problem::new(
        Kind::SaidNo,
        "the image does not build",
        ran.said(20),
        "build.log beside the receipt has all of it.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_is_read_from_both_forms() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("coverage");
        let says = |text: &str| {
            std::fs::write(&file, text).unwrap();
            covered(&file)
        };
        assert_eq!(says("<?xml version=\"1\"?><coverage branch-rate=\"0\" line-rate=\"0.75\">"), Some(75.0));
        assert_eq!(says("SF:a\nLF:10\nLH:9\nend_of_record\nSF:b\nLF:10\nLH:1\n"), Some(50.0));
        assert_eq!(says("nothing"), None);
    }
}
