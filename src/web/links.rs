//! Every link of the site, relative to the page it stands on, so that it holds under any prefix (UI-3).
//!
//! Home Assistant serves us below `/api/hassio_ingress/TOKEN/`, sometimes with a doubled slash before our part. A link
//! that never begins with `/` is right there and at the root.

use super::assets;
use crate::domain::backup::BackupSlug;
use crate::domain::disk::DiskId;
use crate::domain::job::JobId;

/// Links as seen from a page that lies `depth` folders below the root: 0 for `card`, 1 for `jobs/7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Links {
    depth: usize,
}

impl Links {
    /// `./`, `card`
    pub const TOP: Links = Links { depth: 0 };
    /// `jobs/7`
    pub const JOB: Links = Links { depth: 1 };
    /// `jobs/7/stop`, `jobs/7/log`
    pub const STOP: Links = Links { depth: 2 };

    /// For a page at any path, as an error page is. `path` has one leading slash.
    pub fn of_path(path: &str) -> Links {
        Links { depth: path.matches('/').count().saturating_sub(1).min(64) }
    }

    fn to(&self, rest: &str) -> String {
        format!("{}{rest}", "../".repeat(self.depth))
    }

    pub fn home(&self) -> String {
        if self.depth == 0 { "./".into() } else { self.to("") }
    }

    pub fn home_events(&self) -> String {
        self.to("events")
    }

    pub fn home_live(&self) -> String {
        self.to("live")
    }

    /// Where the confirm form is posted to.
    pub fn card(&self) -> String {
        self.to("card")
    }

    pub fn use_card(&self, disk: &DiskId) -> String {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("disk", &disk.0).finish();
        self.to(&format!("card?{query}"))
    }

    /// The confirm page with a backup, and whether the network goes along, chosen beforehand.
    pub fn use_card_again(&self, disk: &DiskId, backup: Option<&BackupSlug>, network: bool) -> String {
        let backup = backup.map(|slug| format!("&backup={slug}")).unwrap_or_default();
        self.use_card(disk) + &backup + if network { "" } else { "&network=no" }
    }

    pub fn job(&self, id: JobId) -> String {
        self.to(&format!("jobs/{id}"))
    }

    pub fn job_events(&self, id: JobId) -> String {
        self.to(&format!("jobs/{id}/events"))
    }

    pub fn job_live(&self, id: JobId) -> String {
        self.to(&format!("jobs/{id}/live"))
    }

    /// A job's page with or without moving numbers.
    pub fn quiet(&self, id: JobId, quiet: bool) -> String {
        self.job(id) + if quiet { "?quiet=1" } else { "" }
    }

    pub fn stop(&self, id: JobId) -> String {
        self.to(&format!("jobs/{id}/stop"))
    }

    /// Swap the card and finish the move.
    pub fn swap(&self, id: JobId) -> String {
        self.to(&format!("jobs/{id}/swap"))
    }

    pub fn log(&self, id: JobId) -> String {
        self.to(&format!("jobs/{id}/log"))
    }

    /// The log as plain text.
    pub fn log_text(&self, id: JobId) -> String {
        self.to(&format!("jobs/{id}/log.txt"))
    }

    /// What was made and compared.
    pub fn certificate(&self, id: JobId) -> String {
        self.to(&format!("jobs/{id}/certificate"))
    }

    pub fn certificate_json(&self, id: JobId) -> String {
        self.to(&format!("jobs/{id}/certificate.json"))
    }

    /// All jobs.
    pub fn history(&self) -> String {
        self.to("history")
    }

    /// The kept image.
    pub fn cache(&self) -> String {
        self.to("cache")
    }

    /// Versions, diagnostics.
    pub fn about(&self) -> String {
        self.to("about")
    }

    /// A page of somebody else's below our root, as a mark names it.
    pub fn other(&self, path: &str) -> String {
        self.to(path.trim_start_matches('/'))
    }

    /// A static file under its hashed name; the plain name where there is no such file.
    pub fn asset(&self, name: &str) -> String {
        self.to(&format!("assets/{}", assets::hashed(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_climb_as_far_as_their_page_lies_deep() {
        let (job, disk) = (JobId(7), DiskId("a b&c\"/../é".into()));
        let cases = [
            (Links::TOP.home(), "./"),
            (Links::JOB.home(), "../"),
            (Links::STOP.home(), "../../"),
            (Links::TOP.job(job), "jobs/7"),
            (Links::JOB.job_events(job), "../jobs/7/events"),
            (Links::STOP.job(job), "../../jobs/7"),
            (Links::JOB.stop(job), "../jobs/7/stop"),
            (Links::JOB.swap(job), "../jobs/7/swap"),
            (Links::JOB.log(job), "../jobs/7/log"),
            (Links::JOB.certificate(job), "../jobs/7/certificate"),
            (Links::TOP.history(), "history"),
            (Links::JOB.cache(), "../cache"),
            (Links::STOP.about(), "../../about"),
            (Links::STOP.certificate_json(job), "../../jobs/7/certificate.json"),
            (Links::STOP.log_text(job), "../../jobs/7/log.txt"),
            (Links::STOP.history(), "../../history"),
            (Links::TOP.cache(), "cache"),
            (Links::JOB.about(), "../about"),
            (Links::TOP.use_card(&disk), "card?disk=a+b%26c%22%2F..%2F%C3%A9"),
        ];
        for (got, want) in cases {
            assert_eq!(got, want);
        }
    }

    #[test]
    fn an_error_page_finds_home_from_where_it_stands() {
        let cases = [("/", "./"), ("/x", "./"), ("/x/", "../"), ("/a/b/c", "../../"), ("/a//b", "../../")];
        for (path, want) in cases {
            assert_eq!(Links::of_path(path).home(), want, "{path}");
        }
    }

    /// Resolves links as a browser does, below the prefixes that ingress makes.
    #[test]
    fn links_hold_under_every_prefix() {
        let prefixes = ["http://h/", "http://h//", "http://h/api/hassio_ingress/T/", "http://h/api/hassio_ingress/T//"];
        let pages = [("", Links::TOP), ("card", Links::TOP), ("jobs/7", Links::JOB), ("jobs/7/stop", Links::STOP)];
        for prefix in prefixes {
            let root = url::Url::parse(prefix).unwrap();
            for (page, links) in pages {
                let base = url::Url::parse(&format!("{prefix}{page}")).unwrap();
                assert_eq!(base.join(&links.home()).unwrap(), root, "{prefix} {page}");
                assert_eq!(base.join(&links.job(JobId(7))).unwrap().as_str(), format!("{prefix}jobs/7"));
            }
        }
    }
}
