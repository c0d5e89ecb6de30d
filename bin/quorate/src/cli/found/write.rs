//! What a founding leaves: keys, charter, configuration, the policy to pin; and what everybody must do next.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use quorate_host::config::Config;
use quorate_host::fault::Fault;
use quorate_host::random::Random;
use quorate_host::ui::{Tone, Ui};
use quorate_host::{Identity, secret_file};
use quorate_ledger::LogPolicy;
use quorate_terms::charter::CharterText;
use quorate_terms::passkey::ViewSeat;
use quorate_terms::{CosignerId, Digest, Term as _};
use serde_json::json;

use super::plan::Plan;
use crate::cli::trouble::{Tried, Trouble};
use crate::cli::{Ended, quoted, read};
use crate::config::{DeskConfig, SourceConfig};

/// Everything that a founding writes, within its folder.
const FILES: [&str; 5] =
    ["keys/log.seed", "keys/link.seed", "charter.json", "verify.json", "desk.toml"];

/// Refuses a folder in which anything of a founding lies.
pub(crate) fn refuse_overwrite(dir: &Path) -> Tried<()> {
    for path in FILES.map(|file| dir.join(file)) {
        if path.symlink_metadata().is_ok() {
            let mend = "give another --dir; a vault is founded once and nothing is overwritten";
            return Err(Trouble::new(path.display().to_string(), "exists", mend));
        }
    }
    Ok(())
}

/// A vault that was founded, and what everybody must run.
pub(crate) struct Founded {
    pub(crate) charter: CharterText,
    pub(crate) digest: Digest,
    /// Who runs what, in order.
    pub(crate) commands: Vec<(String, String)>,
}

impl Founded {
    /// Reads a founding back from its folder, with the same commands.
    ///
    /// # Errors
    /// [`Trouble`] for a folder in which no whole founding lies.
    pub(crate) fn read(dir: &Path) -> Tried<Self> {
        let config = Config::<DeskConfig>::load(&dir.join("desk.toml"))?;
        let charter: CharterText = read::document(&config.resolve(&config.value.charter))?;
        let DeskConfig { cosigners, book_listen, .. } = config.value;
        Self::of(charter, &cosigners, &book_listen)
    }

    fn of(charter: CharterText, places: &Places, book_listen: &str) -> Tried<Self> {
        let digest = charter.digest()?;
        let commands = commands(places, book_listen, &charter, digest);
        Ok(Self { charter, digest, commands })
    }
}

/// Where each cosigner listens.
type Places = BTreeMap<CosignerId, String>;

/// Founds, and answers with what everybody must do next.
pub(crate) fn write(ui: &Ui, dir: &Path, plan: &Plan) -> Tried<Ended> {
    let founded = lay(dir, plan)?;
    answer(ui, dir, &founded)?;
    Ok(Ended::Well)
}

/// Makes the keys and writes the files; the configuration last, so that half a founding does not start.
pub(crate) fn lay(dir: &Path, plan: &Plan) -> Tried<Founded> {
    let config = desk_toml(plan);
    // What we write must be what the desk reads.
    let _read: DeskConfig = quorate_host::config::parse(&config, "desk.toml")?;
    let random = Random::start()?;
    secret_file::make_dir(dir)?;
    secret_file::make_dir(&dir.join("keys"))?;
    let log = Identity::create(&dir.join("keys/log.seed"), random)?;
    let link = Identity::create(&dir.join("keys/link.seed"), random)?;
    let text = plan.charter(&log, &link)?;
    let pinned = LogPolicy::of_founding(&text)?.to_json()?;
    secret_file::create(&dir.join("charter.json"), &text.to_canonical()?, random)?;
    secret_file::create(&dir.join("verify.json"), &pinned, random)?;
    secret_file::create(&dir.join("desk.toml"), config.as_bytes(), random)?;
    Founded::of(text, &plan.cosigners, &plan.book_listen)
}

/// Puts aside what a founding left that was cut short: keys and a charter that nobody has seen, without a configuration.
/// Nothing of a whole founding is ever touched.
///
/// # Errors
/// [`Trouble`] when a vault is founded here, or the disk fails.
pub(crate) fn put_aside(dir: &Path, to: &Path) -> Tried<()> {
    if dir.join("desk.toml").symlink_metadata().is_ok() {
        return refuse_overwrite(dir);
    }
    for file in FILES {
        let (from, to) = (dir.join(file), to.join(file));
        if from.symlink_metadata().is_ok() {
            secret_file::make_dir(to.parent().unwrap_or(&to))?;
            std::fs::rename(&from, &to).map_err(|e| Fault::at(&from, &e))?;
        }
    }
    Ok(())
}

