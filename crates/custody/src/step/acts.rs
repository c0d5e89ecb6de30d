//! Administrative acts: what an agreed intent that moves nothing on chain records.

use quorate_terms::canonical::Term;
use quorate_terms::entry::{
    AddressRemoved, AgentRetired, BackupStatement, BackupVerified, Body, CancelAsked,
    CharterActivated, CharterApproved, CredentialRevoked, Frozen, KeyGenerated, KeyStatement,
    Outcome, PolicyActivated, Unfrozen,
};
use quorate_terms::intent::Action;
use quorate_terms::{AccountId, CaseId, Digest, Timestamp};

use super::closed;
use super::seats::{reseated, unseated};
use crate::book::{Book, Wallet};
use crate::case::{Case, State};
use crate::event::{Effect, Step};
use crate::fold::{agent_enrolled, check_spelling};
use crate::refusal::Refusal;

impl Book {
    /// The records of an agreed administrative case; where its act cannot be done any more, its closing alone.
    pub(super) fn act_or_close(&self, case: &Case, at: Timestamp) -> Step {
        self.act(case, at).unwrap_or_else(|refusal| {
            let mut step = Step::default();
            step.close(closed(case, Outcome::Refused, &refusal.to_string()));
            step
        })
    }

    /// The records of an agreed administrative case, its closing included.
    fn act(&self, case: &Case, at: Timestamp) -> Result<Step, Refusal> {
        let mut step = match &case.intent.action {
            Action::Transfer(_) | Action::OpenWallet(_) => return Ok(Step::default()),
            Action::ChangeCharter { .. } => return self.act_charter(case),
            Action::Cancel { case: target } => self.act_cancel(case, target)?,
            Action::ChangePolicy { .. } => Step::recording(self.act_policy(case)?),
            Action::IssueCredential { credential } => {
                self.check_credential(credential)?;
                Step::recording(Body::AgentEnrolled(Box::new(agent_enrolled(case, self)?)))
            }
            Action::RevokeCredential { credential } => self.act_revoke(case, credential),
            Action::ListAddress { account, .. } => {
                check_spelling(account)?;
                Step::recording(Body::AddressListed(Box::new(self.address_listed(case, at)?)))
            }
            Action::RemoveAddress { account } => {
                self.check_listed(account)?;
                Step::recording(Body::AddressRemoved(AddressRemoved {
                    address: account.clone(),
                    case: case.id,
                    chain: account.chain(),
                }))
            }
            Action::Delegate { delegation } => self.act_delegate(case, delegation, at)?,
            Action::EndDelegation { delegation } => {
                self.act_end_delegation(case, delegation, at)?
            }
            Action::Freeze { scope } => {
                let freeze = case.id.intent();
                self.check_unlifted(&freeze)?;
                let by = "case".to_owned();
                let cause = "asked".to_owned();
                let frozen = Frozen {
                    scope: scope.clone(),
                    by,
                    cause,
                    freeze,
                    signed: None,
                    case: Some(case.id),
                };
                Step::recording(Body::Frozen(Box::new(frozen)))
            }
            Action::Unfreeze { scope, lifts } => {
                self.check_lifts(scope, lifts)?;
                Step::recording(Body::Unfrozen(Unfrozen {
                    scope: scope.clone(),
                    case: case.id,
                    lifts: lifts.clone(),
                }))
            }
        };
        step.close(closed(case, Outcome::Done, "it took effect"));
        Ok(step)
    }

    fn act_policy(&self, case: &Case) -> Result<Body, Refusal> {
        let Action::ChangePolicy { policy } = &case.intent.action else {
            return Err(Refusal::new("no_policy", "the case changes no policy", "report this"));
        };
        self.check_policy(policy)?;
        Ok(Body::PolicyActivated(Box::new(PolicyActivated {
            policy: policy.digest()?,
            case: case.id,
            previous: self.policy().digest(),
            proposer: case.intent.requester.clone(),
            document: (**policy).clone(),
        })))
    }

    fn act_charter(&self, case: &Case) -> Result<Step, Refusal> {
        let Action::ChangeCharter { charter } = &case.intent.action else {
            return Err(Refusal::new("no_charter", "the case changes no charter", "report this"));
        };
        self.check_charter(charter)?;
        if self.coming().is_some() {
            let next = "wait until it is in force, or cancel its case";
            return Err(Refusal::new("charter_waits", "another charter waits already", next));
        }
        Ok(Step::recording(Body::CharterApproved(Box::new(CharterApproved {
            charter: charter.digest()?,
            case: case.id,
            text: (**charter).clone(),
        }))))
    }

