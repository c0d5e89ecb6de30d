//! From what the office refuses to the one error contract of the doors.

use quorate_custody::Refusal;

use crate::errors::{Code, Complaint};

/// A refusal of the office as a complaint.
pub(super) fn complaint(refusal: &Refusal) -> Complaint {
    let code = match refusal.code.as_str() {
        "malformed" | "too_many_openings" => Code::InvalidInput,
        "key_reused" => Code::IdempotencyConflict,
        "unknown_case" | "no_case" => Code::CaseNotFound,
        "unknown_alert" | "unknown_entry" | "unknown_checklist" | "unknown_delegation" => {
            Code::PathNotFound
        }
        "frozen" => Code::Frozen,
        "not_witnessed" => Code::CosignerUnavailable,
        "unreadable" | "not_now" => Code::DeskUnavailable,
        "wrong_vault" | "bug" => Code::Internal,
        _ => Code::Refused,
    };
    let said = format!("{} ({}); {}", refusal.message, refusal.code, refusal.next);
    let complaint = Complaint::new(code, said);
    if complaint.retryable { complaint.after(2) } else { complaint }
}
