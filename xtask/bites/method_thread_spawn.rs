//! Bites: method std::thread::spawn

/// Documented.
pub fn bite() {
    let _ = std::thread::spawn(|| ());
}
