//! Reading what operators type and the files that they name. Every complaint says which, why and how to mend it.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use quorate_host::Fault;
use quorate_policy::{Policy, Problem};
use quorate_terms::freeze::Scope;
use quorate_terms::policy::{AssetInfo, PolicyDocument};
use quorate_terms::{AssetId, ChainId, time};
use serde::de::DeserializeOwned;

use super::trouble::{Tried, Trouble};

/// The largest file that is read, in bytes: that of a term.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A file's text.
pub(crate) fn text(path: &Path) -> Tried<String> {
    let name = || path.display().to_string();
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| Fault::at(path, &e))?;
    let mut limited = file.take(FILE_BYTES_MAX.saturating_add(1));
    limited.read_to_end(&mut bytes).map_err(|e| Fault::at(path, &e))?;
    if u64::try_from(bytes.len()).is_ok_and(|size| size > FILE_BYTES_MAX) {
        let mend = format!("give a file of at most {FILE_BYTES_MAX} bytes");
        return Err(Trouble::new(name(), "is too large", mend));
    }
    String::from_utf8(bytes)
        .map_err(|_| Trouble::new(name(), "is not text", "give a JSON or TOML file"))
}

/// A document from a `.toml` file, or from JSON in any spacing. Unknown and repeated fields are refused.
pub(crate) fn document<T: DeserializeOwned>(path: &Path) -> Tried<T> {
    let text = text(path)?;
    let name = path.display().to_string();
    if path.extension().is_some_and(|ending| ending == "toml") {
        return Ok(quorate_host::config::parse(&text, &name)?);
    }
    serde_json::from_str(&text).map_err(|e| {
        let why = e.to_string();
        let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why);
        Trouble::new(format!("{name}:{}", e.line()), why, "mend this line")
    })
}

/// A policy document and what is wrong with it.
pub(crate) fn policy(path: &Path) -> Tried<(PolicyDocument, Vec<Located>)> {
    let document: PolicyDocument = document(path)?;
    let problems = match Policy::load(&document) {
        Ok(_) => Vec::new(),
        Err(problems) => {
            let text = text(path)?;
            problems.into_iter().map(|problem| locate(problem, &text)).collect()
        }
    };
    Ok((document, problems))
}

/// A problem, and the line of the file where the thing that it complains about is named.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Located {
    /// The line of the file, from 1, where it could be found.
    pub(crate) file_line: Option<usize>,
    /// The complaint; its own line is the line within a rule's text.
    #[serde(flatten)]
    pub(crate) problem: Problem,
}

fn locate(problem: Problem, text: &str) -> Located {
    let mut parts = problem.field.split('.').skip(1);
    let name = parts.next().map(|name| format!("\"{name}\""));
    let found = name.and_then(|name| text.lines().position(|line| line.contains(&name)));
    Located { file_line: found.map(|at| at.saturating_add(1)), problem }
}

/// Writes a new file for its owner only; nothing is overwritten.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Tried<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path).map_err(|e| Fault::at(path, &e))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| Fault::at(path, &e))?;
    Ok(())
}

/// Seconds from `90s`, `30m`, `12h`, `30d` or `0`.
pub(crate) fn seconds(field: &str, text: &str) -> Tried<u64> {
    let bad = || {
        let mend = "give a whole number with `s`, `m`, `h` or `d`, such as `30d`";
        Trouble::new(field, format!("`{text}` is not a length of time"), mend)
    };
    if text == "0" {
        return Ok(0);
    }
    time::seconds(text).ok_or_else(bad)
}

/// What is frozen: `vault`, `wallet:NAME` or `agent:NAME`.
pub(crate) fn scope(text: &str) -> Tried<Scope> {
    match text.split_once(':') {
        None if text == "vault" => Ok(Scope::Vault),
        Some(("wallet", wallet)) => Ok(Scope::Wallet { wallet: wallet.parse()? }),
        Some(("agent", agent)) => Ok(Scope::Agent { agent: agent.parse()? }),
        _ => Err(Trouble::new(
            "scope",
            format!("`{text}` is no scope"),
            "give `vault`, `wallet:NAME` or `agent:NAME`",
        )),
    }
}

/// A scope in the form in which it is typed.
pub(crate) fn scope_words(scope: &Scope) -> String {
    match scope {
        Scope::Vault => "vault".to_owned(),
        Scope::Wallet { wallet } => format!("wallet:{wallet}"),
        Scope::Agent { agent } => format!("agent:{agent}"),
    }
}

/// Two parts around the first `=`, as in `eip155:1=http://127.0.0.1:8545`.
pub(crate) fn pair<'a>(field: &str, text: &'a str, form: &str) -> Tried<(&'a str, &'a str)> {
    match text.split_once('=') {
        Some((left, right)) if !left.is_empty() && !right.is_empty() => Ok((left, right)),
        _ => Err(Trouble::new(field, format!("`{text}` is not a pair"), format!("give {form}"))),
    }
}

