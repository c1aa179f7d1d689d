//! Floor 4: the face. Pages that are right as plain HTML, kept fresh by htmx; and the JSON API.
//!
//! Everything shown comes out of the watch channels of [`Jobs`]; the face reads no disks and no files.

mod about;
mod api;
mod assets;
mod body;
mod cache;
mod card;
mod certificate;
mod diagnostics;
mod door;
pub(crate) mod error;
mod events;
mod history;
mod home;
mod house;
mod ingress;
mod job;
mod job_log;
pub(crate) mod links;
mod moment;
mod routes;
mod swap;
#[cfg(test)]
mod trial;
#[cfg(test)]
mod trial_jobs;
mod words;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::{ServerHandle, Service, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{AcceptLanguage, Header, Quality};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, Error, HttpRequest, body::MessageBody, web};
use ipnet::IpNet;
use tokio::sync::watch;

use crate::domain::job::{JobId, JobView};
use crate::jobs::Jobs;
use crate::texts::Language;
use door::Door;
use links::Links;

/// A line on top of every page that says what is not real: "Demo", a scratch card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub text: String,
    /// Path of a page below our root without a leading slash, and the words of the link.
    pub link: Option<(String, String)>,
}

/// Adds routes of a caller's own, as the demo's page.
pub type MoreRoutes = Arc<dyn Fn(&mut web::ServiceConfig) + Send + Sync>;

#[derive(Clone, Default)]
pub struct WebOptions {
    /// Port 0 takes any free one.
    pub listen: Option<SocketAddr>,
    /// Peers let in besides loopback (PK-4).
    pub allow_from: Vec<IpNet>,
    pub marks: Vec<Mark>,
    pub more: Option<MoreRoutes>,
    /// How many this process may have open; 0: not known.
    pub descriptors: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("listening on {address}")]
    Listening { address: SocketAddr, source: io::Error },
    #[error("making the token of this start")]
    Token { source: getrandom::Error },
    #[error("serving the pages")]
    Serving { source: io::Error },
}

/// Where people report what went wrong.
const REPORT: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/issues");

/// What every handler may ask.
struct Site {
    jobs: Jobs,
    /// What was said last of the running job, to all pages.
    announcer: job::Announcer,
    /// Random for each start; a POST of a form must carry it (PK-4).
    token: String,
    /// Who is let in, and how many at once.
    door: Door,
    marks: Vec<Mark>,
    more: Option<MoreRoutes>,
    /// What was plugged in and pulled last, for home's announcements.
    plugs: home::Plugs,
    /// Those whose events are open.
    pages: events::Pages,
    /// Turns true when the server ends: open streams end then, too.
    closing: watch::Receiver<bool>,
}

/// What the frame of a page needs.
pub(crate) struct Shell {
    pub(crate) links: Links,
    pub(crate) marks: Vec<Mark>,
    /// A page that changes: htmx is loaded, and without it the page is loaded anew now and then.
    pub(crate) live: bool,
    /// A live page that asked for standing numbers: it is never loaded anew by itself.
    pub(crate) quiet: bool,
    /// What the page speaks.
    pub(crate) t: Language,
}

impl Shell {
    /// Of a page that stands still, wherever it lies.
    pub(crate) fn at(req: &HttpRequest) -> Shell {
        let links = Links::of_path(req.path());
        let site = req.app_data::<web::Data<Site>>();
        Shell {
            links,
            marks: site.map(|site| site.marks.clone()).unwrap_or_default(),
            live: false,
            quiet: false,
            t: language(req),
        }
    }
}

impl Site {
    fn shell(&self, t: Language, links: Links, live: bool) -> Shell {
        Shell { links, marks: self.marks.clone(), live, quiet: false, t }
    }

    /// The job that the path names.
    fn job_of(&self, req: &HttpRequest) -> Option<Arc<JobView>> {
        self.jobs.job(JobId(req.match_info().get("id")?.parse().ok()?))
    }

    fn token_fits(&self, given: &str) -> bool {
        // Compared in constant time, though nobody could measure it through Home Assistant.
        given.len() == self.token.len() && given.bytes().zip(self.token.bytes()).fold(0, |d, (a, b)| d | (a ^ b)) == 0
    }
}

/// What the browser would rather read; English where it asks for nothing of ours.
pub(crate) fn language(req: &HttpRequest) -> Language {
    let Ok(mut asked) = AcceptLanguage::parse(req) else { return Language::default() };
    asked.0.retain(|item| item.quality > Quality::ZERO);
    asked.0.truncate(32);
    let ranked = asked.ranked();
    let tags = ranked.iter().filter_map(|asked| asked.item());
    tags.filter_map(|tag| Language::of_tag(tag.primary_language())).next().unwrap_or_default()
}

/// 128 random bits as hex digits.
fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// Seconds since 1970.
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |t| t.as_secs())
}

/// A server that listens, but does not answer yet.
pub struct Bound {
    server: actix_web::dev::Server,
    address: SocketAddr,
    close: watch::Sender<bool>,
}

/// Where the page is served unless told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 8099);

/// Takes the port. To be called inside a tokio runtime.
pub fn bind(jobs: Jobs, options: WebOptions) -> Result<Bound, ServeError> {
    let (close, closing) = watch::channel(false);
    let token = random().map_err(|source| ServeError::Token { source })?;
    let WebOptions { listen, allow_from, marks, more, descriptors } = options;
    let address = listen.unwrap_or(LISTEN);
    let (announcer, plugs) = (job::Announcer::default(), home::Plugs::default());
    let door = Door::new(allow_from, descriptors);
    let pages = events::Pages::default();
    let site = web::Data::new(Site { jobs, announcer, plugs, token, door, marks, more, pages, closing });
    let bound = house::listen(address).and_then(|listener| {
        let address = listener.local_addr()?;
        Ok(Bound { server: house::server(site, listener, descriptors)?, address, close })
    });
    bound.map_err(|source| ServeError::Listening { address, source })
}

