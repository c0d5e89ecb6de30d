//! Answers of others over HTTP, up to a bound: whoever is asked does not say how much memory that takes.

pub(crate) use quorate_web::bounded;

#[cfg(test)]
pub(crate) mod hostile {
    //! Servers that mean ill, for the tests of whoever asks.

    use std::net::TcpListener as Sink;

    use std::sync::Arc;

    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;
    use tokio_rustls::TlsAcceptor;

    const CERTIFICATE: &[u8] = include_bytes!("../../../crates/host/tests/tls/one.crt");
    const KEY: &[u8] = include_bytes!("../../../crates/host/tests/tls/one.key");

    /// Where a server that never ends gives up.
    pub(crate) const ENDLESS: usize = 32 << 20;

    /// A server that sends whoever asks elsewhere, and the elsewhere.
    pub(crate) async fn elsewhere() -> (String, Sink) {
        let sink = Sink::bind("127.0.0.1:0").unwrap();
        sink.set_nonblocking(true).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let head = format!(
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{}/metadata\r\n\
             content-length: 0\r\nconnection: close\r\n\r\n",
            sink.local_addr().unwrap()
        );
        tokio::spawn(async move {
            loop {
                let Ok((mut socket, _)) = listener.accept().await else { return };
                let _asked = socket.read(&mut [0; 4096]).await;
                let _left = socket.write_all(head.as_bytes()).await;
            }
        });
        (url, sink)
    }

    /// Whether anybody came.
    pub(crate) fn heard(sink: &Sink) -> bool {
        sink.accept().is_ok()
    }

    /// A server whose one answer has no length and goes on for [`ENDLESS`] bytes, and how many of them it could say.
    pub(crate) async fn endless() -> (String, JoinHandle<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let said = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _asked = socket.read(&mut [0; 4096]).await;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                        transfer-encoding: chunked\r\n\r\n";
            let _left = socket.write_all(head.as_bytes()).await;
            let piece = format!("{:x}\r\n{}\r\n", 65_536, " ".repeat(65_536));
            let mut said = 0_usize;
            while said < ENDLESS && socket.write_all(piece.as_bytes()).await.is_ok() {
                said = said.saturating_add(65_536);
            }
            said
        });
        (url, said)
    }

    /// A server under TLS that nobody vouches for, and whether the first who came read its request to it.
    pub(crate) async fn unvouched() -> (String, JoinHandle<bool>) {
        let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // The certificate's own name does not lead here, so it is asked by address; either way nobody vouches for it.
        let url = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port());
        let heard = tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            match TlsAcceptor::from(Arc::new(config)).accept(socket).await {
                Ok(mut stream) => stream.read(&mut [0; 1]).await.is_ok_and(|count| count > 0),
                Err(_) => false,
            }
        });
        (url, heard)
    }
}
