//! Checklists for people who come, change post or leave (CCSS 1.04): what is to be done, by when, and how it counts as done.
//!
//! A checklist is a template with times: the template is the operator's document, and its digest goes into the book with the
//! items, so that everybody judges by the same list.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::canonical::{Term, to_bytes};
use crate::digest::{Digest, tag};
use crate::error::Malformed;
use crate::id::{IdempotencyKey, ItemId, PersonId, VaultId};
use crate::time::Timestamp;

/// The most items of one checklist.
pub const ITEMS_MAX: usize = 64;
/// The longest wording of an item, in bytes.
pub const WORDS_BYTES_MAX: usize = 256;
/// The longest time that an item may take, in seconds: a year.
pub const WITHIN_S_MAX: u64 = 366 * 86_400;

/// What happens to a person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Receives a post.
    Joiner,
    /// Goes from one post to another, or changes keys or device.
    Mover,
    /// Gives up a post, or is made to.
    Leaver,
}

/// What a person does for the vault, as checklists see it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Post {
    /// Sits in approval quorums.
    Approver,
    /// Runs a cosigner: reaches a host that holds key shares.
    Cosigner,
    /// Files and runs the desk.
    Operator,
    /// Takes records away to check them.
    Auditor,
    /// Looks.
    Viewer,
    /// Answers for an agent.
    AgentOwner,
}

/// What the book itself can show. An item with a proof is never attested by word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// The charter in force seats the person as an approver.
    SeatHeld,
    /// No seat of the charter in force, nor of one that waits, holds the person.
    SeatEnded,
    /// The person's seats hold at least two keys and passkeys together.
    TwoKeysHeld,
    /// A credential in a role is in force for the person.
    CredentialHeld,
    /// No credential in a role is in force for the person.
    CredentialsEnded,
    /// No agent's credential in force names the person as its owner.
    AgentsHandedOver,
}

macro_rules! words {
    ($($name:ident $what:literal { $($variant:ident $word:literal,)* })*) => { $(
        impl $name {
            /// Each of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let found = Self::ALL.iter().copied().find(|one| one.as_str() == text);
                found.ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|one| one.as_str()).collect();
                    Malformed::new($what, "is unknown", format!("use one of {}", known.join(", ")))
                })
            }
        }
    )* };
}

words! {
    Change "change" { Joiner "joiner", Mover "mover", Leaver "leaver", }
    Post "post" {
        Approver "approver", Cosigner "cosigner", Operator "operator", Auditor "auditor",
        Viewer "viewer", AgentOwner "agent_owner",
    }
}

/// One thing to be done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its name within the checklist.
    pub item: ItemId,
    /// What is to be done, in one line. Never a person's name.
    pub words: String,
    /// By when.
    pub due_at: Timestamp,
    /// What in the book shows it; none where a person must attest it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
}

/// One thing to be done, before there is a person: a line of a template.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateItem {
    /// Its name.
    pub item: ItemId,
    /// What is to be done.
    pub words: String,
    /// For whom: joiners, movers, leavers.
    pub changes: BTreeSet<Change>,
    /// In which posts; all if none is named.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub posts: BTreeSet<Post>,
    /// Within so many seconds of the opening.
    pub within_s: u64,
    /// What in the book shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
}

/// Every item that may stand on a checklist.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Format version, 1.
    pub v: u8,
    /// The items, in order.
    pub items: Vec<TemplateItem>,
}

impl Term for Template {
    const TAG: &'static str = tag::CHECKLIST;
}

impl Template {
    /// Checks each line, and that every change of every post has something to do.
    ///
    /// # Errors
    /// [`Malformed`] naming the first line that breaks a rule.
    pub fn check(&self) -> Result<(), Malformed> {
        if self.v != 1 {
            let mend = "use a program that knows this version";
            return Err(Malformed::new("template.v", "is not 1", mend));
        }
        for line in &self.items {
            let item = Item {
                item: line.item.clone(),
                words: line.words.clone(),
                due_at: Timestamp::ZERO.plus_s(line.within_s),
                shown: line.shown,
            };
            item.check(Timestamp::ZERO)?;
        }
        for change in Change::ALL {
            for post in Post::ALL {
                check_items(&self.items(*change, *post, Timestamp::ZERO), Timestamp::ZERO)
                    .map_err(|e| e.within(&format!("template.{change}.{post}")))?;
            }
        }
        Ok(())
    }

    /// The items of a checklist that is opened at `at`.
    pub fn items(&self, change: Change, post: Post, at: Timestamp) -> Vec<Item> {
        let fits = |line: &&TemplateItem| {
            line.changes.contains(&change) && (line.posts.is_empty() || line.posts.contains(&post))
        };
        let item = |line: &TemplateItem| Item {
            item: line.item.clone(),
            words: line.words.clone(),
            due_at: at.plus_s(line.within_s),
            shown: line.shown,
        };
        self.items.iter().filter(fits).map(item).collect()
    }
}

