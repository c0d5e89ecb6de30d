//! Who is signed in, and what was asked of a browser and not yet answered. All of it is in memory: a restart signs everybody
//! out, and what was asked is asked again.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderValue, header};
use quorate_terms::digest::tag;
use quorate_terms::{Digest, Timestamp};

/// How long a session lasts without a request, in seconds.
pub const IDLE_S: u64 = 15 * 60;
/// How long a session lasts in all, in seconds.
pub const LONGEST_S: u64 = 8 * 60 * 60;
/// How long after signing in somebody may end other sessions, in seconds: a browser that was left open, or a stolen cookie, ends
/// none.
pub const FRESH_S: u64 = 10 * 60;
/// What somebody is told who signed in longer ago than [`FRESH_S`].
pub const SIGN_IN_AGAIN: &str =
    "Ending another session takes a sign-in of the last 10 minutes: sign out and sign in again.";
/// How long a question waits for its answer, in seconds.
pub const ASK_S: u64 = 10 * 60;
/// With this at the beginning of its name browsers take a cookie over a secure channel only, for one host and all of its paths.
pub(crate) const SECURE: &str = "__Host-";
/// The header by which the script of live pages says that nobody asked.
const BY_ITSELF: &str = "quorate-live";
/// Sessions and questions that are kept. With more, the session that idles longest ends, and of whoever holds most questions
/// the oldest is dropped.
const MOST: usize = 512;
/// Sessions of one credential; with more, the one of its own that idles longest ends, so that nobody signs others out.
const OWN: usize = 16;
/// Open questions of one session; with more, its own oldest are dropped. Those of whoever is not signed in have no bound of their
/// own but [`MOST`].
const EACH: usize = 48;

/// Somebody who has signed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session<Who> {
    /// By what it is known: the digest of its cookie.
    pub name: Digest,
    /// Who it is.
    pub who: Who,
    /// When they signed in.
    pub begun: Timestamp,
    /// When they were last heard of.
    pub seen: Timestamp,
}

impl<Who> Session<Who> {
    /// Whether whoever it is proved so a moment ago.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.begun.plus_s(FRESH_S)
    }

    fn is_live(&self, now: Timestamp) -> bool {
        now < self.seen.plus_s(IDLE_S) && now < self.begun.plus_s(LONGEST_S)
    }
}

/// A question, the session that was asked, and when.
type Open<Ask> = (Ask, Option<Digest>, Timestamp);

/// Sessions and open questions.
pub struct Sessions<Who, Ask> {
    open: BTreeMap<Digest, Session<Who>>,
    asks: BTreeMap<Digest, Open<Ask>>,
}

impl<Who, Ask> Default for Sessions<Who, Ask> {
    fn default() -> Self {
        Self { open: BTreeMap::new(), asks: BTreeMap::new() }
    }
}

/// What stands in a cookie or a form, as it is kept.
fn named(secret: &str) -> Digest {
    Digest::of(tag::TOKEN, secret.as_bytes())
}

impl<Who: Clone + PartialEq, Ask> Sessions<Who, Ask> {
    /// Begins a session under a cookie.
    pub fn begin(&mut self, cookie: &str, who: Who, now: Timestamp) {
        self.open.retain(|_, session| session.is_live(now));
        let own = || self.open.values().filter(|session| session.who == who);
        let own_oldest = own().min_by_key(|session| session.seen).map(|s| s.name);
        if let Some(oldest) = own_oldest.filter(|_| own().count() >= OWN) {
            self.end(&oldest);
        }
        let oldest = self.open.values().min_by_key(|session| session.seen).map(|s| s.name);
        if let Some(oldest) = oldest.filter(|_| self.open.len() >= MOST) {
            self.end(&oldest);
        }
        let name = named(cookie);
        self.open.insert(name, Session { name, who, begun: now, seen: now });
    }

    /// The session of a request, by the cookie of this name.
    ///
    /// What a page asks for by itself does not keep a session open: nobody may be there.
    pub fn of(&mut self, headers: &HeaderMap, name: &str, now: Timestamp) -> Option<Session<Who>> {
        let cookie = cookie(headers, name)?;
        if is_by_itself(headers) {
            return self.still(&named(cookie), now);
        }
        self.seen(cookie, now)
    }

    /// The session of this name as it stands, if it is not over.
    pub fn still(&self, name: &Digest, now: Timestamp) -> Option<Session<Who>> {
        self.open.get(name).filter(|session| session.is_live(now)).cloned()
    }

