//! Tokens of programs that ask the office over HTTP: made, listed, taken back. A token is written to a file of its owner's only
//! and shown nowhere; the office keeps its digest.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use quorate_host::clock::Clock as _;
use quorate_host::random::Random;
use quorate_host::ui::Table;
use quorate_host::{SystemClock, secret_file};
use quorate_terms::digest::tag;
use quorate_terms::{Digest, Malformed, PublicKey, Timestamp, canonical, time};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::Cli;
use crate::home::{lock_tokens, tokens_of};
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// What stands before a token, so that scanners of leaked secrets find it.
pub(crate) const PREFIX: &str = "qra_";
/// The longest life of a token: there is none without an end.
const LIFE_S_MAX: u64 = 366 * 86_400;
/// How many tokens are kept, those that ended too.
const KEPT_MAX: usize = 256;
/// How many assessors a token may name.
const ASSESSORS_MAX: usize = 64;

/// The commands.
#[derive(Subcommand)]
pub(crate) enum Token {
    /// Make a token; it goes to a new file of mode 0600 and is never printed.
    New {
        /// Its name, which no token of the list has.
        name: String,
        /// What it allows.
        #[arg(long, value_enum)]
        scope: Scope,
        /// How long it lives, such as `90d`, at most 366d.
        #[arg(long)]
        expires: String,
        /// An assessor whose claims it may have issued, compared out of band; once for each. For the scope `mark` only.
        #[arg(long = "assessor", value_name = "KEY")]
        assessors: Vec<PublicKey>,
        /// Where it is written; must not exist, in a folder of mode 0700.
        #[arg(long, value_name = "FILE")]
        token_file: PathBuf,
    },
    /// Every token by name, with what it allows and until when.
    List,
    /// End a token at once, while the pages are served too.
    Revoke {
        /// Its name.
        name: String,
    },
}

/// What a token allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// To read what the office knows, but no value about people that stands as a commitment.
    Look,
    /// That, such values too, and to have the office assess, and take steps and claims that their people signed.
    File,
    /// What `look` does, and to offer, issue, finish and suspend marks. It issues what an assessor of its own list has signed.
    Mark,
}

impl Scope {
    /// As it is written.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::File => "file",
            Self::Mark => "mark",
        }
    }
}

/// What is kept of a token.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    pub(crate) name: String,
    pub(crate) scope: Scope,
    /// `Digest::of(tag::TOKEN, token)`.
    pub(crate) token: Digest,
    pub(crate) expires: Timestamp,
    pub(crate) revoked: Option<Timestamp>,
    /// Whose claims it may have issued. Left out where there are none, as in files of before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) assessors: Vec<PublicKey>,
}

impl Kept {
    /// Whether it opens anything at a moment.
    pub(crate) fn is_in_force(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires
    }

    /// When it ended, if it has.
    fn ended(&self) -> Timestamp {
        self.revoked.unwrap_or(self.expires).min(self.expires)
    }

    fn word(&self, now: Timestamp) -> &'static str {
        match (self.revoked.is_some(), self.is_in_force(now)) {
            (true, _) => "revoked",
            (_, true) => "in force",
            _ => "expired",
        }
    }
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    v: u8,
    tokens: Vec<Kept>,
}

/// Whose token this is; none where it opens nothing now. The office's folder need not be free for it.
pub(crate) fn find(dir: &Path, token: &str, now: Timestamp) -> Done<Option<Kept>> {
    known(dir, Digest::of(tag::TOKEN, token.as_bytes()), now)
}

/// As [`find`], by the digest of a token.
pub(crate) fn known(dir: &Path, digest: Digest, now: Timestamp) -> Done<Option<Kept>> {
    let path = tokens_of(dir);
    // A command may have replaced the file while it was opened.
    let all = read(&path).or_else(|_| read(&path)).map_err(Trouble::damaged)?;
    let found = all.into_iter().find(|kept| kept.token == digest);
    Ok(found.filter(|kept| kept.is_in_force(now)))
}

