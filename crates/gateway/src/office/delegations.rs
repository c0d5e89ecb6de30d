//! Delegations as people see them: who stands in for whom, from when until when, and how it ended.

use std::collections::BTreeMap;

use quorate_custody::{Book, Granted, Phase};
use quorate_terms::{
    Amount, ApproverId, AssetId, CaseId, CredentialId, DelegationId, PersonId, Timestamp, ViewId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shapes;

/// A delegation that the charter's quorum agreed to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelegationView {
    /// Its name.
    #[schemars(with = "String")]
    pub id: DelegationId,
    /// The seat.
    #[schemars(with = "String")]
    pub seat: ApproverId,
    /// The person in the seat by the charter in force; none where the seat is gone.
    #[schemars(with = "Option<String>")]
    pub holder: Option<PersonId>,
    /// Who stands in.
    #[schemars(with = "String")]
    pub stand_in: PersonId,
    /// The credential in a file that signs for the stand-in.
    #[schemars(with = "String")]
    pub credential: CredentialId,
    /// The views at which passkeys of the stand-in sign.
    #[schemars(with = "Vec<String>")]
    pub views: Vec<ViewId>,
    /// When it begins.
    #[schemars(with = "u64")]
    pub from: Timestamp,
    /// When it ends by itself.
    #[schemars(with = "u64")]
    pub until: Timestamp,
    /// Base units by asset, fees included, above which the seat itself must speak, as on any other asset; none: any amount.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub above: Option<BTreeMap<AssetId, Amount>>,
    /// Where it is in its life.
    #[schemars(with = "shapes::Phase")]
    pub phase: Phase,
    /// The case in which the quorum agreed.
    #[schemars(with = "shapes::Hash")]
    pub case: CaseId,
    /// When it was granted.
    #[schemars(with = "u64")]
    pub granted_at: Timestamp,
    /// When it ended before its time, or was recorded as over.
    #[schemars(with = "Option<u64>")]
    pub ended_at: Option<Timestamp>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// `taken_back`, `lapsed` or `charter`.
    pub cause: Option<String>,
}

impl DelegationView {
    /// Every delegation of a book, the last granted first.
    #[must_use]
    pub fn all(book: &Book, now: Timestamp) -> Vec<Self> {
        let view = |(_, granted): (&DelegationId, &Granted)| Self::of(book, granted, now);
        let mut all: Vec<Self> = book.delegations().map(view).collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.granted_at));
        all
    }

    fn of(book: &Book, granted: &Granted, now: Timestamp) -> Self {
        let (one, ended) = (granted.delegation.clone(), granted.ended.clone());
        Self {
            holder: book.charter().approver(&one.seat).map(|seat| seat.person.clone()),
            views: one.stand_in.passkeys.into_iter().map(|passkey| passkey.view).collect(),
            id: one.id,
            seat: one.seat,
            stand_in: one.stand_in.person,
            credential: one.stand_in.credential,
            from: one.from,
            until: one.until,
            above: one.above,
            phase: granted.phase(now),
            case: granted.case,
            granted_at: granted.at,
            ended_at: ended.as_ref().map(|ended| ended.at),
            ended_by: ended.as_ref().map(|ended| ended.by.clone()),
            cause: ended.map(|ended| ended.cause),
        }
    }
}
