//! Two delegations before anything is guessed: one that stands, so that it can be looked at and ended, and one that is asked for
//! over the API, because no description names keys and a time that lies ahead.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::Done;
use crate::run;
use crate::stage::{Stage, http_status, text};

/// Somebody stands in for one seat, and somebody else is asked to for another.
pub(super) fn begin(stage: &Stage, token_file: &str) -> Done {
    stage.enrol_stand_in("sam", "ann")?;
    let file = stage.at("approvers/sam/enrolment.json");
    let words = ["delegation", "new", "--enrolment", &file, "--for", "7d", "--name", "leave"];
    let case = text(&stage.desk(&words)?, "/case")?;
    stage.agree(&case)?;
    stage.done(&case)?;
    stage.enrol_stand_in("sue", "bo")?;
    let token = run::read(token_file.as_ref())?;
    let bearer = format!("Bearer {}", token.trim());
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "stand-in")];
    let url = format!("http://{}/api/v1/delegations", stage.address("http"));
    for (days, expected) in [(31, 400), (7, 200)] {
        let status = http_status(&url, &headers, &asked(stage, "sue", days)?.to_string())?;
        if status != expected {
            return Err(format!("a delegation of {days} days was answered {status} by the API"));
        }
    }
    Ok(())
}

/// What the API is asked, of an enrolment.
fn asked(stage: &Stage, who: &str, days: u64) -> Done<Value> {
    let file = stage.room.join(format!("approvers/{who}/enrolment.json"));
    let mut seat: Value = serde_json::from_str(&run::read(&file)?).map_err(|e| e.to_string())?;
    let fields = seat.as_object_mut().ok_or("the enrolment is no object")?;
    fields.remove("device");
    let approver = fields.remove("approver").ok_or("the enrolment names no seat")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|e| e.to_string())?;
    let from = u64::try_from(now.as_millis()).map_err(|e| e.to_string())?;
    let until = from.saturating_add(days.saturating_mul(86_400_000));
    Ok(json!({ "delegation": {
        "id": "leave-2", "seat": approver, "stand_in": seat, "from": from, "until": until, "above": null,
    } }))
}
