//! What the desk records of itself as time goes by: that it lives, how its clock stands, who witnessed its checkpoints, and
//! which tools each band sees.

use quorate_custody::Event;
use quorate_custody::limits::CLOCK_SKEW_MAX_S;
use quorate_gateway::bands::{Table, manifests};
use quorate_terms::Timestamp;
use quorate_terms::entry::{
    Body, CheckpointWitnessed, ClockChecked, Heartbeat, ManifestPinned, Severity,
};

use super::World;
use crate::desk::engine::Trouble;

/// Seconds between two heartbeats.
pub const PULSE_S: u64 = 600;
/// Seconds without a heartbeat that are told as an alarm once it beats again. One that comes a little late is no silence.
pub const SILENCE_S: u64 = 2 * PULSE_S;
/// The rule that fires when a band's tool list changed.
pub const TOOLS_CHANGED: &str = "tools_changed";
/// Where number and time of the last heartbeat are kept.
const SEQUENCE: &str = "heartbeat";

impl World {
    /// Records a heartbeat, before it the silence if it was silent for long, the offsets of the cosigners' clocks, and the
    /// newest cosignatures.
    ///
    /// # Errors
    /// [`Trouble`] when nothing can be recorded now.
    pub async fn pulse(&self) -> Result<(), Trouble> {
        let (sequence, last_at) = self.next_heartbeat().await?;
        if last_at.is_some_and(|at| self.engine.clock().now() > at.plus_s(SILENCE_S)) {
            self.alert("silence", Severity::High, "desk".to_owned()).await?;
        }
        self.note(Body::Heartbeat(Heartbeat { source: "desk".to_owned(), sequence })).await?;
        let views = self.cosigners.views().await;
        let heard: Vec<_> =
            views.iter().filter_map(|v| Some((v.cosigner.clone(), v.clock_offset_ms?))).collect();
        if let Some(worst) =
            heard.iter().map(|(_, offset)| *offset).max_by_key(|offset| offset.unsigned_abs())
        {
            let sources = heard.iter().map(|(name, _)| format!("cosigner:{name}")).collect();
            let checked = ClockChecked {
                party: "desk".to_owned(),
                offset_ms: worst.saturating_neg(),
                sources,
            };
            self.note(Body::ClockChecked(checked)).await?;
        }
        for (name, offset) in heard {
            if offset.unsigned_abs() > CLOCK_SKEW_MAX_S.saturating_mul(1000) {
                self.alert("clock_skew", Severity::High, format!("cosigner:{name}")).await?;
            }
        }
        self.note_witnesses().await
    }

    /// Records what the desk finds wrong with itself: a clock that was set, and entries that it would not have written.
    ///
    /// # Errors
    /// [`Trouble`] when nothing can be recorded now.
    pub async fn watch_itself(&self) -> Result<(), Trouble> {
        for jump in self.engine.clock().take_jumps() {
            let ahead = i64::try_from(jump.found.since(jump.expected)).unwrap_or(i64::MAX);
            let behind = i64::try_from(jump.expected.since(jump.found)).unwrap_or(i64::MAX);
            let offset_ms = ahead.saturating_sub(behind);
            tracing::error!(offset_ms, "the wall clock was set");
            let sources = vec!["monotonic".to_owned()];
            let checked = ClockChecked { party: "desk".to_owned(), offset_ms, sources };
            self.note(Body::ClockChecked(checked)).await?;
            self.alert("clock_jump", Severity::High, "desk".to_owned()).await?;
        }
        let voids: Vec<u64> =
            self.engine.look(|book| book.voids().map(|(index, _)| index).collect()).await?;
        for index in voids {
            self.alert("void_entry", Severity::Critical, format!("entry {index}")).await?;
        }
        Ok(())
    }

    async fn note_witnesses(&self) -> Result<(), Trouble> {
        let Some(newest) = self.cosigners.newest().await else { return Ok(()) };
        let seats = self.engine.look(|book| book.charter().cosigners.clone()).await?;
        let lines: Vec<String> =
            newest.note.signatures.iter().map(|line| line.name.clone()).collect();
        let Ok(checkpoint) = newest.note.text.parse::<quorate_ledger::Checkpoint>() else {
            return Ok(());
        };
        for seat in seats {
            let suffix = format!("/{}", seat.cosigner);
            if lines.iter().any(|name| name.ends_with(&suffix)) {
                let witnessed = CheckpointWitnessed {
                    size: checkpoint.size,
                    root: checkpoint.root,
                    witness: seat.cosigner.to_string(),
                    operator: seat.operator,
                };
                self.note(Body::CheckpointWitnessed(witnessed)).await?;
            }
        }
        Ok(())
    }

    /// The number of the next heartbeat, and when the one before was due to be recorded.
    async fn next_heartbeat(&self) -> Result<(u64, Option<Timestamp>), Trouble> {
        let store = self.engine.store();
        let kept = store.get(SEQUENCE).await.ok().flatten().unwrap_or_default();
        let read = |bytes: Option<&[u8]>| Some(u64::from_be_bytes(bytes?.try_into().ok()?));
        let last = read(kept.get(..8)).unwrap_or(0);
        let last_at = read(kept.get(8..)).map(Timestamp::from_millis);
        let (next, now) = (last.saturating_add(1), self.engine.clock().now());
        let bytes = [next.to_be_bytes(), now.as_millis().to_be_bytes()].concat();
        store.put(SEQUENCE, bytes).await.map_err(|_| Trouble::Full)?;
        Ok((next, last_at))
    }

    /// Pins the tool list of each band by digest. A list that changed since the last start raises an alarm (T23).
    ///
    /// # Errors
    /// [`Trouble`] when nothing can be recorded now.
    pub async fn pin_manifests(&self) -> Result<(), Trouble> {
        for (band, manifest) in manifests().unwrap_or_default() {
            let tools =
                Table::new(band, band).tools().iter().map(|tool| tool.name.to_string()).collect();
            let key = format!("manifest/{band}");
            let store = self.engine.store();
            let known = store.get(&key).await.ok().flatten();
            if known.as_deref() == Some(manifest.as_bytes().as_slice()) {
                continue;
            }
            if known.is_some() {
                self.alert(TOOLS_CHANGED, Severity::High, band.to_string()).await?;
            }
            let band = Some(band);
            let pinned = ManifestPinned { manifest, case: None, band, tools };
            self.note(Body::ManifestPinned(pinned)).await?;
            store.put(&key, manifest.as_bytes().to_vec()).await.map_err(|_| Trouble::Full)?;
        }
        Ok(())
    }

    async fn note(&self, body: Body) -> Result<(), Trouble> {
        self.engine.tell(Event::Noted(Box::new(body))).await.map(drop)
    }
}
