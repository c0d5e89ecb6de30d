//! What people are told of a simulation: what would change, and, to be seen first, what differs from what the transfer says.
//! Names and decimal places of assets come from the policy alone. What a contract or a node says is outside text.

use quorate_terms::policy::AssetInfo;
use quorate_terms::{AccountId, Amount, AssetId};

use super::{Allowance, Allowed, Attempt, Note, Signed, Simulated, TokenSays, is_nobody};
use crate::describe::amount;

/// Rows of label and text, and what must not be overlooked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// In the order in which they matter.
    pub rows: Vec<(String, String)>,
    /// What differs from what the transfer says.
    pub warnings: Vec<String>,
    /// How many events are not understood here: where there are some, no warning is no clean bill.
    pub unknown: usize,
}

impl Attempt {
    /// What to show of a simulation.
    pub fn tell(&self, found: &Simulated, assets: &[AssetInfo]) -> Told {
        let teller = Teller { attempt: self, found, assets };
        let unknown = found.notes.iter().filter(|note| matches!(note, Note::Unknown { .. }));
        let mut told = Told { rows: teller.rows(), warnings: Vec::new(), unknown: unknown.count() };
        match &found.fails {
            Some(why) => {
                told.warnings.push(format!("the transaction would fail: {}", plain(why)));
            }
            None => told.warnings = teller.differences(),
        }
        told
    }

    /// What to show where a node refuses to simulate. Its words are looked at and not passed on; true for what is a warning.
    pub fn tell_refused(code: i64, message: &str) -> (String, bool) {
        let message = message.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
        if matches!(code, -38_014) || says(&["insufficient funds"]) {
            let words = "the wallet holds too little of the chain's own coin for this transaction";
            return (words.to_owned(), true);
        }
        if matches!(code, -38_013) || says(&["intrinsic gas"]) {
            return ("the transaction has too little gas to begin".to_owned(), true);
        }
        if code == -32_601 {
            let words = "the node does not simulate (it has no `eth_simulateV1`); name another";
            return (words.to_owned(), false);
        }
        (format!("the node refuses to simulate (code {code}); look at its logs"), false)
    }
}

/// What goes wrong with sums is most often this.
fn plain(why: &str) -> String {
    match why.ends_with("panic code 0x11") {
        true => format!("{why} (a number below zero: most often a balance that is too small)"),
        false => why.to_owned(),
    }
}

struct Teller<'a> {
    attempt: &'a Attempt,
    found: &'a Simulated,
    assets: &'a [AssetInfo],
}

