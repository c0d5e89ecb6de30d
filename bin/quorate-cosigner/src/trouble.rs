//! Turning what others refuse into one line for the operator.

use quorate_custody::Refusal;
use quorate_host::Fault;
use quorate_host::store::AppendError;
use quorate_terms::Malformed;

/// A fault of `what`.
pub(crate) fn fault(what: &str, why: &str, mend: &str) -> Fault {
    Fault::new(what, why, mend)
}

/// A refusal of the core, as it ends a command.
pub(crate) fn refused(what: &str, refusal: &Refusal) -> Fault {
    Fault::new(what, format!("{} ({})", refusal.message, refusal.code), refusal.next.clone())
}

/// Bytes that are not what they claim to be.
pub(crate) fn malformed(what: &str, error: &Malformed) -> Fault {
    Fault::new(what, format!("`{}` {}", error.field(), error.why()), error.mend())
}

/// An append that was not made.
pub(crate) fn not_appended(error: AppendError) -> Fault {
    match error {
        AppendError::Fault(fault) => fault,
        AppendError::Full => Fault::new(
            "ledger",
            "the disk takes no writes",
            "free space, then start this cosigner again; nothing was signed without its record",
        ),
        other => Fault::new("ledger", other.to_string(), "start this cosigner again"),
    }
}
