//! When people are reminded of a case that waits for them: once at half of its time, and once more when a tenth is left.

use quorate_terms::{CaseId, Timestamp};
use serde::{Deserialize, Serialize};

/// How near its end a case is that waits for people.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nearing {
    /// Half of its time is gone.
    Half,
    /// A tenth of its time is left, or less.
    Tenth,
}

impl Nearing {
    /// How near its end a case stands that was filed and lapses so; none before half of its time, and none after its end.
    pub const fn of(filed_at: Timestamp, expires_at: Timestamp, now: Timestamp) -> Option<Self> {
        let (whole, left) = (expires_at.since(filed_at), expires_at.since(now));
        if left == 0 {
            None
        } else if left.saturating_mul(10) <= whole {
            Some(Self::Tenth)
        } else if left.saturating_mul(2) <= whole {
            Some(Self::Half)
        } else {
            None
        }
    }

    /// The rule of its alert.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Half => "case_waits",
            Self::Tenth => "case_ends_soon",
        }
    }

    /// What people are told.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Half => "half of its time is gone",
            Self::Tenth => "less than a tenth of its time is left",
        }
    }

    /// The reminder, and the case that it is about, of an alert with this rule and subject.
    pub(crate) fn read(rule: &str, subject: &str) -> Option<(Self, CaseId)> {
        let nearing = [Self::Half, Self::Tenth].into_iter().find(|one| one.rule() == rule)?;
        let case = subject.strip_prefix("case ")?.parse().ok()?;
        Some((nearing, CaseId::of_intent(case)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_and_a_tenth_of_any_time_are_told_and_nothing_after_its_end() {
        for (filed, expires, now, said) in [
            (0, 1_000, 0, None),
            (0, 1_000, 499, None),
            (0, 1_000, 500, Some(Nearing::Half)),
            (0, 1_000, 899, Some(Nearing::Half)),
            (0, 1_000, 900, Some(Nearing::Tenth)),
            (0, 1_000, 999, Some(Nearing::Tenth)),
            (0, 1_000, 1_000, None),
            (0, 1_000, 5_000, None),
            (7, 7, 7, None),
            (5_000, 1_000, 0, None),
        ] {
            let at = Timestamp::from_millis;
            assert_eq!(
                Nearing::of(at(filed), at(expires), at(now)),
                said,
                "{filed} {expires} {now}"
            );
        }
    }

    #[test]
    fn an_alert_is_read_back_as_the_reminder_that_it_is_and_no_other_alert_is_one() {
        let case = "ab".repeat(32);
        let read = Nearing::read("case_waits", &format!("case {case}")).unwrap();
        assert_eq!((read.0, read.1.to_string()), (Nearing::Half, case.clone()));
        for (rule, subject) in [
            ("clock_skew", format!("case {case}")),
            ("case_waits", case),
            ("case_ends_soon", "case x".to_owned()),
            ("case_ends_soon", "case ".to_owned()),
        ] {
            assert_eq!(Nearing::read(rule, &subject), None, "{rule} {subject}");
        }
    }
}
