//! Papers at the end: report and copy, summary, request, what registrars sign.

use super::*;

impl World {
    pub(in crate::audit::tests) fn report(&self) -> Digest {
        self.audit.report_digest(&self.requirements).unwrap()
    }

    pub(in crate::audit::tests) fn redaction(&self) -> Redaction {
        let whole = report::report(&self.audit, &self.requirements);
        let musts = self
            .workflow
            .text
            .redact
            .iter()
            .filter(|must| !redact::places(&whole, &must.at).is_empty());
        let wishes: Vec<Wish> = musts
            .map(|must| Wish { at: must.at.clone(), commit: true, why: "confidential".to_owned() })
            .collect();
        let mut next = 0;
        let made = redact(&whole, &wishes, &self.openings, &mut || {
            next += 1;
            [next; 16]
        });
        let made = made.map_err(|e| e.to_string()).unwrap();
        Redaction {
            report: self.report(),
            strokes: made.strokes,
            copy: digest_of(&made.copy).unwrap(),
        }
    }

    pub(in crate::audit::tests) fn copy(&self) -> Digest {
        self.audit.redaction.as_ref().unwrap().copy
    }

    pub(in crate::audit::tests) fn summary(&self) -> Summary {
        let e = self.audit.engagement().unwrap();
        let grade = self.audit.grade(&self.requirements);
        Summary {
            entity: e.entity.clone(),
            standard: e.standard.clone(),
            version: e.version.clone(),
            system: e.system.clone(),
            designation: e.designation,
            sought: e.sought,
            level: grade.level.min(1),
            aspects: grade
                .aspects
                .iter()
                .map(|(id, a)| (id.clone(), a.level.min(1)))
                .collect::<BTreeMap<_, _>>(),
            description: "two cosigners".to_owned(),
            period: e.period,
            auditor: "Ann Auditor (A-1)".to_owned(),
            reviewer: self.audit.reviewer.as_ref().map(|_| "Rolf Reviewer (R-1)".to_owned()),
            report: self.audit.report.unwrap(),
            on: self.now,
        }
    }

    pub(in crate::audit::tests) fn request(&self) -> Request {
        Request {
            summary: digest_of(self.audit.summary.as_ref().unwrap()).unwrap(),
            website: "brickmere.example".to_owned(),
            contact: "security@brickmere.example".to_owned(),
            system: "Treasury vault".to_owned(),
            logo: file("logo.png", "image/png"),
            logo_width: 512,
            logo_height: 512,
            unlapsed: false,
            currency: "USD".to_owned(),
            fee_cents: 25_000,
            copied_to: "rolf".to_owned(),
        }
    }

    pub(in crate::audit::tests) fn certificate(&self) -> Certificate {
        let e = self.audit.engagement().unwrap();
        Certificate {
            v: 1,
            number: "C-1".to_owned(),
            entity: e.entity.clone(),
            system: e.system.clone(),
            standard: e.standard.clone(),
            version: e.version.clone(),
            designation: e.designation,
            level: 1,
            summary: self
                .audit
                .summary
                .as_ref()
                .map_or(Digest::sha256(b""), |s| digest_of(s).unwrap()),
            valid_from: self.now,
            valid_until: self.now.plus_s(365 * DAY_S),
        }
    }

    pub(in crate::audit::tests) fn accreditation(&self) -> Accreditation {
        Accreditation {
            v: 1,
            number: "A-1".to_owned(),
            name: "Ann Auditor".to_owned(),
            key: public(2),
            standard: "wd".to_owned(),
            valid_from: self.now.minus_s(DAY_S),
            valid_until: self.now.plus_s(300 * DAY_S),
        }
    }

    pub(in crate::audit::tests) fn mark(&self, seeds: &[u8]) -> Envelope {
        let seed = *seeds.last().unwrap();
        let e = self.audit.engagement().unwrap();
        let signatory =
            |name: &str, seed| claim::Signatory { name: name.to_owned(), key: public(seed) };
        let claim = Claim {
            v: 1,
            mark: "M-1".to_owned(),
            standard: claim::Standard {
                id: e.standard.clone(),
                version: e.version.clone(),
                digest: Digest::sha256(b"catalogue"),
                official: false,
            },
            level: "Baseline".to_owned(),
            scope: claim::Scope {
                entity: e.entity.clone(),
                system: e.system.clone(),
                designation: None,
                description: "two cosigners".to_owned(),
            },
            exclusions: Vec::new(),
            assessor: signatory("Ann Auditor", 2),
            issuer: signatory("Test registrar", seed),
            period: e.period,
            heads: Vec::new(),
            assessed_on: self.now,
            valid_from: self.now,
            valid_until: self.now.plus_s(365 * DAY_S),
            status: claim::StatusRef { list: "list".to_owned(), place: 0 },
            certificate: None,
        };
        signed_by_all(IN_TOTO, &Statement::new(claim, b"results").unwrap(), seeds)
    }
}

pub(in crate::audit::tests) fn sealed_certificate(certificate: &Certificate, seed: u8) -> Record {
    Record::Certified(Sealed { envelope: envelope(CERTIFICATE, certificate, seed) })
}
