//! What lies beside the app's folder: the last good tree, notes about it, receipts.

use std::fs;
use std::io;
use std::path::Path;

use super::{Built, Files};
use crate::ops::bench::Bench;
use crate::ops::outcome::{Kind, Problem};
use crate::ops::program::Call;
use crate::ops::receipt::now;
use crate::ops::remote::script;

impl Files {
    /// Beside it, where the Supervisor does not look.
    fn aside(&self, slug: &str) -> String {
        let path = self.path();
        let base = path.rsplit_once('/').map_or("", |(base, _)| base);
        format!("{base}/.ops/{slug}")
    }

    /// Keeps the tree that lies there now.
    pub fn keep(&self, bench: &mut Bench<'_>) -> Result<(), Problem> {
        let aside = self.aside(&bench.app.slug);
        self.copy(bench, "keep this tree as the last good one", &self.path(), &aside)
    }

    /// Brings the last good tree back.
    pub fn restore(&self, bench: &mut Bench<'_>) -> Result<(), Problem> {
        let aside = self.aside(&bench.app.slug);
        self.copy(bench, "bring the last good tree back", &aside, &self.path())
    }

    fn copy(&self, bench: &mut Bench<'_>, what: &str, from: &str, to: &str) -> Result<(), Problem> {
        let ran = match self {
            Files::Host(ssh, _) => ssh.script(bench, what, true, &script::copy(from, to))?,
            Files::Share(_) => {
                if !bench.asked.dry_run {
                    fs::create_dir_all(to).map_err(|error| unwritten(what, &error))?;
                }
                bench.run(&Call::write(what, "rsync", ["-rlt", "--delete", &format!("{from}/"), &format!("{to}/")]))?
            }
        };
        if ran.ok() { Ok(()) } else { Err(self.not_sent(what, &ran)) }
    }

    /// Notes what the tree that is kept was built from.
    pub fn mark(&self, bench: &mut Bench<'_>, built: &Built) -> Result<(), Problem> {
        let what = "note what was built";
        let file = format!("{}.json", self.aside(&bench.app.slug));
        let text = serde_json::to_string(built).unwrap_or_default();
        self.write(bench, what, &file, &text)
    }

    /// Notes that a first copy begins: whoever looks after it broke off finds files, but no configuration.
    pub fn begin(&self, bench: &mut Bench<'_>) -> Result<(), Problem> {
        let file = format!("{}.begun", self.aside(&bench.app.slug));
        self.write(bench, "note that a copy begins", &file, &now())
    }

    pub fn ended(&self, bench: &mut Bench<'_>) -> Result<(), Problem> {
        let (what, file) = ("note that the copy ended", format!("{}.begun", self.aside(&bench.app.slug)));
        match self {
            Files::Host(ssh, _) => {
                let ran = ssh.script(bench, what, true, &script::remove(&file))?;
                if ran.ok() { Ok(()) } else { Err(Problem::new(Kind::Refused, what, ran.said(4), "")) }
            }
            Files::Share(_) => fs::remove_file(file).map_err(|error| unwritten(what, &error)),
        }
    }

    /// A receipt on the host: `ops/SLUG/TIME-NAME.json` below its configuration.
    pub fn leave(&self, bench: &mut Bench<'_>, name: &str, text: &str) -> Result<(), Problem> {
        let what = "leave a receipt there";
        let path = self.path();
        let base = path.rfind("/addons/").or_else(|| path.rfind("/local_apps/")).and_then(|at| path.get(..at));
        let why = "neither a folder `addons` nor `local_apps` is in the path";
        let base = base.ok_or_else(|| Problem::usage(what, why, "Leave out --remote-receipt."))?;
        let folders = [format!("{base}/homeassistant"), format!("{base}/config")];
        let mut there = None;
        for folder in folders {
            if there.is_none() && self.has_folder(bench, &folder)? {
                there = Some(folder);
            }
        }
        let why = format!("there is neither {base}/homeassistant nor {base}/config");
        let folder = there.ok_or_else(|| Problem::new(Kind::Refused, what, why, "Leave out --remote-receipt."))?;
        let time = now().replace(':', "-");
        self.write(bench, what, &format!("{folder}/ops/{}/{time}-{name}.json", bench.app.slug.clone()), text)
    }

    fn has_folder(&self, bench: &mut Bench<'_>, folder: &str) -> Result<bool, Problem> {
        match self {
            Files::Share(_) => Ok(Path::new(folder).is_dir()),
            Files::Host(ssh, _) => Ok(ssh.script(bench, "look for a folder", false, &script::is_folder(folder))?.ok()),
        }
    }

    fn write(&self, bench: &mut Bench<'_>, what: &str, file: &str, text: &str) -> Result<(), Problem> {
        match self {
            Files::Host(ssh, _) => {
                let ran = ssh.script(bench, what, true, &script::write(file, text))?;
                if ran.ok() { Ok(()) } else { Err(Problem::new(Kind::Refused, what, ran.said(4), "")) }
            }
            Files::Share(_) if bench.asked.dry_run => Ok(()),
            Files::Share(_) => {
                let write = || -> io::Result<()> {
                    fs::create_dir_all(Path::new(file).parent().unwrap_or(Path::new("/")))?;
                    fs::write(format!("{file}.new"), format!("{text}\n"))?;
                    fs::rename(format!("{file}.new"), file)
                };
                write().map_err(|error| unwritten(what, &error))?;
                bench.note(what, file);
                Ok(())
            }
        }
    }
}

fn unwritten(what: &str, error: &io::Error) -> Problem {
    Problem::new(Kind::Refused, format!("{what}: the share cannot be written"), error.to_string(), "")
}
