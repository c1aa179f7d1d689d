//! Who answers what, when.

use std::collections::BTreeMap;

use serde_json::Value;

/// One of the two ports that a Core may listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// 80
    Main,
    /// 8123
    Old,
}

/// How a request is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Nobody listens.
    Refused,
    /// Accepted, then closed without an answer.
    Close,
    /// Accepted, and never answered.
    Hang,
    Http {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        /// Seconds until it is sent.
        delay: f64,
    },
    /// These bytes, with a pause of so many seconds before each part; then the connection is closed, or left open.
    Raw { parts: Vec<Vec<u8>>, pause: f64, stays: bool },
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Reply {
        let headers = vec![("content-type".into(), "application/json".into())];
        Reply::Http { status, headers, body: body.to_string().into_bytes(), delay: 0.0 }
    }

    pub fn text(status: u16, body: &str) -> Reply {
        let headers = vec![("content-type".into(), "text/plain; charset=utf-8".into())];
        Reply::Http { status, headers, body: body.into(), delay: 0.0 }
    }

    /// As an address that does not exist answers.
    pub fn missing() -> Reply {
        Reply::text(404, "404: Not Found")
    }

    /// As 8123 of a fresh Core answers. The host is put right when it is sent.
    pub fn redirect(path: &str) -> Reply {
        let location = format!("{RECORDED_HOST}{path}");
        let headers = vec![("location".into(), location)];
        Reply::Http { status: 307, headers, body: b"307: Temporary Redirect".to_vec(), delay: 0.0 }
    }
}

/// Where recorded redirects lead.
pub const RECORDED_HOST: &str = "http://homeassistant.local";

/// From this time on, in seconds of the script.
#[derive(Debug, Clone, PartialEq)]
pub struct At {
    pub t: f64,
    pub reply: Reply,
}

/// What a restore request gets, and what it sets going.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    pub reply: Reply,
    /// The script's time goes on from here, and the answer is given at `ends`; `None`: it is answered at once.
    pub runs: Option<Run>,
    /// The list of backups from then on, until the next request.
    pub info: Option<Reply>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    pub from: f64,
    pub ends: f64,
}

impl Post {
    pub fn refused(reply: Reply) -> Post {
        Post { reply, runs: None, info: None }
    }

    pub fn runs(reply: Reply, from: f64, ends: f64) -> Post {
        Post { reply, runs: Some(Run { from, ends }), info: None }
    }
}

/// A port, a method and a path.
pub type Key = (Gate, String, String);

#[derive(Debug, Clone, Default)]
pub struct Script {
    pub tracks: BTreeMap<Key, Vec<At>>,
    /// Time stands still here until a restore request sets it going.
    pub hold: Option<f64>,
    /// One after the other; the last one for all that follow.
    pub posts: Vec<Post>,
}

impl Script {
    /// From `t` on `reply` is the answer to a GET. To be called in the order of time.
    pub fn get(&mut self, t: f64, gate: Gate, path: &str, reply: Reply) {
        self.track(gate, "GET", path).push(At { t, reply });
    }

    pub fn track(&mut self, gate: Gate, method: &str, path: &str) -> &mut Vec<At> {
        self.tracks.entry((gate, method.into(), path.into())).or_default()
    }

    /// Everything happens so many seconds later.
    pub fn later(mut self, by: f64) -> Script {
        self.tracks.values_mut().flatten().for_each(|at| at.t += by);
        self.hold = self.hold.map(|hold| hold + by);
        for run in self.posts.iter_mut().filter_map(|post| post.runs.as_mut()) {
            run.from += by;
            run.ends += by;
        }
        self
    }

    /// What is said at a time: the last one that has begun.
    pub(super) fn at(&self, key: &Key, now: f64) -> Option<&Reply> {
        let track = self.tracks.get(key)?;
        let begun = track.iter().rev().find(|at| at.t <= now).filter(|at| at.reply != Reply::Refused);
        // The port listens: another address answered already, and this one is about to.
        let next = || track.iter().find(|at| at.t > now && at.reply != Reply::Refused);
        begun.or_else(next).map(|at| &at.reply)
    }

    /// Whether somebody listens: what the newest entry of any address of the port says.
    pub(super) fn listens(&self, gate: Gate, now: f64) -> bool {
        let tracks = self.tracks.iter().filter(|((of, _, _), _)| *of == gate);
        let newest = tracks.filter_map(|(_, track)| track.iter().rev().find(|at| at.t <= now));
        let newest = newest.max_by(|one, other| {
            let up = |at: &At| at.reply != Reply::Refused;
            one.t.total_cmp(&other.t).then(up(other).cmp(&up(one)))
        });
        newest.map_or(gate == Gate::Main && self.tracks.keys().all(|(of, _, _)| *of != gate), |at| {
            at.reply != Reply::Refused
        })
    }
}
