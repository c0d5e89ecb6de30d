//! Administrative acts: each follows from an agreed case and says exactly what its intent says.

use quorate_terms::approval::{Approval, Proof};
use quorate_terms::canonical::Term;
use quorate_terms::credential::AgentCredential;
use quorate_terms::entry::{
    AddressListed, AddressRemoved, AgentEnrolled, AgentRetired, CharterActivated, CharterApproved,
    CredentialRevoked, Entry, PolicyActivated,
};
use quorate_terms::intent::Action;
use quorate_terms::{AccountId, ApproverId, CaseId, Timestamp};

use super::{need, void};
use crate::book::{Admitted, Book, Coming, load};
use crate::case::{Case, State};
use crate::refusal::Refusal;

impl Book {
    /// The case of an act, if the act is due: awaited, and agreed to at this time.
    pub(super) fn due(&self, id: &CaseId, at: Timestamp) -> Result<&Case, Refusal> {
        let case = self.open_case(id)?;
        need(case.state == State::AwaitAct, "the case awaits no act")?;
        need(at < case.expires_at(), "the case has expired")?;
        need(case.policy() == Some(self.policy.digest()), "it was judged under another policy")?;
        need(
            case.is_agreed(&self.charter, &self.policy, at),
            "the required quorums have not agreed",
        )?;
        Ok(case)
    }

    pub(super) fn fold_policy(
        &mut self,
        activated: &PolicyActivated,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let case = self.due(&activated.case, entry.at)?;
        let Action::ChangePolicy { policy } = &case.intent.action else {
            return Err(void("the case changes no policy"));
        };
        need(
            activated.document == **policy && activated.policy == policy.digest()?,
            "it is another policy",
        )?;
        need(activated.proposer == case.intent.requester, "the proposer is another")?;
        need(activated.previous == self.policy.digest(), "it replaces another policy")?;
        let compiled = self.check_policy(policy)?;
        self.policy = compiled;
        self.state.policy_entry = Some(entry.index);
        self.case_mut(&activated.case, entry.index).map(|_| ())
    }

    /// Whether a policy may replace the one in force.
    ///
    /// # Errors
    /// [`Refusal`] when it does not load, is not the next version, or names people without a seat.
    pub fn check_policy(
        &self,
        document: &quorate_terms::policy::PolicyDocument,
    ) -> Result<quorate_policy::Policy, Refusal> {
        let refuse = |why: &str, next: &str| Err(Refusal::new("bad_policy", why, next));
        if document.vault != self.charter.vault {
            return refuse("the policy is for another vault", "name this vault in it");
        }
        let next = self.policy.document().version.saturating_add(1);
        if document.version != next || document.previous != Some(self.policy.digest()) {
            return refuse(
                "the policy does not follow the one in force",
                "propose it again from the policy in force",
            );
        }
        for quorum in &document.quorums {
            quorum.check()?;
            if quorum.name == self.charter.governance.name {
                return refuse(
                    "a quorum has the name of the charter's own",
                    "give it another name",
                );
            }
            if quorum.members.iter().any(|member| self.charter.approver(member).is_none()) {
                return refuse("a quorum names somebody without a seat", "seat every member first");
            }
            self.charter.check_parties(quorum)?;
        }
        load(document)
    }

    pub(super) fn fold_charter_approved(
        &mut self,
        approved: &CharterApproved,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let case = self.due(&approved.case, entry.at)?;
        let Action::ChangeCharter { charter } = &case.intent.action else {
            return Err(void("the case changes no charter"));
        };
        let digest = charter.digest()?;
        need(approved.text == **charter && approved.charter == digest, "it is another charter")?;
        self.check_charter(charter)?;
        need(self.state.coming.is_none(), "another charter waits already")?;
        self.state.charter_entries.insert(entry.index);
        self.state.coming = Some(Coming {
            digest,
            text: approved.text.clone(),
            case: approved.case,
            approved_at: entry.at,
        });
        self.case_mut(&approved.case, entry.index).map(|case| case.state = State::AwaitDelay)
    }

