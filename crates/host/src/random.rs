//! Randomness from the operating system, refused when it looks broken.

use zeroize::Zeroizing;

use crate::fault::Fault;

/// Gives random bytes; a trait so that tests can hand in a broken one.
type Source<'a> = &'a dyn Fn(&mut [u8]) -> Result<(), getrandom::Error>;

/// The operating system's generator, after it passed the self-test.
#[derive(Clone, Copy)]
pub struct Random(());

impl Random {
    /// Tests the generator once, at start-up.
    ///
    /// # Errors
    /// [`Fault`] when it fails, repeats itself, or is far from half ones; the process must not go on.
    pub fn start() -> Result<Self, Fault> {
        self_test(&getrandom::fill).map(|()| Self(()))
    }

    /// Random bytes.
    ///
    /// # Errors
    /// [`Fault`] when the operating system has none.
    pub fn bytes<const N: usize>(self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).map_err(broken)?;
        Ok(bytes)
    }

    /// Random bytes for a key; zeroised when dropped.
    ///
    /// # Errors
    /// As [`Random::bytes`].
    pub fn secret<const N: usize>(self) -> Result<Zeroizing<[u8; N]>, Fault> {
        let mut bytes = Zeroizing::new([0; N]);
        getrandom::fill(bytes.as_mut()).map_err(broken)?;
        Ok(bytes)
    }

    /// 128 bits for a commitment or an identifier.
    ///
    /// # Errors
    /// As [`Random::bytes`].
    pub fn salt(self) -> Result<[u8; 16], Fault> {
        self.bytes()
    }
}

fn broken(error: getrandom::Error) -> Fault {
    let why = format!("the operating system gave no randomness ({error})");
    Fault::new("random", why, "do not start this process on this machine")
}

/// Repetition, stuck-at and proportion tests on 4 KiB, after NIST SP 800-90B section 4.4. They find a dead generator,
/// not a clever one.
fn self_test(source: Source<'_>) -> Result<(), Fault> {
    let mut sample = Zeroizing::new([0_u8; 4096]);
    source(sample.as_mut()).map_err(broken)?;
    let mut again = Zeroizing::new([0_u8; 4096]);
    source(again.as_mut()).map_err(broken)?;
    let ones: u32 = sample.iter().map(|byte| byte.count_ones()).sum();
    // 32,768 fair bits have 16,384 ones with a standard deviation of 90.5; ten of those is 905.
    let fair = ones.abs_diff(16_384) <= 905;
    let repeats = sample.chunk_by(|a, b| a == b).any(|run| run.len() >= 8);
    let halves = sample.as_chunks::<32>().0;
    let cycle = halves
        .iter()
        .enumerate()
        .any(|(at, block)| halves.iter().skip(at).skip(1).any(|other| other == block));
    if !fair || repeats || cycle || sample == again {
        return Err(Fault::new(
            "random",
            "the generator failed its start-up test",
            "do not start this process on this machine",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn row_28_a_weak_or_failed_generator_is_refused_at_start() {
        let dead = |bytes: &mut [u8]| {
            bytes.fill(0);
            Ok(())
        };
        let stuck = |bytes: &mut [u8]| {
            bytes.fill(0b0101_0101);
            Ok(())
        };
        let counter = |bytes: &mut [u8]| {
            (0_u8..=255).cycle().zip(bytes).for_each(|(n, byte)| *byte = n);
            Ok(())
        };
        let mut frozen = [0; 4096];
        getrandom::fill(&mut frozen).unwrap();
        let same = move |bytes: &mut [u8]| {
            bytes.copy_from_slice(&frozen);
            Ok(())
        };
        let biased = |bytes: &mut [u8]| {
            getrandom::fill(bytes)?;
            bytes.iter_mut().for_each(|byte| *byte |= 1);
            Ok(())
        };
        let failed = |_: &mut [u8]| Err(getrandom::Error::UNSUPPORTED);
        let late = Mutex::new(0);
        let fails_second = |bytes: &mut [u8]| {
            *late.lock().unwrap() += 1;
            if *late.lock().unwrap() > 1 {
                return Err(getrandom::Error::UNSUPPORTED);
            }
            getrandom::fill(bytes)
        };
        let all: [(&str, Source<'_>); 7] = [
            ("dead", &dead),
            ("stuck", &stuck),
            ("counter", &counter),
            ("same", &same),
            ("biased", &biased),
            ("failed", &failed),
            ("fails second", &fails_second),
        ];
        for (name, source) in all {
            assert!(self_test(source).is_err(), "{name}");
        }
    }

    #[test]
    fn the_system_generator_passes_and_does_not_repeat() {
        let random = Random::start().unwrap();
        assert_ne!(random.salt().unwrap(), random.salt().unwrap());
        assert!(random.secret::<32>().unwrap().iter().any(|byte| *byte != 0));
    }
}
