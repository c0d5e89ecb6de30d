//! What is put on file.

use super::*;

impl World {
    pub(in crate::audit::tests) fn filing(&self, tag: &str, exhibit: Exhibit) -> Record {
        Record::ExhibitFiled(Box::new(Filing { tag: tag.to_owned(), exhibit }))
    }
}

pub(in crate::audit::tests) fn about(tag: &str) -> About {
    About { tag: tag.to_owned(), why: "to test it".to_owned() }
}

pub(in crate::audit::tests) fn file(name: &str, media: &str) -> FileEntry {
    FileEntry {
        name: name.to_owned(),
        digest: Digest::sha256(name.as_bytes()),
        size: 900,
        media: media.to_owned(),
    }
}

pub(in crate::audit::tests) fn document(now: Timestamp) -> Exhibit {
    let text = |t: &str| t.to_owned();
    Exhibit {
        item: Item::Document(Document {
            title: text("Backup policy"),
            purpose: text("says how copies are kept"),
            version: text("3"),
            place: text("cabinet nine"),
            findings: text("chapter two names boxes and people"),
            at: now.minus_s(30 * DAY_S),
            open: Vec::new(),
        }),
        owner: "Otto Owner".into(),
        represents: Period { from: now.minus_s(300 * DAY_S), to: now.minus_s(DAY_S) },
        expires: Some(now.plus_s(200 * DAY_S)),
        file: Some(file("backup-policy-v3.pdf", "application/pdf")),
        kept_there: None,
    }
}

pub(in crate::audit::tests) fn interview(now: Timestamp) -> Exhibit {
    let text = |t: &str| t.to_owned();
    Exhibit {
        item: Item::Interview(Interview {
            name: SECRET.into(),
            role: text("custodian"),
            place: text("by telephone"),
            duration: text("40 minutes"),
            topics: text("drills and the visitor book"),
            findings: "two people each time".into(),
            at: now.minus_s(DAY_S),
            open: Vec::new(),
        }),
        owner: "Otto Owner".into(),
        represents: Period { from: now.minus_s(300 * DAY_S), to: now.minus_s(DAY_S) },
        expires: None,
        file: None,
        kept_there: None,
    }
}

/// What the reviewer must never read in a good audit.
pub(in crate::audit::tests) fn secrets() -> BTreeSet<&'static str> {
    BTreeSet::from([
        SECRET,
        "by telephone",
        "cabinet nine",
        "Otto Owner",
        "backup-policy",
        "machine of Alba",
        "Bruno",
    ])
}
