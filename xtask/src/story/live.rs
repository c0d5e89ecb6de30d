//! Acts on the deployment of the story that break a control: real payments, real policies, real machines.

use serde::Deserialize;
use serde_json::json;

use super::machines;
use super::readiness::Statement;
use super::year::{self, Door, SUPPLIERS};
use crate::Done;
use crate::stage::Stage;

/// One act.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Act {
    /// An agent pays somebody who is not in the address book, as much as the policy lets it.
    PayAStranger,
    /// The policy lets approvals live for two days, and somebody signs one that does.
    ApproveForTwoDays,
    /// A share is moved to the machine of the other; the old machine is wiped.
    MoveToOneMachine,
}

impl Act {
    /// Does it. Gives what people have to say of it besides.
    pub(super) fn done(self, stage: &mut Stage) -> Done<Vec<Statement>> {
        match self {
            Self::PayAStranger => pay_a_stranger(stage).map(|()| Vec::new()),
            Self::ApproveForTwoDays => approve_for_two_days(stage).map(|()| Vec::new()),
            Self::MoveToOneMachine => {
                machines::move_to(stage, "west", year::EAST_2)?;
                stage.kill("west");
                stage.start("west")?;
                machines::wiped(stage)
            }
        }
    }
}

const STRANGER: &str = "0x00000000000000000000000000000000005a1e99";

fn pay_a_stranger(stage: &Stage) -> Done {
    let door = Door::opened(stage, "hasty")?;
    let case = door.send(stage, STRANGER, 20, "to-a-stranger")?;
    stage.done(&case)?;
    door.closed(stage)
}

fn approve_for_two_days(stage: &Stage) -> Done {
    let two_days = 172_800_u32;
    year::change_policy(stage, "lax", |policy| {
        let ttl = policy.pointer_mut("/limits/approval_ttl_s").ok_or("the policy has no limits")?;
        *ttl = json!(two_days);
        Ok(())
    })?;
    let door = Door::opened(stage, "patient")?;
    let case = door.send(stage, SUPPLIERS[0].0, 400, "approved-for-long")?;
    let ttl = format!("{two_days}s");
    for who in ["ann", "bo"] {
        stage.approve_with(who, &["approve", &case, "--yes", "--ttl", &ttl])?;
    }
    stage.done(&case)?;
    door.closed(stage)
}
