//! What is audited: systems, the trusted environment of each with who validated it, what was left out and why, and the
//! inventory of key material that nearly all else is read from.

use std::collections::BTreeSet;

use quorate_terms::Timestamp;
use serde::{Deserialize, Serialize};

use super::designation::Custody;
use super::objection::Objection;

/// The scope of one audit: one entity, and one or more of its systems.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The audited body. It cannot be anonymous.
    pub entity: String,
    /// The systems, each with its own environment and designation.
    pub systems: Vec<System>,
}

/// One system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// As the entity names it.
    pub name: String,
    /// What it does, for a reader who does not know it.
    pub description: String,
    /// The rank of the level that is sought.
    pub sought: u8,
    /// Who holds what for whom.
    pub custody: Custody,
    /// The trusted environment.
    pub environment: Environment,
    /// What, where, class, criticality, who, dependencies.
    pub inventory: Vec<KeyMaterial>,
}

/// The people, processes and technology that manage keys, plus all else that could affect their security.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Roles and people.
    pub people: Vec<String>,
    /// Processes.
    pub processes: Vec<String>,
    /// Places, hardware and software.
    pub technology: Vec<String>,
    /// The auditor's validation; none until it was done.
    pub validated: Option<Validation>,
    /// What was validated and left out.
    pub exclusions: Vec<Exclusion>,
}

/// That a named auditor checked the environment, and from what.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// The auditor, by name.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What it was validated from: diagrams, interviews, configurations, a list of providers.
    pub sources: Vec<String>,
}

/// Something left out of scope.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// What.
    pub what: String,
    /// Why it cannot affect key material.
    pub why: String,
}

/// One line of the key-material inventory. Never the material itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyMaterial {
    /// Its name in the inventory.
    pub name: String,
    /// What it is: seed, private key, key share, backup.
    pub kind: String,
    /// Where it is kept.
    pub place: String,
    /// Its class.
    pub class: String,
    /// How critical it is.
    pub criticality: String,
    /// Who holds it.
    pub holders: Vec<String>,
    /// Other lines that it depends on, by name.
    pub depends_on: Vec<String>,
}

impl Scope {
    /// The system of that name.
    pub fn system(&self, name: &str) -> Option<&System> {
        self.systems.iter().find(|system| system.name == name)
    }

    /// What is missing before anybody may test against this scope. Empty means ready.
    pub fn holes(&self) -> Vec<Objection> {
        let mut found = Vec::new();
        if blank(&self.entity) {
            found.push(hole(
                "the entity has no name",
                "name the legal entity: it cannot be anonymous",
            ));
        }
        if self.systems.is_empty() {
            found.push(hole("it has no system", "name the systems that are certified"));
        }
        let mut seen = BTreeSet::new();
        for system in &self.systems {
            if !seen.insert(system.name.as_str()) {
                let why = format!("system {} stands twice", system.name);
                found.push(hole(why, "give each system a name of its own"));
            }
            found.extend(system.holes());
        }
        found
    }
}

impl System {
    fn holes(&self) -> Vec<Objection> {
        let mut found = Vec::new();
        let of = |why: &str| format!("system {}: {why}", self.name);
        if blank(&self.name) || blank(&self.description) {
            found.push(hole("a system has no name or description", "say what it is and does"));
        }
        if self.sought == 0 {
            found.push(hole(of("no level is sought"), "name the level"));
        }
        for why in self.environment.holes() {
            found.push(hole(of(&why), "complete the trusted environment with the auditor"));
        }
        for why in self.inventory_holes() {
            found.push(hole(of(&why), "complete the key-material inventory"));
        }
        for why in self.wrongly_excluded() {
            found.push(hole(of(&why), "take it back in: it could affect key material"));
        }
        found
    }

    fn inventory_holes(&self) -> Vec<String> {
        let names: BTreeSet<&str> = self.inventory.iter().map(|key| key.name.as_str()).collect();
        let mut found = Vec::new();
        if self.inventory.is_empty() {
            found.push("the key-material inventory is empty".to_owned());
        }
        if names.len() != self.inventory.len() {
            found.push("two lines of the inventory have one name".to_owned());
        }
        for key in &self.inventory {
            let texts = [&key.name, &key.kind, &key.place, &key.class, &key.criticality];
            if texts.into_iter().any(|text| blank(text)) || key.holders.is_empty() {
                found.push(format!("key material {} lacks a field", key.name));
            }
            for other in key.depends_on.iter().filter(|other| !names.contains(other.as_str())) {
                found.push(format!(
                    "key material {} depends on {other}, which is not listed",
                    key.name
                ));
            }
        }
        found
    }

