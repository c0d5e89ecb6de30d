//! Evidence files by programs: sealed as they come, named only by a signed step of their own audit, and given out only with the
//! step that says so.

use std::os::unix::fs::PermissionsExt as _;

use axum::http::StatusCode;
use quorate_host::sealed_files::FILE_BYTES_MAX;
use quorate_terms::Digest;
use serde_json::{Value, json};

use super::api::{read, refused};
use super::world::{Got, World};

const FILES: &str = "/audits/brick-1/files?name=notes%20of%20a%20drill.txt";
const STEPS: &str = "/audits/brick-1/steps";
const COMPOSED: &str = "/audits/brick-1/steps/composed";
const OPENED: &str = "/audits/brick-1/files/opened";
const NOTES: &[u8] = b"Nora moved the second share to the spare room.";

impl World {
    async fn sends_file(&self, token: &str, path: &str, key: &str, bytes: &[u8]) -> Got {
        let more = [("content-type", "application/octet-stream"), ("idempotency-key", key)];
        self.asks(("POST", path), token, &more, bytes.to_vec()).await
    }

    /// A file that was sent, as the office answered it.
    async fn sent(&self, token: &str, key: &str) -> Value {
        let got = self.sends_file(token, FILES, key, NOTES).await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.text());
        read(&got)["file"].clone()
    }

    fn with_file(&self, tag: &str, file: &Value) -> Value {
        let mut record = self.interview(tag);
        record["exhibit"]["file"] = file.clone();
        record
    }

    async fn opens(&self, token: &str, tag: &str) -> Value {
        let record = json!({ "act": "exhibit_opened", "tag": tag, "why": "to read the drill" });
        self.signed(&self.composed(token, &record).await)
    }
}

#[tokio::test]
async fn a_file_comes_is_filed_and_is_opened_each_by_its_own_request_and_as_it_was() {
    let world = World::new().await;
    world.with_evidence().await;
    let (token, before) = (world.token("filer", "file"), world.files().len());
    let (file, size) = (world.sent(&token, "send").await, world.size().await);
    assert_eq!(file["name"], "notes of a drill.txt");
    assert_eq!((&file["size"], &file["media"]), (&json!(NOTES.len()), &json!("text/plain")));
    assert_eq!(world.sent(&token, "send").await, file, "under its key it comes once");
    assert_eq!(world.files().len(), before + 1);
    for path in world.files() {
        let kept = std::fs::read(path).unwrap();
        assert!(!kept.windows(NOTES.len()).any(|part| part == NOTES), "sealed");
    }
    let other = world.sends_file(&token, FILES, "send", b"other words").await;
    refused(&other, 409, "idempotency_conflict");

    let step = world.composed(&token, &world.with_file("INTERVIEW_2", &file)).await;
    let taken = world.posts(&token, STEPS, "file", &world.signed(&step)).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    let register = world.told(&token, "/audits/brick-1/evidence").await;
    assert_eq!(register["exhibits"]["INTERVIEW_2"]["file"], file);

    let opening = world.opens(&token, "INTERVIEW_2").await;
    let got = world.posts(&token, OPENED, "open", &opening).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.text());
    assert_eq!(got.bytes, NOTES);
    for (name, value) in [
        ("content-type", "application/octet-stream"),
        ("content-disposition", "attachment; filename=\"INTERVIEW_2-notes_of_a_drill.txt\""),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(got.header(name), value, "{name}");
    }
    assert_eq!(world.size().await, size + 2, "filed once and opened once");
    let again = world.posts(&token, OPENED, "open", &opening).await;
    refused(&again, 409, "overtaken");
    let register = world.told(&token, "/audits/brick-1/evidence").await;
    assert_eq!(register["opened"].as_array().unwrap().len(), 1, "{register}");
}