impl Teller<'_> {
    fn rows(&self) -> Vec<(String, String)> {
        let Simulated { block, gas, fails, changes, allowances, held, notes } = self.found;
        let word = if fails.is_some() { "it fails" } else { "it goes through" };
        let tried = if self.attempt.is_drafted() {
            "the drafted transaction"
        } else {
            "the transfer as asked for, before it is drafted and without its fee"
        };
        let mut rows = vec![
            ("tried".to_owned(), tried.to_owned()),
            ("comes out".to_owned(), format!("{word}, in block {block}, with {gas} gas")),
        ];
        let mut row = |label: &str, text: String| rows.push((label.to_owned(), text));
        for change in changes {
            let (who, how) = (self.who(&change.account), self.signed(change.by, &change.asset));
            row("changes", format!("{who}: {how}"));
        }
        if changes.is_empty() && fails.is_none() {
            row("changes", "nobody's balance, as far as events tell".to_owned());
        }
        for allowance in allowances {
            row("lets take", self.allowance(allowance));
        }
        held.iter().for_each(|held| row("token says", self.held(held)));
        notes.iter().for_each(|note| row("also", self.note(note)));
        rows
    }

    /// What differs from a plain transfer of this amount to this recipient.
    fn differences(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        self.moves(&mut warnings);
        for allowance in &self.found.allowances {
            if allowance.owner == self.attempt.account && !is_taken_back(allowance) {
                warnings.push(format!("it lets somebody take more: {}", self.allowance(allowance)));
            }
        }
        for note in &self.found.notes {
            if matches!(note, Note::Unique { from, .. } if *from == self.attempt.account) {
                warnings.push(format!("something else leaves the wallet: {}", self.note(note)));
            }
        }
        for held in &self.found.held {
            warnings.extend(self.disagrees(held));
        }
        warnings
    }

    fn moves(&self, warnings: &mut Vec<String>) {
        let Attempt { account, to, asset, amount: wanted, .. } = self.attempt;
        let cancels = account == to;
        let goes = Signed::of(Amount::ZERO, *wanted);
        if !cancels && self.change(account, asset) != goes {
            let (is, said) = (self.signed(self.change(account, asset), asset), self.much(*wanted));
            warnings
                .push(format!("the wallet's balance changes by {is}, and the amount is {said}"));
        }
        if !cancels && self.change(to, asset) != Signed::Plus(*wanted) {
            let (is, said) = (self.signed(self.change(to, asset), asset), self.much(*wanted));
            warnings.push(format!("the recipient's balance changes by {is}, not by {said}"));
        }
        for change in &self.found.changes {
            let how = self.signed(change.by, &change.asset);
            let is_of_the_two = change.account == *account || change.account == *to;
            match change.by {
                _ if is_of_the_two && change.asset == *asset && !cancels => {}
                Signed::Minus(_) if change.account == *account => {
                    warnings.push(format!("something else leaves the wallet: {how}"));
                }
                Signed::Plus(_) if !is_of_the_two => {
                    let who = self.who(&change.account);
                    warnings.push(format!("somebody else receives: {who}: {how}"));
                }
                _ => {}
            }
        }
    }

    /// What a token keeps and what its events tell can be two things; what it keeps is what can be spent.
    fn disagrees(&self, held: &TokenSays) -> Option<String> {
        let who = self.who(&held.account);
        let Some((before, after)) = held.told else {
            return Some(format!("the token does not tell what {who} holds"));
        };
        let (is, told) =
            (Signed::of(after, before), self.change(&held.account, &self.attempt.asset));
        (is != told).then(|| {
            let asset = &self.attempt.asset;
            let (is, told) = (self.signed(is, asset), self.signed(told, asset));
            format!("by the token's own books {who} changes by {is}, and by its events by {told}")
        })
    }

    fn change(&self, account: &AccountId, asset: &AssetId) -> Signed {
        let same = |change: &&super::Change| change.account == *account && change.asset == *asset;
        self.found.changes.iter().find(same).map_or(Signed::Plus(Amount::ZERO), |change| change.by)
    }

    fn who(&self, account: &AccountId) -> String {
        let address = account.address();
        match account {
            wallet if *wallet == self.attempt.account => format!("the wallet {address}"),
            to if *to == self.attempt.to => format!("the recipient {address}"),
            nobody if is_nobody(nobody) => format!("nobody ({address}: made or burnt)"),
            _ => format!("{address}, neither wallet nor recipient"),
        }
    }

    fn much(&self, units: Amount) -> String {
        amount(units, Some(&self.attempt.asset), self.assets)
    }

    fn signed(&self, by: Signed, asset: &AssetId) -> String {
        let sign = match by {
            Signed::Plus(size) if size.is_zero() => "",
            Signed::Plus(_) => "+",
            Signed::Minus(_) => "-",
        };
        let known = self.assets.iter().any(|info| info.asset == *asset);
        let name = if known { String::new() } else { format!(" ({asset})") };
        format!("{sign}{}{name}", amount(by.size(), Some(asset), self.assets))
    }

    fn allowance(&self, allowance: &Allowance) -> String {
        let (owner, spender) = (self.who(&allowance.owner), self.who(&allowance.spender));
        let what = match &allowance.what {
            Allowed::Amount(asset, size) if *size == Amount::MAX => {
                format!("any amount of {asset}")
            }
            Allowed::Amount(asset, size) if size.is_zero() => {
                format!("nothing of {asset} any more")
            }
            Allowed::Amount(asset, size) => {
                format!("{} of {asset}", amount(*size, Some(asset), self.assets))
            }
            Allowed::Unique(contract, number) => {
                format!("the one token {number} of contract {}", contract.address())
            }
            Allowed::Everything(contract, true) => {
                format!("every token of contract {}", contract.address())
            }
            Allowed::Everything(contract, false) => {
                format!("nothing of contract {} any more", contract.address())
            }
        };
        format!("{spender} may take {what} from {owner}")
    }

    fn held(&self, held: &TokenSays) -> String {
        let who = self.who(&held.account);
        match held.told {
            Some((before, after)) => {
                format!("{who} holds {} before, and {} after", self.much(before), self.much(after))
            }
            None => format!("nothing of what {who} holds"),
        }
    }

    fn note(&self, note: &Note) -> String {
        match note {
            Note::Unique { contract, number, from, to } => format!(
                "the one token {number} of contract {} goes from {} to {}",
                contract.address(),
                self.who(from),
                self.who(to)
            ),
            Note::Unknown { contract, topic } => format!(
                "an event of contract {} that is not understood here (topic {})",
                contract.address(),
                topic.as_deref().unwrap_or("none")
            ),
        }
    }
}

fn is_taken_back(allowance: &Allowance) -> bool {
    match &allowance.what {
        Allowed::Amount(_, size) => size.is_zero(),
        Allowed::Unique(..) => is_nobody(&allowance.spender),
        Allowed::Everything(_, on) => !on,
    }
}
