//! Writes the description of the office's HTTP API, made from the office's own table of routes.
//!
//! Usage: `write_office_api FOLDER`. The file takes the path below `FOLDER` that it has in the repository.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

/// The office's own modules, and nothing else of it.
#[path = "../src/serve/api"]
mod api {
    pub(crate) mod openapi;
    pub(crate) mod table;
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args_os().nth(1).ok_or("give a folder")?.into();
    let path = folder.join("docs/api/office.json");
    fs::create_dir_all(path.parent().ok_or("no folder")?)?;
    Ok(fs::write(path, api::openapi::text())?)
}