    /// Places, holders and near providers cannot be left out, whatever reason is given.
    fn wrongly_excluded(&self) -> Vec<String> {
        let near = self.custody.providers.iter().filter(|p| p.takes_part || p.could_affect);
        let held = self
            .inventory
            .iter()
            .flat_map(|key| [&key.name, &key.place].into_iter().chain(&key.holders));
        let touching: BTreeSet<&str> =
            near.map(|p| p.name.as_str()).chain(held.map(String::as_str)).collect();
        let left_out = self.environment.exclusions.iter().map(|x| x.what.as_str());
        let wrong = left_out.filter(|what| touching.contains(what));
        wrong.map(|what| format!("{what} is excluded and touches key material")).collect()
    }
}

impl Environment {
    fn holes(&self) -> Vec<String> {
        let mut found = Vec::new();
        let parts = [
            ("people", &self.people),
            ("processes", &self.processes),
            ("technology", &self.technology),
        ];
        for (name, part) in parts {
            if part.is_empty() || part.iter().any(|line| blank(line)) {
                found.push(format!("the trusted environment names no {name}"));
            }
        }
        match &self.validated {
            None => found.push("no auditor validated the trusted environment".to_owned()),
            Some(done) if blank(&done.by) || done.sources.is_empty() => {
                found.push("the validation names no auditor or no sources".to_owned());
            }
            Some(_) => {}
        }
        for left in self.exclusions.iter().filter(|x| blank(&x.what) || blank(&x.why)) {
            found.push(format!("the exclusion of {} has no reason", left.what));
        }
        found
    }
}

fn hole(why: impl Into<String>, mend: &str) -> Objection {
    Objection::new("scope_is_whole", why, mend)
}

fn blank(text: &str) -> bool {
    text.trim().is_empty()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::designation::Supplier;
    use super::*;

    /// A scope without holes.
    pub(crate) fn whole() -> Scope {
        let share = |name: &str, holder: &str| KeyMaterial {
            name: name.to_owned(),
            kind: "key share".to_owned(),
            place: format!("machine of {holder}"),
            class: "secret".to_owned(),
            criticality: "high".to_owned(),
            holders: vec![holder.to_owned()],
            depends_on: Vec::new(),
        };
        Scope {
            entity: "Brickmere Treasury Ltd".to_owned(),
            systems: vec![System {
                name: "Treasury vault".to_owned(),
                description: "holds the company's own funds".to_owned(),
                sought: 2,
                custody: Custody {
                    supplies_only_a_part: false,
                    customers_funds: false,
                    holds_every_key: true,
                    providers: Vec::new(),
                },
                environment: Environment {
                    people: vec!["two operators".to_owned()],
                    processes: vec!["key generation".to_owned()],
                    technology: vec!["two cosigners".to_owned()],
                    validated: Some(Validation {
                        by: "Ann Auditor".to_owned(),
                        at: Timestamp::from_millis(1),
                        sources: vec!["network diagram".to_owned()],
                    }),
                    exclusions: vec![Exclusion {
                        what: "the website".to_owned(),
                        why: "has no way to any cosigner".to_owned(),
                    }],
                },
                inventory: vec![share("share a", "Alba"), share("share b", "Bruno")],
            }],
        }
    }

    fn check(change: fn(&mut System), expected: &str) {
        let mut scope = whole();
        change(&mut scope.systems[0]);
        let holes = scope.holes();
        assert!(holes.iter().any(|h| h.why.contains(expected)), "{expected}: {holes:?}");
    }

    #[test]
    fn a_whole_scope_has_no_hole() {
        assert_eq!(whole().holes(), []);
    }

    #[test]
    fn each_thing_that_a_scope_lacks_is_named() {
        check(|s| s.environment.validated = None, "no auditor validated");
        check(|s| s.environment.exclusions[0].why.clear(), "has no reason");
        check(|s| s.environment.people.clear(), "no people");
        check(|s| s.inventory.clear(), "inventory is empty");
        check(|s| s.inventory[0].holders.clear(), "lacks a field");
        check(|s| s.inventory[0].name = "share b".to_owned(), "one name");
        check(|s| s.inventory[0].depends_on = vec!["gone".to_owned()], "not listed");
        check(|s| s.sought = 0, "no level is sought");
        check(|s| s.description.clear(), "no name or description");
    }

    #[test]
    fn what_touches_key_material_cannot_be_left_out() {
        check(
            |s| s.environment.exclusions[0].what = "machine of Alba".to_owned(),
            "touches key material",
        );
        check(
            |s| {
                s.environment.exclusions[0].what = "Hoist".to_owned();
                let name = "Hoist".to_owned();
                s.custody.providers =
                    vec![Supplier { name, takes_part: false, could_affect: true }];
            },
            "touches key material",
        );
    }

    #[test]
    fn an_entity_is_not_anonymous_and_a_system_does_not_stand_twice() {
        let mut scope = whole();
        scope.entity = " ".to_owned();
        let twin = scope.systems[0].clone();
        scope.systems.push(twin);
        let holes = scope.holes();
        assert!(holes.iter().any(|h| h.why.contains("no name")));
        assert!(holes.iter().any(|h| h.why.contains("stands twice")));
    }
}
