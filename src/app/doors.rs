//! The ports that the server listens on, and the certificate of the one for HTTPS.

use crate::config::Config;
use crate::site::tls::Keeper;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

/// Connections that the kernel may hold before they are accepted: a restart brings everybody back within a second.
const BACKLOG: i32 = 4096;

/// All ports, open.
pub(super) struct Doors {
    pub plain: TcpListener,
    pub tls: Option<(TcpListener, Arc<Keeper>)>,
}

impl Doors {
    /// # Errors
    /// One sentence about the port, the settings or the certificate.
    pub fn open(config: &Arc<Config>) -> Result<Self, String> {
        let plain = listen("listen", config.listen)?;
        let Some(address) = config.tls_listen else {
            return if config.tls_redirect {
                Err("The setting tls_redirect needs tls_listen, the address to lead to.".to_owned())
            } else {
                Ok(Self { plain, tls: None })
            };
        };
        let listener = listen("tls_listen", address)?;
        let keeper = Keeper::open(config, local_address(&listener)?)?;
        Ok(Self { plain, tls: Some((listener, Arc::new(keeper))) })
    }
}

/// Where a port listens really.
pub(super) fn local_address(listener: &TcpListener) -> Result<SocketAddr, String> {
    listener.local_addr().map_err(|e| format!("The address of the port can't be read: {e}"))
}

fn listen(setting: &str, address: SocketAddr) -> Result<TcpListener, String> {
    let open = || {
        let socket =
            socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
        // Only so that a restart needn't wait for the last connections; two servers still can't share the port.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    };
    let flag = setting.replace('_', "-");
    open().map_err(|error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AddrInUse => format!(
            "Port {} is in use by another program. Stop that one, or choose another port with --{flag} {}:PORT.",
            address.port(),
            address.ip()
        ),
        std::io::ErrorKind::PermissionDenied => {
            format!("Port {} needs more rights than this user has. Choose one above 1023.", address.port())
        }
        _ => format!("The server can't listen on {address}: {error}."),
    })
}
