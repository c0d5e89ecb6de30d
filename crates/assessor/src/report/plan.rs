//! Who mends what until when: a plan for gaps, as people write it.

use std::collections::BTreeMap;

use quorate_terms::Malformed;
use serde::{Deserialize, Serialize};

use crate::standard::Catalogue;

/// The most steps of one plan.
const STEPS_MAX: usize = 2_000;
/// The longest text of one field, in bytes.
const TEXT_BYTES_MAX: usize = 2_000;

/// A plan: one step for each control.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The steps.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
}

/// What is done about one control.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The control's id.
    pub control: String,
    /// Who answers for it.
    pub owner: String,
    /// The day by which it is done, as 2026-12-31.
    pub due: String,
    /// What will be done.
    pub action: String,
}

impl Plan {
    /// Reads a plan and checks it against the catalogue that it is about.
    ///
    /// # Errors
    /// [`Malformed`] naming the step: a control that is not in the catalogue or stands twice, a day that is none, a text
    /// that is empty or too long.
    pub fn from_toml(toml: &str, catalogue: &Catalogue) -> Result<Self, Malformed> {
        let plan: Self = toml::from_str(toml).map_err(|e| {
            let mend = "write [[step]] with control, owner, due and action";
            Malformed::new("plan", format!("cannot be read ({})", e.message()), mend)
        })?;
        if plan.steps.len() > STEPS_MAX {
            return Err(Malformed::new(
                "plan",
                "has too many steps",
                "plan one standard at a time",
            ));
        }
        let mut seen = BTreeMap::new();
        for step in &plan.steps {
            let bad = |why: &str, mend: &str| {
                Malformed::new(format!("step {}", super::text::cut(&step.control, 40)), why, mend)
            };
            if catalogue.control(&step.control).is_none() {
                return Err(bad("is about no control of this standard", "mend the id"));
            }
            if seen.insert(step.control.as_str(), ()).is_some() {
                return Err(bad("stands twice", "give one step for each control"));
            }
            if step.due.parse::<jiff::civil::Date>().is_err() || step.due.len() != 10 {
                return Err(bad("has a day that is none", "write it as 2026-12-31"));
            }
            let texts = [&step.owner, &step.action];
            if texts.iter().any(|t| t.trim().is_empty() || t.len() > TEXT_BYTES_MAX) {
                return Err(bad(
                    "has an owner or action that is empty or too long",
                    "say who does what",
                ));
            }
        }
        Ok(plan)
    }

    /// The step for a control.
    pub fn of(&self, control: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.control == control)
    }
}