    /// The session of a cookie, which is seen now.
    pub fn seen(&mut self, cookie: &str, now: Timestamp) -> Option<Session<Who>> {
        let name = named(cookie);
        if !self.open.get(&name)?.is_live(now) {
            self.end(&name);
            return None;
        }
        let session = self.open.get_mut(&name)?;
        session.seen = now;
        Some(session.clone())
    }

    /// Every live session, the newest first.
    pub fn live(&self, now: Timestamp) -> Vec<Session<Who>> {
        let live = self.open.values().filter(|session| session.is_live(now));
        let mut live: Vec<_> = live.cloned().collect();
        live.sort_by_key(|session| std::cmp::Reverse((session.begun, session.name)));
        live
    }

    /// Ends a session, and with it what it was asked.
    pub fn end(&mut self, name: &Digest) {
        self.open.remove(name);
        self.asks.retain(|_, (_, of, _)| of.as_ref() != Some(name));
    }

    /// Remembers a question under a name that the form carries; `of` is the session that may answer it, if there is one.
    pub fn ask(&mut self, name: &str, of: Option<Digest>, ask: Ask, now: Timestamp) {
        self.asks.retain(|_, (_, _, at)| now < at.plus_s(ASK_S));
        let own = || self.asks.iter().filter(|(_, (_, whose, _))| of.is_some() && *whose == of);
        let own_oldest = own().min_by_key(|(_, (_, _, at))| *at).map(|(name, _)| *name);
        if let Some(oldest) = own_oldest.filter(|_| own().count() >= EACH) {
            self.asks.remove(&oldest);
        }
        if self.asks.len() >= MOST {
            self.drop_of_most();
        }
        self.asks.insert(named(name), (ask, of, now));
    }

    /// Drops the oldest question of whoever holds most: a session, or everybody together who is not signed in. So neither
    /// strangers nor one person with many sessions push out what others were asked.
    fn drop_of_most(&mut self) {
        let mut held = BTreeMap::<Option<Digest>, usize>::new();
        for (_, of, _) in self.asks.values() {
            let count = held.entry(*of).or_default();
            *count = count.saturating_add(1);
        }
        let whose = held.into_iter().max_by_key(|(_, count)| *count).map(|(of, _)| of);
        let theirs = self.asks.iter().filter(|(_, (_, of, _))| Some(*of) == whose);
        let oldest = theirs.min_by_key(|(_, (_, _, at))| *at).map(|(name, _)| *name);
        if let Some(oldest) = oldest {
            self.asks.remove(&oldest);
        }
    }

    /// The question of this name, once, and only for the session that was asked.
    pub fn answered(&mut self, name: &str, by: Option<Digest>, now: Timestamp) -> Option<Ask> {
        let (_, of, at) = self.asks.get(&named(name))?;
        if *of != by || now >= at.plus_s(ASK_S) {
            return None;
        }
        self.asks.remove(&named(name)).map(|(ask, _, _)| ask)
    }
}

/// Whether a page asks for itself and not for a person: for events, or for what they brought.
fn is_by_itself(headers: &HeaderMap) -> bool {
    let listens = |value: &HeaderValue| value.as_bytes() == b"text/event-stream";
    headers.contains_key(BY_ITSELF) || headers.get(header::ACCEPT).is_some_and(listens)
}

/// The value of a cookie that a request names exactly once.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|p| p.trim().split_once('='));
    let mut ours = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value).fuse();
    let (value, second) = (ours.next()?, ours.next());
    second.is_none().then_some(value)
}

/// The header that sets a cookie of this host alone, never sent from another site and out of reach of scripts; over a secure
/// channel alone if its name begins with `__Host-`, as [`crate::Allowed::cookie`] names it. Without a value it is taken back.
pub fn set_cookie(name: &str, value: Option<&str>) -> Option<HeaderValue> {
    set_cookie_as(name, value, "Strict", LONGEST_S)
}

