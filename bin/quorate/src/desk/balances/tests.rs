use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;

use super::*;

fn wallet(number: usize) -> WalletId {
    format!("w-{number}").parse().unwrap()
}

fn asset() -> AssetId {
    "eip155:31337/slip44:60".parse().unwrap()
}

/// So many minutes after an hour or day began.
fn after(grain: Grain, number: u64, minutes: u64) -> Timestamp {
    grain.begin(number).plus_s(minutes.saturating_mul(60))
}

fn told(words: &[(Timestamp, u128)]) -> History {
    let mut history = History::default();
    for (at, units) in words {
        let word = Word { at: *at, amount: Amount::from_u128(*units) };
        assert!(history.add(wallet(0), asset(), word));
    }
    history
}

fn units(history: &History, from: Timestamp, grain: Grain) -> Vec<String> {
    history.since(from, grain).iter().map(|held| held.amount.to_string()).collect()
}

#[test]
fn the_last_word_of_each_hour_and_of_each_day_stays() {
    let of = |hour, minutes| after(Grain::Hour, hour, minutes);
    let history = told(&[
        (of(0, 1), 1),
        (of(0, 59), 3),
        // It comes late, and is older.
        (of(0, 30), 2),
        (of(5, 0), 4),
        (of(23, 59), 5),
        (of(24, 0), 6),
    ]);
    assert_eq!(units(&history, Timestamp::ZERO, Grain::Hour), ["3", "4", "5", "6"]);
    assert_eq!(units(&history, Timestamp::ZERO, Grain::Day), ["5", "6"]);
    assert_eq!(units(&history, of(5, 0), Grain::Hour), ["4", "5", "6"], "from the hour itself on");
    assert_eq!(units(&history, of(24, 0), Grain::Day), ["6"]);
    assert!(units(&history, of(48, 0), Grain::Day).is_empty());
}

#[test]
fn what_is_older_than_is_kept_is_forgotten_and_so_is_what_lies_ahead() {
    let days: Vec<_> = (0..=500).map(|day| (after(Grain::Day, day, 0), u128::from(day))).collect();
    let mut history = told(&days);
    history.forget(after(Grain::Day, 500, 0));
    let kept = units(&history, Timestamp::ZERO, Grain::Day);
    assert_eq!((kept.len(), kept.first().map(String::as_str)), (400, Some("101")));
    let hours = units(&history, Timestamp::ZERO, Grain::Hour);
    assert_eq!(hours, ["494", "495", "496", "497", "498", "499", "500"]);

    history.forget(after(Grain::Day, 499, 0));
    let kept = units(&history, Timestamp::ZERO, Grain::Day);
    assert_eq!(kept.last().map(String::as_str), Some("499"), "a wrong clock dated it ahead");
    history.forget(after(Grain::Day, 5_000, 0));
    assert_eq!(history, History::default(), "nothing is left of what nobody speaks of any more");
}

#[test]
fn of_more_wallets_than_are_kept_nothing_new_is_taken() {
    let mut history = History::default();
    let word = Word { at: Timestamp::ZERO, amount: Amount::ZERO };
    for number in 0..SERIES_MAX {
        assert!(history.add(wallet(number), asset(), word));
    }
    assert!(!history.add(wallet(SERIES_MAX), asset(), word));
    assert!(history.add(wallet(7), asset(), word), "what is known goes on");
    assert_eq!(history.0.len(), SERIES_MAX);
}

#[test]
fn a_round_is_due_at_once_then_every_quarter_of_an_hour_and_soon_after_something_moved() {
    let balances = Balances::default();
    let at = |seconds| Timestamp::from_millis(1_000_000).plus_s(seconds);
    assert!(balances.is_due(at(0)) && !balances.is_due(at(0)));
    assert!(!balances.is_due(at(899)) && balances.is_due(at(900)));
    balances.hasten(at(1_000));
    assert!(!balances.is_due(at(1_009)) && balances.is_due(at(1_010)));
    // Due at 1910 s: what moves just before postpones nothing.
    balances.hasten(at(1_909));
    assert!(!balances.is_due(at(1_909)) && balances.is_due(at(1_910)));
    // However much moves, a round begins a minute after the last one.
    for second in 1_911..1_970 {
        balances.hasten(at(second));
        assert!(!balances.is_due(at(second)), "{second}");
    }
    assert!(balances.is_due(at(1_970)));
}

