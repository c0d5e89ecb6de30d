//! What was answered so far, in a folder of its own within the desk's: `answers.json`, in the form that `quorate init --answers`
//! reads, and beside it the documents that people handed over. All of it is public but for addresses of nodes, which may hold a
//! key, so the files are their owner's only. The folder goes when the founding is finished.

use std::path::{Path, PathBuf};

use quorate_host::fault::Fault;
use quorate_host::random::Random;
use quorate_host::secret_file;
use quorate_terms::Digest;
use quorate_terms::digest::tag;
use serde::de::DeserializeOwned;

use crate::cli::found::answers::Answers;
use crate::cli::found::plan::Plan;
use crate::cli::found::write::{self, Founded};
use crate::cli::read;
use crate::cli::trouble::{Tried, Trouble};

/// The folder within the desk's.
const FOLDER: &str = "founding";
/// The answers.
const ANSWERS: &str = "answers.json";
/// Stands while a founding writes: what lies beside it without a configuration was cut short.
const WRITING: &str = "writing";
/// The largest document that somebody pastes, in bytes.
const DOCUMENT_MAX: usize = 64 * 1024;

/// Whether a vault is founded in a folder: its configuration is written last.
pub(super) fn is_founded(home: &Path) -> bool {
    home.join("desk.toml").symlink_metadata().is_ok()
}

/// Whether a guided founding was begun there and is not finished.
pub(super) fn is_begun(home: &Path) -> bool {
    home.join(FOLDER).symlink_metadata().is_ok()
}

/// The answers of one founding.
pub(super) struct Kept {
    home: PathBuf,
    /// Paths in it are relative to the folder.
    answers: Answers,
    random: Random,
}

impl Kept {
    /// Opens what is kept in a desk's folder; makes both folders with mode 0700 where they are missing.
    ///
    /// # Errors
    /// [`Trouble`] for a folder that others can enter, or answers that cannot be read.
    pub(super) fn open(home: &Path) -> Tried<Self> {
        let random = Random::start()?;
        // A relative path would lead elsewhere in the commands that people are shown.
        let home = std::path::absolute(home).map_err(|e| Fault::at(home, &e))?;
        secret_file::make_dir(&home)?;
        let folder = home.join(FOLDER);
        secret_file::make_dir(&folder)?;
        let file = folder.join(ANSWERS);
        let answers = match file.symlink_metadata() {
            Ok(_) => read::document(&file)?,
            Err(_) => {
                Answers { console_listen: Some("127.0.0.1:7420".into()), ..Answers::default() }
            }
        };
        Ok(Self { home, answers, random })
    }

    /// The desk's folder.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// The folder of the founding.
    pub(super) fn folder(&self) -> PathBuf {
        self.home.join(FOLDER)
    }

    /// The answers, paths relative to the folder.
    pub(super) const fn answers(&self) -> &Answers {
        &self.answers
    }

    /// The answers as a founding takes them.
    pub(super) fn resolved(&self) -> Answers {
        self.answers.clone().based_on(&self.folder())
    }

    /// A document that an answer names.
    pub(super) fn document<T: DeserializeOwned>(&self, path: &Path) -> Tried<T> {
        read::document(&self.folder().join(path))
    }

    /// Whether a vault is founded here.
    pub(super) fn is_founded(&self) -> bool {
        is_founded(&self.home)
    }

    /// By what these very answers are known, with every document that they name: a summary that was shown founds nothing else.
    pub(super) fn digest(&self) -> Tried<Digest> {
        let mut all = self.bytes(&self.answers)?;
        for path in self.resolved().documents() {
            all.extend_from_slice(Digest::sha256(read::text(path)?.as_bytes()).as_bytes());
        }
        Ok(Digest::of(tag::TOKEN, &all))
    }

    /// Changes the answers: durable when this returns, as they were if it fails.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Answers) -> Tried<()>) -> Tried<()> {
        if self.is_founded() {
            let mend = "changes take a case from here on: `quorate charter propose`, `quorate policy propose`";
            return Err(Trouble::new("vault", "is founded", mend));
        }
        let mut answers = self.answers.clone();
        change(&mut answers)?;
        let bytes = self.bytes(&answers)?;
        secret_file::replace(&self.folder().join(ANSWERS), &bytes, self.random)?;
        self.answers = answers;
        Ok(())
    }

    /// Keeps a document that somebody pasted under the name of its seat; gives its path within the folder.
    pub(super) fn keep(&self, name: &str, text: &str) -> Tried<PathBuf> {
        let path = PathBuf::from(format!("{name}.json"));
        secret_file::replace(&self.folder().join(&path), text.trim().as_bytes(), self.random)?;
        Ok(path)
    }

    /// Founds. Whatever was cut short before is put aside, and the answers stay until the founding is finished.
    pub(super) fn found(&self) -> Tried<Founded> {
        let folder = self.folder();
        let writing = folder.join(WRITING);
        if writing.symlink_metadata().is_ok() {
            let aside =
                folder.join(format!("cut-short-{}", hex::encode(self.random.bytes::<4>()?)));
            write::put_aside(&self.home, &aside)?;
        } else {
            write::refuse_overwrite(&self.home)?;
            secret_file::create(&writing, b"", self.random)?;
        }
        let plan = Plan::of(&self.resolved())?;
        let founded = write::lay(&self.home, &plan)?;
        std::fs::remove_file(&writing).map_err(|e| Fault::at(&writing, &e))?;
        Ok(founded)
    }

    /// Ends the founding of a vault: the answers go, and from here on `quorate up` only starts the desk.
    pub(super) fn finish(&self) -> Tried<()> {
        if !self.is_founded() {
            return Err(Trouble::new("vault", "is not founded", "found it, or leave it as it is"));
        }
        let folder = self.folder();
        std::fs::remove_dir_all(&folder).map_err(|e| Fault::at(&folder, &e))?;
        Ok(())
    }

    fn bytes(&self, answers: &Answers) -> Tried<Vec<u8>> {
        serde_json::to_vec_pretty(answers)
            .map_err(|e| Trouble::new(ANSWERS, e.to_string(), "report this"))
    }
}

