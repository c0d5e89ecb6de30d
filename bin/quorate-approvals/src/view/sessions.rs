//! Who is signed in, and what was asked of a browser and not yet answered. All of it is in memory: a restart signs everybody
//! out, and what was asked is asked again.

use std::collections::BTreeMap;

use quorate_terms::approval::ApprovalBody;
use quorate_terms::digest::tag;
use quorate_terms::passkey::Passkey;
use quorate_terms::{ApproverId, CredentialId, Digest, Timestamp};

/// How long a session lasts without a request, in seconds.
pub(super) const IDLE_S: u64 = 15 * 60;
/// How long a session lasts in all, in seconds.
pub(super) const LONGEST_S: u64 = 8 * 60 * 60;
/// How long a question waits for its answer, in seconds.
pub(super) const ASK_S: u64 = 10 * 60;
/// Sessions and questions that are kept; with more, the oldest are dropped.
const MOST: usize = 512;

/// Somebody who proved a passkey.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Session {
    /// By what it is known: the digest of its cookie.
    pub(super) name: Digest,
    pub(super) approver: ApproverId,
    pub(super) credential: CredentialId,
    begun: Timestamp,
    seen: Timestamp,
}

impl Session {
    fn is_live(&self, now: Timestamp) -> bool {
        now < self.seen.plus_s(IDLE_S) && now < self.begun.plus_s(LONGEST_S)
    }
}

/// What a browser was asked to sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Ask {
    /// That somebody is there, with a passkey.
    SignIn,
    /// To make a passkey.
    NewPasskey,
    /// To use a new passkey for the first time: only then is it kept.
    FirstUse(Box<Passkey>),
    /// A word on a case, by the session of this name.
    Word(Digest, Box<ApprovalBody>),
}

/// Sessions and open questions.
#[derive(Default)]
pub(super) struct Sessions {
    open: BTreeMap<Digest, Session>,
    asks: BTreeMap<Digest, (Ask, Timestamp)>,
}

/// What stands in a cookie or a form, as it is kept.
fn named(secret: &str) -> Digest {
    Digest::of(tag::TOKEN, secret.as_bytes())
}

impl Sessions {
    /// Begins a session under a cookie.
    pub(super) fn begin(&mut self, cookie: &str, who: (ApproverId, CredentialId), now: Timestamp) {
        self.open.retain(|_, session| session.is_live(now));
        let oldest = self.open.values().min_by_key(|session| session.seen).map(|s| s.name);
        if let Some(oldest) = oldest.filter(|_| self.open.len() >= MOST) {
            self.open.remove(&oldest);
        }
        let (name, (approver, credential)) = (named(cookie), who);
        self.open.insert(name, Session { name, approver, credential, begun: now, seen: now });
    }

    /// The session of a cookie, which is seen now.
    pub(super) fn seen(&mut self, cookie: &str, now: Timestamp) -> Option<Session> {
        let name = named(cookie);
        if !self.open.get(&name)?.is_live(now) {
            self.open.remove(&name);
            return None;
        }
        let session = self.open.get_mut(&name)?;
        session.seen = now;
        Some(session.clone())
    }

    /// Ends a session, and with it what it was asked.
    pub(super) fn end(&mut self, name: &Digest) {
        self.open.remove(name);
        self.asks.retain(|_, (ask, _)| !matches!(ask, Ask::Word(session, _) if session == name));
    }

    /// Remembers a question under a name that the form carries.
    pub(super) fn ask(&mut self, name: &str, ask: Ask, now: Timestamp) {
        self.asks.retain(|_, (_, at)| now < at.plus_s(ASK_S));
        let oldest = self.asks.iter().min_by_key(|(_, (_, at))| *at).map(|(name, _)| *name);
        if let Some(oldest) = oldest.filter(|_| self.asks.len() >= MOST) {
            self.asks.remove(&oldest);
        }
        self.asks.insert(named(name), (ask, now));
    }

    /// The question of this name, once.
    pub(super) fn answered(&mut self, name: &str, now: Timestamp) -> Option<Ask> {
        let (ask, at) = self.asks.remove(&named(name))?;
        (now < at.plus_s(ASK_S)).then_some(ask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);

    fn signed_in() -> Sessions {
        let mut sessions = Sessions::default();
        sessions.begin("cookie", ("ann".parse().unwrap(), "ann-phone".parse().unwrap()), NOON);
        sessions
    }

    #[test]
    fn a_session_ends_after_idling_and_after_its_longest_time() {
        let mut sessions = signed_in();
        assert!(sessions.seen("another", NOON).is_none());
        assert!(sessions.seen("cookie", NOON.plus_s(IDLE_S - 1)).is_some());
        assert!(sessions.seen("cookie", NOON.plus_s(2 * IDLE_S)).is_none(), "it idled");
        let mut sessions = signed_in();
        let steps = LONGEST_S / (IDLE_S - 1);
        for step in 0..=steps {
            assert!(sessions.seen("cookie", NOON.plus_s(step * (IDLE_S - 1))).is_some());
        }
        assert!(sessions.seen("cookie", NOON.plus_s(LONGEST_S)).is_none(), "it grew too old");
    }

    #[test]
    fn a_question_is_answered_once_in_time_and_ends_with_its_session() {
        let mut sessions = signed_in();
        sessions.ask("one", Ask::SignIn, NOON);
        assert_eq!(sessions.answered("one", NOON), Some(Ask::SignIn));
        assert_eq!(sessions.answered("one", NOON), None, "a second time");
        sessions.ask("late", Ask::SignIn, NOON);
        assert_eq!(sessions.answered("late", NOON.plus_s(ASK_S)), None);
        let session = sessions.seen("cookie", NOON).unwrap().name;
        sessions.ask("word", Ask::NewPasskey, NOON);
        sessions.end(&session);
        assert!(sessions.seen("cookie", NOON).is_none());
    }

    #[test]
    fn more_than_there_is_room_for_push_out_the_oldest() {
        let mut sessions = signed_in();
        for number in 0..MOST {
            let who = ("bo".parse().unwrap(), "bo-phone".parse().unwrap());
            sessions.begin(&format!("cookie-{number}"), who, NOON.plus_s(1));
            sessions.ask(&format!("ask-{number}"), Ask::SignIn, NOON.plus_s(1));
        }
        sessions.ask("one more", Ask::SignIn, NOON.plus_s(2));
        assert!(sessions.seen("cookie", NOON.plus_s(2)).is_none());
        assert!(sessions.open.len() <= MOST && sessions.asks.len() <= MOST);
        assert!(sessions.answered("one more", NOON.plus_s(2)).is_some());
    }
}