    /// Whether a charter may replace the one in force.
    ///
    /// # Errors
    /// [`Refusal`] when it breaks a rule, is not the next version, moves the ledger or changes who holds shares.
    pub fn check_charter(&self, text: &quorate_terms::charter::CharterText) -> Result<(), Refusal> {
        let refuse = |why: &str, next: &str| Err(Refusal::new("bad_charter", why, next));
        text.check()?;
        load(&text.policy)?;
        if text.vault != self.charter.vault || text.log.origin != self.charter.log.origin {
            return refuse("the charter is for another vault or ledger", "keep vault and origin");
        }
        let next = self.charter.version.saturating_add(1);
        if text.version != next || text.previous != Some(self.charter_digest) {
            return refuse(
                "the charter does not follow the one in force",
                "propose it again from the one in force",
            );
        }
        let seats = |t: &quorate_terms::charter::CharterText| -> Vec<_> {
            t.cosigners.iter().map(|c| c.cosigner.clone()).collect()
        };
        if seats(text) != seats(&self.charter) || text.threshold != self.charter.threshold {
            return refuse(
                "the charter changes who holds shares",
                "reshare first; that is a ceremony of its own",
            );
        }
        if text.policy != *self.policy.document() {
            return refuse(
                "the charter carries another policy than the one in force",
                "change the policy by itself",
            );
        }
        Ok(())
    }

    pub(super) fn fold_charter(
        &mut self,
        activated: &CharterActivated,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let coming = self.state.coming.clone().ok_or_else(|| void("no charter waits"))?;
        let right = coming.digest == activated.charter && coming.case == activated.case;
        need(right && activated.previous == self.charter_digest, "it is another charter")?;
        let waits = self.open_case(&activated.case)?.state == State::AwaitDelay;
        need(waits, "the case awaits no charter")?;
        let due = coming.approved_at.plus_s(self.charter.change_delay_s);
        need(entry.at >= due, "the charter's delay has not passed")?;
        let before = std::mem::replace(&mut self.charter, coming.text);
        self.charter_digest = coming.digest;
        self.drop_unseated(&before);
        self.end_unfit(&before, entry.at);
        self.state.coming = None;
        self.state.charter_entries.insert(entry.index);
        self.case_mut(&activated.case, entry.index).map(|case| case.state = State::AwaitAct)
    }

    /// What people said under a seat that has changed hands, key or credential, or at a view that has moved, no longer counts.
    fn drop_unseated(&mut self, before: &quorate_terms::charter::CharterText) {
        let now = &self.charter;
        let stands = |who: &ApproverId, said: &Approval| {
            before.approver(who) == now.approver(who)
                && match &said.proof {
                    Proof::Passkey { view, .. } => before.view(view) == now.view(view),
                    Proof::Ed25519 { .. } => true,
                }
        };
        for case in self.state.cases.values_mut() {
            case.approvals.retain(|who, said| stands(who, said));
            case.stand_ins.retain(|who, said| stands(who, &said.approval));
        }
    }

    pub(super) fn fold_listed(
        &mut self,
        listed: &AddressListed,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let case = self.due(&listed.case, entry.at)?;
        let expected = self.address_listed(case, entry.at)?;
        check_spelling(&listed.address)?;
        need(expected == *listed, "the entry does not say what the intent says")?;
        self.state.listed.insert(listed.address.clone(), listed.usable_from);
        self.state.beneficiaries.insert(listed.address.clone(), listed.beneficiary);
        self.case_mut(&listed.case, entry.index).map(|_| ())
    }

