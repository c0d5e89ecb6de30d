//! Convening the cosigners over a new key.

use quorate_custody::protocol::{Ask, Came};
use quorate_custody::{Event, State};
use quorate_terms::CaseId;

use super::World;
use crate::desk::engine::Trouble;

impl World {
    pub(super) async fn generate(&self, case: CaseId) -> Result<(), Trouble> {
        let Some(attempt) = self.awaits(case, State::AwaitCeremony).await? else { return Ok(()) };
        let everyone = self.cosigners.names().into_iter().collect();
        let answers = self.cosigners.ask(&everyone, &Ask::Generate { case, attempt }).await;
        let mut statements = Vec::new();
        let mut made = None;
        for answer in answers.values().flatten() {
            match &answer.came {
                Came::KeyMade { library, statement } => {
                    made = Some(library.clone());
                    statements.push((**statement).clone());
                }
                Came::Refused { reason, .. } => {
                    tracing::warn!(cosigner = %answer.cosigner, message = %reason.message, next = %reason.next, "a cosigner refused the ceremony");
                }
                _ => {}
            }
        }
        if let Some(library) = made.filter(|_| statements.len() == answers.len()) {
            return self.tell_case(Event::KeyCame { case, library, statements }).await;
        }
        for answer in answers.values().flatten() {
            if let Came::Aborted { run, phase, cause, culprits } = &answer.came {
                let (run, phase, cause) = (*run, phase.clone(), cause.clone());
                let culprits = culprits.clone();
                return self
                    .tell_case(Event::RunFailed { case, run, phase, cause, culprits })
                    .await;
            }
        }
        Ok(())
    }
}