/// A document that somebody pasted.
///
/// # Errors
/// [`Trouble`] naming the field and the line that is not as it must be.
pub(super) fn pasted<T: DeserializeOwned>(field: &str, text: &str) -> Tried<T> {
    if text.len() > DOCUMENT_MAX {
        let mend = format!("paste one document of at most {DOCUMENT_MAX} bytes");
        return Err(Trouble::new(field, "is too long", mend));
    }
    serde_json::from_str(text.trim()).map_err(|e| {
        let why = e.to_string();
        let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why);
        let mend =
            format!("paste the whole file as it was handed over; line {} is not so", e.line());
        Trouble::new(field, why, mend)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::found::answers::{CosignerAnswer, SourceAnswer};
    use proptest::prelude::*;
    use quorate_terms::charter::CosignerSeat;

    fn home() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("desk");
        (dir, home)
    }

    #[test]
    fn what_was_answered_is_there_after_a_crash_and_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_dir, home) = home();
        let mut kept = Kept::open(&home).unwrap();
        kept.change(|answers| {
            answers.vault = Some("treasury".to_owned());
            answers.approvers.push(kept_path());
            Ok(())
        })
        .unwrap();
        drop(kept);
        let kept = Kept::open(&home).unwrap();
        assert_eq!(kept.answers().vault.as_deref(), Some("treasury"));
        assert_eq!(kept.resolved().approvers, [kept.folder().join(kept_path())]);
        let file = kept.folder().join(ANSWERS);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        // The command reads the very same file.
        let read = Answers::load(&file).unwrap();
        assert_eq!(read.approvers, kept.resolved().approvers);
    }

    fn kept_path() -> PathBuf {
        PathBuf::from("approver-ann.json")
    }

    #[test]
    fn a_refused_change_changes_nothing_and_a_founded_vault_takes_none() {
        let (_dir, home) = home();
        let mut kept = Kept::open(&home).unwrap();
        let before = kept.digest().unwrap();
        let refused = kept.change(|answers| {
            answers.vault = Some("treasury".to_owned());
            Err(Trouble::new("vault", "is refused", "try another"))
        });
        assert!(refused.is_err() && kept.digest().unwrap() == before);
        assert!(kept.finish().is_err(), "nothing is founded");
        std::fs::write(home.join("desk.toml"), "").unwrap();
        assert!(kept.change(|_| Ok(())).unwrap_err().mend.contains("propose"));
        assert!(kept.found().is_err(), "a vault is founded once");
        kept.finish().unwrap();
        assert!(!is_begun(&home) && is_founded(&home));
    }

    #[test]
    fn answers_are_known_by_every_document_that_they_name() {
        let (_dir, home) = home();
        let mut kept = Kept::open(&home).unwrap();
        let paths = ["approver-a", "view-b", "cosigner-c", "source-d", "policy"];
        let paths = paths.map(|name| kept.keep(name, "{}").unwrap());
        kept.change(|answers| {
            let [approver, view, cosigner, source, policy] = paths.clone();
            answers.approvers.push(approver);
            answers.views.push(view);
            answers.cosigners.push(CosignerAnswer { seat: cosigner, address: "a:1".into() });
            answers.sources.push(SourceAnswer { seat: source, from: "a:2".into() });
            answers.policy = Some(policy);
            Ok(())
        })
        .unwrap();
        let mut seen = std::collections::BTreeSet::from([kept.digest().unwrap()]);
        for name in ["approver-a", "view-b", "cosigner-c", "source-d", "policy"] {
            kept.keep(name, "{\"other\": 1}").unwrap();
            assert!(seen.insert(kept.digest().unwrap()), "{name}");
        }
        std::fs::remove_file(kept.folder().join("policy.json")).unwrap();
        assert!(kept.digest().is_err(), "what cannot be read was not shown");
    }

    #[test]
    fn what_a_cut_short_founding_left_is_put_aside_and_never_a_whole_one() {
        let (_dir, home) = home();
        let kept = Kept::open(&home).unwrap();
        std::fs::create_dir(home.join("keys")).unwrap();
        std::fs::write(home.join("keys/log.seed"), "one").unwrap();
        let aside = kept.folder().join("cut-short-1");
        assert!(kept.found().is_err(), "keys that this founding did not begin are somebody's");
        assert!(home.join("keys/log.seed").exists());
        write::put_aside(&home, &aside).unwrap();
        assert_eq!(std::fs::read(aside.join("keys/log.seed")).unwrap(), b"one");
        std::fs::write(home.join("keys/log.seed"), "two").unwrap();
        std::fs::write(home.join("desk.toml"), "").unwrap();
        assert!(write::put_aside(&home, &aside).is_err());
        assert_eq!(std::fs::read(home.join("keys/log.seed")).unwrap(), b"two");
    }

    proptest! {
        #[test]
        fn arbitrary_documents_never_panic(text in "(?s).{0,200}") {
            let _ = pasted::<CosignerSeat>("seat", &text);
        }
    }
}
