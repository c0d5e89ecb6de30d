//! Writes the tool lists of the four bands to `golden/`, and the list of codes into `docs/spec/errors.md`.
#![expect(clippy::print_stdout, reason = "a tool for people")]

use std::error::Error;
use std::fs;
use std::path::Path;

use quorate_gateway::bands::{Table, manifest};
use quorate_gateway::errors::published_list;
use quorate_terms::canonical::to_bytes;
use quorate_terms::credential::Band;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for band in Band::ALL {
        let canonical = to_bytes(&Table::new(band, band).tools(), "tools")?;
        let sorted: serde_json::Value = serde_json::from_slice(&canonical)?;
        let page = serde_json::json!({ "manifest": manifest(band)?, "tools": sorted });
        let text = serde_json::to_string_pretty(&page)?;
        fs::write(root.join(format!("golden/{band}.json")), format!("{text}\n"))?;
    }
    let page = root.join("../../docs/spec/errors.md");
    let text = fs::read_to_string(&page)?;
    let (head, rest) = text.split_once("<!-- codes -->\n").ok_or("no first mark")?;
    let (_, tail) = rest.split_once("<!-- end -->").ok_or("no second mark")?;
    let list = published_list();
    fs::write(&page, format!("{head}<!-- codes -->\n{list}<!-- end -->{tail}"))?;
    println!("written");
    Ok(())
}
