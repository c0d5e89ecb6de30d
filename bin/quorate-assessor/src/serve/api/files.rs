//! Evidence files by programs. A file comes alone and is sealed under its digest at once; it is on file only when a step that
//! names it, exactly as it came and for the same audit, was taken by the signature of its person. A file is given out with the
//! step that says so: no opening goes without the file, and no file without the opening.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use quorate_assessor::audit::Record as Act;
use quorate_assessor::audit::file::FileEntry;
use quorate_host::SealedFiles;
use quorate_host::random::Random;
use quorate_host::seal::KeySource;
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;

use super::Answer;
use super::answers::{Signed, still, take};
use crate::audit::{files, open_with};
use crate::serve::hall::Hall;
use crate::token::Kept;
use crate::trouble::{Done, Trouble};

/// Files that no step names yet: each lies on the disk for good.
const UNNAMED_MAX: usize = 64;

#[derive(Default)]
struct Unnamed {
    coming: usize,
    /// By audit.
    came: BTreeMap<String, Vec<FileEntry>>,
}

/// Which files came over the API, and for which audit, since the pages are served. Who names the digest of a file would have it
/// opened: so a step of an audit names what was sent for that audit, and nothing else.
#[derive(Clone, Default)]
pub(in crate::serve) struct Sent(Arc<Mutex<Unnamed>>);

/// A place for one file among those that no step names; free again when it is dropped.
pub(super) struct Coming(Sent);

impl Sent {
    /// A place for one file more.
    fn place(&self) -> Done<Coming> {
        let mut all = self.lock();
        let came: usize = all.came.values().map(Vec::len).sum();
        if came.saturating_add(all.coming) >= UNNAMED_MAX {
            let message = format!("{UNNAMED_MAX} files lie here that no step names");
            let next = "take the steps that name them, or have the office start its pages again";
            return Err(Trouble::refused("too_many_files", message, next));
        }
        all.coming = all.coming.saturating_add(1);
        Ok(Coming(self.clone()))
    }

    fn came(&self, audit: &str, file: &FileEntry) {
        let mut all = self.lock();
        let of_audit = all.came.entry(audit.to_owned()).or_default();
        if !of_audit.contains(file) {
            of_audit.push(file.clone());
        }
    }

    /// What was sent for an audit and is named by no step of it.
    pub(super) fn of(&self, audit: &str) -> Vec<FileEntry> {
        self.lock().came.get(audit).cloned().unwrap_or_default()
    }

    /// A step that names it was taken.
    pub(super) fn named(&self, audit: &str, file: &FileEntry) {
        let mut all = self.lock();
        if let Some(of_audit) = all.came.get_mut(audit) {
            of_audit.retain(|one| one != file);
            if of_audit.is_empty() {
                all.came.remove(audit);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Unnamed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        let mut all = self.0.lock();
        all.coming = all.coming.saturating_sub(1);
    }
}

/// What a file needs before its first byte is read.
pub(super) struct Room {
    key: Arc<KeySource>,
    coming: Coming,
    /// Given back with the bytes, and not before they are sealed.
    place: OwnedSemaphorePermit,
}

impl Room {
    /// As soon as there is one.
    pub(super) async fn of(hall: &Hall) -> Done<Self> {
        let (key, coming) = (hall.key()?, hall.sent().place()?);
        Ok(Self { key, coming, place: hall.place().await? })
    }
}

/// A file as it came.
pub(super) struct File {
    pub(super) name: String,
    pub(super) bytes: Bytes,
    pub(super) room: Room,
}

/// Seals a file under its digest. It is durable when this returns, and on file only when a step that names it is taken.
pub(super) async fn seal(hall: &Hall, audit: String, who: &Kept, file: File) -> Done<Value> {
    let (standards, still) = (hall.standards().to_owned(), still(hall, who));
    let (sent, token) = (hall.sent().clone(), who.name.clone());
    let sealed = hall.work(move |open, _, _| {
        still()?;
        let File { name, bytes, room } = file;
        let held = open_with(&standards, &open.home, &open.office, &audit)?;
        let entry = held.workflow.text.files.admit(&name, &bytes)?;
        let store = SealedFiles::open(&open.home.files())?;
        store.put(&room.key, &bytes, Random::start()?).map_err(files::sealed)?;
        sent.came(&audit, &entry);
        drop((bytes, room.place, room.coming));
        tracing::info!(%token, audit, sha256 = %entry.digest, "sealed a file at the office");
        Ok(json!({ "file": entry }))
    });
    sealed.await
}

/// Takes a signed step that a file is opened, and gives the file.
pub(super) async fn open(hall: &Hall, audit: &str, who: &Kept, body: Value) -> Done<Answer> {
    let signed = Signed::read(audit, body)?;
    let Act::ExhibitOpened(about) = &signed.waiting.record else {
        let message = "the step opens no file";
        return Err(Trouble::refused(
            "malformed",
            message,
            "send other steps to /audits/AUDIT/steps",
        ));
    };
    let (standards, id, tag) = (hall.standards().to_owned(), audit.to_owned(), about.tag.clone());
    let found = hall.look(move |seen| {
        let held = open_with(&standards, seen.home, seen.office, &id)?;
        let file = held.state.exhibits().get(&tag).and_then(|exhibit| exhibit.file.clone());
        file.ok_or_else(|| {
            let message = format!("no file is on file under `{tag}`");
            Trouble::refused("unknown_file", message, "list the evidence")
        })
    });
    // Before anything is recorded: what cannot be opened is not said to have been.
    let file = found.await?;
    let plain = hall.opened(file.digest).await?;
    let taken = take(hall, who, signed).await?;
    match taken.opened {
        Some((name, digest)) if digest == file.digest => {
            Ok(Answer { bytes: Bytes::from(plain), file: Some(name) })
        }
        _ => Err(Trouble::fault("open", "another file was opened meanwhile", "open it again")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_terms::Digest;

    fn entry(number: usize) -> FileEntry {
        let (name, media) = (format!("{number}.txt"), "text/plain".to_owned());
        FileEntry { name, digest: Digest::sha256(&number.to_be_bytes()), size: 8, media }
    }

    #[test]
    fn so_many_files_lie_here_that_no_step_names_and_no_more() {
        let sent = Sent::default();
        let held: Vec<Coming> = (0..UNNAMED_MAX).map(|_| sent.place().ok().unwrap()).collect();
        assert_eq!(sent.place().err().unwrap().code, "too_many_files");
        drop(held);
        for number in 0..UNNAMED_MAX {
            let place = sent.place().ok().unwrap();
            sent.came("one", &entry(number));
            sent.came("one", &entry(number));
            drop(place);
        }
        assert_eq!(sent.place().err().unwrap().code, "too_many_files");
        assert!(sent.of("other").is_empty(), "what was sent for one audit is not sent for another");
        sent.named("other", &entry(0));
        assert!(sent.place().is_err());
        sent.named("one", &entry(0));
        assert!(sent.place().is_ok() && !sent.of("one").contains(&entry(0)));
    }
}
