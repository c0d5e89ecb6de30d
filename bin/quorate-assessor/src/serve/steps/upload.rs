//! What comes with a form: fields, and at most one file. It is read into memory with a bound on everything, because what is on
//! its way to be sealed never touches the disk in the clear; it is sealed and durable before anybody is told of it.
//!
//! The parts are split by multer. The type that a browser declares is not read: what a file is, its first bytes say.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::StatusCode;
use quorate_host::SealedFiles;
use quorate_host::random::Random;
use quorate_host::seal::KeySource;
use quorate_host::sealed_files::FILE_BYTES_MAX;
use quorate_terms::Digest;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

use super::Door;
use super::given::{Given, too_long};
use crate::audit::files::sealed;
use crate::home::Home;
use crate::trouble::{Done, Trouble};

/// The largest request: a file, and the fields beside it.
pub(in crate::serve) const REQUEST_BYTES: usize = FILE_BYTES_MAX + FIELDS_BYTES_MAX;
/// The longest field, in bytes: a scope or an envelope is the longest thing that is written.
const FIELD_BYTES_MAX: usize = 256 * 1024;
/// All fields together, in bytes.
const FIELDS_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The most fields: a scope has some for each line of each inventory.
const FIELDS_MAX: usize = 2048;
/// How long the fields of a form may take to arrive, then the wait for a place, and then again its file.
pub(in crate::serve) const ARRIVES_WITHIN: Duration = Duration::from_secs(120);
/// The longest that a form may take in all: its fields, the wait for a place, its file.
pub(in crate::serve) const BODY: Duration = ARRIVES_WITHIN.saturating_mul(3);

/// What a file needs before its first byte is read.
pub(super) struct Room {
    /// Under which it is sealed.
    pub(super) key: Arc<KeySource>,
    /// Its place among the files in memory. It is given back with the bytes, and not before they are sealed.
    pub(super) place: OwnedSemaphorePermit,
}

/// A file as it came.
pub(super) struct Upload {
    /// What the browser calls it: text from outside.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) digest: Digest,
    room: Room,
}

/// A form as it came.
#[derive(Default)]
pub(super) struct Form {
    pub(super) given: Given,
    pub(super) file: Option<Upload>,
}

/// Reads a form to its end, or refuses it whole. Nothing of a file is read before the door gave it room.
pub(super) async fn read(door: &Door<'_>, mut parts: Multipart) -> Done<Form> {
    let (mut form, mut bytes) = (Form::default(), 0_usize);
    let mut since = Instant::now();
    while let Some(field) = in_time(since, parts.next_field()).await? {
        let name = field.name().unwrap_or_default().to_owned();
        if form.given.len() >= FIELDS_MAX {
            return Err(refused("the form has too many fields", "send the page's form"));
        }
        let Some(called) = field.file_name().map(str::to_owned) else {
            let text = text(&name, field, since).await?;
            bytes = bytes.saturating_add(text.len()).saturating_add(name.len());
            if bytes > FIELDS_BYTES_MAX {
                return Err(too_long(&name, FIELDS_BYTES_MAX));
            }
            if form.given.insert(name, text).is_some() {
                return Err(refused("a field came twice", "send the page's form as it is"));
            }
            continue;
        };
        if let Some(file) = file(door, form.file.is_some(), called, field, &mut since).await? {
            form.file = Some(file);
        }
    }
    Ok(form)
}

fn refused(message: &str, next: &str) -> Trouble {
    Trouble::refused("upload", message, next)
}

/// What arrives in time, since then.
async fn in_time<T>(
    since: Instant,
    arriving: impl Future<Output = Result<T, MultipartError>>,
) -> Done<T> {
    let late = "send it again over a better line; nothing was stored";
    let left = ARRIVES_WITHIN.saturating_sub(since.elapsed());
    let arrived = timeout(left, arriving).await;
    arrived.map_err(|_| refused("the form took too long to arrive", late))?.map_err(broken)
}

async fn text(name: &str, mut field: Field<'_>, since: Instant) -> Done<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = in_time(since, field.chunk()).await? {
        if bytes.len().saturating_add(chunk.len()) > FIELD_BYTES_MAX {
            return Err(too_long(name, FIELD_BYTES_MAX));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes)
        .map_err(|_| refused("a field is no text in UTF-8", "send the page's form as it is"))
}

async fn file(
    door: &Door<'_>,
    has_one: bool,
    name: String,
    mut field: Field<'_>,
    since: &mut Instant,
) -> Done<Option<Upload>> {
    let mut next = in_time(*since, field.chunk()).await?;
    // What is at hand when a part is asked for may end before its first byte: then an empty piece comes first.
    while next.as_ref().is_some_and(|chunk| chunk.is_empty()) {
        next = in_time(*since, field.chunk()).await?;
    }
    // A form whose file was left out sends a part without a name and bytes.
    if name.is_empty() && next.is_none() {
        return Ok(None);
    }
    if has_one {
        return Err(refused("two files came at once", "put each file on file by itself"));
    }
    let room = door.room().await?;
    // The wait for a place was ours.
    *since = Instant::now();
    let mut bytes = Vec::new();
    while let Some(chunk) = next {
        if bytes.len().saturating_add(chunk.len()) > FILE_BYTES_MAX {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
        next = in_time(*since, field.chunk()).await?;
    }
    let digest = Digest::sha256(&bytes);
    Ok(Some(Upload { name, bytes, digest, room }))
}

fn too_large() -> Trouble {
    let next = format!("give at most {FILE_BYTES_MAX} bytes; split what is larger");
    Trouble::refused("too_large", "the file is too large; nothing was stored", next)
}

fn broken(error: MultipartError) -> Trouble {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    let message = format!("the form did not arrive whole ({})", error.body_text());
    refused(&message, "send it again; nothing was stored")
}

/// Seals a file under its digest. It is durable when this returns, and on file only when the step is taken.
pub(super) fn seal(home: &Home, file: Upload) -> Done<()> {
    let Upload { bytes, room, .. } = file;
    let files = SealedFiles::open(&home.files())?;
    let put = files.put(&room.key, &bytes, Random::start()?);
    drop((bytes, room.place));
    put.map(drop).map_err(sealed)
}
