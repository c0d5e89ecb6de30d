#![expect(clippy::arithmetic_side_effects, reason = "tests count places in short messages")]

use proptest::prelude::*;
use quorate_terms::Term as _;

use super::*;
use crate::fixture::*;
use crate::{SignRun, State};

fn state(run: &mut SignRun, bytes: &[u8]) -> State<crate::WalletSignature> {
    run.hear(bytes, 1).state
}

/// Party 1's run, and party 2's with its first message.
fn pair(attempt: u64) -> (SignRun, SignRun, Parcels) {
    let mut sides = start_sign(&sign_terms("message", attempt), &shares());
    let (_, two, from_two) = sides.pop().unwrap();
    let (_, one, from_one) = sides.pop().unwrap();
    (one, two, Parcels { from_one, from_two })
}

struct Parcels {
    from_one: Vec<crate::Parcel>,
    from_two: Vec<crate::Parcel>,
}

#[test]
fn row_22_duplicates_change_nothing_and_early_messages_wait_for_their_round() {
    let (mut one, mut two, first) = pair(1);
    let second_of_two = two.hear(&first.from_one[0].bytes, 2).send;
    assert!(matches!(state(&mut one, &second_of_two[0].bytes), State::Waiting));
    assert!(matches!(state(&mut one, &second_of_two[0].bytes), State::Duplicate));
    let progress = one.hear(&first.from_two[0].bytes, 1);
    assert_eq!(progress.send.len(), 2, "rounds 2 and 3 at once");
    assert!(matches!(state(&mut one, &first.from_two[0].bytes), State::Duplicate));
    let third_of_two = two.hear(&progress.send[0].bytes, 2).send;
    let end_of_two = two.hear(&progress.send[1].bytes, 2).state;
    let end_of_one = state(&mut one, &third_of_two[0].bytes);
    assert_eq!(done(Some(end_of_one)), done(Some(end_of_two)));
    assert!(matches!(state(&mut one, &third_of_two[0].bytes), State::Duplicate));
}

#[test]
fn row_24_a_message_of_an_older_attempt_is_refused() {
    let (_, _, old) = pair(1);
    let (mut one, _, _) = pair(2);
    let refused = state(&mut one, &old.from_two[0].bytes);
    assert!(matches!(refused, State::Refused(Refusal::OtherSession)));
}

#[test]
fn row_24_parties_that_were_told_different_stories_share_no_session() {
    let told = sign_terms("message", 1);
    let base = told.digest().unwrap();
    let mut others = vec![told.clone(); 8];
    others[0].charter = digest("another charter");
    others[1].checkpoint.size += 1;
    others[2].checkpoint.root = digest("a fork");
    others[3].intent = digest("another intent");
    others[4].purpose = Purpose::Sign { draft: digest("other"), sighash: digest("message") };
    others[5].epoch = 1;
    others[6].attempt = 2;
    others[7].parties[1].cosigner = name(3);
    for other in &others {
        assert_ne!(other.digest().unwrap(), base, "{other:?}");
    }
    let (_, _, parcels) = start_sign(&others[0], &shares()).remove(1);
    let (_, mut one, _) = start_sign(&told, &shares()).remove(0);
    let refused = state(&mut one, &parcels[0].bytes);
    assert!(matches!(refused, State::Refused(Refusal::OtherSession)));
}

#[test]
fn row_25_bytes_changed_on_the_wire_reach_no_protocol_and_ban_nobody() {
    let shares = shares();
    let mut sides = start_sign(&sign_terms("message", 1), &shares);
    let (_, mut two, from_two) = sides.pop().unwrap();
    let (_, mut one, from_one) = sides.pop().unwrap();
    let good = &from_two[0].bytes;
    let places = (0..ENVELOPE_OVERHEAD).chain((ENVELOPE_OVERHEAD..good.len()).step_by(97));
    for at in places.chain(good.len() - 70..good.len()) {
        let mut bytes = good.to_vec();
        bytes[at] ^= 1;
        assert!(matches!(state(&mut one, &bytes), State::Refused(_)), "byte {at}");
    }
    assert!(!shares[&1].is_frozen());
    let second = one.hear(good, 1).send;
    let reply = two.hear(&from_one[0].bytes, 2).send;
    let third = two.hear(&second[0].bytes, 2).send;
    assert!(matches!(state(&mut one, &reply[0].bytes), State::Waiting));
    assert!(matches!(state(&mut one, &third[0].bytes), State::Done(_)), "unharmed");
}