    /// A charter whose delay has passed comes into force, and its case closes.
    pub(super) fn activate_charter(&self, at: Timestamp) -> Step {
        let Some(coming) = self.coming() else { return Step::default() };
        let due = coming.approved_at.plus_s(self.charter().change_delay_s);
        let Some(case) = self.case(&coming.case).filter(|_| at >= due) else {
            return Step::default();
        };
        let mut step = Step::recording(Body::CharterActivated(Box::new(CharterActivated {
            charter: coming.digest,
            case: coming.case,
            previous: self.charter_digest(),
        })));
        // What is taken comes before what is given: a stand-in may be seated with the same keys.
        for id in self.unfit_after(self.charter(), &coming.text, at) {
            let over = self.delegation(id).map(|granted| &granted.delegation);
            let taken = over.map(|over| unseated(over, &coming.text, coming.case));
            step.records.extend(taken.unwrap_or_default());
        }
        step.records.extend(reseated(self.charter(), &coming.text, coming.case));
        step.close(closed(case, Outcome::Done, "it took effect"));
        step
    }

    fn act_revoke(&self, case: &Case, credential: &quorate_terms::CredentialId) -> Step {
        let mut step = Step::recording(Body::CredentialRevoked(CredentialRevoked {
            person: None,
            credential: credential.clone(),
            case: Some(case.id),
            cause: "asked".to_owned(),
        }));
        if let Some(admitted) = self.credential(credential) {
            step.records.push(Body::AgentRetired(AgentRetired {
                agent: admitted.credential.agent.clone(),
                cause: "revoked".to_owned(),
                credential: credential.clone(),
                case: Some(case.id),
            }));
        }
        step
    }

    /// Giving up: at once where nothing can have been signed, otherwise by a conflicting draft.
    fn act_cancel(&self, case: &Case, target: &CaseId) -> Result<Step, Refusal> {
        let Some(target) = self.case(target) else {
            return Err(Refusal::new(
                "unknown_case",
                "the case to give up is not open",
                "nothing needs doing",
            ));
        };
        if target.cancel.is_some() {
            let why = "the case was asked to be given up before";
            return Err(Refusal::new("given_up", why, "nothing needs doing"));
        }
        let asked = CancelAsked { case: target.id, by: case.id };
        let mut step = Step::recording(Body::CancelAsked(asked));
        if target.may_be_signed(self.charter()) {
            step.effects.push(Effect::Fetch(target.id));
        } else {
            step.close(closed(target, Outcome::Cancelled, "its requester gave it up"));
        }
        Ok(step)
    }

    fn check_listed(&self, account: &AccountId) -> Result<(), Refusal> {
        if self.state.listed.contains_key(account) {
            return Ok(());
        }
        let next = "name it as `quorate address list` shows it";
        Err(Refusal::new("not_listed", "no such recipient is listed", next))
    }

    fn check_unlifted(&self, freeze: &Digest) -> Result<(), Refusal> {
        if !self.state.lifted.contains(freeze) {
            return Ok(());
        }
        let next = "freeze with a new key for the request";
        Err(Refusal::new("lifted", "this freeze was lifted before", next))
    }

    pub(super) fn step_key(
        &self,
        case: &Case,
        library: String,
        statements: Vec<KeyStatement>,
    ) -> Result<Step, Refusal> {
        let Action::OpenWallet(open) = &case.intent.action else {
            return Err(Refusal::new("no_wallet", "the case opens no wallet", "report this"));
        };
        if case.state != State::AwaitCeremony || self.wallet(&open.wallet).is_some() {
            return Ok(Step { case: Some(case.id), ..Step::default() });
        }
        let first = statements.first().ok_or_else(|| {
            Refusal::new("no_statement", "no cosigner speaks of the key", "run the ceremony again")
        })?;
        let seats = &self.charter().cosigners;
        let made = KeyGenerated {
            wallet: open.wallet.clone(),
            case: case.id,
            ceremony: first.body.ceremony,
            method: "dkg".to_owned(),
            scheme: open.scheme,
            library,
            threshold: self.charter().threshold,
            shares: u8::try_from(seats.len()).unwrap_or(u8::MAX),
            holders: seats.iter().map(|seat| seat.cosigner.clone()).collect(),
            public_key: first.body.public_key.clone(),
            purpose: open.purpose.clone(),
            statements,
        };
        self.check_statements(&made)?;
        let wallet = Wallet {
            open: open.clone(),
            case: case.id,
            public_key: made.public_key.clone(),
            epoch: 0,
            holders: made.holders.clone(),
            accounts: Default::default(),
            backups: Default::default(),
            barred: None,
        };
        let opened = self.wallet_opened(case.id, &wallet)?;
        let mut step = Step::recording(Body::KeyGenerated(Box::new(made)));
        step.case = Some(case.id);
        step.records.push(Body::WalletOpened(Box::new(opened)));
        step.close(closed(case, Outcome::Done, "the wallet is open"));
        Ok(step)
    }

    pub(super) fn step_backup(&self, statement: BackupStatement) -> Result<Step, Refusal> {
        let known = self.wallet(&statement.body.wallet).is_some_and(|wallet| {
            wallet.backups.contains(&statement.body.cosigner)
                && wallet.epoch == statement.body.epoch
        });
        if known {
            return Ok(Step::default());
        }
        let proven = BackupVerified { wallet: statement.body.wallet.clone(), statement };
        self.check_backup(&proven)?;
        Ok(Step::recording(Body::BackupVerified(Box::new(proven))))
    }
}
