//! The charters of a vault, each named by digest from the one before, down to the founding one that was pinned.

use quorate_ledger::LogPolicy;
use quorate_terms::approval::{Approval, Proof};
use quorate_terms::charter::CharterText;
use quorate_terms::delegation::Delegation;
use quorate_terms::policy::PolicyDocument;
use quorate_terms::{Digest, Term as _};

use crate::story::Story;

/// Every charter that the receipt shows, with the index of the entry from which it was in force.
pub(crate) struct Charters {
    in_force: Vec<(u64, Digest, CharterText)>,
    policies: Vec<(u64, PolicyDocument)>,
}

impl Charters {
    /// Reads the founding charter, compares it with the pinned digest, and follows the changes.
    pub(crate) fn read(story: &Story, policy: &LogPolicy) -> Result<Self, String> {
        let founded = story.founded()?;
        let text = &founded.body.charter;
        let digest = digest_of(text)?;
        if digest != policy.charter || founded.entry.index != 0 {
            return Err("the founding charter is not the one that you pinned".into());
        }
        let in_force = vec![(0, digest, text.clone())];
        let mut charters = Self { in_force, policies: Vec::new() };
        charters.follow(story)?;
        charters.read_policies(story)?;
        Ok(charters)
    }

    fn follow(&mut self, story: &Story) -> Result<(), String> {
        let approved = story.charters_approved();
        for change in story.charters_activated() {
            let index = change.entry.index;
            let text = approved
                .iter()
                .filter(|a| a.entry.index < index)
                .map(|a| &a.body.text)
                .find(|text| text.digest().is_ok_and(|d| d == change.body.charter));
            let text =
                text.ok_or_else(|| format!("the receipt leaves out the charter of entry {index}"))?;
            let current = self.in_force.last().map(|(_, digest, _)| *digest);
            if Some(change.body.previous) != current || text.previous != current {
                return Err(format!("the charter of entry {index} does not follow the one before"));
            }
            self.in_force.push((index, change.body.charter, text.clone()));
        }
        Ok(())
    }

    fn read_policies(&mut self, story: &Story) -> Result<(), String> {
        self.policies =
            self.in_force.iter().map(|(i, _, text)| (*i, text.policy.clone())).collect();
        for change in story.policies_activated() {
            if change.body.document.digest().map_err(|e| e.to_string())? != change.body.policy {
                return Err(format!(
                    "the policy of entry {} is not the one it names",
                    change.entry.index
                ));
            }
            self.policies.push((change.entry.index, change.body.document.clone()));
        }
        Ok(())
    }

    /// The charter in force at an entry, as far as the receipt shows.
    pub(crate) fn at(&self, index: u64) -> Result<&CharterText, String> {
        let mut before = self.in_force.iter().rev().filter(|(from, ..)| *from <= index);
        before
            .next()
            .map(|(.., text)| text)
            .ok_or_else(|| format!("no charter before entry {index}"))
    }

    /// Whether what was said at one entry still stands at another: no charter between gave the seat, or the view at which it was
    /// said, to another holder.
    pub(crate) fn keep(&self, said: &Approval, from: u64, until: u64) -> bool {
        let Ok(then) = self.at(from) else { return false };
        let mut later = self.in_force.iter().filter(|(index, ..)| (from..until).contains(index));
        later.all(|(.., now)| {
            let who = &said.body.approver;
            let view = match &said.proof {
                Proof::Passkey { view, .. } => then.view(view) == now.view(view),
                Proof::Ed25519 { .. } => true,
            };
            view && then.approver(who) == now.approver(who)
        })
    }

    /// Whether no charter between two entries ended a delegation: by another seat, or by naming whoever stands in.
    pub(crate) fn outlived(&self, delegation: &Delegation, from: u64, until: u64) -> bool {
        let (mut before, mut changes) = (self.at(from), self.in_force.iter());
        changes.all(|(index, _, now)| {
            if !(from..until).contains(index) {
                return true;
            }
            let lives = before.as_ref().is_ok_and(|before| delegation.outlives(before, now));
            before = Ok(now);
            lives
        })
    }

    /// The policy with this digest, if it came into force before this entry.
    pub(crate) fn policy(&self, digest: &Digest, index: u64) -> Result<&PolicyDocument, String> {
        let known = |(from, doc): &&(u64, PolicyDocument)| {
            *from < index && doc.digest().is_ok_and(|d| d == *digest)
        };
        let found = self.policies.iter().find(known).map(|(_, doc)| doc);
        found.ok_or_else(|| format!("the receipt leaves out the policy {}…", digest.short()))
    }

    pub(crate) fn says(&self) -> String {
        let changes = self.in_force.len().saturating_sub(1);
        match (changes, self.in_force.last()) {
            (1.., Some((index, digest, _))) => format!(
                "the founding charter is the pinned one; {changes} change(s) follow it to {}…, in force from entry {index}",
                digest.short()
            ),
            _ => "the founding charter is the pinned one".into(),
        }
    }
}

fn digest_of(text: &CharterText) -> Result<Digest, String> {
    text.digest().map_err(|e| e.to_string())
}
