//! The founding: keys on every machine, one charter, and its digest compared by everybody before it is accepted.

use std::path::Path;

use serde_json::Value;

use super::{APPROVERS, COSIGNERS, Stage, secrets, text};
use crate::Done;
use crate::run;

/// What a founding decides. Amounts are whole units as the command line takes them.
#[derive(Default)]
pub(crate) struct Founding {
    /// A policy of one's own, instead of the starter with the story's numbers.
    pub(crate) policy: Option<String>,
    /// Tokens that the starter policy knows besides the stage's own: symbol, name and contract.
    pub(crate) tokens: Vec<(&'static str, &'static str, String)>,
    /// The seat file of a view, where there is one.
    pub(crate) view: Option<String>,
    /// How often each credential may ask over HTTP; as much as the desk allows by itself, if not said.
    pub(crate) requests_per_minute: Option<u64>,
    /// The authorization server whose tokens the desk takes, if it takes any.
    pub(crate) issuer: Option<String>,
    /// The provider through which people sign in at the console, and the secret of its client `console`, if there is one.
    pub(crate) openid: Option<(String, String)>,
    /// Digest of the charter, once there is one.
    pub(crate) charter: String,
}

impl Stage {
    /// Founds the vault, from everybody's first key to the accepted charter.
    pub(crate) fn found(&mut self) -> Done {
        self.found_after(|_| Ok(()))
    }

    /// As [`Stage::found`], with something to do once the approvers have their keys.
    pub(crate) fn found_after(&mut self, enrolled: impl FnOnce(&mut Self) -> Done) -> Done {
        self.enrol()?;
        enrolled(self)?;
        self.init_cosigners()?;
        self.init_source()?;
        let founded = self.init_desk()?;
        self.founding.charter = text(&founded, "/charter")?;
        let desk_key = text(&founded, "/desk_identity")?;
        run::write(
            &self.room.join("public/charter.json"),
            &run::read(&self.room.join("desk/charter.json"))?,
        )?;
        self.open_http()?;
        self.pair(&desk_key)?;
        self.accept(&desk_key)
    }

    /// Everybody makes keys, and nobody founds yet.
    pub(crate) fn prepare(&self) -> Done {
        self.enrol()?;
        self.init_cosigners()?;
        self.init_source()
    }

    /// Each approver makes keys on a machine of their own.
    fn enrol(&self) -> Done {
        for name in APPROVERS {
            secrets::passphrase(self, name)?;
            let person = format!("person-{name}");
            self.approver(name, &["enrol", "--approver", name, "--person", &person])?.good()?;
        }
        Ok(())
    }

    /// Each cosigner makes its keys and prints its seat.
    fn init_cosigners(&self) -> Done {
        for name in COSIGNERS {
            secrets::passphrase(self, name)?;
            let (operator, listen) = (format!("{name} custody ltd"), self.address(name));
            let words = ["init", "--cosigner", name, "--operator", &operator, "--listen", &listen];
            let seat = self.cosigner(name, &words)?;
            run::write(&self.room.join(format!("public/{name}.json")), &format!("{seat}\n"))?;
        }
        Ok(())
    }

    fn init_source(&self) -> Done {
        let (dir, listen) = (self.at("source"), self.address("source"));
        let chain = format!("{}={}", self.node.chain()?, self.node.url());
        let words = [
            "source",
            "init",
            "--dir",
            &dir,
            "--source",
            "finality-1",
            "--kinds",
            "finality",
            "--chain",
            &chain,
            "--listen",
            &listen,
            "--json",
        ];
        self.programs.run("quorate", &words)?.good().map(drop)
    }

