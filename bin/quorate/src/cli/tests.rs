use super::*;

fn environment(bands: Option<&str>) -> Environment {
    Environment {
        no_colour: true,
        bands: bands.map(|text| Ok(text.to_owned())),
        has_display: false,
    }
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn an_unknown_band_a_gap_or_an_empty_value_stops_the_door() {
    for bad in ["", "read,sign", "admin", "READ", "read,,prepare"] {
        let flag = bands_of(Some(bad), &environment(None)).unwrap_err().to_string();
        assert!(flag.starts_with("--bands: ") && flag.contains("; "), "{flag}");
        let variable = bands_of(None, &environment(Some(bad))).unwrap_err().to_string();
        assert!(variable.starts_with("MCP_BANDS: "), "{variable}");
    }
    let binary = Environment { no_colour: true, bands: Some(Err(())), has_display: false };
    assert!(bands_of(None, &binary).is_err());
}

#[test]
fn the_flag_wins_over_the_environment_and_neither_is_no_ceiling() {
    assert_eq!(bands_of(Some("read"), &environment(Some("admin"))).unwrap().unwrap(), "read");
    assert_eq!(bands_of(None, &environment(Some("full"))).unwrap().unwrap(), "full");
    assert_eq!(bands_of(None, &environment(None)).unwrap(), None);
}

#[test]
fn quoted_text_reads_back_from_toml() {
    #[derive(serde::Deserialize)]
    struct One {
        text: String,
    }
    for text in ["plain", "with \"quotes\" and \\", "tab\tline\n", "\u{7f}\u{1}é"] {
        let toml = format!("text = {}", quoted(text));
        let read: One = quorate_host::config::parse(&toml, "test").unwrap();
        assert_eq!(read.text, text);
    }
}

/// Every command that does something, with the words that lead to it.
fn leaves(command: &clap::Command, path: &str, found: &mut Vec<(String, clap::Command)>) {
    let mut below = command.get_subcommands().filter(|sub| sub.get_name() != "help").peekable();
    if below.peek().is_none() {
        found.push((path.to_owned(), command.clone()));
    }
    for sub in below {
        leaves(sub, format!("{path} {}", sub.get_name()).trim(), found);
    }
}

#[test]
fn every_command_takes_json_and_says_in_one_line_what_it_does() {
    let mut cli = Cli::command();
    cli.build();
    let mut found = Vec::new();
    leaves(&cli, "", &mut found);
    assert!(found.len() > 30, "{}", found.len());
    for (path, command) in found {
        let json = command.get_arguments().any(|argument| argument.get_long() == Some("json"));
        assert!(json, "`{path}` takes no --json");
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(!about.is_empty() && !about.contains('\n'), "`{path}`: {about:?}");
    }
}

#[test]
fn completions_of_each_shell_know_every_command() {
    let mut cli = Cli::command();
    cli.build();
    let names: Vec<String> = cli.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "quorate", &mut script);
        let script = String::from_utf8(script).unwrap();
        for name in &names {
            assert!(script.contains(name.as_str()), "{shell}: {name}");
        }
    }
}
