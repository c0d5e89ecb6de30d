//! Bites: method std::net::TcpStream::connect

/// Documented.
pub fn bite() {
    let _ = std::net::TcpStream::connect("127.0.0.1:1");
}
