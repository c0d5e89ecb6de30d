//! One build for all that runs here.

use std::path::PathBuf;

use crate::Done;
use crate::house;
use crate::progress;
use crate::run;

/// Builds every program and every example. Of one package alone cargo would build the libraries below it again, with the
/// features that this package asks for; with the examples in it, this is what the tests are built on.
pub(crate) fn everything() -> Done {
    let wanted = ["build", "--workspace", "--bins", "--examples", "--locked"];
    progress::shown("build", &mut run::cargo(&wanted))
}

/// Where cargo puts what it builds for development.
pub(crate) fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| house::root().join("target")).join("debug")
}

/// Where an example lies.
pub(crate) fn example(name: &str) -> PathBuf {
    target().join("examples").join(name)
}
