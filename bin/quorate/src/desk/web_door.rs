//! What the desk's doors over HTTP have in common: an address, perhaps a certificate, and a task that serves.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use quorate_gateway::http::{Connections, Peers, listen_check, serve_tls};
use quorate_host::SystemClock;
use quorate_host::fault::Fault;
use quorate_host::https::Https;
use quorate_terms::Malformed;
use tokio::net::TcpListener;

/// Where a door is to be, as desk.toml says.
pub(super) struct Wanted<'a> {
    /// The table in desk.toml: `http` or `console`.
    pub(super) table: &'static str,
    /// The address with its port.
    pub(super) listen: &'a str,
    /// An address to give as an example.
    pub(super) example: &'static str,
    /// Certificate chain and private key (PEM).
    pub(super) pair: [&'a Option<PathBuf>; 2],
}

/// An address that nobody else listens at, and the certificate that is shown there.
pub(super) struct WebDoor {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<Https>>,
}

impl WebDoor {
    /// Takes the address.
    ///
    /// # Errors
    /// [`Fault`] for an address off loopback without TLS, a port that is taken, or a certificate that cannot be used.
    pub(super) async fn bind(
        wanted: &Wanted<'_>,
        resolve: impl Fn(&Path) -> PathBuf,
    ) -> Result<Self, Fault> {
        let Wanted { table, listen, example, pair } = wanted;
        let field = || format!("{table}.listen");
        let address: SocketAddr = listen.parse().map_err(|_| {
            Fault::new(
                field(),
                "is no address with a port",
                format!("give one such as `{example}`"),
            )
        })?;
        let [certificate, key] = pair.map(|path| path.as_ref().map(|path| resolve(path)));
        let tls = Https::load(certificate.as_deref(), key.as_deref(), SystemClock::shared())?;
        listen_check(&address, tls.is_some()).map_err(|e| bad(table, &e))?;
        let listener = TcpListener::bind(address).await.map_err(|e| {
            let mend =
                format!("free the port, or give another `listen` under `[{table}]` in desk.toml");
            Fault::new(format!("{table}.listen {address}"), e.to_string(), mend)
        })?;
        // With port 0 the system chose one.
        let address =
            listener.local_addr().map_err(|e| Fault::new(field(), e.to_string(), "try again"))?;
        Ok(Self { listener, address, tls })
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate, if there is one.
    pub(super) const fn tls(&self) -> Option<&Arc<Https>> {
        self.tls.as_ref()
    }

    /// Serves on a task of its own: to anybody, or to these proxies and nobody else.
    pub(super) fn serve(self, router: Router, proxies: &[IpAddr]) {
        let Self { listener, tls, .. } = self;
        let from = Peers::only(proxies.iter().copied());
        let (bounds, never) =
            (Connections { from, ..Connections::default() }, std::future::pending());
        let tls = tls.map(|tls| move |socket| Arc::clone(&tls).accept(socket));
        tokio::spawn(async move { serve_tls(listener, tls, router, bounds, never).await });
    }
}

/// What is wrong in a table of desk.toml.
pub(super) fn bad(table: &str, error: &Malformed) -> Fault {
    Fault::new(format!("{table}: {}", error.field()), error.why(), error.mend())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    async fn bind(dir: &Path, listen: &str, pair: [Option<&str>; 2]) -> Result<WebDoor, Fault> {
        let [certificate, key] = pair.map(|name| name.map(PathBuf::from));
        let pair = [&certificate, &key];
        let wanted = Wanted { table: "console", listen, example: "127.0.0.1:7420", pair };
        WebDoor::bind(&wanted, |path| dir.join(path)).await
    }

    #[tokio::test]
    async fn beyond_this_machine_a_door_opens_under_tls_only() {
        let room = tempfile::tempdir().unwrap();
        for (listen, good) in [
            ("127.0.0.1:0", true),
            ("[::1]:0", true),
            ("0.0.0.0:0", false),
            ("192.0.2.1:7420", false),
            ("localhost:7420", false),
            ("7420", false),
        ] {
            let outcome = bind(room.path(), listen, [None, None]).await;
            assert_eq!(outcome.is_ok(), good, "{listen}");
        }
    }

    #[tokio::test]
    async fn a_certificate_without_its_key_and_files_that_are_none_are_refused() {
        let room = tempfile::tempdir().unwrap();
        std::fs::set_permissions(room.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let (half, both) = ([Some("c.pem"), None], [Some("c.pem"), Some("k.pem")]);
        assert!(bind(room.path(), "127.0.0.1:0", half).await.is_err());
        assert!(bind(room.path(), "127.0.0.1:0", both).await.is_err(), "no such files");
        for name in ["c.pem", "k.pem"] {
            let path = room.path().join(name);
            std::fs::write(&path, "no pem").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        assert!(bind(room.path(), "127.0.0.1:0", both).await.is_err(), "not PEM");
    }
}
