//! Delegations: while an approver is away, somebody else's word on transfers counts as the seat's, and ends by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::caip::AssetId;
use crate::canonical::Term;
use crate::charter::{ApproverSeat, CharterText, distinct};
use crate::digest::tag;
use crate::error::Malformed;
use crate::id::{ApproverId, CredentialId, DelegationId, PersonId, VaultId};
use crate::intent::Transfer;
use crate::key::{PublicKey, Signature};
use crate::passkey::Passkey;
use crate::time::Timestamp;

/// The longest delegation, in seconds: thirty days.
pub const DELEGATION_S_MAX: u64 = 30 * 86_400;

/// Who may speak for a seat, from when until when, and up to which amount (`docs/spec/delegation.md`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// Its name, used once in the life of a vault.
    pub id: DelegationId,
    /// The seat.
    pub seat: ApproverId,
    /// Who stands in.
    pub stand_in: StandIn,
    /// From then on the stand-in's word counts.
    pub from: Timestamp,
    /// From then on it counts no more, whenever it was given.
    pub until: Timestamp,
    /// Above these amounts, in base units and fees included, the seat itself must speak; so it must where the transfer's asset,
    /// or the coin in which its fee is paid, is not named. None if any amount will do.
    pub above: Option<BTreeMap<AssetId, Amount>>,
}

/// Whoever stands in for a seat: a person who holds none, with keys that are used for nothing else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandIn {
    /// The person, by pseudonym.
    pub person: PersonId,
    /// The credential that signs.
    pub credential: CredentialId,
    /// Its public key.
    pub key: PublicKey,
    /// The identity of the stand-in's machine on mutual-TLS links.
    pub link: PublicKey,
    /// The passkeys that sign as well, each at its own view.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passkeys: Vec<Passkey>,
}

/// Why a delegation does not fit a charter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// The charter has no such seat.
    NoSeat,
    /// The stand-in's person holds a seat.
    Seated,
    /// A key, passkey or credential of the stand-in is used in the charter.
    Used,
    /// A passkey of the stand-in belongs to no view of the charter.
    NoView,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSeat => "the charter has no such seat",
            Self::Seated => "the stand-in holds a seat",
            Self::Used => "a key, passkey or credential of the stand-in is used in the charter",
            Self::NoView => "a passkey of the stand-in belongs to no view of the charter",
        })
    }
}

impl Delegation {
    /// Checks what must hold of any delegation, whatever the charter.
    ///
    /// # Errors
    /// [`Malformed`] naming the first field that breaks a rule: an end after the beginning and at most
    /// [`DELEGATION_S_MAX`] later, a limit that names an asset, keys and passkeys for one purpose each.
    pub fn check(&self) -> Result<(), Malformed> {
        let bad = |field: &str, why: &str, mend: &str| {
            Err(Malformed::new(format!("delegation.{field}"), why, mend))
        };
        if self.until <= self.from {
            return bad("until", "is not after `from`", "give an end after the beginning");
        }
        if self.until > self.from.plus_s(DELEGATION_S_MAX) {
            let mend = "end it at most 30 days after it begins; then delegate again";
            return bad("until", "is more than 30 days after `from`", mend);
        }
        if self.above.as_ref().is_some_and(BTreeMap::is_empty) {
            let mend = "name an asset with its amount, or leave the limit out";
            return bad("above", "names no asset", mend);
        }
        let stand_in = &self.stand_in;
        let passkeys = || stand_in.passkeys.iter();
        let names = passkeys().map(|passkey| &passkey.credential);
        if stand_in.key == stand_in.link
            || !distinct(names.chain([&stand_in.credential]))
            || !distinct(passkeys().map(|passkey| &passkey.key))
            || !distinct(passkeys().map(|passkey| &passkey.handle))
        {
            let mend = "take the enrolment as it was made";
            return bad("stand_in", "uses one key or name twice", mend);
        }
        if passkeys().any(|passkey| !passkey.handle.is_handle()) {
            let mend = "take the passkey's file as it was made";
            return bad("stand_in.passkeys", "hold one whose handle is not 16 to 1023 bytes", mend);
        }
        Ok(())
    }

