//! What is put on file, by the technique that gave it, with the fields that the technique must have.

use quorate_terms::commitment::Opening;
use quorate_terms::{Malformed, Timestamp};
use serde::{Deserialize, Serialize};

use super::file::FileEntry;
use super::personal::Personal;
use crate::ccss::Objection;
use crate::finding::Period;

/// Something on file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exhibit {
    /// What it is.
    pub item: Item,
    /// Who answers for it at the entity.
    pub owner: Personal,
    /// The time that it speaks about.
    pub represents: Period,
    /// The last day on which it may be relied on.
    pub expires: Option<Timestamp>,
    /// The file.
    pub file: Option<FileEntry>,
    /// Why there is no file: it may not leave the entity, so that only these fields are kept.
    pub kept_there: Option<String>,
}

macro_rules! item {
    ($name:ident, $doc:literal, { $($field:ident: $of:literal),* $(,)? }) => {
        item!($name, $doc, { $($field: $of),* } personal {});
    };
    ($name:ident, $doc:literal, { $($field:ident: $of:literal),* $(,)? }
        personal { $($about:ident: $who:literal),* $(,)? }) => {
        #[doc = $doc]
        #[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(#[doc = $of] pub $field: String,)*
            $(#[doc = $who] pub $about: Personal,)*
            /// When.
            pub at: Timestamp,
            /// What is still open; empty when nothing is.
            pub open: Vec<String>,
        }

        impl $name {
            /// Every text with its name; what is committed is not blank.
            fn fields(&self) -> Vec<(&'static str, &str)> {
                vec![
                    $((stringify!($field), self.$field.as_str()),)*
                    $((stringify!($about), self.$about.plain().unwrap_or("committed")),)*
                ]
            }

            fn personal(&self) -> Vec<(&'static str, &Personal)> {
                vec![$((stringify!($about), &self.$about)),*]
            }

            fn personal_mut(&mut self) -> Vec<(&'static str, &mut Personal)> {
                vec![$((stringify!($about), &mut self.$about)),*]
            }
        }
    };
}

item!(Document, "A policy, standard or procedure. `at` is its last review.", {
    title: "Its title.", purpose: "What for.", version: "Its version.", place: "Where it is kept.",
    findings: "What was found in it.",
});
item!(BusinessRecord, "What daily business left behind. `at` is when it was generated.", {
    name: "Its name.", how: "How it was generated.", roles: "By which roles.", purpose: "What for.",
    findings: "What was found in it.",
});
item!(Observation, "Something that was watched.", {
    process: "The process.", document: "The document that governs it.", place: "Where.", outcome: "What came out.",
} personal {
    who: "Who, by name and role.",
});
item!(Interview, "Something that was asked.", {
    role: "As what.", place: "Where.", duration: "How long.", topics: "About what.",
} personal {
    name: "Whom.", findings: "What was said.",
});
item!(Inspection, "Settings or a place that was looked at.", {
    system: "The system or place.", data: "Where the data sits.", findings: "What was found.",
} personal {
    access: "Who gave access.",
});
item!(Reperformance, "Something that the auditor did again.", {
    process: "The process.", authority: "The written authority.", description: "What was done.",
    outputs: "What came out.", findings: "What follows.",
});
item!(CommitteeAnswer, "How the steering committee answered a question.", {
    question: "What was asked.", answer: "What was decided.", reference: "Where it can be found.",
});

/// What an exhibit is. Each kind has the fields that an auditor must record at least.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// `DOCUMENT_n`.
    Document(Document),
    /// `DOCUMENT_n`.
    Record(BusinessRecord),
    /// `OBSERVATION_n`.
    Observation(Observation),
    /// `OBSERVATION_n`.
    Reperformance(Reperformance),
    /// `INTERVIEW_n`.
    Interview(Interview),
    /// `INSPECTION_n`.
    Inspection(Inspection),
    /// `DECISION_n`.
    Decision(CommitteeAnswer),
}

