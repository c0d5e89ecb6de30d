//! What a `doctor` found: what was looked at, how grave it is, and how to mend it. Every program tells it in this form.

use serde::Serialize;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::ui::{Table, Tone, Ui};

/// How grave a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warn,
    /// It does not work, or is not safe.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Finding {
    grade: Grade,
    what: String,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

/// What a program's own error says in a finding.
pub trait Complaint {
    /// What is wrong, one lower-case line.
    fn found(&self) -> String;
    /// What to do next, one lower-case line.
    fn mend(&self) -> String;
}

impl Complaint for Fault {
    fn found(&self) -> String {
        format!("{}: {}", self.what(), self.why())
    }

    fn mend(&self) -> String {
        Self::mend(self).to_owned()
    }
}

/// Findings in the order in which they were made.
#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Something is as it should be.
    pub fn ok(&mut self, what: impl Into<String>, found: impl Into<String>) {
        let (what, found) = (what.into(), found.into());
        self.0.push(Finding { grade: Grade::Ok, what, found, mend: None });
    }

    /// Something is not as it should be, and this mends it.
    pub fn add(
        &mut self,
        grade: Grade,
        what: impl Into<String>,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let (what, found) = (what.into(), found.into());
        self.0.push(Finding { grade, what, found, mend: Some(mend.into()) });
    }

    /// An error that stands in the way.
    pub fn bad(&mut self, what: impl Into<String>, complaint: &impl Complaint) {
        self.add(Grade::Bad, what, complaint.found(), complaint.mend());
    }

    /// What went well, to go on with; what did not is a finding.
    pub fn take<T, E: Complaint>(&mut self, what: &str, outcome: Result<T, E>) -> Option<T> {
        outcome.map_err(|complaint| self.bad(what, &complaint)).ok()
    }

    /// As [`Findings::take`]; what went well is a finding too, in the words of `found`.
    pub fn note<T, E: Complaint>(
        &mut self,
        what: &str,
        outcome: Result<T, E>,
        found: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        self.take(what, outcome).inspect(|value| self.ok(what, found(value)))
    }

    /// Whether nothing is bad.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.0.iter().all(|finding| finding.grade != Grade::Bad)
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({ "healthy": self.is_healthy(), "findings": self.0 })
    }

    /// For people: a line each, the first word of it in its colour.
    #[must_use]
    pub fn text(&self, ui: &Ui) -> String {
        let mut table = Table::default();
        for Finding { grade, what, found, mend } in &self.0 {
            let found = match mend {
                Some(mend) => format!("{found}; {mend}"),
                None => found.clone(),
            };
            table.row([grade.word(), what, &found]);
        }
        // Coloured once the columns are in line: a colour's own characters take no room on a screen.
        let lines = table.to_string();
        let toned = lines.lines().zip(&self.0).map(|(line, finding)| {
            let word = finding.grade.word();
            let rest = line.strip_prefix(word).unwrap_or(line);
            format!("{}{rest}\n", ui.tone(finding.grade.tone(), word))
        });
        toned.collect()
    }

    /// Gives the answer of a `doctor`, and whether all is healthy.
    ///
    /// # Errors
    /// As [`Ui::answer`].
    pub fn answer(&self, ui: &Ui) -> Result<bool, Fault> {
        ui.answer(&self.json(), self.text(ui))?;
        Ok(self.is_healthy())
    }
}

impl Grade {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Ok => Tone::Good,
            Self::Warn => Tone::Wait,
            Self::Bad => Tone::Bad,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_healthy_and_an_error_is_not() {
        let mut found = Findings::default();
        found.add(Grade::Warn, "clock", "is off by 3 s", "set it by NTP");
        assert!(found.is_healthy());
        let fault = Fault::new("key", "is open to others", "chmod 600 key");
        let taken = found.note("key", Err::<u8, _>(fault), u8::to_string);
        assert!(taken.is_none() && !found.is_healthy());
        assert_eq!(
            found.json(),
            json!({ "healthy": false, "findings": [
                { "grade": "warn", "what": "clock", "found": "is off by 3 s", "mend": "set it by NTP" },
                { "grade": "bad", "what": "key", "found": "key: is open to others", "mend": "chmod 600 key" },
            ] })
        );
    }

    #[test]
    fn findings_are_lines_in_columns_with_the_mend_at_the_end() {
        let mut found = Findings::default();
        assert_eq!(found.note("keys", Ok::<_, Fault>(2), |n| format!("{n} open")), Some(2));
        found.add(Grade::Bad, "ok or not", "no\nnewline", "look");
        let text = found.text(&Ui::new(false, true));
        assert_eq!(text, "ok   keys       2 open\nbad  ok or not  no\\u{a}newline; look\n");
    }
}
