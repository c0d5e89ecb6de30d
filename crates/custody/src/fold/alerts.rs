//! Alerts and pinned tool lists: remembered, so that nobody has to search the ledger for what still needs a person.
//!
//! Nothing here is void: who raises an alert or closes one moves nothing and permits nothing that policy does not.

use quorate_terms::entry::{AlertAcknowledged, AlertClosed, AlertRaised, Entry, ManifestPinned};

use crate::book::{Book, OpenAlert};
use crate::refusal::Refusal;

impl Book {
    pub(super) fn fold_pinned(&mut self, pinned: &ManifestPinned) -> Result<(), Refusal> {
        if let Some(band) = pinned.band {
            self.state.manifests.insert(band, pinned.manifest);
        }
        Ok(())
    }

    /// The same alert again is the same alert: it stays open since the first time.
    pub(super) fn fold_alert(
        &mut self,
        raised: &AlertRaised,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        self.state.alerts.entry(raised.alert).or_insert_with(|| OpenAlert {
            rule: raised.rule.clone(),
            severity: raised.severity,
            subject: raised.subject.clone(),
            raised_at: entry.at,
            taken_by: None,
        });
        Ok(())
    }

    pub(super) fn fold_alert_taken(&mut self, taken: &AlertAcknowledged) -> Result<(), Refusal> {
        if let Some(alert) = self.state.alerts.get_mut(&taken.alert) {
            alert.taken_by = Some(taken.person.clone());
        }
        Ok(())
    }

    pub(super) fn fold_alert_closed(&mut self, closed: &AlertClosed) -> Result<(), Refusal> {
        self.state.alerts.remove(&closed.alert);
        Ok(())
    }
}
