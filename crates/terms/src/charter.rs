//! The charter's text: what every party of a vault trusts of its own accord, from its own disk.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::canonical::Term;
use crate::commitment::Commitment;
use crate::digest::{Digest, tag};
use crate::error::Malformed;
use crate::fact::FactKind;
use crate::id::{ApproverId, CosignerId, CredentialId, PersonId, SourceId, VaultId, ViewId};
use crate::key::PublicKey;
use crate::passkey::{Passkey, ViewSeat};
use crate::policy::PolicyDocument;
use crate::quorum::Quorum;

/// Who is who in a vault, and who may change that. Its digest is compared out of band at founding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharterText {
    /// Format version, 1.
    pub v: u8,
    /// The vault.
    pub vault: VaultId,
    /// 1 at founding, one more with each change.
    pub version: u64,
    /// Digest of the charter that this one replaces; none at founding.
    pub previous: Option<Digest>,
    /// How many cosigners must take part in a signature; more than half of the seats.
    pub threshold: u8,
    /// The cosigners, in the order of their party numbers 1, 2, ...
    pub cosigners: Vec<CosignerSeat>,
    /// The approvers.
    pub approvers: Vec<ApproverSeat>,
    /// Where approvers may approve in a browser. A passkey used on any other page counts for nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<ViewSeat>,
    /// Who agrees to changes of charter and policy, to unfreezing and to resuming.
    pub governance: Quorum,
    /// Where the book is kept.
    pub log: LogSeat,
    /// Whose facts have weight.
    pub sources: Vec<SourceSeat>,
    /// Seconds between the approval of a charter change and its force, on each cosigner's own clock.
    pub change_delay_s: u64,
    /// Blocks that must stand on a transaction before it is final, its own included.
    pub finality_depth: u64,
    /// The policy that is in force from the founding, in full.
    pub policy: PolicyDocument,
}

impl Term for CharterText {
    const TAG: &'static str = tag::CHARTER;
}

/// A cosigner's seat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosignerSeat {
    /// Its name.
    pub cosigner: CosignerId,
    /// Its identity: mutual TLS and its statements.
    pub identity: PublicKey,
    /// The key with which it cosigns checkpoints.
    pub witness: PublicKey,
    /// The legal entity that runs it.
    pub operator: String,
}

/// An approver's seat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproverSeat {
    /// The seat.
    pub approver: ApproverId,
    /// The person in it, by pseudonym. One person in two seats counts once.
    pub person: PersonId,
    /// The credential that signs.
    pub credential: CredentialId,
    /// Its public key.
    pub key: PublicKey,
    /// The identity of the approver's machine on mutual-TLS links.
    pub link: PublicKey,
    /// The device, as a commitment.
    pub device: Option<Commitment>,
    /// The passkeys that sign as well, each at its own view.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passkeys: Vec<Passkey>,
}

impl ApproverSeat {
    /// Whether this credential signs for the seat.
    pub fn holds(&self, credential: &CredentialId) -> bool {
        self.credential == *credential || self.passkey(credential).is_some()
    }

    /// Its passkey of this name.
    pub fn passkey(&self, credential: &CredentialId) -> Option<&Passkey> {
        self.passkeys.iter().find(|passkey| passkey.credential == *credential)
    }
}

/// Where the book is kept and by whom it is signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSeat {
    /// The checkpoint origin (C2SP tlog-checkpoint), one line without spaces.
    pub origin: String,
    /// The key that signs checkpoints.
    pub key: PublicKey,
    /// The desk's identity on mutual-TLS links.
    pub identity: PublicKey,
}

/// An outside source of facts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSeat {
    /// Its name.
    pub source: SourceId,
    /// Its public key.
    pub key: PublicKey,
    /// What it may speak on.
    pub kinds: BTreeSet<FactKind>,
}

