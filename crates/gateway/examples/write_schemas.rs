//! Writes what programs outside rely on: the tool lists of the four bands, the description of the HTTP API, and the list of
//! codes in `docs/spec/errors.md`.
//!
//! Usage: `write_schemas FOLDER`. Each file takes the path below `FOLDER` that it has in the repository.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use quorate_gateway::bands::{Table, manifest};
use quorate_gateway::errors::published_list;
use quorate_terms::canonical::to_bytes;
use quorate_terms::credential::Band;

const ERRORS: &str = "docs/spec/errors.md";

fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args_os().nth(1).ok_or("give a folder")?.into();
    for band in Band::ALL {
        let canonical = to_bytes(&Table::new(band, band).tools(), "tools")?;
        let sorted: serde_json::Value = serde_json::from_slice(&canonical)?;
        let page = serde_json::json!({ "manifest": manifest(band)?, "tools": sorted });
        let text = serde_json::to_string_pretty(&page)?;
        write(&folder, &format!("crates/gateway/golden/{band}.json"), &format!("{text}\n"))?;
    }
    write(&folder, "docs/api/openapi.json", &quorate_gateway::api::openapi::text())?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join(ERRORS))?;
    let (head, rest) = text.split_once("<!-- codes -->\n").ok_or("no first mark")?;
    let (_, tail) = rest.split_once("<!-- end -->").ok_or("no second mark")?;
    let list = published_list();
    write(&folder, ERRORS, &format!("{head}<!-- codes -->\n{list}<!-- end -->{tail}"))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), Box<dyn Error>> {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().ok_or("no folder")?)?;
    Ok(fs::write(path, text)?)
}
