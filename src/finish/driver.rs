//! Looks at the new system, does what the rules say, and asks the user where they say so.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use actix_web::rt::task::JoinHandle;
use tokio::time::timeout;

use super::client::{self, Waits};
use super::memory::Memory;
use super::{Place, mdns};
use crate::domain::backup::BackupSlug;
use crate::domain::finish::{
    Answer, Door, End, Finish, Info, Limits, Listed, Look, Met, Next, Onboarding, Order, Posted, Situation, Step,
};
use crate::domain::secret::Secret;

/// Of one name, so many addresses are tried.
const ADDRESSES_MOST: usize = 4;

/// How time passes. Tests let it run faster than the clock.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Seconds of the rules in a second of the clock.
    pub speed: f64,
    /// By the clock: until a name is resolved or a connection made.
    pub connect: Duration,
    /// By the clock: until an answer is there.
    pub answer: Duration,
}

impl Timing {
    /// What people get.
    pub const fn real() -> Timing {
        Timing { speed: 1.0, connect: Duration::from_secs(10), answer: Duration::from_secs(30) }
    }
}

/// Who is told, and who is asked.
pub trait Face {
    /// Called for each step, `at` after the start; most steps say what the one before said.
    fn told(&mut self, at: Duration, step: &Step, backup: Option<&BackupSlug>);
    /// Whether this backup is meant.
    fn agree(&mut self, backup: &Listed) -> impl Future<Output = bool>;
    /// The key of the backup; `None`: there is none.
    fn key(&mut self) -> impl Future<Output = Option<Secret>>;
    /// Whether to try again.
    fn again(&mut self) -> impl Future<Output = bool>;
}

/// What is to be finished.
pub struct Finishing {
    pub place: Place,
    /// The backup that the user named.
    pub backup: Option<BackupSlug>,
    /// The only backup need not be confirmed.
    pub agreed: bool,
    pub key: Option<Secret>,
    pub limits: Limits,
    pub timing: Timing,
    pub memory: Memory,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Over {
        end: End,
        situation: Situation,
    },
    KeyNeeded,
    /// The user did not mean this backup.
    Declined,
    /// The user left. `open`: our request was, and Core forgets now that a restore runs.
    Left {
        open: bool,
        restoring: bool,
        backup: Option<BackupSlug>,
    },
}

/// Until the home is back, or nothing more can be done. `leave` resolves when the user does not want to wait any more.
pub async fn finish<F: Face>(what: Finishing, face: &mut F, leave: impl Future<Output = ()>) -> Ended {
    let mut driver = Driver::new(what, face);
    let ended = tokio::select! {
        ended = driver.run() => Some(ended),
        () = leave => None,
    };
    let (open, restoring) = (driver.rules.is_open(), driver.rules.is_restoring());
    ended.unwrap_or_else(|| Ended::Left { open, restoring, backup: driver.backup.take() })
}

struct Driver<'a, F> {
    place: Place,
    timing: Timing,
    rules: Finish,
    face: &'a mut F,
    key: Option<Secret>,
    memory: Memory,
    backup: Option<BackupSlug>,
    started: Instant,
    /// Where somebody answered last.
    address: Option<SocketAddr>,
    request: Option<Request>,
}

/// The restore request that is open; dropping it closes its connection.
struct Request(JoinHandle<Posted>);

