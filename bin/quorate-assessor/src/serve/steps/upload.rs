//! What comes with a form: fields, and at most one file. It is read into memory with a bound on everything, because what is on
//! its way to be sealed never touches the disk in the clear; it is sealed and durable before anybody is told of it.
//!
//! The parts are split by multer. The type that a browser declares is not read: what a file is, its first bytes say.

use std::time::Duration;

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::StatusCode;
use quorate_host::SealedFiles;
use quorate_host::random::Random;
use quorate_host::sealed_files::FILE_BYTES_MAX;
use quorate_terms::Digest;

use super::given::{Given, too_long};
use crate::audit::files::sealed;
use crate::serve::hall::Hall;
use crate::trouble::{Done, Trouble};

/// The largest request: a file, and the fields beside it.
pub(in crate::serve) const REQUEST_BYTES: usize = FILE_BYTES_MAX + FIELDS_MAX * FIELD_BYTES_MAX / 8;
/// The longest field, in bytes: a scope or an envelope is the longest thing that is written.
const FIELD_BYTES_MAX: usize = 256 * 1024;
/// The most fields.
const FIELDS_MAX: usize = 64;
/// How long a form may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(120);

/// A file as it came.
pub(super) struct Upload {
    /// What the browser calls it: text from outside.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) digest: Digest,
}

/// A form as it came.
#[derive(Default)]
pub(super) struct Form {
    pub(super) given: Given,
    pub(super) file: Option<Upload>,
}

/// Reads a form to its end, or refuses it whole.
pub(super) async fn read(hall: &Hall, parts: Multipart) -> Done<Form> {
    let turn = hall.uploads.acquire().await;
    let _turn = turn.map_err(|e| Trouble::fault("upload", e.to_string(), "try again"))?;
    let late = || {
        let next = "send it again over a better line; nothing was stored";
        Trouble::refused("upload", "the form took too long to arrive", next)
    };
    tokio::time::timeout(ARRIVES_WITHIN, all(parts)).await.map_err(|_| late())?
}

async fn all(mut parts: Multipart) -> Done<Form> {
    let mut form = Form::default();
    while let Some(field) = parts.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if form.given.len() >= FIELDS_MAX {
            return Err(Trouble::refused(
                "upload",
                "the form has too many fields",
                "send the page's form",
            ));
        }
        match field.file_name().map(str::to_owned) {
            Some(called) => file(&mut form, called, field).await?,
            None => {
                let text = field.text().await.map_err(broken)?;
                if text.len() > FIELD_BYTES_MAX {
                    return Err(too_long(&name, FIELD_BYTES_MAX));
                }
                if form.given.insert(name, text).is_some() {
                    let next = "send the page's form as it is";
                    return Err(Trouble::refused("upload", "a field came twice", next));
                }
            }
        }
    }
    Ok(form)
}

async fn file(form: &mut Form, name: String, mut field: Field<'_>) -> Done<()> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        if bytes.len().saturating_add(chunk.len()) > FILE_BYTES_MAX {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    // A form whose file was left out sends a part without a name and bytes.
    if name.is_empty() && bytes.is_empty() {
        return Ok(());
    }
    if form.file.is_some() {
        let next = "put each file on file by itself";
        return Err(Trouble::refused("upload", "two files came at once", next));
    }
    let digest = Digest::sha256(&bytes);
    form.file = Some(Upload { name, bytes, digest });
    Ok(())
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
    Trouble::refused("upload", message, "send it again; nothing was stored")
}

/// Seals a file under its digest. It is durable when this returns, and on file only when the step is taken.
pub(super) async fn seal(hall: &Hall, dir: std::path::PathBuf, file: Upload) -> Done<()> {
    let key = hall.key()?;
    let random = Random::start()?;
    let sealing = tokio::task::spawn_blocking(move || -> Done<()> {
        SealedFiles::open(&dir)?.put(&key, &file.bytes, random).map_err(sealed)?;
        Ok(())
    });
    sealing.await.map_err(|e| Trouble::fault("seal", e.to_string(), "send it again"))?
}
