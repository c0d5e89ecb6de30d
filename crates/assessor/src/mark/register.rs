//! The register: which marks an issuer gave out and how each stands, as its own ledger tells it.

use std::collections::BTreeMap;

use quorate_terms::{Digest, Malformed, Timestamp, VaultId};

use super::status::{Standing, StatusList, Withdrawal};
use crate::record::{Line, Record};

/// A register, folded from the lines of its ledger.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Register {
    /// The name of its status list; none before the first offer.
    pub list: Option<String>,
    /// By place, in the order in which places were given out.
    pub places: Vec<Place>,
    /// How many lines the ledger has.
    pub size: u64,
}

/// One place of a register.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The mark that it was given out for.
    pub mark: String,
    /// Its issue, once it was issued.
    pub issued: Option<Issued>,
    /// Why it does not stand now; none while it does.
    pub withdrawn: Option<Withdrawal>,
}

/// That a mark was issued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issued {
    /// The entry that says so.
    pub entry: u64,
    /// When.
    pub at: Timestamp,
    /// SHA-256 of the envelope's canonical bytes.
    pub envelope: Digest,
}

impl Register {
    /// Folds a ledger. Lines that speak of no mark change nothing.
    pub fn of(lines: &[Line]) -> Self {
        let mut register = Self::default();
        for line in lines {
            register.take(line);
        }
        register
    }

    fn take(&mut self, line: &Line) {
        self.size = line.index.saturating_add(1);
        match &line.body {
            Record::MarkOffered { mark, list, .. } => {
                self.list = Some(list.clone());
                self.places.push(Place { mark: mark.clone(), issued: None, withdrawn: None });
            }
            Record::MarkIssued { mark, envelope, .. } => {
                let (entry, at, envelope) = (line.index, line.at, *envelope);
                self.change(mark, |place| place.issued = Some(Issued { entry, at, envelope }));
            }
            Record::MarkWithdrawn { mark, standing, reason } => {
                let (standing, at, entry) = (*standing, line.at, line.index);
                let withdrawal = Withdrawal { standing, at, reason: reason.clone(), entry };
                self.change(mark, |place| place.withdrawn = Some(withdrawal));
            }
            Record::MarkReinstated { mark, .. } => {
                self.change(mark, |place| place.withdrawn = None)
            }
            _ => {}
        }
    }

    fn change(&mut self, mark: &str, change: impl FnOnce(&mut Place)) {
        if let Some(place) = self.places.iter_mut().find(|place| place.mark == mark) {
            change(place);
        }
    }

    /// A mark with its place.
    pub fn find(&self, mark: &str) -> Option<(u64, &Place)> {
        (0_u64..).zip(&self.places).find(|(_, place)| place.mark == mark)
    }

    /// The record by which a place is given out.
    ///
    /// # Errors
    /// [`Malformed`] when the mark has a place, is no word, or the list is another.
    pub fn offer(&self, mark: &str, list: &str) -> Result<Record, Malformed> {
        // A mark's name becomes the name of a file.
        VaultId::new(mark)?;
        let bad = |why: &str, mend: &str| Err(Malformed::new("mark", why, mend));
        if self.find(mark).is_some() {
            return bad("has a place already", "give the mark another name");
        }
        if self.list.as_ref().is_some_and(|known| known != list) {
            return bad("is for another list", "a register has one list; open another register");
        }
        let place = u64::try_from(self.places.len()).unwrap_or(u64::MAX);
        Ok(Record::MarkOffered { mark: mark.to_owned(), list: list.to_owned(), place })
    }

    /// The record by which a mark is issued.
    ///
    /// # Errors
    /// [`Malformed`] when it has another place or was issued already.
    pub fn issue(&self, mark: &str, place: u64, envelope: Digest) -> Result<Record, Malformed> {
        let bad = |why: &str, mend: &str| Err(Malformed::new("mark", why, mend));
        match self.find(mark) {
            Some((held, found)) if held == place && found.issued.is_none() => {
                Ok(Record::MarkIssued { mark: mark.to_owned(), envelope })
            }
            Some((held, _)) if held != place => {
                bad("names a place that is another's", "claim it again from the offer")
            }
            Some(_) => bad("was issued already", "offer another place for a new mark"),
            None => bad("has no place in this register", "give out a place first: mark offer"),
        }
    }

    /// The record by which a mark is suspended or revoked.
    ///
    /// # Errors
    /// [`Malformed`] when it was never issued, stands so already, was revoked, or no reason is given.
    pub fn withdraw(
        &self,
        mark: &str,
        standing: Standing,
        reason: &str,
    ) -> Result<Record, Malformed> {
        let bad = |why: &str, mend: &str| Err(Malformed::new("mark", why, mend));
        if reason.trim().is_empty() || reason.len() > 500 {
            return bad(
                "is withdrawn without a reason, or with a long one",
                "say why in 1 to 500 bytes",
            );
        }
        match self.issued(mark)?.withdrawn.as_ref().map(|gone| gone.standing) {
            Some(Standing::Revoked) => bad("is revoked for good", "nothing more can be done to it"),
            Some(held) if held == standing => bad("is suspended already", "reinstate or revoke it"),
            _ => Ok(Record::MarkWithdrawn {
                mark: mark.to_owned(),
                standing,
                reason: reason.to_owned(),
            }),
        }
    }

