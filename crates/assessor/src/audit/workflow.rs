//! A workflow as data: stages, steps, who may take them, what must stand before, deadlines, fees, tables.

use std::collections::BTreeSet;

use quorate_terms::{Digest, Malformed};
use serde::{Deserialize, Serialize};

use super::echo::EchoRule;
use super::file::FileRules;
use super::guards;
use super::record::KINDS;
use super::view::Part;
use crate::ccss::fee::Fees;
use crate::ccss::period::PeriodRule;
use crate::ccss::sampling::Table;

/// The longest workflow that is read, in bytes.
pub const WORKFLOW_BYTES_MAX: usize = 256 * 1024;

/// Who takes part. What each is called, may do and sees is data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The audited body.
    Entity,
    /// Who helped to build what is audited.
    Implementer,
    /// Who audits.
    Auditor,
    /// A peer who reads the redacted report and nothing else.
    Reviewer,
    /// Who keeps the programme and signs certificates, accreditations or marks.
    Registrar,
}

/// One workflow, read and checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Workflow {
    /// What the file says.
    pub text: Text,
    /// SHA-256 of the file; an engagement binds it.
    pub digest: Digest,
}

/// The file's form.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Its id.
    pub id: String,
    /// For people.
    pub title: String,
    /// The standard whose audits it runs.
    pub standard: String,
    /// Where it comes from and how far to trust it.
    pub source: String,
    /// How long the testing period is.
    pub period: PeriodRule,
    /// The numbers of the conflict rules.
    pub conflicts: Conflicts,
    /// When a finding counts as an echo.
    pub echo: EchoRule,
    /// Which files are taken.
    pub files: FileRules,
    /// The price list, where the programme has one.
    pub fees: Option<Fees>,
    /// The sampling table.
    pub sampling: Table,
    /// What each role is called and sees.
    pub role: Vec<RoleText>,
    /// Stages in order; the first is where an audit begins.
    pub stage: Vec<Stage>,
    /// Steps.
    pub step: Vec<StepText>,
    /// Deadlines.
    #[serde(default)]
    pub deadline: Vec<Deadline>,
    /// What must not stand in a redacted copy, by JSON pointer into the report; `*` is any key or place.
    #[serde(default)]
    pub redact: Vec<Must>,
}

/// The numbers of the conflict rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conflicts {
    /// How long a reviewer may not review the same entity again.
    pub same_entity_months: u32,
    /// How many of a system's next audits its auditor may not review.
    pub cooling_audits: usize,
}

/// One role.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleText {
    /// Which.
    pub id: Role,
    /// What this programme calls it.
    pub title: String,
    /// What it sees.
    pub sees: BTreeSet<Part>,
}

/// One stage.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Its id.
    pub id: String,
    /// For people.
    pub title: String,
}

/// One step: a kind of record, who may write it, when, and what must stand before.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepText {
    /// The kind of record.
    pub act: String,
    /// Who may.
    pub roles: BTreeSet<Role>,
    /// In which stages.
    pub stages: BTreeSet<String>,
    /// What must stand before, by the names in [`guards`].
    #[serde(default)]
    pub guards: Vec<String>,
    /// The stage that follows; none stays.
    pub next: Option<String>,
}

/// One deadline.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// Its id.
    pub id: String,
    /// For people.
    pub title: String,
    /// The kind of record that starts it.
    pub from: String,
    /// The kind of record that ends it; none is an appointment.
    pub until: Option<String>,
    /// Calendar months from there.
    #[serde(default)]
    pub months: u32,
    /// Working days from there.
    #[serde(default)]
    pub working_days: u32,
}

/// A place that must be redacted.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Must {
    /// JSON pointer with `*`.
    pub at: String,
    /// Why.
    pub why: String,
}