/// As [`known`], for a token that must open something.
pub(crate) fn demanded(dir: &Path, digest: Digest, now: Timestamp) -> Done<Kept> {
    known(dir, digest, now)?.ok_or_else(unknown)
}

/// That a token opens nothing.
pub(crate) fn unknown() -> Trouble {
    let next = "ask the office for another; this one is unknown, has expired or was revoked";
    Trouble::refused("unknown_token", "this token opens nothing", next)
}

/// Runs one command.
pub(crate) fn run(cli: &Cli, command: &Token) -> Done<Screen> {
    // Held, so that two commands at once lose nothing of each other.
    let _held = lock_tokens(&cli.dir)?;
    let (path, now) = (tokens_of(&cli.dir), SystemClock::new().now());
    let mut all = read(&path)?;
    match command {
        Token::New { name, scope, expires, assessors, token_file } => {
            let assessors = named(*scope, assessors)?;
            let expires = now.plus_s(life(expires)?);
            is_free(&all, name)?;
            make_room(&mut all, now)?;
            let token = secret_file::create_token(token_file, PREFIX, Random::start()?)?;
            let (name, scope) = (name.clone(), *scope);
            let kept = Kept { name, scope, token, expires, revoked: None, assessors };
            let screen = said(&kept, token_file);
            all.push(kept);
            write(&path, all)?;
            Ok(screen)
        }
        Token::List => Ok(list(&all, now)),
        Token::Revoke { name } => {
            let found = all.iter_mut().find(|kept| kept.name == *name).ok_or_else(|| {
                let message = format!("there is no token `{name}`");
                Trouble::refused("unknown_token", message, "see `quorate-assessor token list`")
            })?;
            let at = *found.revoked.get_or_insert(now);
            write(&path, all)?;
            let json = json!({ "name": name, "revoked": at });
            Ok(Screen::new(format!("`{name}` opens nothing any more"), json))
        }
    }
}

fn said(kept: &Kept, file: &Path) -> Screen {
    let Kept { name, scope, expires, assessors, .. } = kept;
    let (file, word) = (file.display(), scope.word());
    let text = format!("`{name}` ({word}) opens until {}: {file}", expires.utc());
    let file = file.to_string();
    let json = json!({
        "name": name, "scope": scope, "expires": expires, "assessors": assessors, "file": file,
    });
    Screen::new(text, json)
}

fn list(all: &[Kept], now: Timestamp) -> Screen {
    let mut table = Table::new(&["token", "allows", "assessors", "until", "is"]);
    let mut tokens = Vec::new();
    for kept in all {
        let Kept { name, scope, expires, revoked, assessors, .. } = kept;
        let count = if assessors.is_empty() { String::new() } else { assessors.len().to_string() };
        table.row([name.as_str(), scope.word(), &count, &expires.utc(), kept.word(now)]);
        tokens.push(json!({
            "name": name, "scope": scope, "expires": expires, "revoked": revoked,
            "assessors": assessors, "in_force": kept.is_in_force(now),
        }));
    }
    Screen::new(table.to_string(), json!({ "tokens": tokens }))
}

/// The assessors of a token, each once: some for the scope `mark`, none for another.
fn named(scope: Scope, assessors: &[PublicKey]) -> Done<Vec<PublicKey>> {
    let all: BTreeSet<PublicKey> = assessors.iter().copied().collect();
    let bad = |why: &str, next: &str| Err(Malformed::new("assessor", why, next).into());
    match scope {
        Scope::Mark if all.is_empty() => {
            bad("is not named", "name whose claims it may have issued with --assessor KEY")
        }
        Scope::Mark if all.len() > ASSESSORS_MAX => {
            bad("is one of too many", "give each token 64 assessors at most")
        }
        Scope::Look | Scope::File if !all.is_empty() => {
            bad("is for the scope `mark` alone", "leave --assessor out")
        }
        _ => Ok(all.into_iter().collect()),
    }
}

