//! A token on its way over the desk's socket. It is shown there in full, because its digest stands in the ledger for everybody
//! who follows it: who knows a digest has shown nothing.

use std::path::Path;

use quorate_gateway::office::ChecklistAct;
use quorate_host::fault::Fault;
use quorate_host::secret::Secret;
use quorate_host::secret_file;
use quorate_terms::digest::tag;
use quorate_terms::{Digest, PersonId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest token, in bytes.
const BYTES_MAX: usize = 512;

/// A token that somebody shows: zeroised, without `Debug`, encoded for the socket only.
pub(crate) struct Shown(Secret);

/// `desk.checklist`: what somebody does with a checklist, from the command line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChecklistSaid {
    /// Who, where no token says so.
    pub(crate) person: Option<PersonId>,
    /// The person's own token.
    pub(crate) token: Option<Shown>,
    /// What.
    pub(crate) act: ChecklistAct,
}

impl Shown {
    /// The token in a file of mode 0600.
    ///
    /// # Errors
    /// [`Fault`] for a file that others can read, and for one that holds no token.
    pub(crate) fn read(file: &Path) -> Result<Self, Fault> {
        let text = secret_file::read(file)?;
        Self::of(text.expose().trim_ascii()).ok_or_else(|| {
            let mend = "give the file that `quorate agent new` or `quorate member new` wrote";
            Fault::new(file.display().to_string(), "holds no token", mend)
        })
    }

    /// By what the book knows it: the digest that the other doors make of a token, too.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(tag::TOKEN, self.0.expose())
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let fits = (1..=BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        fits.then(|| Self(Secret::new(bytes.to_vec())))
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = str::from_utf8(self.0.expose());
        serializer.serialize_str(text.map_err(|_| serde::ser::Error::custom("no token"))?)
    }
}

impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Secret::from(String::deserialize(deserializer)?);
        Self::of(text.expose()).ok_or_else(|| de::Error::custom("no token"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::PermissionsExt as _;

    impl Shown {
        pub(crate) fn text(text: &str) -> Self {
            Self::of(text.as_bytes()).unwrap()
        }
    }

    #[test]
    fn a_token_file_that_others_can_read_or_that_holds_none_is_refused() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("token");
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(room.path(), 0o700);
        let write = |text: &str, mode| {
            std::fs::write(&path, text).unwrap();
            set(&path, mode);
        };
        write("qrt_secret\n", 0o644);
        let fault = Shown::read(&path).err().unwrap().to_string();
        assert!(fault.contains("chmod 600") && !fault.contains("qrt_secret"), "{fault}");
        for none in ["", "\n", "qrt_secret qrt_secret", &"a".repeat(513)] {
            write(none, 0o600);
            let fault = Shown::read(&path).err().unwrap().to_string();
            assert!(fault.contains("holds no token") && !fault.contains("qrt_secret"), "{fault}");
        }
        write("qrt_secret\n", 0o600);
        let shown = Shown::read(&path).ok().unwrap();
        assert_eq!(shown.digest(), Digest::of(tag::TOKEN, b"qrt_secret"));
    }

    proptest! {
        #[test]
        fn a_token_comes_back_as_it_went_and_no_bytes_panic(text in ".{0,600}") {
            let written = serde_json::to_vec(&text).unwrap();
            match serde_json::from_slice::<Shown>(&written) {
                Ok(shown) => {
                    prop_assert_eq!(shown.digest(), Digest::of(tag::TOKEN, text.as_bytes()));
                    prop_assert_eq!(serde_json::to_vec(&shown).unwrap(), written);
                }
                Err(why) => prop_assert!(why.to_string().starts_with("no token"), "{}", why),
            }
        }
    }
}