impl Bound {
    /// Where it listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` is ready; then ends streams, lets running answers finish for two seconds at most.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let handle: ServerHandle = self.server.handle();
        let ending = async move {
            shutdown.await;
            // No receiver is left only where the server is gone already.
            let _ = self.close.send(true);
            handle.stop(true).await;
        };
        // The server ends by itself only when it cannot go on; else `ending` makes it end.
        let (served, ()) = tokio::join!(self.server, async {
            tokio::select! { () = ending => {}, }
        });
        served.map_err(|source| ServeError::Serving { source })
    }
}

/// Serves the pages until `shutdown` is ready; `bound` is told the address first.
pub async fn serve(
    jobs: Jobs,
    options: WebOptions,
    bound: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let server = bind(jobs, options)?;
    bound(server.address());
    server.run(shutdown).await
}

/// The whole site: the same for the server and for the tests.
fn app(
    site: web::Data<Site>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + 'static>,
        Error = Error,
        InitError = (),
    >,
> {
    let more = site.more.clone();
    App::new()
        .app_data(site)
        .wrap_fn(|req, service| service.call(ingress::without_doubled_slashes(req)))
        .wrap(from_fn(ingress::gate))
        .wrap(Compress::default())
        .configure(|cfg| {
            if let Some(more) = more {
                more(cfg);
            }
        })
        .configure(routes::all)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::StreamExt;

    use super::trial::{Trial, job, listed};
    use super::*;

    /// Reads a stream until `wanted` came by; says what came, if it does not in time.
    async fn until(
        body: &mut (impl futures_util::Stream<Item = Result<bytes::Bytes, awc::error::PayloadError>> + Unpin),
        wanted: &str,
    ) {
        let mut text = String::new();
        let reading = async {
            while !text.contains(wanted) {
                match body.next().await {
                    Some(Ok(bytes)) => text.push_str(&String::from_utf8_lossy(&bytes)),
                    _ => return false,
                }
            }
            true
        };
        let came = tokio::time::timeout(Duration::from_secs(10), reading).await;
        assert_eq!(came, Ok(true), "{wanted:?} did not come, but:\n{text}");
    }

    #[actix_web::test]
    async fn streams_tell_what_changes_and_end_with_the_server() {
        let trial = Trial::new();
        trial.show(vec![job(7)]);
        let options = WebOptions { listen: Some("127.0.0.1:0".parse().unwrap()), ..WebOptions::default() };
        let server = bind(trial.jobs.clone(), options).unwrap();
        let address = server.address();
        assert_ne!(address.port(), 0);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let visit = async {
            let client = awc::Client::builder().timeout(Duration::from_secs(10)).finish();
            let mut home = client.get(format!("http://{address}/events")).send().await.unwrap();
            let mut page = client.get(format!("http://{address}/jobs/7/events")).send().await.unwrap();
            until(&mut home, "event: disks").await;
            until(&mut page, "event: tick").await;
            let mut other = trial::disk("sdc");
            other.vendor = "Kingston".into();
            trial.plug(vec![listed(trial::disk("sdb"), &[]), listed(other, &[])]);
            until(&mut home, "Kingston").await;
            trial.show(vec![crate::domain::job::JobView { percent: 43, ..job(7) }]);
            until(&mut page, "43 %").await;
            stop.send(()).unwrap();
            // Both streams end by themselves; nothing is cut off.
            while home.next().await.is_some_and(|chunk| chunk.is_ok()) {}
            while page.next().await.is_some_and(|chunk| chunk.is_ok()) {}
        };
        let run = server.run(async {
            // An error means that the test has failed already.
            let _ = stopped.await;
        });
        let both = async { tokio::join!(run, visit).0 };
        tokio::time::timeout(Duration::from_secs(30), both).await.unwrap().unwrap();
    }

    #[test]
    fn reports_go_where_the_package_says() {
        let package = include_str!("../../config.yaml");
        let url = package.lines().find_map(|line| line.strip_prefix("url: ")).unwrap();
        assert_eq!(REPORT, format!("{url}/issues"));
        assert!(include_str!("../../DOCS.md").contains(REPORT));
    }

    #[test]
    fn a_page_speaks_what_the_browser_asks_for() {
        let cases = [
            ("", Language::English),
            ("de", Language::German),
            ("de-AT,de;q=0.9,en;q=0.8", Language::German),
            ("en-GB,en;q=0.9,de;q=0.8", Language::English),
            ("fr-FR,fr;q=0.9,de;q=0.5,en;q=0.3", Language::German),
            ("fr", Language::English),
            ("en;q=0.3, de;q=0.8", Language::German),
            ("*", Language::English),
            ("de;q=0, en", Language::English),
            (";;;,,,=q", Language::English),
        ];
        for (header, want) in cases {
            let req = actix_web::test::TestRequest::get().insert_header(("Accept-Language", header)).to_http_request();
            assert_eq!(language(&req), want, "{header:?}");
        }
    }

    #[actix_web::test]
    async fn a_taken_port_is_an_error_with_its_address() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let options = WebOptions { listen: Some(taken.local_addr().unwrap()), ..WebOptions::default() };
        let error = bind(Trial::new().jobs.clone(), options).err().unwrap();
        assert_eq!(error.to_string(), format!("listening on {}", taken.local_addr().unwrap()));
    }
}
