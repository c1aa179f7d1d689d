//! The port of the stand-in: forwards connections to its server, refuses them while it is "down", and cuts them.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

/// How long, and how often, a port that is taken is tried again.
const LISTEN_WITHIN: Duration = Duration::from_secs(30);
const LISTEN_EVERY: Duration = Duration::from_millis(5);

/// What the gate is told to do; the latest word counts.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Grows each time that all connections are to be cut.
    pub cuts: u64,
    /// Connections are refused until then.
    pub down_until: Option<Instant>,
    pub closing: bool,
}

impl Order {
    pub fn is_down(&self) -> bool {
        self.down_until.is_some_and(|until| Instant::now() < until)
    }
}

/// A port of loopback that stays ours while nobody listens on it.
pub struct Port {
    reserve: TcpSocket,
    pub address: SocketAddr,
}

impl Port {
    pub fn any() -> io::Result<Port> {
        let reserve = bound(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = reserve.local_addr()?;
        Ok(Port { reserve, address })
    }

    /// Bound beside the reserve, which never listens: the system allows it to sockets that may share an address.
    pub fn listen(&self) -> io::Result<TcpListener> {
        bound(self.reserve.local_addr()?)?.listen(64)
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

pub async fn run(port: Port, first: TcpListener, behind: SocketAddr, mut orders: watch::Receiver<Order>) {
    let mut listener = first;
    loop {
        accept(&listener, behind, &mut orders).await;
        drop(listener);
        if orders.borrow().closing {
            return;
        }
        let until = orders.borrow().down_until.unwrap_or_else(Instant::now);
        tokio::time::sleep_until(until.into()).await;
        listener = match listen_again(&port).await {
            Ok(listener) => listener,
            Err(e) => return log::error!("the stand-in cannot listen again: {e}"),
        };
    }
}

/// A connection that is just ending may hold the port for a moment longer.
async fn listen_again(port: &Port) -> io::Result<TcpListener> {
    let end = Instant::now() + LISTEN_WITHIN;
    loop {
        match port.listen() {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < end => {
                tokio::time::sleep(LISTEN_EVERY).await;
            }
            result => return result,
        }
    }
}

async fn accept(listener: &TcpListener, behind: SocketAddr, orders: &mut watch::Receiver<Order>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    actix_web::rt::spawn(forward(stream, behind, orders.clone()));
                }
            }
            changed = orders.changed() => {
                let order = orders.borrow_and_update().clone();
                if changed.is_err() || order.closing || order.is_down() {
                    return;
                }
            }
        }
    }
}

async fn forward(mut client: TcpStream, behind: SocketAddr, mut orders: watch::Receiver<Order>) {
    let cuts = orders.borrow().cuts;
    let Ok(mut server) = TcpStream::connect(behind).await else { return };
    tokio::select! {
        // However a connection ends, it ends.
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = orders.wait_for(|order| order.closing || order.cuts != cuts) => {}
    }
}
