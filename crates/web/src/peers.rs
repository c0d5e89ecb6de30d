//! From which addresses connections are taken.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// From where a request came: the other end of its connection, which is the proxy's where one stands in front.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer(pub IpAddr);

/// The addresses whose connections are taken: any, or those of the proxies that stand in front.
///
/// What a proxy says about whom it speaks for (`Forwarded`, `X-Forwarded-*`) is never read, so nobody gains by saying it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Peers(Arc<BTreeSet<IpAddr>>);

impl Peers {
    /// These addresses and no others; with none, any.
    pub fn only(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self(Arc::new(addresses.into_iter().map(|one| one.to_canonical()).collect()))
    }

    /// Whether a connection from there is taken.
    pub fn admits(&self, peer: IpAddr) -> bool {
        self.0.is_empty() || self.0.contains(&peer.to_canonical())
    }
}