fn desk_toml(plan: &Plan) -> String {
    let mut text = "# The desk. Unknown fields are refused; relative paths start at this folder.\n\
                    charter = \"charter.json\"\ndata = \"data\"\n"
        .to_owned();
    let _infallible = writeln!(text, "book_listen = {}", quoted(&plan.book_listen));
    text.push_str("\n# Where each cosigner listens for the desk.\n[cosigners]\n");
    for (cosigner, address) in &plan.cosigners {
        let _infallible = writeln!(text, "{} = {}", quoted(cosigner.as_str()), quoted(address));
    }
    text.push_str("\n# A node for each chain. `[http]` would open the MCP door over HTTP.\n");
    for (chain, url) in &plan.chains {
        let chain = quoted(chain.as_str());
        let _infallible = writeln!(text, "[chains.{chain}]\nrpc = {}", quoted(url));
    }
    if let Some(listen) = &plan.console_listen {
        let _infallible = writeln!(text, "\n[console]\nlisten = {}", quoted(listen));
    }
    for (source, place) in &plan.sources {
        let _infallible = writeln!(text, "\n[sources.{}]", quoted(source));
        let _infallible = match place {
            SourceConfig::Link { address, identity } => writeln!(
                text,
                "kind = \"link\"\naddress = {}\nidentity = {}",
                quoted(address),
                quoted(&identity.to_string())
            ),
            SourceConfig::File { path } => {
                writeln!(text, "kind = \"file\"\npath = {}", quoted(&path.display().to_string()))
            }
            SourceConfig::Http { url } => {
                writeln!(text, "kind = \"http\"\nurl = {}", quoted(url))
            }
        };
    }
    text
}

/// What each party runs on its own machine, with its own copy of the charter.
fn commands(
    cosigners: &Places,
    book_listen: &str,
    text: &CharterText,
    digest: Digest,
) -> Vec<(String, String)> {
    let accept = format!("accept --charter charter.json --digest {digest}");
    let mut all = Vec::new();
    for seat in &text.cosigners {
        let who = format!("cosigner {}", seat.cosigner);
        let desk = format!("quorate-cosigner pair --desk-identity {}", text.log.identity);
        all.push((who.clone(), desk));
        for peer in text.cosigners.iter().filter(|peer| peer.cosigner != seat.cosigner) {
            let address = cosigners.get(&peer.cosigner).map_or("", String::as_str);
            let pair = format!(
                "quorate-cosigner pair --peer {} --address {address} --identity {}",
                peer.cosigner, peer.identity
            );
            all.push((who.clone(), pair));
        }
        all.push((who.clone(), format!("quorate-cosigner {accept}")));
        all.push((who, "quorate-cosigner run".to_owned()));
    }
    let places: Vec<String> =
        cosigners.iter().map(|(id, at)| format!(" --cosigner {id}={at}")).collect();
    let follow = format!(
        "{accept} --desk {book_listen} --desk-key {}{}",
        text.log.identity,
        places.concat()
    );
    for seat in &text.approvers {
        all.push((format!("approver {}", seat.approver), format!("quorate-approvals {follow}")));
    }
    for seat in &text.views {
        let who = format!("view {}", seat.view);
        all.push((who.clone(), format!("quorate-approvals view {follow}")));
        all.push((who, serve(seat)));
    }
    for seat in &text.sources {
        let who = format!("source {}", seat.source);
        all.push((who.clone(), format!("quorate source {accept}")));
        all.push((who, "quorate source run".to_owned()));
    }
    all
}

/// How a view is served at the origin of its seat.
fn serve(seat: &ViewSeat) -> String {
    let port = seat.origin.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    if seat.origin.starts_with("http://") {
        return format!("quorate-approvals view serve --listen 127.0.0.1:{}", port.unwrap_or(80));
    }
    format!(
        "quorate-approvals view serve --listen 0.0.0.0:{} --certificate chain.pem --key key.pem",
        port.unwrap_or(443)
    )
}

fn answer(ui: &Ui, dir: &Path, founded: &Founded) -> Tried<()> {
    let Founded { charter: text, digest, commands } = founded;
    let dir = dir.display();
    let value = json!({
        "vault": text.vault,
        "charter": digest,
        "dir": dir.to_string(),
        "log_key": text.log.key,
        "desk_identity": text.log.identity,
        "commands": commands.iter().map(|(who, run)| json!({ "who": who, "run": run })).collect::<Vec<_>>(),
    });
    let mut words = format!(
        "vault {} is founded in {dir}\n\n{}  {}\n\n\
         Read this digest aloud to every cosigner's operator and every approver,\n\
         on a channel that this machine does not control. Give each a copy of {dir}/charter.json. Who reads the same digest there runs,\n\
         in the folder where its `init` or `enrol` ran (what ends in `run` or begins with `view serve` stays up):\n",
        text.vault,
        ui.tone(Tone::Strong, "charter"),
        ui.tone(Tone::Strong, &digest.to_string()),
    );
    let mut last = "";
    for (who, run) in commands {
        if last != who.as_str() {
            let _infallible = writeln!(words, "\n{}", ui.tone(Tone::Strong, who));
            last = who;
        }
        let _infallible = writeln!(words, "  {run}");
    }
    let _infallible = writeln!(
        words,
        "\nThen start the desk with `quorate up --dir {dir}`. Receipts verify against {dir}/verify.json."
    );
    ui.answer(&value, words)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_served_where_browsers_look_for_it() {
        for (origin, expected) in [
            ("http://localhost:7800", "--listen 127.0.0.1:7800"),
            ("http://localhost", "--listen 127.0.0.1:80"),
            (
                "https://approve.example",
                "--listen 0.0.0.0:443 --certificate chain.pem --key key.pem",
            ),
            ("https://approve.example:8443", "--listen 0.0.0.0:8443 --certificate"),
        ] {
            let link = Identity::from_seed(&[1; 32]).unwrap().public_key();
            let seat = ViewSeat {
                view: "front".parse().unwrap(),
                origin: origin.to_owned(),
                rp_id: "example".to_owned(),
                operator: "front ltd".to_owned(),
                link,
            };
            assert!(serve(&seat).contains(expected), "{}", serve(&seat));
        }
    }
}