    /// Checks that a charter has the seat, that the stand-in holds none and shares no key with anybody, and that its passkeys
    /// were made at views of the charter.
    ///
    /// # Errors
    /// [`Unfit`] says what does not hold.
    pub fn check_fit(&self, charter: &CharterText) -> Result<(), Unfit> {
        if charter.approver(&self.seat).is_none() {
            return Err(Unfit::NoSeat);
        }
        self.check_apart(charter)?;
        let mut passkeys = self.stand_in.passkeys.iter();
        let lost = passkeys.any(|passkey| charter.view(&passkey.view).is_none());
        if lost { Err(Unfit::NoView) } else { Ok(()) }
    }

    /// Checks that the stand-in is nobody whom a charter names already.
    ///
    /// # Errors
    /// [`Unfit::Seated`] or [`Unfit::Used`].
    pub fn check_apart(&self, charter: &CharterText) -> Result<(), Unfit> {
        let stand_in = &self.stand_in;
        let seats = || charter.approvers.iter();
        if seats().any(|seat| seat.person == stand_in.person) {
            return Err(Unfit::Seated);
        }
        let keys: BTreeSet<_> = charter.keys().collect();
        let held = || seats().flat_map(|seat| &seat.passkeys);
        let is_held = |passkey: &Passkey| {
            held().any(|other| other.key == passkey.key || other.handle == passkey.handle)
        };
        let used = keys.contains(&stand_in.key)
            || keys.contains(&stand_in.link)
            || stand_in.passkeys.iter().any(is_held)
            || seats().any(|seat| stand_in.credentials().any(|name| seat.holds(name)));
        if used { Err(Unfit::Used) } else { Ok(()) }
    }

    /// Whether it goes on where one charter replaces another: the seat is as it was, and the stand-in is still nobody whom the
    /// charter names.
    pub fn outlives(&self, before: &CharterText, after: &CharterText) -> bool {
        before.approver(&self.seat) == after.approver(&self.seat) && self.check_fit(after).is_ok()
    }

    /// Whether the stand-in's word counts at this time, as far as time goes.
    pub fn stands_at(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether a transfer is not above its limit, whatever it may spend on fees counted.
    pub fn covers(&self, transfer: &Transfer) -> bool {
        let Some(above) = &self.above else { return true };
        let within =
            |asset: &AssetId, sum: Amount| above.get(asset).is_some_and(|limit| sum <= *limit);
        let (asset, fee) = (&transfer.asset, transfer.fee_ceiling);
        if asset.is_native() {
            return transfer.amount.checked_add(fee).is_some_and(|sum| within(asset, sum));
        }
        // A token's fee is paid in the chain's coin, which must be named too.
        let coin = above.iter().find(|(coin, _)| coin.is_native() && coin.chain() == asset.chain());
        let paid = fee.is_zero() || coin.is_some_and(|(_, limit)| fee <= *limit);
        paid && within(asset, transfer.amount)
    }

    /// What an enrolment asks for: whoever enrolled stands in for the seat that it names, from then until then.
    ///
    /// # Errors
    /// [`Malformed`] for the enrolment of a seat, which names a device.
    pub fn of_enrolment(
        id: DelegationId,
        enrolled: ApproverSeat,
        (from, until): (Timestamp, Timestamp),
        above: Option<BTreeMap<AssetId, Amount>>,
    ) -> Result<Self, Malformed> {
        if enrolled.device.is_some() {
            let mend = "make it with `quorate-approvals enrol --approver SEAT --stand-in`";
            return Err(Malformed::new("enrolment", "is one of a seat", mend));
        }
        let stand_in = StandIn {
            person: enrolled.person,
            credential: enrolled.credential,
            key: enrolled.key,
            link: enrolled.link,
            passkeys: enrolled.passkeys,
        };
        Ok(Self { id, seat: enrolled.approver, stand_in, from, until, above })
    }

    /// A name for a delegation of a seat, which may be as long as a name can be: its beginning, and an end of one's own.
    ///
    /// # Errors
    /// [`Malformed`] for an end that no name can have.
    pub fn name_of(seat: &ApproverId, end: &str) -> Result<DelegationId, Malformed> {
        let start: String = seat.as_str().chars().take(48).collect();
        DelegationId::new(format!("{start}-{end}"))
    }

    /// The seat as the stand-in fills it: its name with the stand-in's person, keys and passkeys.
    #[must_use]
    pub fn as_seat(&self) -> ApproverSeat {
        let stand_in = self.stand_in.clone();
        ApproverSeat {
            approver: self.seat.clone(),
            person: stand_in.person,
            credential: stand_in.credential,
            key: stand_in.key,
            link: stand_in.link,
            device: None,
            passkeys: stand_in.passkeys,
        }
    }
}

impl StandIn {
    /// The names of everything that signs for the stand-in.
    pub fn credentials(&self) -> impl Iterator<Item = &CredentialId> {
        let passkeys = self.passkeys.iter().map(|passkey| &passkey.credential);
        std::iter::once(&self.credential).chain(passkeys)
    }

