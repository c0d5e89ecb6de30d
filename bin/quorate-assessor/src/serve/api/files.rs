//! Evidence files by programs. A file comes alone and is sealed under its digest at once; it is on file only when a step that
//! names it, exactly as it came and for the same audit, was taken by the signature of its person. A file is given out with the
//! step that says so: no opening goes without the file, and no file without the opening.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use quorate_assessor::audit::Record as Act;
use quorate_assessor::audit::file::FileEntry;
use quorate_host::SealedFiles;
use quorate_host::random::Random;
use quorate_host::seal::KeySource;
use quorate_terms::Digest;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Answer;
use super::answers::{Signed, still, take};
use crate::audit::{self, files, open_with};
use crate::serve::hall::Hall;
use crate::token::Kept;
use crate::trouble::{Done, Trouble};

/// Files that no step names yet, of all tokens and of one: each lies on the disk for good.
const UNNAMED_MAX: usize = 64;
const UNNAMED_OF_ONE: usize = 16;
/// Files of programs that are in memory on their way in. They take no place from people's.
const COMING: usize = 2;

#[derive(Default)]
struct Unnamed {
    /// Tokens that send one now.
    coming: BTreeSet<Digest>,
    /// By audit, each with the token that sent it.
    came: BTreeMap<String, Vec<(Digest, FileEntry)>>,
}

/// Which files came over the API, and for which audit, since the pages are served. Who names the digest of a file would have it
/// opened: so a step of an audit names what was sent for that audit, and nothing else.
#[derive(Clone)]
pub(in crate::serve) struct Sent {
    unnamed: Arc<Mutex<Unnamed>>,
    coming: Arc<Semaphore>,
}

impl Default for Sent {
    fn default() -> Self {
        Self { unnamed: Arc::default(), coming: Arc::new(Semaphore::new(COMING)) }
    }
}

/// What a file needs before its first byte is read: room among those that no step names, and in memory. Both are free again when
/// it is dropped, which is not before the file is sealed.
pub(super) struct Coming {
    sent: Sent,
    token: Digest,
    _memory: OwnedSemaphorePermit,
}

impl Sent {
    /// Room for one file more: of one token one at a time, and so many of one and of all that no step names.
    fn room(&self, token: Digest) -> Done<Coming> {
        let memory = Arc::clone(&self.coming).try_acquire_owned().map_err(|_| {
            let message = "other programs send files; nothing was stored";
            Trouble::refused("busy", message, "send it again")
        })?;
        let mut all = self.lock();
        let (came, of_one) = all.count(&token);
        if came.saturating_add(all.coming.len()) >= UNNAMED_MAX || of_one >= UNNAMED_OF_ONE {
            let message = format!(
                "{of_one} files of this token and {came} in all lie here that no step names"
            );
            let next = "take the steps that name them, or have the office start its pages again";
            return Err(Trouble::refused("too_many_files", message, next));
        }
        if !all.coming.insert(token) {
            let message = "this token sends another file; nothing was stored";
            return Err(Trouble::refused("busy", message, "send one at a time"));
        }
        Ok(Coming { sent: self.clone(), token, _memory: memory })
    }

    fn came(&self, audit: &str, token: Digest, file: &FileEntry) {
        let mut all = self.lock();
        let of_audit = all.came.entry(audit.to_owned()).or_default();
        if !of_audit.iter().any(|(_, one)| one == file) {
            of_audit.push((token, file.clone()));
        }
    }

    /// What was sent for an audit and is named by no step of it.
    pub(super) fn of(&self, audit: &str) -> Vec<FileEntry> {
        let all = self.lock();
        let of_audit = all.came.get(audit).into_iter().flatten();
        of_audit.map(|(_, file)| file.clone()).collect()
    }