    /// The record by which a suspension is lifted.
    ///
    /// # Errors
    /// [`Malformed`] when the mark is not suspended: a revocation is for good.
    pub fn reinstate(&self, mark: &str, reason: &str) -> Result<Record, Malformed> {
        let bad = |why: &str, mend: &str| Err(Malformed::new("mark", why, mend));
        if reason.trim().is_empty() || reason.len() > 500 {
            return bad(
                "is reinstated without a reason, or with a long one",
                "say why in 1 to 500 bytes",
            );
        }
        match self.issued(mark)?.withdrawn.as_ref().map(|gone| gone.standing) {
            Some(Standing::Suspended) => {
                Ok(Record::MarkReinstated { mark: mark.to_owned(), reason: reason.to_owned() })
            }
            Some(Standing::Revoked) => bad("is revoked for good", "issue a new mark instead"),
            None => bad("stands", "nothing is to be lifted"),
        }
    }

    fn issued(&self, mark: &str) -> Result<&Place, Malformed> {
        let found = self.find(mark).map(|(_, place)| place).filter(|place| place.issued.is_some());
        found.ok_or_else(|| Malformed::new("mark", "was never issued here", "mend its name"))
    }

    /// The list as the register stands.
    ///
    /// # Errors
    /// [`Malformed`] before the first place was given out.
    pub fn status(
        &self,
        signed_at: Timestamp,
        fresh_until: Timestamp,
    ) -> Result<StatusList, Malformed> {
        let list = self.list.clone().ok_or_else(|| {
            Malformed::new("register", "has given out no place", "offer a place first")
        })?;
        let gone = |(place, held): (u64, &Place)| Some((place, held.withdrawn.clone()?));
        let withdrawn: BTreeMap<u64, Withdrawal> =
            (0_u64..).zip(&self.places).filter_map(gone).collect();
        let places = u64::try_from(self.places.len()).unwrap_or(u64::MAX);
        Ok(StatusList {
            v: 1,
            list,
            places,
            withdrawn,
            register_size: self.size,
            signed_at,
            fresh_until,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(records: Vec<Record>) -> Register {
        let line = |(index, body): (u64, Record)| Line {
            v: 1,
            vault: "register".parse().unwrap(),
            index,
            prev: Digest::ZERO,
            at: Timestamp::from_millis(index),
            rules: "test".into(),
            body,
        };
        Register::of(&(0..).zip(records).map(line).collect::<Vec<_>>())
    }

    fn offered() -> Record {
        Register::default().offer("mark-1", "marks.example/2026").unwrap()
    }

    fn issued() -> Record {
        after(vec![offered()]).issue("mark-1", 0, Digest::ZERO).unwrap()
    }

    fn gone(standing: Standing) -> Record {
        after(vec![offered(), issued()]).withdraw("mark-1", standing, "a change").unwrap()
    }

    #[test]
    fn a_place_is_given_out_once_and_a_mark_is_issued_once_in_its_place() {
        let register = after(vec![offered()]);
        for (mark, list) in [
            ("mark-1", "marks.example/2026"),
            ("mark-2", "marks.example/2027"),
            ("../mark", "marks.example/2026"),
        ] {
            assert!(register.offer(mark, list).is_err(), "{mark} {list}");
        }
        assert!(register.issue("mark-1", 1, Digest::ZERO).is_err());
        assert!(register.issue("mark-2", 0, Digest::ZERO).is_err());
        assert!(register.withdraw("mark-1", Standing::Revoked, "why").is_err(), "not issued yet");
        let register = after(vec![offered(), issued()]);
        assert!(register.issue("mark-1", 0, Digest::ZERO).is_err());
    }

    #[test]
    fn a_suspension_can_be_lifted_and_a_revocation_never() {
        let suspended = after(vec![offered(), issued(), gone(Standing::Suspended)]);
        assert!(suspended.withdraw("mark-1", Standing::Suspended, "again").is_err());
        assert!(suspended.withdraw("mark-1", Standing::Revoked, "found out").is_ok());
        let lifted = suspended.reinstate("mark-1", "mended").unwrap();
        let stands = after(vec![offered(), issued(), gone(Standing::Suspended), lifted]);
        assert!(stands.find("mark-1").unwrap().1.withdrawn.is_none());
        assert!(stands.reinstate("mark-1", "mended").is_err());
        let revoked = after(vec![offered(), issued(), gone(Standing::Revoked)]);
        assert!(revoked.reinstate("mark-1", "mended").is_err());
        assert!(revoked.withdraw("mark-1", Standing::Suspended, "less").is_err());
        assert!(
            after(vec![offered(), issued()]).withdraw("mark-1", Standing::Revoked, " ").is_err()
        );
    }

    #[test]
    fn a_list_names_what_is_withdrawn_with_the_entry_that_says_so() {
        let (now, later) = (Timestamp::from_millis(10), Timestamp::from_millis(20));
        assert!(Register::default().status(now, later).is_err());
        let list =
            after(vec![offered(), issued(), gone(Standing::Revoked)]).status(now, later).unwrap();
        assert_eq!((list.places, list.register_size), (1, 3));
        assert_eq!(list.withdrawn[&0].entry, 2);
    }
}
