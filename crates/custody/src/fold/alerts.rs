//! Alerts and pinned tool lists: remembered, so that nobody has to search the ledger for what still needs a person.
//!
//! Nothing here is void: who raises an alert or closes one moves nothing and permits nothing that policy does not.

use quorate_terms::entry::{AlertAcknowledged, AlertClosed, AlertRaised, Entry, ManifestPinned};

use crate::book::{Book, OpenAlert};
use crate::checklist::{OVERDUE, read_subject};
use crate::nearing::Nearing;
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
        self.remember_reminder(raised);
        Ok(())
    }

    /// A reminder is given once, whoever closes it and however often the desk starts.
    fn remember_reminder(&mut self, raised: &AlertRaised) {
        if let Some((nearing, case)) = Nearing::read(&raised.rule, &raised.subject)
            && let Some(case) = self.state.cases.get_mut(&case)
        {
            case.reminded = case.reminded.max(Some(nearing));
        }
        if raised.rule == OVERDUE
            && let Some((item, checklist)) = read_subject(&raised.subject)
            && let Some(one) = self.state.checklists.get_mut(&checklist)
            && one.item(&item).is_some()
        {
            one.told.insert(item);
        }
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