    /// A step that names it was taken.
    pub(super) fn named(&self, audit: &str, file: &FileEntry) {
        let mut all = self.lock();
        if let Some(of_audit) = all.came.get_mut(audit) {
            of_audit.retain(|(_, one)| one != file);
            if of_audit.is_empty() {
                all.came.remove(audit);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Unnamed> {
        self.unnamed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unnamed {
    /// How many there are, and of one token.
    fn count(&self, token: &Digest) -> (usize, usize) {
        let all = || self.came.values().flatten();
        (all().count(), all().filter(|(of, _)| of == token).count())
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.sent.lock().coming.remove(&self.token);
    }
}

/// Room for a file of an audit that there is, under a passphrase that there is.
pub(super) async fn room(hall: &Hall, audit: &str, token: Digest) -> Done<Room> {
    let (standards, id) = (hall.standards().to_owned(), audit.to_owned());
    let key = hall.key()?;
    hall.look(move |seen| open_with(&standards, seen.home, seen.office, &id).map(drop)).await?;
    Ok(Room { key, coming: hall.sent().room(token)? })
}

/// See [`room`].
pub(super) struct Room {
    key: Arc<KeySource>,
    coming: Coming,
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
        sent.came(&audit, room.coming.token, &entry);
        drop((bytes, room.coming));
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
    let (standards, still, tag) =
        (hall.standards().to_owned(), still(hall, who), about.tag.clone());
    let (waiting, answer) = (signed.waiting.clone(), signed.answer);
    let found = hall.look(move |seen| {
        still()?;
        let held = open_with(&standards, seen.home, seen.office, &waiting.audit)?;
        let file = held.state.exhibits().get(&tag).and_then(|exhibit| exhibit.file.clone());
        let file = file.ok_or_else(|| {
            let message = format!("no file is on file under `{tag}`");
            Trouble::refused("unknown_file", message, "list the evidence")
        })?;
        audit::would_take(&standards, (seen.home, seen.office), &waiting, &answer)?;
        Ok(file)
    });
    // Opened when its person has signed, because it is work; and before that is recorded: what cannot be opened is not said to
    // have been.
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

    fn entry(number: usize) -> FileEntry {
        let (name, media) = (format!("{number}.txt"), "text/plain".to_owned());
        FileEntry { name, digest: Digest::sha256(&number.to_be_bytes()), size: 8, media }
    }

    #[test]
    fn so_many_files_lie_here_that_no_step_names_of_one_token_and_of_all() {
        let (sent, [one, other]) =
            (Sent::default(), [b"1", b"2"].map(|token| Digest::sha256(token)));
        let came = |token: Digest, numbers: std::ops::Range<usize>| {
            for number in numbers {
                let room = sent.room(token).ok().unwrap();
                sent.came("one", token, &entry(number));
                sent.came("one", token, &entry(number));
                drop(room);
            }
        };
        came(one, 0..UNNAMED_OF_ONE);
        assert_eq!(sent.room(one).err().unwrap().code, "too_many_files");
        assert!(sent.of("other").is_empty(), "what was sent for one audit is not sent for another");
        sent.named("other", &entry(0));
        assert!(sent.room(one).is_err());
        sent.named("one", &entry(0));
        assert!(sent.room(one).is_ok() && !sent.of("one").contains(&entry(0)));
        let tokens = (2..).map(|n: u8| Digest::sha256(&[n]));
        for (token, from) in tokens.zip((100..).step_by(100)).take(UNNAMED_MAX / UNNAMED_OF_ONE - 1)
        {
            came(token, from..from + UNNAMED_OF_ONE);
        }
        came(other, 900..901);
        assert_eq!(sent.room(other).err().unwrap().code, "too_many_files", "of all");
    }

    #[test]
    fn a_token_sends_one_file_at_a_time_and_leaves_room_for_another_token() {
        let (sent, [one, other]) =
            (Sent::default(), [b"1", b"2"].map(|token| Digest::sha256(token)));
        let slow = sent.room(one).ok().unwrap();
        assert_eq!(sent.room(one).err().unwrap().code, "busy");
        assert!(sent.room(other).is_ok());
        drop(slow);
        assert!(sent.room(one).is_ok());
    }
}
