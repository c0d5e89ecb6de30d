//! Command lines that were not understood. People read what the parser says; whoever asked for JSON gets what was wrong as
//! parts, to be told as the program tells every other error.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

/// Why there is no command to obey.
#[derive(Debug)]
enum Unread {
    /// Help, the version or a complaint was shown as text; the process ends with this code.
    Said(ExitCode),
    /// The caller asked for JSON and hears it from the program.
    Untold(Usage),
}

/// What is wrong with a command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Usage {
    /// The argument, or `arguments`.
    pub field: String,
    /// Why it is refused, one line.
    pub why: String,
    /// What to do next, one line.
    pub mend: String,
    /// The exit code that the parser would have given.
    code: u8,
}

/// Reads a command line, program's name first. What the caller of `--json` has to hear goes to `tell`.
///
/// # Errors
/// The code with which the process ends, when there is nothing to obey.
pub fn read<C: Parser>(
    args: impl IntoIterator<Item = OsString>,
    tell: impl FnOnce(Usage),
) -> Result<C, ExitCode> {
    parse(args).map_err(|unread| match unread {
        Unread::Said(code) => code,
        Unread::Untold(usage) => {
            let code = ExitCode::from(usage.code);
            tell(usage);
            code
        }
    })
}

fn parse<C: Parser>(args: impl IntoIterator<Item = OsString>) -> Result<C, Unread> {
    let args: Vec<OsString> = args.into_iter().collect();
    let json = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    C::try_parse_from(&args).map_err(|error| match json && error.use_stderr() {
        true => Unread::Untold(Usage::of(&error, C::command().get_name())),
        false => {
            let _nobody_listens = error.print();
            Unread::Said(ExitCode::from(code(&error)))
        }
    })
}

impl Usage {
    fn of(error: &Error, program: &str) -> Self {
        let help = format!("see `{program} --help`");
        let (field, why, mend) = match error.kind() {
            // What the parser would print is its whole help.
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
                ("command".to_owned(), "none was given".to_owned(), help)
            }
            _ => {
                let text = error.render().to_string();
                let tips = text.lines().filter_map(|line| line.trim().strip_prefix("tip: "));
                let tips = tips.collect::<Vec<_>>().join("; ");
                (field(error), said(&text), if tips.is_empty() { help } else { tips })
            }
        };
        Self { field, why, mend, code: code(error) }
    }
}

/// The first paragraph, on one line.
fn said(text: &str) -> String {
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

fn field(error: &Error) -> String {
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(name)) => Some(name.clone()),
        Some(ContextValue::Strings(names)) => Some(names.join(", ")),
        _ => None,
    };
    let field = named(ContextKind::InvalidArg).or_else(|| named(ContextKind::InvalidSubcommand));
    field.filter(|name| !name.is_empty()).unwrap_or_else(|| "arguments".to_owned())
}

fn code(error: &Error) -> u8 {
    u8::try_from(error.exit_code()).unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Parser, Debug)]
    #[command(name = "tool", version)]
    struct Tool {
        #[arg(long, global = true)]
        json: bool,
        #[command(subcommand)]
        command: Command,
    }

    #[derive(clap::Subcommand, Debug)]
    enum Command {
        Go {
            #[arg(long)]
            speed: u8,
            rest: Vec<String>,
        },
    }

    fn told(words: &[&str]) -> Result<Tool, Unread> {
        parse(["tool"].iter().chain(words).map(Into::into))
    }

    #[test]
    fn with_json_each_thing_wrong_names_the_argument_why_and_what_to_do() {
        let cases: [(&[&str], &str, &str, &str); 6] = [
            (&["--json"], "command", "none was given", "see `tool --help`"),
            (&["--json", "goo"], "goo", "unrecognized subcommand", "a similar subcommand"),
            (&["go", "--json"], "--speed <SPEED>", "were not provided: --speed", "--help"),
            (&["go", "--json", "--speed", "x"], "--speed <SPEED>", "invalid digit", "--help"),
            (&["go", "--spede", "1", "--json"], "--spede", "unexpected argument", "--speed"),
            (&["--json", "--json", "go"], "--json", "cannot be used multiple times", "--help"),
        ];
        for (words, field, why, mend) in cases {
            let Err(Unread::Untold(usage)) = told(words) else { panic!("{words:?}") };
            assert_eq!((usage.field.as_str(), usage.code), (field, 2), "{words:?}: {usage:?}");
            assert!(usage.why.contains(why), "{usage:?}");
            assert!(usage.mend.contains(mend), "{usage:?}");
            assert!(!usage.why.contains('\n') && !usage.mend.contains('\n'), "{usage:?}");
        }
    }

    #[test]
    fn help_and_version_stay_text_and_so_does_a_complaint_to_people() {
        let said: [(&[&str], u8); 5] = [
            (&["--json", "--help"], 0),
            (&["--version", "--json"], 0),
            (&["go", "--help", "--json"], 0),
            (&["go"], 2),
            // Behind `--` it is no flag.
            (&["go", "--", "--json"], 2),
        ];
        for (words, code) in said {
            let Err(Unread::Said(found)) = told(words) else { panic!("{words:?}") };
            assert_eq!(format!("{found:?}"), format!("{:?}", ExitCode::from(code)), "{words:?}");
        }
        assert!(told(&["go", "--speed", "1", "--json"]).unwrap().json);
    }

    proptest! {
        #[test]
        fn no_words_panic(words in prop::collection::vec(".*", 0..6)) {
            let words: Vec<&str> = std::iter::once("--json").chain(words.iter().map(String::as_str)).collect();
            if let Err(Unread::Untold(usage)) = told(&words) {
                prop_assert!(!usage.field.is_empty() && !usage.mend.is_empty());
            }
        }
    }
}