    /// The entry that lists a recipient.
    pub(crate) fn address_listed(
        &self,
        case: &Case,
        at: Timestamp,
    ) -> Result<AddressListed, Refusal> {
        let Action::ListAddress { account, beneficiary, owner_kind } = &case.intent.action else {
            return Err(void("the case lists no recipient"));
        };
        Ok(AddressListed {
            address: account.clone(),
            case: case.id,
            chain: account.chain(),
            beneficiary: *beneficiary,
            owner_kind: *owner_kind,
            usable_from: at.plus_s(self.policy.document().addresses.wait_s),
        })
    }

    pub(super) fn fold_removed(
        &mut self,
        removed: &AddressRemoved,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let case = self.due(&removed.case, entry.at)?;
        let asks = matches!(&case.intent.action, Action::RemoveAddress { account } if *account == removed.address);
        need(
            asks && removed.chain == removed.address.chain(),
            "the case removes another recipient",
        )?;
        self.state.listed.remove(&removed.address);
        self.state.beneficiaries.remove(&removed.address);
        self.case_mut(&removed.case, entry.index).map(|_| ())
    }

    pub(super) fn fold_enrolled(
        &mut self,
        enrolled: &AgentEnrolled,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let case = self.due(&enrolled.case, entry.at)?;
        let expected = agent_enrolled(case, self)?;
        need(expected == *enrolled, "the entry does not say what the intent says")?;
        let credential = &enrolled.credential;
        self.check_credential(credential)?;
        let manifest = enrolled.manifest;
        let admitted = Admitted { credential: credential.clone(), revoked: false, manifest };
        self.state.credentials.insert(credential.credential.clone(), admitted);
        self.case_mut(&enrolled.case, entry.index).map(|_| ())
    }

    /// Whether a credential may be admitted: neither its name nor its token was ever used, by a stand-in either.
    pub(crate) fn check_credential(&self, credential: &AgentCredential) -> Result<(), Refusal> {
        let taken = self.credential(&credential.credential).is_some();
        let token = self.credentials().any(|a| a.credential.token == credential.token);
        need(!taken && !token, "the credential or its token was used before")?;
        self.check_unstood(&credential.credential)
    }

    pub(super) fn fold_retired(
        &mut self,
        retired: &AgentRetired,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let Some(id) = retired.case else {
            if let Some(admitted) = self.state.credentials.get_mut(&retired.credential) {
                admitted.revoked |= admitted.credential.expires_at <= entry.at;
            }
            return Ok(());
        };
        let case = self.due(&id, entry.at)?;
        let asks = matches!(&case.intent.action, Action::RevokeCredential { credential }
            if *credential == retired.credential);
        need(asks, "the case revokes another credential")?;
        if let Some(admitted) = self.state.credentials.get_mut(&retired.credential) {
            admitted.revoked = true;
        }
        self.case_mut(&id, entry.index).map(|_| ())
    }

    /// A revocation only tightens, so it needs nobody's leave.
    pub(super) fn fold_revoked(&mut self, revoked: &CredentialRevoked) -> Result<(), Refusal> {
        if let Some(admitted) = self.state.credentials.get_mut(&revoked.credential) {
            admitted.revoked = true;
        }
        Ok(())
    }
}

/// A recipient is listed in the one spelling in which drafts name it, so that striking it off strikes it off.
pub(crate) fn check_spelling(account: &AccountId) -> Result<(), Refusal> {
    let spelt = quorate_chains::parse_account(account.address(), &account.chain())?;
    need(spelt == *account, "the recipient is not in its one checksummed spelling")
}

/// The entry that admits an agent.
pub(crate) fn agent_enrolled(case: &Case, book: &Book) -> Result<AgentEnrolled, Refusal> {
    let Action::IssueCredential { credential } = &case.intent.action else {
        return Err(void("the case admits no agent"));
    };
    Ok(AgentEnrolled {
        agent: credential.agent.clone(),
        case: case.id,
        owner: credential.owner.clone(),
        band: credential.band,
        manifest: book.manifest(credential.band),
        expires_at: credential.expires_at,
        credential: credential.clone(),
    })
}
