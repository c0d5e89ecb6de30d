//! What was proven, what is false, and what nobody has shown: one line each, for people and for programs.

use serde::Serialize;

/// How wide the words of a finding may run.
const WORDS_WIDTH: usize = 76;
/// How wide the name of a check is written.
const CHECK_WIDTH: usize = 14;

/// What became of one check.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// It holds, by signatures and hashes.
    Proven,
    /// It is false.
    Refuted,
    /// It is not in what was given. Not an accusation.
    NotShown,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Refuted => "REFUTED",
            Self::NotShown => "not shown",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::Proven => "\u{1b}[32m",
            Self::Refuted => "\u{1b}[1;31m",
            Self::NotShown => "\u{1b}[33m",
        }
    }
}

/// One check and its outcome.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) check: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) says: String,
}

/// Everything that one question came to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    subject: String,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Answer<'a> {
    result: &'static str,
    #[serde(flatten)]
    report: &'a Report,
}

impl Report {
    pub(crate) fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), findings: Vec::new() }
    }

    pub(crate) fn proven(&mut self, check: &'static str, says: impl Into<String>) {
        self.add(check, Verdict::Proven, says.into());
    }

    pub(crate) fn refuted(&mut self, check: &'static str, says: impl Into<String>) {
        self.add(check, Verdict::Refuted, says.into());
    }

    pub(crate) fn not_shown(&mut self, check: &'static str, says: impl Into<String>) {
        self.add(check, Verdict::NotShown, says.into());
    }

    /// Records a check that either proves something or refutes it.
    pub(crate) fn record(&mut self, check: &'static str, outcome: Result<String, String>) {
        match outcome {
            Ok(says) => self.proven(check, says),
            Err(says) => self.refuted(check, says),
        }
    }

    fn add(&mut self, check: &'static str, verdict: Verdict, says: String) {
        // Text from outside must not move a reader's cursor.
        let says = says.chars().filter(|c| !c.is_control()).collect();
        self.findings.push(Finding { check, verdict, says });
    }

    /// Whether any claim is false, or nothing at all was proven.
    pub(crate) fn is_refuted(&self) -> bool {
        let refuted = |f: &Finding| f.verdict == Verdict::Refuted;
        self.findings.is_empty() || self.findings.iter().any(refuted)
    }

    #[cfg(test)]
    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    pub(crate) fn to_json(&self) -> String {
        let result = if self.is_refuted() { "refuted" } else { "proven" };
        let text = serde_json::to_string_pretty(&Answer { result, report: self });
        text.map_or_else(
            |e| format!("{{\"result\":\"refuted\",\"error\":\"{e}\"}}\n"),
            |t| t + "\n",
        )
    }

    pub(crate) fn to_text(&self, colours: bool) -> String {
        let paint = |verdict: Verdict, text: String| {
            if colours { format!("{}{text}\u{1b}[0m", verdict.colour()) } else { text }
        };
        let (verdict, words) = if self.is_refuted() {
            (Verdict::Refuted, "REFUTED: do not rely on it")
        } else {
            (Verdict::Proven, "proven")
        };
        let mut text = format!("{}: {}\n\n", self.subject, paint(verdict, words.to_owned()));
        for finding in &self.findings {
            let word = paint(finding.verdict, format!("{:<9}", finding.verdict.word()));
            let mut lines = wrap(&finding.says).into_iter();
            let first = lines.next().unwrap_or_default();
            text.push_str(&format!("  {word}  {:<CHECK_WIDTH$}  {first}\n", finding.check));
            for line in lines {
                text.push_str(&format!("  {:9}  {:CHECK_WIDTH$}  {line}\n", "", ""));
            }
        }
        text
    }
}

fn wrap(says: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in says.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len().saturating_add(word.len()) < WORDS_WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_refuted_claim_refutes_the_whole() {
        let mut report = Report::new("x");
        assert!(report.is_refuted(), "nothing proven is nothing");
        report.proven("a", "yes");
        report.not_shown("b", "perhaps");
        assert!(!report.is_refuted());
        report.refuted("c", "no");
        assert!(report.is_refuted());
        assert!(report.to_json().contains("\"result\": \"refuted\""));
    }

    #[test]
    fn text_is_aligned_and_coloured_only_when_asked() {
        let mut report = Report::new("x");
        report.proven("chain", "word ".repeat(40));
        let plain = report.to_text(false);
        assert!(!plain.contains('\u{1b}') && report.to_text(true).contains("\u{1b}[32m"));
        let columns: Vec<_> = plain.lines().skip(2).map(|l| l.find("word")).collect();
        assert!(columns.len() > 2 && columns.iter().all(|c| *c == columns[0]), "{plain}");
    }

    #[test]
    fn control_characters_from_outside_are_dropped() {
        let mut report = Report::new("x");
        report.refuted("a", "\u{1b}[2Jgone\r\n");
        assert_eq!(report.findings()[0].says, "[2Jgone");
    }
}
