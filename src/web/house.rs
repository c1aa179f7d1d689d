//! The server below the pages: that of actix-web in all but one thing. Its clock, which sets the time of answers and of
//! limits, ticks twice a second in each worker for as long as there is an HTTP service; here there is one only while
//! somebody is connected. A house without visitors is quiet.

use std::cell::RefCell;
use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::{Rc, Weak};
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Request};
use actix_server::ServerBuilder;
use actix_service::boxed::{BoxService, service};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, always_ready, fn_factory};
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Server, ServiceResponse};
use actix_web::rt::net::TcpStream;
use actix_web::{Error, web};
use futures_util::future::LocalBoxFuture;
use tokio::net::TcpSocket;
use tokio::sync::watch;

use super::{Site, app, door};

/// One may be busy with a long answer.
const WORKERS: usize = 2;
/// Connections that wait to be taken; the kernel allows no more than it likes.
const WAITING: u32 = 1024;
/// Until the other side has to have closed a connection, too.
const LEAVING: Duration = Duration::from_secs(1);
/// Seconds for running answers once the server ends.
const PARTING: u64 = 2;

/// Takes the port. To be called inside a tokio runtime.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // The port of a program that has just ended is free for us at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)?.into_std()
}

/// Does nothing until it is awaited. `descriptors`: how many this process may have open.
pub fn server(site: web::Data<Site>, listener: TcpListener, descriptors: usize) -> io::Result<Server> {
    let factory = move || {
        let site = site.clone();
        fn_factory(move || {
            let (site, app) = (site.clone(), app(site.clone()).into_factory());
            async move {
                let app = app.new_service(AppConfig::default()).await?;
                Ok::<_, ()>(Visits(Rc::new(House::new(site, app))))
            }
        })
    };
    let server = ServerBuilder::new()
        .workers(WORKERS)
        // Reads logs, and nothing else.
        .worker_max_blocking_threads(2)
        .max_concurrent_connections(door::at_once(descriptors, WORKERS))
        .shutdown_timeout(PARTING)
        .disable_signals()
        .listen("pages", listener, factory)?;
    Ok(server.run())
}

/// What takes connections, with its clock.
type Open = BoxService<(TcpStream, Option<SocketAddr>), (), DispatchError>;

/// What a worker serves.
struct House<S> {
    site: web::Data<Site>,
    /// Every page; made once.
    app: Rc<S>,
    /// Kept by the connections: with the last of them it goes, and its clock stops.
    open: RefCell<Weak<Open>>,
}

impl<S, B> House<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    fn new(site: web::Data<Site>, app: S) -> House<S> {
        House { site, app: Rc::new(app), open: RefCell::default() }
    }

    async fn opened(&self) -> Result<Rc<Open>, ()> {
        if let Some(open) = self.open.borrow().upgrade() {
            return Ok(open);
        }
        let open = Rc::new(self.make().await?);
        self.open.replace(Rc::downgrade(&open));
        Ok(open)
    }

    async fn make(&self) -> Result<Open, ()> {
        let (site, entrance, app) = (self.site.clone(), self.site.clone(), self.app.clone());
        let http = HttpService::build()
            .client_request_timeout(door::HEAD)
            .client_disconnect_timeout(LEAVING)
            // A connection for each request. The server has a time limit for the head of a connection's first request
            // only; and Home Assistant, which keeps connections longer than we would, now and then sends a request into
            // one that is just being closed.
            .keep_alive(KeepAlive::Disabled)
            // Nobody who has asked for nothing yet holds up the end.
            .graceful_shutdown_signal(move || closed(site.closing.clone()))
            .on_connect_ext(move |stream, data| entrance.door.enter(stream, data))
            .h1(fn_factory(move || ready(Ok::<_, ()>(app.clone()))));
        Ok(service(http.new_service(()).await?))
    }
}

async fn closed(mut closing: watch::Receiver<bool>) {
    // An error says that the server is gone.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Of all connections of a worker.
struct Visits<S>(Rc<House<S>>);

impl<S, B> Service<TcpStream> for Visits<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ();
    type Error = ();
    type Future = LocalBoxFuture<'static, Result<(), ()>>;

    always_ready!();

    fn call(&self, stream: TcpStream) -> Self::Future {
        let house = self.0.clone();
        Box::pin(async move {
            let open = house.opened().await?;
            let peer = stream.peer_addr().ok();
            // How a connection broke is of no use to anybody.
            open.call((stream, peer)).await.map_err(|_| ())
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::trial::Trial;
    use super::*;

    #[actix_web::test]
    async fn it_is_open_only_while_somebody_is_there() {
        let trial = Trial::new();
        let pages = app(trial.site.clone()).into_factory().new_service(AppConfig::default()).await.unwrap();
        let visits = Visits(Rc::new(House::new(trial.site.clone(), pages)));
        let is_open = || visits.0.open.borrow().upgrade().is_some();
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        for _ in 0..2 {
            assert!(!is_open());
            let visitor = async {
                let mut line = TcpStream::connect(address).await.unwrap();
                let mut answer = Vec::new();
                line.write_all(b"GET /nowhere HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
                line.read_to_end(&mut answer).await.unwrap();
                String::from_utf8(answer).unwrap()
            };
            let host = async {
                let (stream, _) = listener.accept().await.unwrap();
                let visit = visits.call(stream);
                let other = visits.0.opened().await.unwrap();
                assert!(Rc::ptr_eq(&other, &visits.0.opened().await.unwrap()), "one for all who are there");
                drop(other);
                visit.await
            };
            let (answer, visit) = tokio::join!(visitor, host);
            assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("\r\ndate: "), "{answer}");
            assert_eq!(visit, Ok(()));
        }
        assert!(!is_open());
    }
}
