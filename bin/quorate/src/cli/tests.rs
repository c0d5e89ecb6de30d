use super::*;

fn environment(bands: Option<&str>) -> Environment {
    Environment { no_colour: true, bands: bands.map(|text| Ok(text.to_owned())) }
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
    let binary = Environment { no_colour: true, bands: Some(Err(())) };
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