    /// Whether this credential signs for the stand-in.
    pub fn holds(&self, credential: &CredentialId) -> bool {
        self.credentials().any(|own| own == credential)
    }

    /// Whether it shares a key, passkey or credential with another.
    pub fn shares(&self, other: &Self) -> bool {
        let same = |one: &Passkey, two: &Passkey| one.key == two.key || one.handle == two.handle;
        [self.key, self.link].iter().any(|key| [other.key, other.link].contains(key))
            || self.credentials().any(|name| other.holds(name))
            || self.passkeys.iter().any(|one| other.passkeys.iter().any(|two| same(one, two)))
    }
}

/// Which of the two takes a delegation back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ender {
    /// The seat's own person.
    Seat,
    /// The stand-in.
    StandIn,
}

/// The signed part of an ending.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndingBody {
    /// Format version, 1.
    pub v: u8,
    /// The vault.
    pub vault: VaultId,
    /// The delegation.
    pub delegation: DelegationId,
    /// Who takes it back.
    pub by: Ender,
    /// When, by the signer's clock.
    pub at: Timestamp,
}

impl Term for EndingBody {
    const TAG: &'static str = tag::ENDING;
}

/// A delegation taken back by the seat's person or by the stand-in: honoured at once, durably, from any channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// What was signed.
    pub body: EndingBody,
    /// The signature over the body's digest, by the key in the file of the seat or of the stand-in.
    pub signature: Signature,
}

impl Ending {
    /// Whether it is about this delegation and signed by whom it names, under this charter.
    ///
    /// # Errors
    /// [`Malformed`] when the body has no canonical form.
    pub fn ends(&self, delegation: &Delegation, charter: &CharterText) -> Result<bool, Malformed> {
        let body = &self.body;
        let key = match body.by {
            Ender::Seat => charter.approver(&delegation.seat).map(|seat| seat.key),
            Ender::StandIn => Some(delegation.stand_in.key),
        };
        let about = body.v == 1 && body.vault == charter.vault && body.delegation == delegation.id;
        let digest = body.digest()?;
        Ok(about && key.is_some_and(|key| key.verifies(&digest, &self.signature)))
    }

