//! An agent: MCP Inspector at the end of a pipe to `quorate mcp`, with the agent's token in a file.

use serde_json::{Value, json};

use super::{McpHttp, Programs, Said, Stage, WALLET, text};
use crate::Done;
use crate::run;
use crate::tools::{self, McpTools};

/// An agent with a credential.
pub(crate) struct Agent {
    /// Where its token lies.
    pub(crate) token_file: String,
    config: String,
    chain: String,
    tools: Option<McpTools>,
}

/// What an agent wants to move.
#[derive(Clone)]
pub(crate) struct Wish {
    /// Whom it pays.
    pub(crate) to: String,
    /// Base units.
    pub(crate) units: u128,
    /// A token's contract; the chain's coin without it.
    pub(crate) token: Option<String>,
    /// A note.
    pub(crate) memo: Option<String>,
}

impl Agent {
    pub(super) fn new(stage: &Stage, name: &str, token_file: &str) -> Self {
        Self {
            token_file: token_file.to_owned(),
            config: stage.at(&format!("public/mcp-{name}")),
            chain: stage.node.chain().unwrap_or_default(),
            tools: tools::mcp().ok(),
        }
    }

    /// The names of the tools that a server with these bands shows, in its order.
    pub(crate) fn tools(&self, stage: &Stage, bands: &str) -> Done<Vec<String>> {
        let listing = self.inspect(stage, bands, &["--method", "tools/list"])?.good()?;
        let listing = listing.pointer("/result").unwrap_or(&listing);
        let tools =
            listing.get("tools").and_then(Value::as_array).ok_or("the list has no tools")?;
        let name = |tool: &Value| tool.get("name").and_then(Value::as_str).map(str::to_owned);
        Ok(tools.iter().filter_map(name).collect())
    }

    /// Calls a tool and gives what it answered, whether that is content or an error of the tool.
    pub(crate) fn call(&self, stage: &Stage, tool: &str, arguments: &Value) -> Done<Value> {
        let arguments = arguments.to_string();
        let words = ["--method", "tools/call", "--tool-name", tool, "--tool-args-json", &arguments];
        let said = self.inspect(stage, "full", &words)?;
        let answer = said.json()?;
        let answer = answer.pointer("/result").unwrap_or(&answer);
        let content = answer.get("structuredContent").or_else(|| answer.get("content"));
        content.cloned().ok_or_else(|| format!("`{tool}` answered nothing: {answer} {}", said.err))
    }

    /// Prepares bytes for a wish, and gives the draft's id with its review.
    pub(crate) fn prepare(&self, stage: &Stage, wish: &Wish) -> Done<Value> {
        self.call(stage, "prepare_serialized_unsigned_tx", &self.arguments(wish))
    }

    /// What the policy would say of a wish.
    pub(crate) fn explain(&self, stage: &Stage, wish: &Wish) -> Done<Value> {
        self.call(stage, "explain_transfer", &self.arguments(wish))
    }

    /// Sends what was wished under a key of the agent's own, and gives the case.
    pub(crate) fn send(&self, stage: &Stage, wish: &Wish, key: &str) -> Done<Value> {
        let draft = text(&self.prepare(stage, wish)?, "/draft")?;
        self.call(stage, "send_transaction", &sending(&self.chain, &draft, key))
    }

    /// The arguments of a transfer tool.
    fn arguments(&self, wish: &Wish) -> Value {
        transfer_arguments(&self.chain, wish)
    }

    fn inspect(&self, stage: &Stage, bands: &str, words: &[&str]) -> Done<Said> {
        let tools = self.tools.as_ref().ok_or("MCP Inspector is not installed")?;
        let config = format!("{}-{}.json", self.config, bands.replace(',', "-"));
        let (program, desk) = (stage.programs.path("quorate"), stage.at("desk"));
        let server = json!({
            "command": program,
            "args": ["mcp", "--dir", desk, "--token-file", self.token_file, "--bands", bands],
        });
        run::write(config.as_ref(), &json!({ "mcpServers": { "quorate": server } }).to_string())?;
        let mut command = tools.command(&tools.inspector);
        command
            .args(["--cli", "--config", &config, "--server", "quorate", "-q", "--format", "json"]);
        command.args(words);
        let what = format!("inspector {}", words.get(1..4).unwrap_or(words).join(" "));
        let said = Said::of(&what, &run::kept(&mut command)?);
        Programs::keep(&stage.programs, &said);
        Ok(said)
    }
}

/// The arguments that send a draft under a key of the agent's own.
fn sending(chain: &str, draft: &str, key: &str) -> Value {
    json!({
        "wallet": WALLET, "chain": chain, "draft": draft, "idempotencyKey": key,
        "confirmBroadcast": true,
    })
}

/// The arguments of a tool that takes a transfer.
fn transfer_arguments(chain: &str, wish: &Wish) -> Value {
    let given = [
        ("wallet", Some(WALLET.to_owned())),
        ("chain", Some(chain.to_owned())),
        ("to", Some(wish.to.clone())),
        ("amountWei", Some(wish.units.to_string())),
        ("maxFeeWei", Some(FEE_MAX.to_owned())),
        ("tokenContract", wish.token.clone()),
        ("memo", wish.memo.clone()),
    ];
    given.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))).collect()
}

/// A thousandth of the coin: far more than any of these transfers costs.
const FEE_MAX: &str = "1000000000000000";

/// An agent at the HTTP door that moves money.
#[derive(Clone)]
pub(crate) struct Payer {
    door: McpHttp,
    chain: String,
}

impl Payer {
    /// Admits it with every band; two people agree.
    pub(crate) fn admitted(stage: &Stage, name: &str) -> Done<Self> {
        let agent = stage.admit(name, "full")?;
        let door = McpHttp::new(&stage.address("http"), &agent.token_file)?;
        Ok(Self { door, chain: stage.node.chain()? })
    }

    /// Asks a tool about a wish.
    pub(crate) fn ask(&self, tool: &str, wish: &Wish) -> Done<Value> {
        self.door.call(tool, &transfer_arguments(&self.chain, wish))
    }

    /// A draft that carries a wish out.
    pub(crate) fn prepare(&self, wish: &Wish) -> Done<String> {
        text(&self.ask("prepare_serialized_unsigned_tx", wish)?, "/draft")
    }

    /// Asks that a draft be sent, under a key; `None` when another transfer has taken its nonce since.
    pub(crate) fn send(&self, draft: &str, key: &str) -> Done<Option<Value>> {
        let said = self.door.call("send_transaction", &sending(&self.chain, draft, key))?;
        if said.to_string().contains("DRAFT_STALE") {
            return Ok(None);
        }
        text(&said, "/case").map(|_| Some(said))
    }
}