    fn init_desk(&self) -> Done<Value> {
        let chain = self.node.chain()?;
        let mut words = vec!["init".to_owned(), "--vault".into(), "demo".into(), "--yes".into()];
        let mut flag = |name: &str, value: String| words.extend([format!("--{name}"), value]);
        for name in APPROVERS {
            flag("approver", self.at(&format!("approvers/{name}/enrolment.json")));
        }
        if let Some(seat) = &self.founding.view {
            flag("view", seat.clone());
        }
        for name in COSIGNERS {
            let seat = self.at(&format!("public/{name}.json"));
            flag("cosigner", format!("{seat}@{}", self.address(name)));
        }
        flag("source", format!("{}@{}", self.at("source/enrolment.json"), self.address("source")));
        flag("governance", "2".into());
        flag("chain", format!("{chain}={}", self.node.url()));
        flag("finality-depth", "2".into());
        flag("change-delay", "1s".into());
        flag("book-listen", self.address("book"));
        match &self.founding.policy {
            Some(path) => flag("policy", path.clone()),
            None => {
                flag(
                    "asset",
                    format!("ETH={chain}/slip44:60,decimals=18,name=Ether,{COIN_LIMITS}"),
                );
                let token = format!("{chain}/erc20:{}", self.token.address);
                flag("asset", format!("DEMO={token},decimals=6,name=Demo Dollar,{TOKEN_LIMITS}"));
                for (symbol, name, contract) in &self.founding.tokens {
                    let token = format!("{symbol}={chain}/erc20:{contract},decimals=6,name={name}");
                    flag("asset", format!("{token},{TOKEN_LIMITS}"));
                }
            }
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.desk(&words)
    }

    /// Opens the HTTP door and has the desk look at the chain four times a second.
    fn open_http(&self) -> Done {
        let path = self.room.join("desk/desk.toml");
        let listen = self.address("http");
        let text = run::read(&path)?;
        let console = self.address("console");
        let rate = self.founding.requests_per_minute;
        let rate = rate.map(|n| format!("requests_per_minute = {n}\n")).unwrap_or_default();
        let oauth = self.founding.issuer.as_deref();
        let oauth = oauth.map(|url| format!("\n[oauth]\nissuer = \"{url}\"\n")).unwrap_or_default();
        let openid = self.openid()?;
        let text = format!(
            "poll_ms = 250\n{text}\n[http]\nlisten = \"{listen}\"\n{rate}\n[console]\nlisten = \"{console}\"\n{openid}{oauth}"
        );
        rewrite(&path, &text)
    }

    /// The part of the settings that names a provider, with the client's secret in a file of its own.
    fn openid(&self) -> Done<String> {
        let Some((issuer, secret)) = &self.founding.openid else { return Ok(String::new()) };
        let path = self.room.join("secrets/openid.secret");
        rewrite(&path, secret)?;
        let closed = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, closed).map_err(|e| format!("{}: {e}", path.display()))?;
        let path = path.display();
        Ok(format!(
            "\n[console.openid]\nissuer = \"{issuer}\"\nclient = \"console\"\nsecret = \"{path}\"\n"
        ))
    }

    fn pair(&self, desk_key: &str) -> Done {
        for name in COSIGNERS {
            self.cosigner(name, &["pair", "--desk-identity", desk_key])?;
            for peer in COSIGNERS.iter().filter(|peer| **peer != name) {
                let seat = run::read(&self.room.join(format!("public/{peer}.json")))?;
                let seat: Value = serde_json::from_str(&seat).map_err(|e| e.to_string())?;
                let (identity, address) = (text(&seat, "/identity")?, self.address(peer));
                let words =
                    ["pair", "--peer", peer, "--address", &address, "--identity", &identity];
                self.cosigner(name, &words)?;
            }
        }
        Ok(())
    }

    /// Everybody accepts the one charter under the digest that was read aloud.
    fn accept(&self, desk_key: &str) -> Done {
        let (charter, digest) = (self.at("public/charter.json"), self.founding.charter.clone());
        let accept = ["accept", "--charter", &charter, "--digest", &digest];
        for name in COSIGNERS {
            self.cosigner(name, &accept)?;
        }
        let book = self.address("book");
        let places: Vec<String> =
            COSIGNERS.iter().map(|name| format!("{name}={}", self.address(name))).collect();
        let mut words = accept.to_vec();
        words.extend(["--desk", &book, "--desk-key", desk_key]);
        places.iter().for_each(|place| words.extend(["--cosigner", place.as_str()]));
        for name in APPROVERS {
            self.approver(name, &words)?.good()?;
        }
        if self.founding.view.is_some() {
            let words: Vec<&str> = ["view"].into_iter().chain(words).collect();
            self.view(&words)?;
        }
        let (dir, mut words) = (self.at("source"), vec!["source"]);
        words.extend(accept);
        words.extend(["--dir", dir.as_str(), "--json"]);
        self.programs.run("quorate", &words)?.good().map(drop)
    }

    /// One command of whoever runs the view.
    pub(crate) fn view(&self, words: &[&str]) -> Done<Value> {
        let dir = self.at("view");
        let words: Vec<&str> = words.iter().copied().chain(["--dir", &dir, "--json"]).collect();
        self.programs.run("quorate-approvals", &words)?.good()
    }

    /// One command of a cosigner's operator.
    pub(crate) fn cosigner(&self, who: &str, words: &[&str]) -> Done<Value> {
        let dir = self.at(&format!("cosigners/{who}"));
        let words: Vec<&str> = words.iter().copied().chain(["--dir", &dir, "--json"]).collect();
        self.programs.run("quorate-cosigner", &words)?.good()
    }
}

/// Up to a tenth alone, up to two a day for one agent, fees included.
const COIN_LIMITS: &str = "alone=0.1,strangers=0.05,agent-daily=2,vault-daily=50";
/// Up to a hundred alone, up to five hundred a day for one agent.
const TOKEN_LIMITS: &str = "alone=100,strangers=50,agent-daily=500,vault-daily=5000";

/// Writes over a file and leaves its mode as it is.
fn rewrite(path: &Path, text: &str) -> Done {
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}
