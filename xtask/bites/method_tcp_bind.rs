//! Bites: method std::net::TcpListener::bind

/// Documented.
pub fn bite() {
    let _ = std::net::TcpListener::bind("127.0.0.1:0");
}