impl Workflow {
    /// Reads and checks a workflow.
    ///
    /// # Errors
    /// [`Malformed`] for text that is no workflow, for stages, acts and guards that nobody knows, for a reviewer who would
    /// see more than the redacted copy, and for an implementer who would see more than his own part.
    pub fn from_toml(text: &str) -> Result<Self, Malformed> {
        if text.len() > WORKFLOW_BYTES_MAX {
            return Err(bad("workflow", "is too large"));
        }
        let digest = Digest::sha256(text.as_bytes());
        let text: Text = toml::from_str(text)
            .map_err(|e| bad("workflow", &format!("cannot be read ({})", e.message())))?;
        text.check()?;
        Ok(Self { text, digest })
    }

    /// The step for a kind of record.
    pub fn step(&self, act: &str) -> Option<&StepText> {
        self.text.step.iter().find(|step| step.act == act)
    }

    /// What a role is called and sees.
    pub fn role(&self, role: Role) -> Option<&RoleText> {
        self.text.role.iter().find(|text| text.id == role)
    }

    /// Where an audit begins.
    pub fn first_stage(&self) -> &str {
        self.text.stage.first().map_or("", |stage| stage.id.as_str())
    }
}

impl Text {
    fn check(&self) -> Result<(), Malformed> {
        let stages: BTreeSet<&str> = self.stage.iter().map(|stage| stage.id.as_str()).collect();
        if stages.is_empty() || stages.len() != self.stage.len() {
            return Err(bad("workflow.stage", "names none, or one twice"));
        }
        let acts: BTreeSet<&str> = self.step.iter().map(|step| step.act.as_str()).collect();
        if acts.len() != self.step.len() {
            return Err(bad("workflow.step", "names one act twice"));
        }
        for step in &self.step {
            step.check(&stages)?;
        }
        for deadline in &self.deadline {
            for act in [Some(&deadline.from), deadline.until.as_ref()].into_iter().flatten() {
                if !acts.contains(act.as_str()) {
                    return Err(bad("workflow.deadline", &format!("{act} is no step of it")));
                }
            }
        }
        let roles: BTreeSet<Role> = self.role.iter().map(|role| role.id).collect();
        if roles.len() != self.role.len() {
            return Err(bad("workflow.role", "names one role twice"));
        }
        self.role.iter().try_for_each(RoleText::check)
    }
}

impl StepText {
    fn check(&self, stages: &BTreeSet<&str>) -> Result<(), Malformed> {
        let act = &self.act;
        if !KINDS.contains(&act.as_str()) {
            return Err(bad("workflow.step", &format!("nobody knows the act {act}")));
        }
        if self.roles.is_empty() || self.stages.is_empty() {
            return Err(bad("workflow.step", &format!("{act} names no role or no stage")));
        }
        let mut named = self.stages.iter().chain(&self.next);
        if let Some(stage) = named.find(|stage| !stages.contains(stage.as_str())) {
            return Err(bad(
                "workflow.step",
                &format!("{act} names stage {stage}, which is not listed"),
            ));
        }
        if let Some(guard) = self.guards.iter().find(|guard| guards::named(guard).is_none()) {
            return Err(bad(
                "workflow.step",
                &format!("{act} names guard {guard}, which nobody knows"),
            ));
        }
        Ok(())
    }
}

impl RoleText {
    fn check(&self) -> Result<(), Malformed> {
        let barred: &[Part] = match self.id {
            Role::Reviewer => &[Part::Exhibits, Part::Findings, Part::Samples, Part::Report],
            Role::Registrar => {
                &[Part::Exhibits, Part::Findings, Part::Samples, Part::Report, Part::Review]
            }
            Role::Implementer => &[Part::Exhibits, Part::Review, Part::Redacted],
            Role::Entity => &[Part::Review],
            Role::Auditor => &[],
        };
        match barred.iter().find(|part| self.sees.contains(*part)) {
            Some(part) => Err(bad("workflow.role", &format!("{:?} may not see {part:?}", self.id))),
            None => Ok(()),
        }
    }
}

fn bad(field: &str, why: &str) -> Malformed {
    Malformed::new(field, why, "mend the workflow file")
}
