//! Bites: method std::thread::sleep

/// Documented.
pub fn bite() {
    std::thread::sleep(std::time::Duration::ZERO);
}
