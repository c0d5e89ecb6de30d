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
        self.placed_holes().into_iter().map(|(_, objection)| objection).collect()
    }

    /// The same, each with the place that it speaks of: a JSON pointer (RFC 6901) into the scope.
    pub fn placed_holes(&self) -> Vec<(String, Objection)> {
        let mut found = Vec::new();
        if blank(&self.entity) {
            let mend = "name the legal entity: it cannot be anonymous";
            found.push(hole("/entity", "the entity has no name", mend));
        }
        if self.systems.is_empty() {
            found.push(hole("/systems", "it has no system", "name the systems that are certified"));
        }
        let mut seen = BTreeSet::new();
        for (place, system) in self.systems.iter().enumerate() {
            let below = |at: &str| format!("/systems/{place}{at}");
            if !seen.insert(system.name.as_str()) {
                let why = format!("system {} stands twice", system.name);
                found.push(hole(below("/name"), why, "give each system a name of its own"));
            }
            found.extend(system.holes().into_iter().map(|(at, why)| (below(&at), why)));
        }
        found
    }
}

impl System {
    fn holes(&self) -> Vec<(String, Objection)> {
        let mut found = Vec::new();
        let of = |why: &str| format!("system {}: {why}", self.name);
        if blank(&self.name) || blank(&self.description) {
            let at = if blank(&self.name) { "/name" } else { "/description" };
            found.push(hole(at, "a system has no name or description", "say what it is and does"));
        }
        if self.sought == 0 {
            found.push(hole("/sought", of("no level is sought"), "name the level"));
        }
        for (at, why) in self.environment.holes() {
            let mend = "complete the trusted environment with the auditor";
            found.push(hole(format!("/environment{at}"), of(&why), mend));
        }
        for (at, why) in self.inventory_holes() {
            let mend = "complete the key-material inventory";
            found.push(hole(format!("/inventory{at}"), of(&why), mend));
        }
        for (place, why) in self.wrongly_excluded() {
            let at = format!("/environment/exclusions/{place}/what");
            found.push(hole(at, of(&why), "take it back in: it could affect key material"));
        }
        found
    }

    fn inventory_holes(&self) -> Vec<(String, String)> {
        let names: BTreeSet<&str> = self.inventory.iter().map(|key| key.name.as_str()).collect();
        let mut found = Vec::new();
        if self.inventory.is_empty() {
            found.push((String::new(), "the key-material inventory is empty".to_owned()));
        }
        if names.len() != self.inventory.len() {
            found.push((String::new(), "two lines of the inventory have one name".to_owned()));
        }
        for (place, key) in self.inventory.iter().enumerate() {
            if let Some(field) = key.lacks() {
                let why = format!("key material {} lacks a field", key.name);
                found.push((format!("/{place}/{field}"), why));
            }
            // One for each line: a list can be as long as somebody likes, and every objection is told to people.
            if let Some(other) = key.depends_on.iter().find(|other| !names.contains(other.as_str()))
            {
                let why =
                    format!("key material {} depends on {other}, which is not listed", key.name);
                found.push((format!("/{place}/depends_on"), why));
            }
        }
        found
    }

    /// Places, holders and near providers cannot be left out, whatever reason is given.
    fn wrongly_excluded(&self) -> Vec<(usize, String)> {
        let near = self.custody.providers.iter().filter(|p| p.takes_part || p.could_affect);
        let held = self
            .inventory
            .iter()
            .flat_map(|key| [&key.name, &key.place].into_iter().chain(&key.holders));
        let touching: BTreeSet<&str> =
            near.map(|p| p.name.as_str()).chain(held.map(String::as_str)).collect();
        let left_out = self.environment.exclusions.iter().map(|x| x.what.as_str()).enumerate();
        let wrong = left_out.filter(|(_, what)| touching.contains(what));
        wrong
            .map(|(place, what)| (place, format!("{what} is excluded and touches key material")))
            .collect()
    }
}