#[test]
fn a_message_names_its_sender_recipient_and_round_truly() {
    let (mut one, _, first) = pair(1);
    let good = Envelope::from_bytes(&first.from_two[0].bytes).unwrap();
    let make = |from, to, round, by: u8, size: usize| {
        let payload = Zeroizing::new(vec![1; size]);
        Envelope::sign(good.session(), from, to, round, payload, &identity(by)).to_bytes()
    };
    let cases = [
        (make(0, 1, 1, 2, 9), Refusal::UnknownSender),
        (make(1, 1, 1, 1, 9), Refusal::UnknownSender),
        (make(3, 1, 1, 3, 9), Refusal::UnknownSender),
        (make(2, 2, 1, 2, 9), Refusal::OtherRecipient),
        (make(2, 0, 1, 2, 9), Refusal::OtherRecipient),
        (make(2, 1, 0, 2, 9), Refusal::UnknownRound),
        (make(2, 1, 4, 2, 9), Refusal::UnknownRound),
        (make(2, 1, 1, 2, 32 * 1024 + 1), Refusal::Oversize),
        (make(2, 1, 3, 2, 129), Refusal::Oversize),
        (make(2, 1, 1, 3, 9), Refusal::BadSignature),
    ];
    for (bytes, wanted) in cases {
        let State::Refused(refusal) = state(&mut one, &bytes) else { panic!("{wanted:?}") };
        assert_eq!(refusal, wanted);
    }
}

#[test]
fn a_peer_that_signs_two_messages_for_one_round_is_named_and_the_first_counts() {
    let (mut one, mut two, first) = pair(1);
    let second = two.hear(&first.from_one[0].bytes, 2).send;
    let other = resign(&second[0].bytes, 2, |payload| payload[100] ^= 1);
    assert!(matches!(state(&mut one, &second[0].bytes), State::Waiting));
    let State::Refused(refusal) = state(&mut one, &other) else { panic!() };
    assert_eq!(refusal, Refusal::Conflict(name(2)));
    assert_eq!(one.hear(&first.from_two[0].bytes, 1).send.len(), 2, "the run goes on");
}

#[test]
fn a_finished_or_failed_run_takes_nothing_more() {
    let (mut one, _, first) = pair(1);
    let bad = resign(&first.from_two[0].bytes, 2, |payload| payload.truncate(10));
    assert!(matches!(state(&mut one, &bad), State::Failed(_)));
    let late = resign(&first.from_two[0].bytes, 2, |payload| payload.truncate(11));
    assert!(matches!(state(&mut one, &late), State::Refused(_)));
}

#[test]
fn terms_with_party_zero_a_minority_or_a_double_seat_are_refused() {
    let good = sign_terms("m", 1);
    assert!(good.check().is_ok());
    let mut cases = vec![good.clone(); 9];
    cases[0].parties[0].party = 0;
    cases[1].parties[1].party = 3;
    cases[2].parties.reverse();
    cases[3].parties[1].cosigner = name(1);
    cases[4].threshold = 1;
    cases[5].threshold = 3;
    cases[6].shares = 4;
    cases[7].parties.truncate(1);
    cases[8].v = 2;
    for bad in cases {
        assert!(bad.check().is_err(), "{bad:?}");
        assert!(Task::new(bad, &name(1)).is_err());
    }
    assert!(Task::new(good, &name(3)).is_err(), "not a party");
}

#[test]
fn a_party_without_a_pinned_identity_gets_no_session() {
    let mut keys = keys();
    keys.remove(&name(2));
    let task = task(&sign_terms("m", 1), 1);
    assert!(matches!(Session::open(&task, &keys, &[1]), Err(Error::Misuse(_))));
}

#[test]
fn terms_and_messages_have_one_encoding_each() {
    let terms = sign_terms("m", 1);
    let bytes = terms.to_canonical().unwrap();
    assert_eq!(SessionTerms::from_canonical(&bytes).unwrap(), terms);
    let (_, _, first) = pair(1);
    let envelope = Envelope::from_bytes(&first.from_two[0].bytes).unwrap();
    assert_eq!(*envelope.to_bytes(), *first.from_two[0].bytes);
    let shown = format!("{envelope:?}");
    let payload = hex::encode(&envelope.payload()[..16]);
    assert!(!shown.contains(&payload) && shown.len() < 200, "{shown}");
}

proptest! {
    #[test]
    fn no_message_parser_panics_on_arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(envelope) = Envelope::from_bytes(&bytes) {
            prop_assert_eq!(envelope.to_bytes().to_vec(), bytes.clone());
        }
        let _ = SessionTerms::from_canonical(&bytes);
    }

    #[test]
    fn a_message_cut_or_stretched_anywhere_is_refused(cut in 0usize..200, more in 1usize..9) {
        let me = identity(2);
        let good = Envelope::sign(digest("s"), 2, 1, 1, Zeroizing::new(vec![5; 96]), &me).to_bytes();
        let cut = cut.min(good.len() - 1);
        prop_assert!(Envelope::from_bytes(&good[..cut]).is_err());
        let mut long = good.to_vec();
        long.resize(good.len() + more, 0);
        prop_assert!(Envelope::from_bytes(&long).is_err());
    }
}
