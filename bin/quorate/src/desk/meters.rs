//! What the desk measures of itself for `/metrics`: numbers an operator watches, without address, amount or name. Cosigners
//! are told apart by their place in the charter.

use std::time::Duration;

use quorate_custody::Book;
use quorate_gateway::errors::Code;
use quorate_host::https::Standing;
use quorate_host::metrics::{Histogram, Registry};
use quorate_terms::entry::Severity;

use super::effects::World;
use super::engine::Trouble;

/// The desk's meters.
pub struct Meters {
    registry: Registry,
    signing: Histogram,
}

/// What the book says at one moment.
struct Seen {
    entries: u64,
    open_cases: usize,
    reservations: usize,
    voids: usize,
    freezes: usize,
    alerts: [(&'static str, usize); 3],
}

impl Default for Meters {
    /// Nothing measured yet.
    fn default() -> Self {
        let registry = Registry::new();
        let help = "From asking the cosigners to a verified signature, in microseconds.";
        let signing = registry.histogram("quorate_signing_us", help, &[]);
        Self { registry, signing }
    }
}

impl Meters {
    /// Counts a signature that took so long.
    pub fn signed(&self, took: Duration) {
        self.signing.observe(took);
    }

    /// Counts a complaint at a door, by its published code.
    pub fn refused(&self, code: Code) {
        let help = "Questions that were answered with a complaint, by its published code.";
        self.registry.counter("quorate_refusals_total", help, &[("code", code.as_str())]).add(1);
    }

    /// Everything, as a scrape expects it.
    pub fn text(&self) -> String {
        self.registry.text()
    }

    fn set(&self, name: &str, help: &str, labels: &[(&str, &str)], value: u64) {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.registry.gauge(name, help, labels).set(value);
    }

    fn count(&self, name: &str, help: &str, value: usize) {
        self.set(name, help, &[], u64::try_from(value).unwrap_or(u64::MAX));
    }
}

impl Seen {
    fn of(book: &Book) -> Self {
        let of = |wanted: Severity| book.alerts().filter(|(_, a)| a.severity == wanted).count();
        let alerts = [
            ("low", of(Severity::Low)),
            ("high", of(Severity::High)),
            ("critical", of(Severity::Critical)),
        ];
        Self {
            entries: book.size(),
            open_cases: book.open_cases().count(),
            reservations: book.usage().open(),
            voids: book.voids().count(),
            freezes: book.freezes().count(),
            alerts,
        }
    }
}

impl World {
    /// Everything, as a scrape expects it; whether the disk takes writes is read at once, because a full disk also stops
    /// the round in which the rest is read.
    pub fn meters_text(&self) -> String {
        self.measure_disk();
        self.meters.text()
    }

    /// Takes in how the certificate of the door stands.
    pub fn measure_certificate(&self, standing: &Standing) {
        let left = standing.until.since(self.engine.clock().now()) / 1000;
        let help = "Until the certificate of the door runs out, in seconds.";
        self.meters.set("quorate_certificate_seconds", help, &[], left);
        let help = "Whether the certificate on disk is refused, and the one before is shown.";
        let refused = u64::from(standing.refused.is_some());
        self.meters.set("quorate_certificate_refused", help, &[], refused);
    }

    fn measure_disk(&self) {
        let writes = u64::from(self.engine.writes());
        self.meters.set("quorate_writes", "Whether the disk takes writes.", &[], writes);
    }

    /// Takes the meters' readings.
    ///
    /// # Errors
    /// [`Trouble`] when the desk is stopping.
    pub async fn measure(&self) -> Result<(), Trouble> {
        let (seen, meters) = (self.engine.look(Seen::of).await?, &self.meters);
        meters.set("quorate_ledger_entries", "Entries in the ledger.", &[], seen.entries);
        self.measure_disk();
        meters.count("quorate_open_cases", "Cases that are not over.", seen.open_cases);
        let help = "Cases that hold something of a budget.";
        meters.count("quorate_reservations", help, seen.reservations);
        meters.count("quorate_voids", "Void entries that nobody has resumed from.", seen.voids);
        meters.count("quorate_freezes", "Freezes in force.", seen.freezes);
        for (severity, open) in seen.alerts {
            let open = u64::try_from(open).unwrap_or(u64::MAX);
            let help = "Alerts that nobody has closed.";
            meters.set("quorate_alerts", help, &[("severity", severity)], open);
        }
        if let Some(newest) = self.cosigners.newest().await {
            let age = self.engine.clock().now().since(newest.at) / 1000;
            let help = "Since cosigners last witnessed a checkpoint, in seconds.";
            meters.set("quorate_checkpoint_age_seconds", help, &[], age);
            let behind = seen.entries.saturating_sub(newest.size);
            let help = "Entries beyond the newest witnessed checkpoint.";
            meters.set("quorate_unwitnessed_entries", help, &[], behind);
        }
        for (place, view) in (1_u64..).zip(self.cosigners.views().await) {
            let help = "Whether the link to a cosigner is up, by its place in the charter.";
            let place = place.to_string();
            meters.set("quorate_cosigner_up", help, &[("place", &place)], u64::from(view.up));
        }
        Ok(())
    }
}