#[tokio::test]
async fn no_token_has_a_file_named_that_was_not_sent_for_its_audit_as_it_came() {
    let world = World::new().await;
    world.with_evidence().await;
    world.engagement("brick-2", "ccss 9.0").await;
    let token = world.token("filer", "file");
    let theirs = "/audits/brick-2/files?name=theirs.txt";
    let got = world.sends_file(&token, theirs, "theirs", b"of the other audit").await;
    let (theirs, ours) = (read(&got)["file"].clone(), world.sent(&token, "ours").await);
    let handbook = world.told(&token, "/audits/brick-1/evidence").await;
    let handbook = handbook["exhibits"]["DOCUMENT_1"]["file"].clone();
    let mut renamed = ours.clone();
    renamed["name"] = json!("other.txt");
    let mut other = ours.clone();
    other["digest"] = json!(Digest::sha256(b"nowhere"));
    let (size, step) = (world.size().await, world.interview("INTERVIEW_2"));
    let step = world.composed(&token, &step).await;
    for (key, file) in
        [("theirs", theirs), ("pages", handbook), ("renamed", renamed), ("other", other)]
    {
        let body = json!({ "by": "ann", "record": world.with_file("INTERVIEW_2", &file) });
        refused(&world.posts(&token, COMPOSED, "composed", &body).await, 409, "not_composed");
        let mut named = step.clone();
        named["record"]["exhibit"]["file"] = file;
        let body = world.signed(&named);
        let key = format!("named-{key}");
        refused(&world.posts(&token, STEPS, &key, &body).await, 409, "not_composed");
    }
    assert_eq!(world.size().await, size, "nothing was recorded");
}

#[tokio::test]
async fn no_opening_goes_on_record_without_the_file_and_no_file_without_the_opening() {
    let world = World::new().await;
    world.with_evidence().await;
    let (token, look) = (world.token("filer", "file"), world.token("looker", "look"));
    let (size, opening) = (world.size().await, world.opens(&token, "DOCUMENT_1").await);
    refused(&world.posts(&token, STEPS, "plain", &opening).await, 409, "not_composed");
    refused(&world.posts(&look, OPENED, "look", &opening).await, 403, "scope");
    let elsewhere = "/audits/brick-2/files/opened";
    refused(&world.posts(&token, elsewhere, "elsewhere", &opening).await, 422, "malformed");
    let interview = world.composed(&token, &world.interview("INTERVIEW_2")).await;
    let interview = world.signed(&interview);
    refused(&world.posts(&token, OPENED, "none", &interview).await, 422, "malformed");
    let mut bare = opening.clone();
    bare["step"]["record"]["tag"] = json!("INTERVIEW_1");
    refused(&world.posts(&token, OPENED, "bare", &bare).await, 404, "unknown_file");
    let mut forged = opening.clone();
    forged["step"]["record"]["why"] = json!("for another reason");
    refused(&world.posts(&token, OPENED, "forged", &forged).await, 409, "objections");
    assert_eq!(world.size().await, size, "nothing was recorded");
    let got = world.posts(&token, OPENED, "well", &opening).await;
    assert_eq!(got.bytes, b"%PDF-1.7 the handbook");
    assert_eq!(world.size().await, size + 1);
}

#[tokio::test]
async fn a_file_that_is_not_taken_leaves_nothing() {
    let world = World::new().await;
    world.engaged().await;
    let (token, look) = (world.token("filer", "file"), world.token("looker", "look"));
    refused(&world.sends_file(&look, FILES, "look", NOTES).await, 403, "scope");
    let huge = vec![b'x'; FILE_BYTES_MAX + 1];
    refused(&world.sends_file(&token, FILES, "huge", &huge).await, 413, "too_large");
    for (path, bytes, status, code) in [
        ("/audits/brick-1/files", NOTES, 422, "name"),
        ("/audits/brick-1/files?name=", NOTES, 422, "name"),
        ("/audits/brick-1/files?name=a.txt&name=b.txt", NOTES, 400, "query"),
        ("/audits/brick-1/files?name=a.txt&more=1", NOTES, 400, "query"),
        ("/audits/brick-1/files?name=a.exe", NOTES, 422, "malformed"),
        ("/audits/brick-1/files?name=..%2Fa.txt", NOTES, 422, "malformed"),
        ("/audits/brick-1/files?name=a.pdf", NOTES, 422, "malformed"),
        ("/audits/brick-1/files?name=a.txt", b"", 422, "malformed"),
        ("/audits/brick-9/files?name=a.txt", NOTES, 404, "no_audit"),
    ] {
        refused(&world.sends_file(&token, path, path, bytes).await, status, code);
    }
    refused(&world.posts(&token, FILES, "json", &json!({})).await, 415, "media_type");
    assert_eq!(world.files().len(), 0);

    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let bare = World::serving(dir, &[]).await;
    let token = bare.token("filer", "file");
    refused(&bare.sends_file(&token, FILES, "bare", NOTES).await, 409, "no_passphrase");
}
