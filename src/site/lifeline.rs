//! A handle on a connection's socket, for ending it from outside.
//!
//! A blocked socket stops polling its actor, timers included: it can't expire by itself, so the sender must be able
//! to let go. One handle per connection, held weakly by all others: a second open descriptor would keep the FIN back.

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::{SockRef, Socket};
use std::any::Any;
use std::net::Shutdown;
use std::sync::{Arc, Weak};

/// The strong handle; lives in the connection's data and goes with the connection.
struct Lifeline(Arc<Socket>);

/// What others hold of it.
#[derive(Clone, Debug, Default)]
pub struct Rope(Weak<Socket>);

impl Rope {
    /// Ends the connection in both directions at once. Nothing happens when it has ended already.
    pub fn cut(&self) {
        if let Some(socket) = self.0.upgrade() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// For `HttpServer::on_connect`: keeps the handle, and lets the kernel give up on a peer that acknowledges nothing.
pub fn keep(connection: &dyn Any, data: &mut Extensions) -> Rope {
    let plain = connection.downcast_ref::<TcpStream>();
    let Some(stream) = plain.or_else(|| tls(connection).map(|stream| stream.get_ref().0)) else {
        return Rope::default();
    };
    let socket = SockRef::from(stream);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        // The net below the outbox's own limit of 30 s: it also covers what the kernel has taken over already.
        let _ = socket.set_tcp_user_timeout(Some(std::time::Duration::from_secs(30)));
    }
    let Ok(own) = socket.try_clone().map(Arc::new) else { return Rope::default() };
    let rope = Rope(Arc::downgrade(&own));
    data.insert(Lifeline(own));
    rope
}

/// The connection that a stranger's `connection` is, when it speaks TLS.
pub fn tls(connection: &dyn Any) -> Option<&TlsStream<TcpStream>> {
    connection.downcast_ref()
}

/// The rope of the connection that this request came in on. Over HTTP/2 it holds all that the client does at once.
pub fn of(request: &actix_web::HttpRequest) -> Rope {
    request.conn_data::<Lifeline>().map(|line| Rope(Arc::downgrade(&line.0))).unwrap_or_default()
}