impl CharterText {
    /// Checks what must hold of any charter, whoever wrote it.
    ///
    /// # Errors
    /// [`Malformed`] naming the first field that breaks a rule: t > n/2, at least two cosigners, distinct seats and keys,
    /// quorums that can be met by seated people through seated views, a policy for the same vault.
    pub fn check(&self) -> Result<(), Malformed> {
        let bad = |field: &str, why: &str, mend: &str| Err(Malformed::new(field, why, mend));
        let seats = self.cosigners.len();
        if self.v != 1 {
            return bad("charter.v", "is not 1", "use a program that knows this version");
        }
        if seats < 2
            || usize::from(self.threshold).saturating_mul(2) <= seats
            || usize::from(self.threshold) > seats
        {
            return bad(
                "charter.threshold",
                "is not more than half of at least two cosigners",
                "choose t > n/2, n >= 2",
            );
        }
        if !distinct(self.cosigners.iter().map(|c| &c.cosigner))
            || !distinct(self.approvers.iter().map(|a| &a.approver))
        {
            return bad("charter", "seats one name twice", "give each seat a name of its own");
        }
        if !distinct(self.keys()) {
            return bad("charter", "uses one key in two places", "make a key for each purpose");
        }
        if self.log.origin.is_empty()
            || self.log.origin.bytes().any(|b| !b.is_ascii_graphic() || b == b'+')
        {
            return bad(
                "charter.log.origin",
                "is empty or not plain text",
                "use a name such as `example.org/vault`",
            );
        }
        self.check_passkeys()?;
        if self.policy.vault != self.vault {
            return bad("charter.policy.vault", "is another vault", "name the same vault in both");
        }
        if self.policy.quorums.iter().any(|quorum| quorum.name == self.governance.name) {
            let mend = "give the charter's own quorum a name that no quorum of the policy has";
            return bad("charter.governance", "has the name of a quorum of the policy", mend);
        }
        for quorum in self.policy.quorums.iter().chain([&self.governance]) {
            quorum.check()?;
            if let Some(stranger) = quorum.members.iter().find(|m| self.approver(m).is_none()) {
                let why = format!("names `{stranger}`, who has no seat");
                return bad("charter.quorums", &why, "seat every member as an approver");
            }
            self.check_parties(quorum)?;
        }
        Ok(())
    }

    /// Views at origins of their own; passkeys of views that there are, each in one seat.
    fn check_passkeys(&self) -> Result<(), Malformed> {
        let bad = |field: &str, why: &str, mend: &str| Err(Malformed::new(field, why, mend));
        self.views.iter().try_for_each(ViewSeat::check)?;
        self.check_operators()?;
        let views = || self.views.iter();
        if !distinct(views().map(|v| &v.view)) || !distinct(views().map(|v| &v.origin)) {
            let mend = "give each view a name and an origin of its own";
            return bad("charter.views", "name one view or origin twice", mend);
        }
        let seats = || self.approvers.iter();
        let passkeys = || seats().flat_map(|seat| &seat.passkeys);
        let credentials = passkeys().map(|p| &p.credential);
        if !distinct(credentials.chain(seats().map(|seat| &seat.credential)))
            || !distinct(passkeys().map(|p| &p.key))
            || !distinct(passkeys().map(|p| &p.handle))
        {
            let mend = "make a passkey for each seat and view";
            return bad("charter.approvers.passkeys", "use one passkey or name twice", mend);
        }
        if let Some(lost) = passkeys().find(|passkey| self.view(&passkey.view).is_none()) {
            let why = format!("hold `{}`, which belongs to no view", lost.credential);
            return bad("charter.approvers.passkeys", &why, "name its view among the views");
        }
        if let Some(odd) = passkeys().find(|passkey| !passkey.handle.is_handle()) {
            let why = format!("hold `{}`, whose handle is not 16 to 1023 bytes", odd.credential);
            return bad(
                "charter.approvers.passkeys",
                &why,
                "take the passkey's file as it was made",
            );
        }
        Ok(())
    }

    /// Every key that it names, passkeys left aside.
    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        let cosigners = self.cosigners.iter().flat_map(|c| [&c.identity, &c.witness]);
        cosigners
            .chain(self.approvers.iter().flat_map(|a| [&a.key, &a.link]))
            .chain(self.views.iter().map(|v| &v.link))
            .chain(self.sources.iter().map(|s| &s.key))
            .chain([&self.log.key, &self.log.identity])
    }

    /// A view by name.
    pub fn view(&self, view: &ViewId) -> Option<&ViewSeat> {
        self.views.iter().find(|seat| seat.view == *view)
    }

    /// The seat of an approver.
    pub fn approver(&self, approver: &ApproverId) -> Option<&ApproverSeat> {
        self.approvers.iter().find(|seat| seat.approver == *approver)
    }

    /// The seat of a cosigner.
    pub fn cosigner(&self, cosigner: &CosignerId) -> Option<&CosignerSeat> {
        self.cosigners.iter().find(|seat| seat.cosigner == *cosigner)
    }

    /// The party number of a cosigner, from 1.
    pub fn party(&self, cosigner: &CosignerId) -> Option<u8> {
        let at = self.cosigners.iter().position(|seat| seat.cosigner == *cosigner)?;
        u8::try_from(at).ok()?.checked_add(1)
    }

    /// The seat of a source that may speak on `kind`.
    pub fn source(&self, source: &SourceId, kind: FactKind) -> Option<&SourceSeat> {
        self.sources.iter().find(|seat| seat.source == *source && seat.kinds.contains(&kind))
    }
}

pub(crate) fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    items.into_iter().all(|item| seen.insert(item))
}
