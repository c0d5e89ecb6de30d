//! A receipt's entries as one case's story: who is in it, once each, in the only order in which it can have gone.

use quorate_terms::entry::{
    Approved, Body, Broadcast, CharterActivated, CharterApproved, Closed, Delegated,
    DelegationEnded, Entry, Filed, Founded, Judged, KeyGenerated, PolicyActivated, Signed,
    Warranted,
};
use quorate_terms::{CaseId, Digest, Term as _};

/// Entries that are proven to stand in the log, decoded in full.
pub(crate) struct Story {
    pub(crate) case: CaseId,
    entries: Vec<Entry>,
}

/// An entry's place together with one kind of body.
pub(crate) struct At<'a, T> {
    pub(crate) entry: &'a Entry,
    pub(crate) body: &'a T,
}

macro_rules! kind {
    ($name:ident, $kind:ident) => {
        pub(crate) fn $name(&self) -> Vec<At<'_, $kind>> {
            let mut all = Vec::new();
            for entry in &self.entries {
                if let Body::$kind(body) = &entry.body {
                    all.push(At::<$kind> { entry, body });
                }
            }
            all
        }
    };
}

/// Every entry of one kind, in order.
impl Story {
    kind!(all_founded, Founded);
    kind!(charters_approved, CharterApproved);
    kind!(charters_activated, CharterActivated);
    kind!(policies_activated, PolicyActivated);
    kind!(delegated, Delegated);
    kind!(delegations_ended, DelegationEnded);
    kind!(keys, KeyGenerated);
    kind!(all_filed, Filed);
    kind!(all_judged, Judged);
    kind!(approvals, Approved);
    kind!(warranted, Warranted);
    kind!(signed, Signed);
    kind!(broadcast, Broadcast);
    kind!(all_closed, Closed);
}

impl Story {
    /// Decodes the entries and checks that each belongs to this case.
    pub(crate) fn read(case: CaseId, entries: &[(u64, Vec<u8>)]) -> Result<Self, String> {
        let decode = |(index, bytes): &(u64, Vec<u8>)| {
            Entry::from_canonical(bytes).map_err(|e| format!("entry {index} cannot be read: {e}"))
        };
        let entries = entries.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
        let stranger = entries.iter().find(|e| case_of(&e.body).is_some_and(|c| c != case));
        if let Some(stranger) = stranger {
            return Err(format!("entry {} is of another case", stranger.index));
        }
        Ok(Self { case, entries })
    }

    pub(crate) fn founded(&self) -> Result<At<'_, Founded>, String> {
        only("Founded", self.all_founded())
    }

    pub(crate) fn filed(&self) -> Result<At<'_, Filed>, String> {
        only("Filed", self.all_filed())
    }

    pub(crate) fn judged(&self) -> Result<At<'_, Judged>, String> {
        only("Judged", self.all_judged())
    }

    /// How the case ended; none while it is open.
    pub(crate) fn closed(&self) -> Result<Option<At<'_, Closed>>, String> {
        let all = self.all_closed();
        if all.is_empty() { Ok(None) } else { only("Closed", all).map(Some) }
    }

    /// The intent's own digest is the case; filed comes before judged, and closing is the case's last word.
    pub(crate) fn check_frame(&self) -> Result<String, String> {
        let (filed, judged) = (self.filed()?, self.judged()?);
        let digest = filed.body.intent.digest().map_err(|e| e.to_string())?;
        if CaseId::of_intent(digest) != self.case {
            return Err("the intent's digest is not the case that the receipt names".into());
        }
        if filed.body.intent.vault != filed.entry.vault {
            return Err("the intent is for another vault".into());
        }
        if judged.body.intent != digest || judged.entry.index <= filed.entry.index {
            return Err("what was judged is not what was filed".into());
        }
        let own = self.entries.iter().filter(|e| case_of(&e.body).is_some());
        let (first, last) = (own.clone().next(), own.clone().next_back());
        if first.is_some_and(|e| e.index != filed.entry.index) {
            return Err("something of the case comes before it was filed".into());
        }
        if let Some(closed) = self.closed()?
            && last.is_some_and(|e| e.index != closed.entry.index)
        {
            return Err("something of the case comes after it was closed".into());
        }
        Ok(format!("the digest of the intent in entry {} is the case", filed.entry.index))
    }

    /// The digest of the case's intent.
    pub(crate) fn intent(&self) -> Digest {
        self.case.intent()
    }
}

fn only<'a, T>(what: &str, all: Vec<At<'a, T>>) -> Result<At<'a, T>, String> {
    let mut all = all.into_iter();
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(format!("the receipt leaves out `{what}`")),
        (Some(_), Some(_)) => Err(format!("the receipt holds `{what}` twice")),
    }
}

/// The case that an entry is a step of; none for entries about the vault, its people and its keys.
fn case_of(body: &Body) -> Option<CaseId> {
    match body {
        Body::Filed(b) => Some(b.case),
        Body::Judged(b) => Some(b.case),
        Body::Approved(b) => Some(b.case),
        Body::Warranted(b) => Some(b.case),
        Body::Refused(b) => Some(b.case),
        Body::Signed(b) => Some(b.case),
        Body::Broadcast(b) => Some(b.case),
        Body::Closed(b) => Some(b.case),
        _ => None,
    }
}