    /// Who took it back, as entries write it.
    pub fn ender(&self, delegation: &Delegation) -> String {
        match self.body.by {
            Ender::Seat => format!("approver:{}", delegation.seat),
            Ender::StandIn => format!("stand_in:{}", delegation.stand_in.person),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::commitment::Opening;

    /// The public keys of test vectors 1 and 2 of RFC 8032, section 7.1.
    const KEYS: [&str; 2] = [
        "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "ed25519:PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
    ];

    /// The bytes of `docs/spec/delegation.md`.
    const BYTES: &str = concat!(
        r#"{"above":{"eip155:31337/slip44:60":"1000"},"from":1000,"id":"leave-1","seat":"ann","#,
        r#""stand_in":{"credential":"key-sam","#,
        r#""key":"ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","#,
        r#""link":"ed25519:PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw","person":"p-sam"},"#,
        r#""until":2000}"#,
    );

    fn delegation() -> Delegation {
        let asset: AssetId = "eip155:31337/slip44:60".parse().unwrap();
        Delegation {
            id: "leave-1".parse().unwrap(),
            seat: "ann".parse().unwrap(),
            stand_in: StandIn {
                person: "p-sam".parse().unwrap(),
                credential: "key-sam".parse().unwrap(),
                key: KEYS[0].parse().unwrap(),
                link: KEYS[1].parse().unwrap(),
                passkeys: Vec::new(),
            },
            from: Timestamp::from_millis(1_000),
            until: Timestamp::from_millis(2_000),
            above: Some([(asset, Amount::from_u128(1_000))].into()),
        }
    }

    #[test]
    fn an_enrolment_that_names_no_device_becomes_the_stand_in_that_fills_the_seat() {
        let one = delegation();
        let (id, span) = (one.id.clone(), (one.from, one.until));
        let made = |seat| Delegation::of_enrolment(id.clone(), seat, span, one.above.clone());
        assert_eq!(made(one.as_seat()).unwrap(), one);
        let device = Opening::new([7; 16], "/device", "a laptop").unwrap().commitment().unwrap();
        let seated = ApproverSeat { device: Some(device), ..one.as_seat() };
        assert_eq!(made(seated).unwrap_err().why(), "is one of a seat");
        let long: ApproverId = "a".repeat(64).parse().unwrap();
        assert_eq!(Delegation::name_of(&long, "0011aabb").unwrap().as_str().len(), 57);
        assert!(Delegation::name_of(&long, "not a name").is_err());
    }

    #[test]
    fn a_delegation_has_the_bytes_of_its_page() {
        let page = include_str!("../../../docs/spec/delegation.md");
        assert!(page.lines().any(|line| line == BYTES));
        let bytes = crate::canonical::to_bytes(&delegation(), "delegation").unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), BYTES);
        let read: Delegation =
            crate::canonical::from_bytes(BYTES.as_bytes(), "delegation").unwrap();
        assert_eq!(read, delegation());
        assert_eq!(read.check(), Ok(()));
    }

