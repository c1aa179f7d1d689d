//! The port of the stand-in: forwards connections to its server, refuses them while it is "down", and cuts them.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::time::Instant;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

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
    fn is_down(&self) -> bool {
        self.down_until.is_some_and(|until| Instant::now() < until)
    }
}

pub async fn run(first: StdListener, address: SocketAddr, behind: SocketAddr, mut orders: watch::Receiver<Order>) {
    let mut listener = TcpListener::from_std(first).ok();
    while !orders.borrow().closing {
        let Some(open) = listener.take() else { return };
        accept(&open, behind, &mut orders).await;
        drop(open);
        let until = orders.borrow().down_until.unwrap_or_else(Instant::now);
        tokio::time::sleep_until(until.into()).await;
        listener = listen(address);
    }
}

/// The same port again.
fn listen(address: SocketAddr) -> Option<TcpListener> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.set_reuseaddr(true).ok()?;
    socket.bind(address).ok()?;
    socket.listen(64).ok()
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
