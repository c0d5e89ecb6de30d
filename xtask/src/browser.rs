//! The pages in a browser: a sample site with every component and hostile text, served with the headers that belong to it, under
//! axe, a virtual authenticator and a camera.
//!
//! Screenshots go to `target/browser`. What a machine cannot see, whether a page is calm and clear, people see there.

mod assessor;
mod console;
mod view;

use crate::Done;
use crate::check::Verdict;
use crate::house;
use crate::run;
use crate::say;
use crate::tools;

/// Makes the sample site and looks at it.
pub(crate) fn end_to_end() -> Done<Verdict> {
    if !tools::may_have_browser() {
        return Ok(Verdict::Skipped("there is no Chromium; install `chromium`".to_owned()));
    }
    let tools = tools::browser()?;
    let folder = house::root().join("target/browser");
    let wanted = ["run", "--quiet", "--locked", "-p", "quorate-pages", "--example", "sample"];
    let site = run::text(&mut run::cargo(&wanted))?;
    let file = folder.join("site.json");
    run::write(&file, &site)?;
    let said = run::text(tools.command("pages.mjs").arg(&file).arg(&folder))?;
    said.lines().for_each(say::line);
    let parts = [
        looked(&said)?,
        assessor::end_to_end(&tools, &folder)?,
        view::end_to_end(&tools, &folder)?,
        console::end_to_end(&tools, &folder)?,
    ];
    Ok(Verdict::Passed(parts.iter().sum()))
}

/// How many things a script says that it saw.
fn looked(said: &str) -> Done<usize> {
    match said.lines().filter(|line| line.starts_with("ok ")).count() {
        0 => Err("the browser looked at nothing".to_owned()),
        seen => Ok(seen),
    }
}