    #[test]
    fn a_delegation_ends_after_it_begins_and_within_thirty_days_and_limits_something() {
        type Spoil = (&'static str, fn(&mut Delegation));
        let spoils: [Spoil; 6] = [
            ("delegation.until", |d| d.until = d.from),
            ("delegation.until", |d| d.until = d.from.plus_s(DELEGATION_S_MAX + 1)),
            ("delegation.until", |d| d.until = Timestamp::ZERO),
            ("delegation.above", |d| d.above = Some(BTreeMap::new())),
            ("delegation.stand_in", |d| d.stand_in.link = d.stand_in.key),
            ("delegation.stand_in", |d| {
                let (view, handle) = ("home".parse().unwrap(), vec![1; 16]);
                let handle = crate::passkey::Blob::new(handle).unwrap();
                let key = crate::passkey::PasskeyKey::from_bytes([4; 65]).unwrap();
                let credential = d.stand_in.credential.clone();
                d.stand_in.passkeys = vec![Passkey { credential, view, handle, key }];
            }),
        ];
        for (field, spoil) in spoils {
            let mut wrong = delegation();
            spoil(&mut wrong);
            assert_eq!(wrong.check().unwrap_err().field(), field);
        }
        let mut longest = delegation();
        longest.until = longest.from.plus_s(DELEGATION_S_MAX);
        assert_eq!(longest.check(), Ok(()));
    }

    #[test]
    fn it_stands_from_its_beginning_until_just_before_its_end() {
        for (at, stands) in [(999, false), (1_000, true), (1_999, true), (2_000, false)] {
            assert_eq!(delegation().stands_at(Timestamp::from_millis(at)), stands, "{at}");
        }
    }

    const COIN: &str = "eip155:31337/slip44:60";
    const TOKEN: &str = "eip155:31337/erc20:0xdAC17F958D2ee523a2206206994597C13D831ec7";

    fn transfer(asset: &str, amount: Amount, fee_ceiling: Amount) -> Transfer {
        Transfer {
            wallet: "ops".parse().unwrap(),
            asset: asset.parse().unwrap(),
            to: "eip155:31337:0x2222222222222222222222222222222222222222".parse().unwrap(),
            amount,
            fee_ceiling,
            memo: None,
        }
    }

    fn is_covered(limits: &[(&str, u128)], (asset, amount, fee): (&str, u128, u128)) -> bool {
        let limit = |(asset, sum): &(&str, u128)| {
            (asset.parse::<AssetId>().unwrap(), Amount::from_u128(*sum))
        };
        let above = Some(limits.iter().map(limit).collect());
        let (amount, fee) = (Amount::from_u128(amount), Amount::from_u128(fee));
        Delegation { above, ..delegation() }.covers(&transfer(asset, amount, fee))
    }

    #[test]
    fn a_limit_on_a_coin_holds_for_amount_and_fee_together() {
        for (amount, fee, covered) in [
            (1_000, 0, true),
            (1_001, 0, false),
            (900, 100, true),
            (900, 101, false),
            (1, 100_000, false),
            (0, 1_001, false),
        ] {
            assert_eq!(
                is_covered(&[(COIN, 1_000)], (COIN, amount, fee)),
                covered,
                "{amount} {fee}"
            );
        }
        let mut most = delegation();
        most.above = Some([(COIN.parse().unwrap(), Amount::MAX)].into());
        let transfer = transfer(COIN, Amount::MAX, Amount::from_u128(1));
        assert!(!most.covers(&transfer), "a sum that overflows is above every limit");
        most.above = None;
        assert!(most.covers(&transfer), "without a limit any amount will do");
    }

    #[test]
    fn a_token_s_fee_is_held_to_the_limit_of_its_chain_s_coin() {
        let both = [(TOKEN, 500), (COIN, 20)];
        for (amount, fee, covered) in
            [(500, 20, true), (501, 20, false), (500, 21, false), (1, 100_000, false)]
        {
            assert_eq!(is_covered(&both, (TOKEN, amount, fee)), covered, "{amount} {fee}");
        }
        assert!(is_covered(&[(TOKEN, 500)], (TOKEN, 500, 0)), "no fee, no coin");
        assert!(!is_covered(&[(TOKEN, 500)], (TOKEN, 500, 1)), "the coin is not named");
        let elsewhere = [(TOKEN, 500), ("eip155:1/slip44:60", 20)];
        assert!(!is_covered(&elsewhere, (TOKEN, 500, 1)), "another chain's coin pays no fee here");
        assert!(!is_covered(&[(COIN, 1_000)], (TOKEN, 1, 0)), "the token is not named");
    }

    #[test]
    fn what_shares_one_key_or_name_shares() {
        let one = delegation().stand_in;
        let mut other = StandIn {
            person: "p-sue".parse().unwrap(),
            credential: "key-sue".parse().unwrap(),
            ..one.clone()
        };
        (other.key, other.link) = (one.link, one.key);
        assert!(one.shares(&other) && other.shares(&one));
        assert!(one.holds(&"key-sam".parse().unwrap()));
        assert!(!one.holds(&"key-sue".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_a_delegation_or_an_ending_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..512),
            at in 0_usize..BYTES.len(),
            with in any::<u8>(),
        ) {
            let _any = (
                crate::canonical::from_bytes::<Delegation>(&bytes, "delegation"),
                crate::canonical::from_bytes::<Ending>(&bytes, "ending"),
            );
            let mut bent = BYTES.as_bytes().to_vec();
            bent[at] = with;
            if let Ok(read) = crate::canonical::from_bytes::<Delegation>(&bent, "delegation") {
                let _any = read.check();
            }
        }
    }
}