impl Item {
    /// The word before the number in its tag.
    pub const fn family(&self) -> &'static str {
        match self {
            Self::Document(_) | Self::Record(_) => "DOCUMENT",
            Self::Observation(_) | Self::Reperformance(_) => "OBSERVATION",
            Self::Interview(_) => "INTERVIEW",
            Self::Inspection(_) => "INSPECTION",
            Self::Decision(_) => "DECISION",
        }
    }

    const fn at(&self) -> Timestamp {
        match self {
            Self::Document(x) => x.at,
            Self::Record(x) => x.at,
            Self::Observation(x) => x.at,
            Self::Reperformance(x) => x.at,
            Self::Interview(x) => x.at,
            Self::Inspection(x) => x.at,
            Self::Decision(x) => x.at,
        }
    }

    fn fields(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Document(x) => x.fields(),
            Self::Record(x) => x.fields(),
            Self::Observation(x) => x.fields(),
            Self::Reperformance(x) => x.fields(),
            Self::Interview(x) => x.fields(),
            Self::Inspection(x) => x.fields(),
            Self::Decision(x) => x.fields(),
        }
    }

    fn personal(&self) -> Vec<(&'static str, &Personal)> {
        match self {
            Self::Document(x) => x.personal(),
            Self::Record(x) => x.personal(),
            Self::Observation(x) => x.personal(),
            Self::Reperformance(x) => x.personal(),
            Self::Interview(x) => x.personal(),
            Self::Inspection(x) => x.personal(),
            Self::Decision(x) => x.personal(),
        }
    }

    fn personal_mut(&mut self) -> Vec<(&'static str, &mut Personal)> {
        match self {
            Self::Document(x) => x.personal_mut(),
            Self::Record(x) => x.personal_mut(),
            Self::Observation(x) => x.personal_mut(),
            Self::Reperformance(x) => x.personal_mut(),
            Self::Interview(x) => x.personal_mut(),
            Self::Inspection(x) => x.personal_mut(),
            Self::Decision(x) => x.personal_mut(),
        }
    }

    /// Documents and records are kept as files, or it is said why not.
    const fn wants_file(&self) -> bool {
        matches!(self, Self::Document(_) | Self::Record(_))
    }
}

impl Exhibit {
    /// Its values about people, by name.
    pub fn personal(&self) -> Vec<(&'static str, &Personal)> {
        let mut all = self.item.personal();
        all.push(("owner", &self.owner));
        all
    }

    /// Puts a commitment in the place of each value about a person. `salt` draws 128 random bits.
    ///
    /// # Errors
    /// [`Malformed`] naming a value that is too long.
    pub fn commit(
        &mut self,
        salt: &mut dyn FnMut() -> [u8; 16],
    ) -> Result<Vec<Opening>, Malformed> {
        let mut openings = Vec::new();
        let owner = ("owner", &mut self.owner);
        for (name, value) in self.item.personal_mut().into_iter().chain([owner]) {
            openings.extend(value.commit(&format!("exhibit.{name}"), salt())?);
        }
        Ok(openings)
    }

    /// What it lacks. What is dated after today is a promise, and a promise is not evidence.
    pub fn objections(&self, now: Timestamp) -> Vec<Objection> {
        let mut found = Vec::new();
        let bad = |why: String, mend: &str| Objection::new("exhibit_is_whole", why, mend);
        let blank = |text: &str| text.trim().is_empty();
        for (field, _) in self.item.fields().into_iter().filter(|(_, text)| blank(text)) {
            found
                .push(bad(format!("its {field} is empty"), "record it: the technique asks for it"));
        }
        if self.owner.plain().is_some_and(blank) {
            found.push(bad("nobody answers for it".to_owned(), "name its owner"));
        }
        if self.item.at() == Timestamp::ZERO || self.item.at() > now || self.represents.to > now {
            found.push(bad(
                "it is undated, or dated after today".to_owned(),
                "file what is, not what will be",
            ));
        }
        if self.represents.from > self.represents.to {
            found.push(bad(
                "the time that it speaks about runs backwards".to_owned(),
                "mend the dates",
            ));
        }
        if self.expires.is_some_and(|until| until <= now) {
            found.push(bad("it has expired".to_owned(), "ask for the present one"));
        }
        let said = self.kept_there.as_ref().is_some_and(|why| !blank(why));
        if self.file.is_some() == self.kept_there.is_some() && (self.item.wants_file() || said) {
            let why = "it needs a file, or why it may not leave the entity, and not both";
            found.push(bad(why.to_owned(), "add the file, or say why there is none"));
        }
        found
    }
}
