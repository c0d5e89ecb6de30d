//! People: approvers at their own tools.

use std::time::{Duration, Instant};

use super::{APPROVERS, Said, Stage, WALLET, late, secrets, text};
use crate::Done;

impl Stage {
    /// One command of an approver's tool.
    pub(crate) fn approver(&self, who: &str, words: &[&str]) -> Done<Said> {
        let (dir, file) =
            (self.at(&format!("approvers/{who}")), self.at(&format!("secrets/{who}")));
        let own = ["--dir", dir.as_str(), "--passphrase-file", file.as_str(), "--json"];
        let words: Vec<&str> = words.iter().copied().chain(own).collect();
        self.programs.run("quorate-approvals", &words)
    }

    /// One person agrees, as soon as a cosigner has witnessed the case.
    pub(crate) fn approve(&self, who: &str, case: &str) -> Done {
        self.approve_with(who, &["approve", case, "--yes"])
    }

    /// One person answers with these words, as soon as a cosigner has witnessed the case.
    pub(crate) fn approve_with(&self, who: &str, words: &[&str]) -> Done {
        let until = Instant::now().checked_add(Duration::from_secs(60));
        loop {
            let said = self.approver(who, words)?;
            let too_soon = ["unwitnessed", "unknown_case", "no_case"];
            if said.code == Some(0) || !too_soon.iter().any(|code| said.out.contains(code)) {
                return said.good().map(drop);
            }
            late(until, || format!("{who} cannot agree: {}", said.out))?;
        }
    }

    /// The first two people agree.
    pub(crate) fn agree(&self, case: &str) -> Done {
        APPROVERS.iter().take(2).try_for_each(|who| self.approve(who, case))
    }

    /// Somebody who holds no seat makes keys to stand in for one. The enrolment lies in `approvers/NAME`.
    pub(crate) fn enrol_stand_in(&self, name: &str, seat: &str) -> Done {
        secrets::passphrase(self, name)?;
        let person = format!("person-{name}");
        let words = ["enrol", "--approver", seat, "--person", &person, "--stand-in"];
        self.approver(name, &words)?.good().map(drop)
    }

    /// The first two governors agree to go on after a void entry.
    pub(crate) fn resume(&self, index: &str) -> Done {
        APPROVERS
            .iter()
            .take(2)
            .try_for_each(|who| self.approver(who, &["resume", index, "--yes"])?.good().map(drop))
    }

    /// A person signs at home and hands the file over: nothing is sent.
    pub(crate) fn approve_offline(&self, who: &str, case: &str) -> Done<String> {
        let (book, note) = (self.at("public/book.jsonl"), self.at("public/book.checkpoint"));
        self.desk(&["ledger", "export", "--out", &book, "--checkpoint-out", &note])?;
        let signed = self.at(&format!("approvers/{who}/carried.json"));
        let words = [
            "approve",
            case,
            "--yes",
            "--allow-unwitnessed",
            "--offline",
            "--book",
            &book,
            "--checkpoint",
            &note,
            "--out",
            &signed,
        ];
        self.approver(who, &words)?.good()?;
        Ok(signed)
    }

    /// Opens the wallet: two people agree, both cosigners generate the key. Gives its address.
    pub(crate) fn open_wallet(&self) -> Done<String> {
        let chain = self.node.chain()?;
        let case = text(&self.desk(&["wallet", "new", WALLET, "--chain", &chain])?, "/case")?;
        self.agree(&case)?;
        self.done(&case)?;
        let status = self.status()?;
        let account = text(&status, &format!("/wallets/0/accounts/{chain}"))?;
        account.rsplit(':').next().map(str::to_owned).ok_or_else(|| "no account".to_owned())
    }
}
