//! What a browser is asked to sign before it signs in. Anybody may ask, so nothing is kept of a question: its name says when it
//! was asked, under a seal that only this process makes. What is kept is which were answered with a passkey.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use quorate_terms::digest::tag;
use quorate_terms::{Digest, Timestamp};
use quorate_web::sessions::ASK_S;

/// How long the chance in a name is, as text.
const CHANCE: usize = 32;

/// See the module.
pub(super) struct Challenges {
    /// Known to this process alone.
    own: String,
    /// What was answered with a passkey, until nobody could answer it anyway.
    spent: Mutex<BTreeMap<Digest, Timestamp>>,
}

impl Challenges {
    /// Challenges under a secret of this process.
    pub(super) fn new(own: String) -> Self {
        Self { own, spent: Mutex::default() }
    }

    /// The name of a question that is asked at `at`. `chance` is 128 bits as lower-case hex.
    pub(super) fn name(&self, chance: &str, at: Timestamp) -> String {
        let at = at.as_millis();
        let sealed = format!("view {} {at:x} {chance}", self.own);
        format!("{at:x}-{chance}-{}", Digest::of(tag::TOKEN, sealed.as_bytes()))
    }

    /// Whether this process asked under this name, less than [`ASK_S`] ago.
    pub(super) fn has_asked(&self, name: &str, now: Timestamp) -> bool {
        let mut parts = name.splitn(3, '-');
        let (Some(at), Some(chance)) = (parts.next(), parts.next()) else { return false };
        let Ok(at) = u64::from_str_radix(at, 16) else { return false };
        let asked = Timestamp::from_millis(at);
        let is_open = asked <= now && now < asked.plus_s(ASK_S);
        // Through digests: how long comparing them takes tells nothing of the seal.
        let known = Digest::of(tag::TOKEN, self.name(chance, asked).as_bytes());
        is_open && chance.len() == CHANCE && known == Digest::of(tag::TOKEN, name.as_bytes())
    }

    /// Remembers that the question was answered with a passkey. Whether it is the first time.
    pub(super) fn spend(&self, name: &str, now: Timestamp) -> bool {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.retain(|_, at| now < at.plus_s(ASK_S));
        spent.insert(Digest::of(tag::TOKEN, name.as_bytes()), now).is_none()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_795_262_400_000);
    const CHANCE: &str = "00112233445566778899aabbccddeeff";

    fn challenges(own: &str) -> Challenges {
        Challenges::new(own.to_owned())
    }

    #[test]
    fn a_question_is_open_for_its_time_and_to_the_process_that_asked() {
        let (here, other) = (challenges("here"), challenges("other"));
        let name = here.name(CHANCE, AT);
        for (after_s, expected) in [(0, true), (ASK_S - 1, true), (ASK_S, false)] {
            assert_eq!(here.has_asked(&name, AT.plus_s(after_s)), expected, "{after_s}");
        }
        let before = Timestamp::from_millis(AT.as_millis() - 1);
        assert!(!here.has_asked(&name, before), "before it was asked");
        assert!(!here.has_asked(&other.name(CHANCE, AT), AT), "by another process");
        let short = here.name("00", AT);
        let (upper, signed) = (name.to_uppercase(), format!("+{name}"));
        let later = name.replacen(&format!("{:x}", AT.as_millis()), "1a2", 1);
        let cut = name.rsplit_once('-').map(|(cut, _)| cut.to_owned()).unwrap();
        for bad in [short, upper, signed, later, cut, format!("0{name}"), format!("{name}0")] {
            assert!(!here.has_asked(&bad, AT), "{bad}");
        }
    }

    #[test]
    fn a_question_is_answered_once_however_many_strangers_ask_meanwhile() {
        let here = challenges("here");
        let first = here.name(CHANCE, AT);
        for n in 0_u64..600 {
            assert!(here.has_asked(&here.name(&format!("{n:032x}"), AT), AT));
        }
        let now = AT.plus_s(60);
        assert!(here.has_asked(&first, now) && here.spend(&first, now), "the first still signs in");
        assert!(!here.spend(&first, AT.plus_s(ASK_S - 1)), "and does so once");
        assert!(here.spend(&here.name(CHANCE, now), now), "another is another");
    }

    proptest! {
        #[test]
        fn whatever_a_name_holds_it_is_refused_without_a_panic(text in "\\PC{0,80}") {
            prop_assert!(!challenges("here").has_asked(&text, AT));
        }
    }
}