impl KeyMaterial {
    /// The first of its fields that says nothing.
    fn lacks(&self) -> Option<&'static str> {
        let texts = [
            ("name", &self.name),
            ("kind", &self.kind),
            ("place", &self.place),
            ("class", &self.class),
            ("criticality", &self.criticality),
        ];
        let empty = texts.into_iter().find(|(_, text)| blank(text)).map(|(field, _)| field);
        empty.or_else(|| self.holders.is_empty().then_some("holders"))
    }
}

impl Environment {
    fn holes(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let parts = [
            ("people", &self.people),
            ("processes", &self.processes),
            ("technology", &self.technology),
        ];
        for (name, part) in parts {
            if part.is_empty() || part.iter().any(|line| blank(line)) {
                let why = format!("the trusted environment names no {name}");
                found.push((format!("/{name}"), why));
            }
        }
        let validated = match &self.validated {
            None => Some("no auditor validated the trusted environment"),
            Some(done) if blank(&done.by) || done.sources.is_empty() => {
                Some("the validation names no auditor or no sources")
            }
            Some(_) => None,
        };
        found.extend(validated.map(|why| ("/validated".to_owned(), why.to_owned())));
        for (place, left) in self.exclusions.iter().enumerate() {
            if blank(&left.what) || blank(&left.why) {
                let at = if blank(&left.what) { "what" } else { "why" };
                let why = format!("the exclusion of {} has no reason", left.what);
                found.push((format!("/exclusions/{place}/{at}"), why));
            }
        }
        found
    }
}

fn hole(at: impl Into<String>, why: impl Into<String>, mend: &str) -> (String, Objection) {
    (at.into(), Objection::new("scope_is_whole", why, mend))
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
    fn each_hole_names_the_place_that_a_form_must_mark() {
        fn check(change: fn(&mut System), expected: &str) {
            let mut scope = whole();
            change(&mut scope.systems[0]);
            let places: Vec<String> = scope.placed_holes().into_iter().map(|(at, _)| at).collect();
            let at = format!("/systems/0{expected}");
            assert!(places.contains(&at), "{at}: {places:?}");
            // What is named must be there, or be a list that is empty.
            let value = serde_json::to_value(&scope).unwrap();
            assert!(places.iter().all(|at| value.pointer(at).is_some()), "{places:?}");
        }
        check(|s| s.name.clear(), "/name");
        check(|s| s.description.clear(), "/description");
        check(|s| s.sought = 0, "/sought");
        check(|s| s.environment.technology.clear(), "/environment/technology");
        check(|s| s.environment.validated = None, "/environment/validated");
        check(|s| s.environment.exclusions[0].what.clear(), "/environment/exclusions/0/what");
        check(|s| s.environment.exclusions[0].why.clear(), "/environment/exclusions/0/why");
        check(
            |s| s.environment.exclusions[0].what = "Alba".to_owned(),
            "/environment/exclusions/0/what",
        );
        check(|s| s.inventory.clear(), "/inventory");
        check(|s| s.inventory[1].class.clear(), "/inventory/1/class");
        check(|s| s.inventory[1].holders.clear(), "/inventory/1/holders");
        check(|s| s.inventory[0].depends_on = vec!["gone".to_owned()], "/inventory/0/depends_on");
        let mut scope = whole();
        scope.entity.clear();
        scope.systems.clear();
        let places: Vec<String> = scope.placed_holes().into_iter().map(|(at, _)| at).collect();
        assert_eq!(places, ["/entity", "/systems"]);
    }

    #[test]
    fn a_line_that_depends_on_much_that_is_not_listed_is_one_hole() {
        let mut scope = whole();
        let mut others: Vec<String> = (0..100_000).map(|number| format!("gone {number}")).collect();
        others.insert(0, "share b".to_owned());
        scope.systems[0].inventory[0].depends_on = others;
        let holes = scope.holes();
        assert_eq!(holes.len(), 1, "{} holes", holes.len());
        assert!(holes[0].why.contains("share a depends on gone 0, which is not listed"));
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