/// An asset by CAIP-19 or by the symbol that the policy gives it; who names one of two is told both.
pub(crate) fn asset<'a>(text: &str, assets: &'a [AssetInfo]) -> Tried<&'a AssetInfo> {
    if text.contains('/') {
        let wanted: AssetId = quorate_chains::parse_asset(text)?;
        return assets.iter().find(|info| info.asset == wanted).ok_or_else(|| {
            let mend = "use one of the policy's assets (`quorate policy show`)";
            Trouble::new("asset", format!("`{wanted}` is not in the policy"), mend)
        });
    }
    let found: Vec<&AssetInfo> = assets.iter().filter(|info| info.symbol == text).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(Trouble::new(
            "asset",
            format!("no asset of the policy is called `{text}`"),
            format!("use one of {}", list(assets.iter().map(|info| &info.symbol))),
        )),
        several => Err(Trouble::new(
            "asset",
            format!("`{text}` is the symbol of several assets"),
            format!("use one of {}", list(several.iter().map(|info| &info.asset))),
        )),
    }
}

fn list(items: impl Iterator<Item = impl std::fmt::Display>) -> String {
    let items: Vec<String> = items.map(|item| format!("`{item}`")).collect();
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

/// A chain by CAIP-2, which must be an EVM chain.
pub(crate) fn chain(text: &str) -> Tried<ChainId> {
    let chain: ChainId = text.parse()?;
    quorate_chains::native_asset(&chain)?;
    Ok(chain)
}

/// A node's address: HTTPS, or plain HTTP on loopback only.
pub(crate) fn rpc(field: &str, url: &str) -> Tried<()> {
    let bad = |why: &str| {
        let mend = "give `https://…`, or `http://127.0.0.1:PORT` on this machine";
        Err(Trouble::new(field, format!("`{url}` {why}"), mend))
    };
    let Ok(read) = reqwest::Url::parse(url) else { return bad("is not a URL") };
    let host = read.host_str().unwrap_or_default();
    let loopback = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
    match read.scheme() {
        "https" if !host.is_empty() => Ok(()),
        "http" if loopback => Ok(()),
        "http" => bad("is plain HTTP to another machine"),
        _ => bad("is not an HTTP address"),
    }
}

/// A listening or dialling address, `HOST:PORT`.
pub(crate) fn address(field: &str, text: &str) -> Tried<()> {
    if quorate_host::link::is_address(text) {
        return Ok(());
    }
    let why = format!("`{text}` is not an address");
    Err(Trouble::new(field, why, "give `HOST:PORT`, such as `127.0.0.1:7401`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_of_time_have_a_unit() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("30m", Some(1_800)),
            ("12h", Some(43_200)),
            ("30d", Some(2_592_000)),
            ("0", Some(0)),
            ("", None),
            ("d", None),
            ("-1d", None),
            ("1.5h", None),
            ("30", None),
            ("99999999999999999999d", None),
            ("213503982334602d", None),
        ] {
            assert_eq!(seconds("expires", text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn scopes_read_back_as_they_are_written() {
        for text in ["vault", "wallet:ops", "agent:bot-1"] {
            assert_eq!(scope_words(&scope(text).unwrap()), text);
        }
        for bad in ["", "all", "wallet", "wallet:", "vault:x", "agent:A B"] {
            assert!(scope(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn plain_http_leaves_this_machine_never() {
        for (url, good) in [
            ("http://127.0.0.1:8545", true),
            ("http://localhost:8545", true),
            ("https://node.example.org/key", true),
            ("http://node.example.org", false),
            ("http://127.0.0.1.example.org", false),
            ("ftp://127.0.0.1", false),
            ("127.0.0.1:8545", false),
            ("", false),
        ] {
            assert_eq!(rpc("chain", url).is_ok(), good, "{url}");
        }
    }

    #[test]
    fn an_asset_is_named_by_symbol_only_where_that_is_one_asset() {
        let info = |chain: u32| AssetInfo {
            asset: format!("eip155:{chain}/slip44:60").parse().unwrap(),
            symbol: "ETH".to_owned(),
            name: "Ether".to_owned(),
            decimals: 18,
        };
        let one = [info(1)];
        let two = [info(1), info(31337)];
        assert_eq!(asset("ETH", &one).unwrap().asset, one[0].asset);
        let complaint = asset("ETH", &two).unwrap_err().to_string();
        assert!(complaint.contains("eip155:31337/slip44:60"), "{complaint}");
        assert_eq!(asset("eip155:31337/slip44:60", &two).unwrap().asset, two[1].asset);
        for unknown in ["DAI", "eip155:5/slip44:60", "eth", "a/b"] {
            assert!(asset(unknown, &two).is_err(), "{unknown}");
        }
    }

    proptest! {
        #[test]
        fn what_operators_type_never_panics(text in "(?s).{0,60}") {
            let _ = seconds("x", &text);
            let _ = scope(&text);
            let _ = pair("x", &text, "A=B");
            let _ = asset(&text, &[]);
            let _ = chain(&text);
            let _ = rpc("x", &text);
            let _ = address("x", &text);
        }
    }
}
