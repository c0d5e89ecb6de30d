//! What is agreed, declared, sampled and found.

use super::*;

impl World {
    pub(in crate::audit::tests) fn engagement(&self) -> Engagement {
        let party = |person: &str, name: &str, firm: &str, role, seed| Party {
            person: person.to_owned(),
            name: name.to_owned(),
            number: None,
            firm: firm.to_owned(),
            role,
            key: public(seed),
            audits: 2,
        };
        let to = self.now.minus_s(2 * DAY_S);
        Engagement {
            audit: "audit-1".to_owned(),
            workflow: self.workflow.digest,
            standard: self.workflow.text.standard.clone(),
            version: "9.0".to_owned(),
            entity: "Brickmere Treasury Ltd".to_owned(),
            system: "Treasury vault".to_owned(),
            designation: Designation::SelfCustody,
            designation_why: None,
            sought: 1,
            period: Period { from: to.minus_s(365 * DAY_S), to },
            first: false,
            parties: vec![
                party("eva", "Eva Entity", "Brickmere Treasury Ltd", Role::Entity, 1),
                party("ann", "Ann Auditor", "Alder Audit", Role::Auditor, 2),
                party("ida", "Ida Implementer", "Iron Works", Role::Implementer, 4),
                party("reg", "Reg Registrar", "Test registrar", Role::Registrar, 9),
            ],
            past: Vec::new(),
            readiness: None,
            contract: "contract 7".to_owned(),
            retention: "seven years, the auditor".to_owned(),
            signed_steps: Some(true),
        }
    }

    pub(in crate::audit::tests) fn signed(&self, what: &str, who: &str, digest: Digest) -> Signed {
        Signed { digest, signature: self.sign(what, who, &digest) }
    }

    fn sign(&self, what: &str, who: &str, digest: &Digest) -> Signature {
        let seed = PEOPLE.iter().find(|(person, _)| *person == who).unwrap().1;
        let message = to_sign("audit-1", what, who, digest).unwrap();
        Signature::from_bytes(key(seed).sign(message.as_bytes()).to_bytes())
    }

    pub(in crate::audit::tests) fn declaration(&self, who: &str) -> Declaration {
        let statements = vec!["I am independent of the other parties.".to_owned()];
        let body = digest_of(&statements).unwrap();
        Declaration { statements, signature: self.sign("declaration", who, &body) }
    }

    pub(in crate::audit::tests) fn sample(&self) -> Sample {
        let ids: Vec<String> = (0..12).map(|n| format!("drill {n}")).collect();
        let seed = Seed { text: "checkpoint 77".to_owned(), source: "the book".to_owned() };
        Sample {
            population: Ipe {
                of: "drills".to_owned(),
                source: "the book".to_owned(),
                query: "SELECT idx FROM BackupDrilled".to_owned(),
                count: 12,
                by: "the auditor".to_owned(),
                at: self.now,
            },
            digest: population_digest(&ids).unwrap(),
            rhythm: Some("monthly".to_owned()),
            risk: Risk::Low,
            rationale: "alike, by one program".to_owned(),
            chosen: draw(&ids, &seed, 3).unwrap(),
            seed,
        }
    }

    pub(in crate::audit::tests) fn found(&self, id: &str) -> Found {
        let none = || Slot::NotApplicable;
        let unsought = id == "x.2";
        let cites = |tag: &str| if unsought { none() } else { Slot::Cites(vec![tag.to_owned()]) };
        let statement = "Three drills of March, June and October were opened: sealed steel plates lay \
                         in a bank's box, its visitor book names two custodians each time.";
        Found {
            id: id.to_owned(),
            status: if unsought {
                Status::NotApplicable(NotApplicable::NotSought)
            } else {
                Status::InPlace
            },
            statement: if unsought { "Level not sought.".to_owned() } else { statement.to_owned() },
            rationale: None,
            slots: Slots {
                interviews: cites("INTERVIEW_1"),
                observations: none(),
                documents: cites("DOCUMENT_1"),
                inspections: none(),
                decisions: none(),
            },
            samples: if unsought { Vec::new() } else { vec!["drills".to_owned()] },
            machine: None,
        }
    }
}

pub(in crate::audit::tests) fn scope() -> Scope {
    let mut scope = whole();
    scope.systems[0].sought = 1;
    scope
}

pub(in crate::audit::tests) fn reviewer(
    person: &str,
    name: &str,
    firm: &str,
    seed: u8,
) -> Reviewer {
    Reviewer {
        person: person.to_owned(),
        name: name.to_owned(),
        number: "R-1".to_owned(),
        firm: firm.to_owned(),
        key: public(seed),
        steering: false,
    }
}

pub(in crate::audit::tests) fn options(list: &str) -> Options {
    let reviewers = vec![
        reviewer("rolf", "Rolf Reviewer", "Rowan Reviews", 3),
        reviewer("ray", "Ray Reviewer", "Alder  AUDIT", 5),
    ];
    Options { list: list.to_owned(), reviewers, past: Vec::new() }
}

pub(in crate::audit::tests) fn choice(list: &str, person: &str) -> Choice {
    Choice { list: list.to_owned(), person: person.to_owned() }
}