/// The same for a cookie that is kept for so many seconds, under its own value of `SameSite`: `Strict`, or `Lax` where it must
/// come along when another site leads back here.
pub fn set_cookie_as(
    name: &str,
    value: Option<&str>,
    same_site: &str,
    age_s: u64,
) -> Option<HeaderValue> {
    let (value, age) = value.map_or(("", 0), |value| (value, age_s));
    let secure = if name.starts_with(SECURE) { "Secure; " } else { "" };
    let line =
        format!("{name}={value}; Path=/; {secure}HttpOnly; SameSite={same_site}; Max-Age={age}");
    HeaderValue::from_str(&line).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);

    fn signed_in() -> Sessions<&'static str, &'static str> {
        let mut sessions = Sessions::default();
        sessions.begin("cookie", "ann", NOON);
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
        assert!(sessions.live(NOON.plus_s(LONGEST_S)).is_empty());
        assert!(sessions.seen("cookie", NOON.plus_s(LONGEST_S)).is_none(), "it grew too old");
    }

    #[test]
    fn a_session_is_fresh_for_a_while_after_signing_in_however_much_it_is_used() {
        let mut sessions = signed_in();
        for (at, expected) in [(0, true), (FRESH_S - 1, true), (FRESH_S, false)] {
            let session = sessions.seen("cookie", NOON.plus_s(at)).unwrap();
            assert_eq!(session.is_fresh(NOON.plus_s(at)), expected, "{at}");
        }
        sessions.begin("again", "ann", NOON.plus_s(FRESH_S));
        assert!(
            sessions.seen("again", NOON.plus_s(FRESH_S)).unwrap().is_fresh(NOON.plus_s(FRESH_S))
        );
    }

    #[test]
    fn a_page_that_keeps_itself_up_to_date_keeps_nobody_signed_in() {
        let mut sessions = signed_in();
        let asks = |name: &'static str, value: &'static str| {
            let pairs = [("cookie", "q=cookie"), (name, value)];
            let pair = |(n, v)| (header::HeaderName::from_static(n), HeaderValue::from_static(v));
            pairs.map(pair).into_iter().collect::<HeaderMap>()
        };
        let (live, events) = (asks(BY_ITSELF, "1"), asks("accept", "text/event-stream"));
        for at in (60..IDLE_S).step_by(60) {
            for headers in [&live, &events] {
                assert!(sessions.of(headers, "q", NOON.plus_s(at)).is_some());
            }
        }
        let late = NOON.plus_s(IDLE_S);
        for headers in [&live, &events, &asks("accept", "text/html")] {
            assert!(sessions.of(headers, "q", late).is_none(), "it idled");
        }
        let mut sessions = signed_in();
        assert!(sessions.of(&asks("accept", "text/html"), "q", NOON.plus_s(IDLE_S - 1)).is_some());
        assert!(sessions.of(&live, "q", late).is_some(), "somebody was there");
    }

    #[test]
    fn a_question_is_answered_once_in_time_by_whom_it_was_asked() {
        let mut sessions = signed_in();
        sessions.ask("one", None, "sign in", NOON);
        assert_eq!(sessions.answered("one", None, NOON), Some("sign in"));
        assert_eq!(sessions.answered("one", None, NOON), None, "a second time");
        sessions.ask("late", None, "sign in", NOON);
        assert_eq!(sessions.answered("late", None, NOON.plus_s(ASK_S)), None);
        let session = sessions.seen("cookie", NOON).map(|session| session.name);
        sessions.ask("word", session, "approve", NOON);
        assert_eq!(sessions.answered("word", None, NOON), None, "by nobody");
        assert_eq!(sessions.answered("word", Some(Digest::ZERO), NOON), None, "by another");
        assert_eq!(sessions.answered("word", session, NOON), Some("approve"));
        sessions.ask("word", session, "approve", NOON);
        sessions.end(&session.unwrap());
        assert!(sessions.seen("cookie", NOON).is_none());
        assert_eq!(sessions.answered("word", session, NOON), None, "its session is over");
    }

    #[test]
    fn more_than_there_is_room_for_push_out_the_oldest() {
        let mut sessions = Sessions::default();
        sessions.begin("cookie", MOST, NOON);
        for number in 0..MOST {
            sessions.begin(&format!("cookie-{number}"), number, NOON.plus_s(1));
            sessions.ask(&format!("ask-{number}"), None, "sign in", NOON.plus_s(1));
        }
        sessions.ask("one more", None, "sign in", NOON.plus_s(2));
        assert!(sessions.seen("cookie", NOON.plus_s(2)).is_none());
        assert!(sessions.open.len() <= MOST && sessions.asks.len() <= MOST);
        assert!(sessions.answered("one more", None, NOON.plus_s(2)).is_some());
    }

    #[test]
    fn whoever_signs_in_much_pushes_out_their_own_sessions_only_and_those_idle_longest() {
        let mut sessions = signed_in();
        for number in 0..MOST {
            sessions.begin(&format!("his-{number}"), "bo", NOON.plus_s(1));
            assert!(sessions.seen("his-0", NOON.plus_s(2)).is_some(), "it idles least: {number}");
        }
        assert_eq!(sessions.open.len(), OWN + 1);
        assert!(sessions.seen("cookie", NOON.plus_s(2)).is_some(), "another's stays");
        assert!(sessions.seen(&format!("his-{}", MOST - 1), NOON.plus_s(2)).is_some());
    }

    #[test]
    fn a_session_that_is_asked_much_pushes_out_its_own_questions_only() {
        let mut sessions = signed_in();
        let (ann, bo) = (Some(Digest::ZERO), sessions.seen("cookie", NOON).map(|s| s.name));
        sessions.ask("hers", ann, "approve", NOON);
        for number in 0..MOST {
            sessions.ask(&format!("his-{number}"), bo, "approve", NOON.plus_s(1));
        }
        assert!(sessions.answered("hers", ann, NOON.plus_s(2)).is_some());
        assert!(sessions.asks.len() <= EACH);
    }

    #[test]
    fn strangers_who_are_asked_much_push_out_their_own_questions_only() {
        let mut sessions = signed_in();
        let ann = sessions.seen("cookie", NOON).map(|session| session.name);
        sessions.ask("hers", ann, "approve", NOON);
        for number in 0..MOST {
            sessions.ask(&format!("theirs-{number}"), None, "sign in", NOON.plus_s(1));
        }
        assert_eq!(sessions.asks.len(), MOST);
        assert!(sessions.answered("hers", ann, NOON.plus_s(2)).is_some(), "it is the oldest");
        let newest = format!("theirs-{}", MOST - 1);
        assert!(sessions.answered(&newest, None, NOON.plus_s(2)).is_some());
    }

    #[test]
    fn one_person_who_fills_every_session_of_theirs_pushes_out_no_question_of_another() {
        let mut sessions = signed_in();
        let ann = sessions.seen("cookie", NOON).map(|session| session.name);
        sessions.ask("hers", ann, "approve", NOON);
        sessions.ask("a strangers", None, "sign in", NOON);
        for session in 0..OWN {
            let cookie = format!("his-{session}");
            sessions.begin(&cookie, "bo", NOON.plus_s(1));
            let bo = sessions.seen(&cookie, NOON.plus_s(1)).map(|session| session.name);
            for number in 0..EACH {
                sessions.ask(&format!("{cookie}-{number}"), bo, "approve", NOON.plus_s(1));
            }
        }
        assert_eq!(sessions.asks.len(), MOST);
        assert!(sessions.answered("hers", ann, NOON.plus_s(2)).is_some());
        assert!(sessions.answered("a strangers", None, NOON.plus_s(2)).is_some());
    }

    #[test]
    fn a_cookie_is_out_of_reach_of_scripts_and_other_sites_and_secure_by_its_name() {
        for (name, value, expected) in [
            (
                "__Host-q",
                Some("x"),
                "__Host-q=x; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=28800",
            ),
            ("q", Some("x"), "q=x; Path=/; HttpOnly; SameSite=Strict; Max-Age=28800"),
            ("q", None, "q=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"),
        ] {
            assert_eq!(set_cookie(name, value).unwrap(), expected);
        }
        for (name, value, expected) in [
            (
                "__Host-q",
                Some("x"),
                "__Host-q=x; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600",
            ),
            ("q", None, "q=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"),
        ] {
            assert_eq!(set_cookie_as(name, value, "Lax", 600).unwrap(), expected);
        }
    }

    #[test]
    fn a_cookie_that_stands_twice_is_none() {
        let headers = |lines: &[&'static str]| {
            let lines = lines.iter().map(|line| (header::COOKIE, HeaderValue::from_static(line)));
            lines.collect::<HeaderMap>()
        };
        assert_eq!(cookie(&headers(&["a=1; __Host-q=x; b=2"]), "__Host-q"), Some("x"));
        assert_eq!(cookie(&headers(&["__Host-q=x; __Host-q=y"]), "__Host-q"), None);
        assert_eq!(cookie(&headers(&["__Host-q=x", "__Host-q=x"]), "__Host-q"), None);
        assert_eq!(cookie(&headers(&["__Host-qq=x"]), "__Host-q"), None);
    }
}