impl Item {
    fn check(&self, at: Timestamp) -> Result<(), Malformed> {
        let bad =
            |why: &str, mend: &str| Err(Malformed::new(format!("item `{}`", self.item), why, mend));
        if self.words.is_empty()
            || self.words.len() > WORDS_BYTES_MAX
            || self.words.chars().any(char::is_control)
        {
            return bad("has no plain words, or too many", "say it in one line of 256 bytes");
        }
        if self.due_at <= at || self.due_at > at.plus_s(WITHIN_S_MAX) {
            return bad("is not due within a year", "give 1 second to 366 days");
        }
        Ok(())
    }
}

/// Checks the items of a checklist that is opened at `at`: some, not too many, each once, due within a year.
///
/// # Errors
/// [`Malformed`] naming the first item that breaks a rule.
pub fn check_items(items: &[Item], at: Timestamp) -> Result<(), Malformed> {
    let mut seen = BTreeSet::new();
    if items.is_empty() || items.len() > ITEMS_MAX {
        let mend = "let a line name this change and post; 64 lines at most may";
        return Err(Malformed::new("items", "are none, or too many", mend));
    }
    for item in items {
        item.check(at)?;
        if !seen.insert(&item.item) {
            let mend = "give each item of one checklist a name of its own";
            return Err(Malformed::new(format!("item `{}`", item.item), "stands twice", mend));
        }
    }
    Ok(())
}

/// The name of a checklist: who opened it under which key. The same key again is the same checklist.
///
/// # Errors
/// [`Malformed`] when the parts have no canonical form.
pub fn name(vault: &VaultId, by: &PersonId, key: &IdempotencyKey) -> Result<Digest, Malformed> {
    let bytes = to_bytes(&(vault, by, key), "checklist")?;
    Ok(Digest::of(tag::CHECKLIST, &bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(item: &str, within_s: u64) -> TemplateItem {
        TemplateItem {
            item: item.parse().unwrap(),
            words: "Something is done.".to_owned(),
            changes: Change::ALL.iter().copied().collect(),
            posts: BTreeSet::new(),
            within_s,
            shown: None,
        }
    }

    fn check(items: Vec<TemplateItem>, good: bool) {
        let told = format!("{items:?}");
        assert_eq!(Template { v: 1, items }.check().is_ok(), good, "{told}");
    }

    #[test]
    fn a_template_says_something_for_every_change_of_every_post_and_each_thing_once() {
        check(vec![line("a", 1), line("b", WITHIN_S_MAX)], true);
        check(vec![], false);
        check(vec![line("a", 1), line("a", 2)], false);
        check(vec![line("a", 0)], false);
        check(vec![line("a", WITHIN_S_MAX + 1)], false);
        let only = |change| TemplateItem { changes: [change].into(), ..line("a", 1) };
        check(vec![only(Change::Joiner), only(Change::Mover)], false);
        check(vec![only(Change::Joiner), only(Change::Mover), only(Change::Leaver)], true);
        check(vec![TemplateItem { posts: [Post::Viewer].into(), ..line("a", 1) }], false);
        for words in ["", "two\nlines", &"x".repeat(257)] {
            check(vec![TemplateItem { words: words.to_owned(), ..line("a", 1) }], false);
        }
        let many = (0..=ITEMS_MAX).map(|n| line(&format!("i{n}"), 1)).collect();
        check(many, false);
    }

    #[test]
    fn items_are_due_so_long_after_the_opening_and_only_those_of_the_post() {
        let template = Template {
            v: 1,
            items: vec![
                line("a", 60),
                TemplateItem { posts: [Post::Viewer].into(), ..line("b", 1) },
            ],
        };
        let at = Timestamp::from_millis(1_000);
        let items = template.items(Change::Leaver, Post::Approver, at);
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].due_at, Timestamp::from_millis(61_000));
        assert_eq!(template.items(Change::Leaver, Post::Viewer, at).len(), 2);
    }

    #[test]
    fn a_name_is_of_vault_opener_and_key() {
        let of = |vault: &str, by: &str, key: &str| {
            name(&vault.parse().unwrap(), &by.parse().unwrap(), &IdempotencyKey::new(key).unwrap())
                .unwrap()
        };
        assert_eq!(of("v", "ann", "k"), of("v", "ann", "k"));
        assert_ne!(of("v", "ann", "k"), of("v", "ann", "l"));
        assert_ne!(of("v", "ann", "k"), of("w", "ann", "k"));
        assert_ne!(of("v", "ann", "k"), of("v", "bo", "k"));
    }

    proptest! {
        #[test]
        fn reading_a_template_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            if let Ok(template) = Template::from_canonical(&bytes) {
                let _ = template.check();
            }
        }
    }
}