proptest! {
    #[test]
    fn what_is_kept_is_read_back_and_never_more_than_is_kept(
        words in prop::collection::vec((0_u64..40_000_000_000, any::<u128>()), 0..80),
        now in 0_u64..40_000_000_000,
    ) {
        let words: Vec<_> =
            words.iter().map(|(at, units)| (Timestamp::from_millis(*at), *units)).collect();
        let mut history = told(&words);
        let now = Timestamp::from_millis(now);
        history.forget(now);
        for (grain, count) in [(Grain::Hour, HOURS), (Grain::Day, DAYS)] {
            let first = grain.of(now).saturating_sub(count.saturating_sub(1));
            let held = history.since(Timestamp::ZERO, grain);
            let numbers: Vec<u64> = held.iter().map(|one| grain.of(one.at)).collect();
            prop_assert!(numbers.iter().all(|number| (first..=grain.of(now)).contains(number)));
            prop_assert!(numbers.is_sorted_by(|one, next| one < next), "one word each, in order");
            for one in held {
                let last = words.iter().filter(|(at, _)| grain.of(*at) == grain.of(one.at));
                prop_assert_eq!(Some(one.at), last.map(|(at, _)| *at).max());
            }
        }
        prop_assert_eq!(kept::read(&kept::bytes(&history).unwrap()), Ok(history));
    }

    #[test]
    fn whatever_a_file_holds_it_is_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        body in "[\\[\\]{}\":,a-z0-9.-]{0,200}",
    ) {
        let _refused = kept::read(&bytes);
        let digest = quorate_terms::Digest::sha256(body.as_bytes());
        let _refused = kept::read(format!("quorate-balances 1 {digest}\n{body}").as_bytes());
    }
}

#[test]
fn a_file_with_one_changed_byte_is_refused() {
    let bytes = kept::bytes(&told(&[(after(Grain::Day, 3, 7), 5)])).unwrap();
    assert!(kept::read(&bytes).is_ok());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(kept::read(&changed).is_err(), "byte {at}");
        assert!(kept::read(&bytes[..at]).is_err(), "cut at {at}");
    }
    let of_later = String::from_utf8(bytes).unwrap().replacen("balances 1", "balances 2", 1);
    assert_eq!(kept::read(of_later.as_bytes()), Err("is of another form"));
}

#[test]
fn a_file_with_more_than_is_ever_kept_is_refused() {
    let hours: Vec<_> = (0..=HOURS).map(|hour| (after(Grain::Hour, hour, 0), 1)).collect();
    let refused = kept::read(&kept::bytes(&told(&hours)).unwrap());
    assert_eq!(refused, Err("holds more than is ever kept"));
}

#[tokio::test]
async fn a_history_outlives_its_process_and_a_damaged_one_is_put_aside_and_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let path = folder.path().join("balances.history");
    let random = Random::start().unwrap();
    let now = after(Grain::Day, 3, 0);
    let begun = || {
        let balances = Balances::default();
        balances.open(&path, random);
        balances
    };
    let held = |balances: &Balances| balances.since(Timestamp::ZERO, Grain::Day).len();

    let first = begun();
    assert_eq!(held(&first), 0, "there is no file yet");
    assert!(look(&path).is_ok() && !put_aside_at(&path).exists(), "which is no damage");
    first.add(wallet(0), asset(), Word { at: now, amount: Amount::MAX });
    first.save(now).await.unwrap();
    assert_eq!(held(&begun()), 1, "another process goes on from it");
    assert_eq!(begun().since(Timestamp::ZERO, Grain::Hour)[0].amount, Amount::MAX);

    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(look(&path).unwrap_err().mend().contains("start the desk"));
    let anew = begun();
    assert_eq!(held(&anew), 0, "half of it is not believed");
    assert_eq!(
        fs::read(put_aside_at(&path)).unwrap().len(),
        whole.len() / 2,
        "it can be looked at"
    );
    anew.add(wallet(0), asset(), Word { at: now, amount: Amount::ZERO });
    anew.save(now).await.unwrap();
    assert_eq!(held(&begun()), 1, "and the new one is kept");

    fs::remove_file(put_aside_at(&path)).unwrap();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(held(&begun()), 0, "what is no file is put aside too");
    assert!(!path.exists());
}

#[tokio::test]
async fn a_disk_that_takes_nothing_takes_nothing_from_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let (path, now) = (folder.path().join("gone").join("balances.history"), Timestamp::ZERO);
    let balances = Balances::default();
    balances.open(&path, Random::start().unwrap());
    balances.add(wallet(0), asset(), Word { at: now, amount: Amount::ZERO });
    assert!(balances.save(now).await.is_err());
    assert_eq!(balances.since(now, Grain::Day).len(), 1);
}
