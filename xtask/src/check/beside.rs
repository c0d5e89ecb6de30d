//! Steps that mostly wait for processes of their own go on beside each other.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::{Named, Row, run_step};
use crate::say;

/// How many steps go on at once: their processes together keep two cores busy and no more.
const AT_ONCE: usize = 2;

/// Runs steps, a few at once and the first ones first; the rows come in the order of the steps. Each line that a step says
/// itself begins with its name.
pub(super) fn run(steps: &[Named], before: usize, total: usize) -> Vec<Row> {
    let waiting: Mutex<VecDeque<(usize, Named)>> =
        Mutex::new(steps.iter().copied().enumerate().collect());
    let done: Mutex<Vec<(usize, Row)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((at, (name, step))) = next(&waiting) {
                    let number = before.saturating_add(at).saturating_add(1);
                    let row = say::under(name, || run_step(name, number, total, step));
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, row));
                }
            });
        }
    });
    let mut rows = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by_key(|(at, _)| *at);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn next<T>(waiting: &Mutex<VecDeque<T>>) -> Option<T> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict;
    use std::sync::Barrier;

    static BOTH: Barrier = Barrier::new(2);

    fn meets() -> crate::Done<Verdict> {
        BOTH.wait();
        Ok(Verdict::Passed(1))
    }

    fn fails() -> crate::Done<Verdict> {
        Err("it failed".to_owned())
    }

    #[test]
    fn steps_go_on_beside_each_other_and_are_told_in_their_order() {
        // Either of the first two would wait for ever if it went on alone.
        let rows = run(&[("east", meets), ("west", meets), ("third", fails)], 4, 8);
        let told: Vec<(&str, bool)> = rows.iter().map(|row| (row.name, row.end.is_ok())).collect();
        assert_eq!(told, [("east", true), ("west", true), ("third", false)]);
    }
}