fn is_free(all: &[Kept], name: &str) -> Done<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        let next = "use 1 to 64 letters, digits, `-`, `_` and `.`";
        return Err(Malformed::new("name", "is no name for a token", next).into());
    }
    if all.iter().any(|kept| kept.name == name) {
        let message = format!("there was a token `{name}` here");
        return Err(Trouble::refused("name_taken", message, "give it another name"));
    }
    Ok(())
}

/// Forgets the token that ended first where there is no room for another.
fn make_room(all: &mut Vec<Kept>, now: Timestamp) -> Done<()> {
    if all.len() < KEPT_MAX {
        return Ok(());
    }
    let ended = all.iter().enumerate().filter(|(_, kept)| !kept.is_in_force(now));
    let first = ended.min_by_key(|(_, kept)| kept.ended()).map(|(place, _)| place);
    let first = first.ok_or_else(|| {
        let message = format!("there are {KEPT_MAX} tokens in force");
        Trouble::refused("full", message, "revoke one first: quorate-assessor token revoke NAME")
    })?;
    all.remove(first);
    Ok(())
}

/// Seconds of `90d`, `12h`, `30m` or `45s`.
fn life(text: &str) -> Done<u64> {
    let bad = || Malformed::new("expires", "is no fit life for a token", "give 1s to 366d");
    let life = time::seconds(text).ok_or_else(bad)?;
    if life == 0 || life > LIFE_S_MAX { Err(bad().into()) } else { Ok(life) }
}

fn read(path: &Path) -> Done<Vec<Kept>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = secret_file::read(path)?;
    let read: Tokens = canonical::from_bytes(bytes.expose(), "tokens")?;
    if read.v != 1 {
        let next = "use the program that wrote it";
        return Err(Malformed::new("tokens", "are of another version", next).into());
    }
    Ok(read.tokens)
}

fn write(path: &Path, tokens: Vec<Kept>) -> Done<()> {
    let bytes = canonical::to_bytes(&Tokens { v: 1, tokens }, "tokens")?;
    Ok(secret_file::replace(path, &bytes, Random::start()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_has_a_unit_and_an_end() {
        for (text, expected) in [("90d", 90 * 86_400), ("12h", 43_200), ("30m", 1_800), ("1s", 1)] {
            assert_eq!(life(text).unwrap(), expected, "{text}");
        }
        for text in ["", "d", "0d", "367d", "90", "90dd", "-1d", "9 d", "90w"] {
            assert_eq!(life(text).unwrap_err().code, "malformed", "{text}");
        }
    }

    #[test]
    fn a_token_of_before_is_read_as_it_was_written() {
        let old = br#"{"tokens":[{"expires":2,"name":"a","revoked":null,"scope":"look","token":"0000000000000000000000000000000000000000000000000000000000000000"}],"v":1}"#;
        let read: Tokens = canonical::from_bytes(old, "tokens").unwrap();
        assert!(read.tokens[0].assessors.is_empty());
    }

    #[test]
    fn assessors_are_named_for_the_scope_that_issues_and_for_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        secret_file::make_dir(&keys).unwrap();
        let key = |n: usize| {
            let path = keys.join(n.to_string());
            let random = Random::start().unwrap();
            quorate_host::Identity::create(&path, random).unwrap().public_key()
        };
        let some: Vec<PublicKey> = (0..=ASSESSORS_MAX).map(key).collect();
        for (scope, keys, well) in [
            (Scope::Mark, &some[..0], false),
            (Scope::Mark, &some[..1], true),
            (Scope::Mark, &some[..ASSESSORS_MAX], true),
            (Scope::Mark, &some[..], false),
            (Scope::Look, &some[..1], false),
            (Scope::File, &some[..1], false),
            (Scope::File, &some[..0], true),
        ] {
            assert_eq!(named(scope, keys).is_ok(), well, "{} {}", scope.word(), keys.len());
        }
        assert_eq!(named(Scope::Mark, &[some[0], some[0]]).unwrap(), [some[0]]);
    }
}