impl Drop for Request {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<'a, F: Face> Driver<'a, F> {
    fn new(what: Finishing, face: &'a mut F) -> Driver<'a, F> {
        let sent = what.memory.sent().filter(|sent| what.backup.as_ref().is_none_or(|backup| backup == sent));
        let backup = what.backup.or_else(|| sent.clone());
        let mut rules = Finish::new(backup.clone(), what.agreed, what.key.is_some(), what.limits);
        if sent.is_some() {
            rules.resume();
        }
        Driver {
            place: what.place,
            timing: what.timing,
            rules,
            face,
            key: what.key,
            memory: what.memory,
            backup,
            started: Instant::now(),
            address: None,
            request: None,
        }
    }

    async fn run(&mut self) -> Ended {
        let mut step = self.look().await;
        loop {
            if let Next::Post(order) = &step.next {
                self.backup = Some(order.backup.slug.clone());
            }
            self.face.told(self.now(), &step, self.backup.as_ref());
            if !self.rules.is_restoring() {
                self.memory.clear();
            }
            let situation = step.situation;
            step = match step.next {
                Next::Ask(wait) => self.wait(wait).await,
                Next::Post(order) => self.post(&order).await,
                Next::NeedKey => match self.face.key().await {
                    Some(key) => self.with_key(key).await,
                    None => return Ended::KeyNeeded,
                },
                Next::Confirm(backup) => match self.face.agree(&backup).await {
                    true => self.with_backup(backup.slug).await,
                    false => return Ended::Declined,
                },
                Next::Offer => match self.face.again().await {
                    true => self.once_more().await,
                    false => return self.over(End::Failed, situation),
                },
                Next::End(end) => return self.over(end, situation),
            };
        }
    }

    fn over(&self, end: End, situation: Situation) -> Ended {
        if end != End::TimedOut {
            self.memory.clear();
        }
        Ended::Over { end, situation }
    }

    async fn with_key(&mut self, key: Secret) -> Step {
        self.key = Some(key);
        self.rules.key_given();
        self.look().await
    }

    async fn with_backup(&mut self, slug: BackupSlug) -> Step {
        self.backup = Some(slug.clone());
        self.rules.agree(slug);
        self.look().await
    }

    async fn once_more(&mut self) -> Step {
        self.request = None;
        self.rules.again(self.now());
        self.look().await
    }

    /// As the rules count it.
    fn now(&self) -> Duration {
        self.started.elapsed().mul_f64(self.timing.speed)
    }

    /// Until it is time to look again, or our request has ended.
    async fn wait(&mut self, wait: Duration) -> Step {
        let time = tokio::time::sleep(wait.div_f64(self.timing.speed));
        let Some(request) = &mut self.request else {
            time.await;
            return self.look().await;
        };
        let posted = tokio::select! {
            // A task of ours that broke is a request whose end nobody knows.
            posted = &mut request.0 => Some(posted.unwrap_or(Posted::Cut)),
            () = time => None,
        };
        match posted {
            None => self.look().await,
            Some(posted) => {
                self.request = None;
                log::debug!("the restore request ended: {}", outcome(&posted));
                self.rules.posted(self.now(), &posted)
            }
        }
    }

    /// Sends the request and leaves it open.
    async fn post(&mut self, order: &Order) -> Step {
        self.memory.keep(&order.backup.slug);
        let Some(address) = self.address else { return self.rules.posted(self.now(), &Posted::NeverSent) };
        let url = self.url(order.port, "/api/onboarding/backup/restore");
        let body = order.backup.request(self.key.as_ref()).to_string();
        let sent = client::post(url, with_port(address, order.port), body, self.waits());
        self.request = Some(Request(actix_web::rt::spawn(sent)));
        self.wait(Duration::from_secs(1)).await
    }

    async fn look(&mut self) -> Step {
        let look = self.see().await;
        self.rules.looked(self.now(), &look)
    }

    /// What the host shows. Its address may change while it starts: after silence the name is resolved anew.
    async fn see(&mut self) -> Look {
        let mut look = Look::default();
        for address in self.addresses().await {
            look = self.see_at(address).await;
            if look.doors.iter().any(|door| door.onboarding != Onboarding::Silent) {
                self.address = Some(address);
                return look;
            }
        }
        self.address = None;
        look
    }

    async fn addresses(&self) -> Vec<SocketAddr> {
        if let Some(address) = self.address {
            return vec![address];
        }
        let host = self.place.host.as_str();
        let found = timeout(self.timing.connect, tokio::net::lookup_host((host, 0))).await;
        let mut found: Vec<SocketAddr> = match found {
            Ok(Ok(found)) => found.collect(),
            _ if host.ends_with(".local") => mdns::resolve(host, self.timing.connect.min(mdns::PATIENCE)).await,
            _ => Vec::new(),
        };
        found.dedup();
        found.truncate(ADDRESSES_MOST);
        found
    }

    async fn see_at(&self, address: SocketAddr) -> Look {
        let ports = self.place.ports.iter().map(|port| self.door(address, *port));
        let mut doors = futures_util::future::join_all(ports).await;
        let leads = |door: &Door| match &door.onboarding {
            Onboarding::Elsewhere(location) => self.place.port_of(location),
            _ => None,
        };
        // To a port that nobody named; one step, and no further.
        if let Some(port) = doors.iter().find_map(leads).filter(|port| !self.place.ports.contains(port)) {
            doors.push(self.door(address, port).await);
        }
        Look { doors }
    }

    async fn door(&self, address: SocketAddr, port: u16) -> Door {
        let onboarding = Onboarding::read(&self.get(address, port, "/api/onboarding").await);
        let info = match onboarding {
            Onboarding::Fresh => Some(Info::read(&self.get(address, port, "/api/onboarding/backup/info").await)),
            _ => None,
        };
        Door { port, onboarding, info }
    }

    async fn get(&self, address: SocketAddr, port: u16, path: &str) -> Met {
        let met = client::get(&self.url(port, path), with_port(address, port), self.waits()).await;
        log::debug!("{}:{port}{path}: {}", address.ip(), met_words(&met));
        met
    }

    fn url(&self, port: u16, path: &str) -> String {
        match port {
            80 => format!("http://{}{path}", self.place.in_url()),
            port => format!("http://{}:{port}{path}", self.place.in_url()),
        }
    }

    fn waits(&self) -> Waits {
        Waits { connect: self.timing.connect, answer: self.timing.answer }
    }
}

/// An address of a link keeps its link.
fn with_port(mut address: SocketAddr, port: u16) -> SocketAddr {
    address.set_port(port);
    address
}

fn met_words(met: &Met) -> String {
    match met {
        Met::Silent => "no answer".into(),
        Met::Closed => "closed".into(),
        Met::Broken => "broken".into(),
        Met::Answer(answer) => format!("{}, {} bytes", answer.status, answer.body.len()),
    }
}

fn outcome(posted: &Posted) -> String {
    match posted {
        Posted::NeverSent => "it never left".into(),
        Posted::Cut => "cut".into(),
        Posted::Answered(Answer { status, .. }) => format!("answered with {status}"),
    }
}
