//! `first_paint`: until a browser has painted the console's first page, over a page of one word from a bare server.

use serde_json::Value;

use super::row::Measured;
use crate::Done;
use crate::run;
use crate::tools;

const MS_MAX: f64 = 200.0;

/// Founds a vault with a wallet, on optimised binaries, and looks at its console as somebody who is signed in.
pub(super) fn first_paint() -> Done<Measured> {
    let tools = tools::browser()?;
    let stage = super::stage("target/paint")?;
    stage.admit_person("olga", "operator")?;
    let mut script = tools.command("paint.mjs");
    script.arg(format!("http://localhost:{}", stage.port("console")));
    let text = run::text(script.arg(stage.at("secrets/olga.token")))?;
    let told: Value = serde_json::from_str(&text).map_err(|e| format!("paint.mjs: {e}"))?;
    let number = |name: &str| {
        told.get(name).and_then(Value::as_f64).ok_or_else(|| format!("paint.mjs tells no `{name}`"))
    };
    let (home, bare) = (number("home")?, number("bare")?);
    let rounds = told.get("rounds").and_then(Value::as_u64).unwrap_or_default();
    let is_met = |home, _| home < MS_MAX;
    Ok(Measured::new("first_paint", (home, "ms"), Some(bare), ("< 200 ms", &is_met), rounds))
}
