//! The desk's one configuration file, `desk.toml`. Unknown fields are refused; relative paths start at the file's folder.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use quorate_terms::{ChainId, CosignerId, PublicKey};
use serde::{Deserialize, Serialize};

/// Everything that the desk is told at start.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeskConfig {
    /// The founding charter, as accepted.
    pub charter: PathBuf,
    /// The folder of the ledger, keys and sockets; mode 0700.
    pub data: PathBuf,
    /// The legal entity that runs this desk, as the charter spells it: `doctor` says which views it runs as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Where approvers' tools follow the book, over mutual TLS.
    #[serde(default = "book_address")]
    pub book_listen: String,
    /// Who else may follow the book there, by name: an auditor's office, a monitor. They read and nothing else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub readers: BTreeMap<String, PublicKey>,
    /// Where each cosigner listens for the desk, by seat.
    pub cosigners: BTreeMap<CosignerId, String>,
    /// A node for each chain.
    pub chains: BTreeMap<ChainId, ChainConfig>,
    /// Where the finality source listens, if the charter names one: address by source id.
    #[serde(default)]
    pub sources: BTreeMap<String, SourceConfig>,
    /// A file of counterparties that are always refused, one CAIP-10 account a line.
    #[serde(default)]
    pub deny_list: Option<PathBuf>,
    /// What is done when people come, change post and leave, as TOML; the list that comes with the desk if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checklists: Option<PathBuf>,
    /// The MCP door over HTTP, if it is to be open.
    #[serde(default)]
    pub http: Option<HttpConfig>,
    /// An authorization server whose access tokens the HTTP doors take beside the desk's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth: Option<OauthConfig>,
    /// The console, if it is to be open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<ConsoleConfig>,
    /// Milliseconds between looks at the chain and news to the cosigners.
    #[serde(default = "poll")]
    pub poll_ms: u64,
    /// How the log is written, on standard error: `text` for people, which is the default, or `json` for collectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<quorate_host::telemetry::Format>,
}

/// One chain's node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainConfig {
    /// The node's JSON-RPC URL; plain HTTP only on loopback.
    pub rpc: String,
}

/// An outside source of signed facts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SourceConfig {
    /// A process that is asked over mutual TLS (`quorate source run`).
    Link {
        /// Its address.
        address: String,
        /// Its link identity.
        identity: PublicKey,
    },
    /// A file of signed facts, one JSON object a line, read again whenever it changes.
    File {
        /// The file.
        path: PathBuf,
    },
    /// An HTTP address that answers with a JSON array of signed facts.
    Http {
        /// The address; plain HTTP only on loopback.
        url: String,
    },
}

/// The MCP door over HTTP.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Where to listen. Off loopback only with TLS.
    pub listen: String,
    /// The highest band of any credential here.
    #[serde(default = "ceiling")]
    pub bands: String,
    /// `stateless` or `stateful`.
    #[serde(default = "mode")]
    pub mode: String,
    /// Browser origins that may call, exactly.
    #[serde(default)]
    pub origins: Vec<String>,
    /// Host names under which it is reached, with port; the listening address is always among them.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Addresses of the proxies in front of it: when there are any, nobody else may connect. What they say about whom they
    /// speak for is not read.
    #[serde(default)]
    pub proxies: Vec<IpAddr>,
    /// How often one credential may ask, on average; a tenth of it at once after a pause. From 10 to 1000000.
    #[serde(default = "per_minute")]
    pub requests_per_minute: u64,
    /// Certificate chain (PEM).
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// Its private key (PEM), mode 0600.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

/// An authorization server (OAuth 2.1). Its tokens open nothing but what the book admitted for their subject.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OauthConfig {
    /// Its issuer, as its metadata and its tokens spell it: an https URL, or http on loopback.
    pub issuer: String,
    /// A file with its public keys (JWKS); without one they are asked of the server, where its metadata says.
    #[serde(default)]
    pub keys: Option<PathBuf>,
    /// The URL under which clients reach the doors, without a path, where it is another than these know by themselves: behind a
    /// proxy that speaks TLS. Audiences are this with `/mcp` or `/api/v1`.
    #[serde(default)]
    pub public_url: Option<String>,
    /// Whether its tokens are taken only when they are bound to a key (DPoP, RFC 9449), so that a stolen one opens nothing. A
    /// token that is bound is never taken without a proof of its key, whatever stands here.
    #[serde(default)]
    pub demand_dpop: bool,
}

/// The console: pages for people.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsoleConfig {
    /// Where to listen. Off loopback only with TLS.
    #[serde(default = "console_address")]
    pub listen: String,
    /// The addresses that people type, such as `https://console.example`; on loopback its names are enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,
    /// Addresses of the proxies in front of it: when there are any, nobody else may connect. What they say about whom they
    /// speak for is not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proxies: Vec<IpAddr>,
    /// Certificate chain (PEM).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// Its private key (PEM), mode 0600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// The organisation's OpenID provider, if people may sign in through it to look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openid: Option<OpenidConfig>,
    /// The origin of the auditor's office, `https://office.example`. With it go `office_key` and `bulletin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<String>,
    /// The office's public key: nothing else signs its bulletin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office_key: Option<PublicKey>,
    /// The file in which the office's newest bulletin is put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bulletin: Option<PathBuf>,
}

/// An OpenID provider. Whoever signs in through it looks at what the book lets them, and does nothing else.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenidConfig {
    /// Its issuer, as its metadata spells it: an https URL, or http on loopback.
    pub issuer: String,
    /// The console's name there. What is registered beside it is the console's origin with `/sign-in/provider/back`.
    pub client: String,
    /// The file of the client's secret, mode 0600.
    pub secret: PathBuf,
    /// Where the provider sends a browser that signed out there too: an address of the console that is registered with the client
    /// as `post_logout_redirect_uris`. Without it, people stay at the provider's own page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_out: Option<String>,
}

fn console_address() -> String {
    "127.0.0.1:7420".to_owned()
}

fn book_address() -> String {
    "127.0.0.1:7400".to_owned()
}

fn ceiling() -> String {
    "full".to_owned()
}

fn mode() -> String {
    "stateless".to_owned()
}

const fn per_minute() -> u64 {
    600
}

const fn poll() -> u64 {
    1000
}

/// A source of signed facts, `source.toml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Its name in the charter.
    pub source: quorate_terms::SourceId,
    /// The vault that it speaks to.
    pub vault: quorate_terms::VaultId,
    /// Where it listens, over mutual TLS.
    pub listen: String,
    /// What it speaks on.
    pub kinds: std::collections::BTreeSet<quorate_terms::fact::FactKind>,
    /// A node of its own for each chain.
    #[serde(default)]
    pub chains: BTreeMap<ChainId, ChainConfig>,
    /// The desk that may ask.
    pub desk_identity: PublicKey,
}
