//! Entries that a desk makes up and never signs for: told to a cosigner so that it keeps them and can follow nobody after.

use quorate_custody::protocol::{Ask, Call, Told};
use quorate_terms::Digest;
use quorate_terms::entry::{AlertRaised, Body, Severity};

use crate::people::sign_bytes;
use crate::world::{Ev, Node, World};

/// What such entries say, so that the watchman knows them again.
pub const MARK: &str = "made-up-and-never-signed";

/// How entries are told that no checkpoint of theirs covers, by name.
pub const JUNK: [&str; 7] = ["bare", "fewer", "more", "other", "forged", "cut", "broken"];

impl World {
    /// Entries of the desk's own making, told as if they were news, with something else than its checkpoint over them.
    pub fn junk(&self, number: usize, how: &str, ask: Ask) -> Call {
        let line = self.desk.told_to(number);
        let from = self.seats[number].disk.replica.len() as u64;
        let mut made_up = line.clone();
        let now = self.clock(self.desk.skew_ms).max(line.book.last_at());
        for at in 0..3_u8 {
            let alert = AlertRaised {
                alert: Digest::of("quorate/test/v1", &[at]),
                rule: MARK.to_owned(),
                severity: Severity::Low,
                subject: MARK.to_owned(),
            };
            made_up.append(vec![Body::AlertRaised(Box::new(alert))], now);
        }
        let mut told = made_up.told(from.min(line.disk.len() as u64));
        let full = made_up.checkpoint();
        told.checkpoint = match how {
            "bare" => String::new(),
            "fewer" => line.checkpoint(),
            "forged" => made_up.checkpoint_by(|bytes| sign_bytes("prices", bytes)),
            "more" => {
                made_up.append(vec![Body::AlertRaised(Box::new(closing()))], now);
                made_up.checkpoint()
            }
            "other" => {
                let mut other = line.clone();
                for _ in 0..3 {
                    other.append(vec![Body::AlertRaised(Box::new(closing()))], now);
                }
                other.checkpoint()
            }
            "cut" => full.chars().take(full.len() / 2).collect(),
            _ => {
                break_last(&mut told);
                full
            }
        };
        Call { told, ask }
    }

    /// The lie: junk of a random kind for a random cosigner.
    pub fn tell_junk(&mut self) {
        let number = usize::from(self.rng.chance(500));
        let how = self.rng.pick(&JUNK).unwrap();
        let call = self.junk(number, how, Ask::Follow);
        self.post(Node::Desk, Node::Cosigner(number), Ev::Call(number, 0, Box::new(call)));
    }
}

fn closing() -> AlertRaised {
    let alert = Digest::of("quorate/test/v1", MARK.as_bytes());
    let (rule, subject) = (MARK.to_owned(), "the end".to_owned());
    AlertRaised { alert, rule, severity: Severity::Low, subject }
}

/// The last entry says something else than what was signed.
fn break_last(told: &mut Told) {
    if let Some(last) = told.entries.last_mut() {
        *last = last.replacen(MARK, "other", 1);
    }
}
