//! The picture of a mark: an SVG that carries the mark and points to its page. A picture proves nothing; what it carries does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quorate_terms::{Digest, Malformed, Timestamp};

use super::claim::Claim;
use super::file::MarkFile;

/// Draws the badge. `page` is where the register shows the mark, `date` how a day is written.
///
/// # Errors
/// [`Malformed`] when the mark cannot be written or the page is no `https` address.
pub fn svg(
    mark: &MarkFile,
    claim: &Claim,
    page: &str,
    date: impl Fn(Timestamp) -> String,
) -> Result<String, Malformed> {
    if !page.starts_with("https://") {
        return Err(Malformed::new("page", "is no https address", "give the register's address"));
    }
    let bytes = mark.to_bytes()?;
    let digest = Digest::sha256(&bytes);
    let kind = if claim.standard.official { "" } else { " (unofficial draft)" };
    let standard = format!("{} {}{kind}", claim.standard.id.to_uppercase(), claim.standard.version);
    let level = format!("assessed: {}", claim.level);
    let until = format!("{} to {}", date(claim.assessed_on), date(claim.valid_until));
    let lines = [&standard, &level, &claim.scope.system, &until];
    let mut text = String::new();
    for (line, y) in lines.into_iter().zip([22_u16, 42, 62, 82]) {
        text.push_str(&format!("    <text x=\"76\" y=\"{y}\">{}</text>\n", escape(&cut(line))));
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"320\" height=\"96\" viewBox=\"0 0 320 96\" role=\"img\" aria-label=\"{label}\">\n\
         \x20 <title>{label}; verify it at {page}</title>\n\
         \x20 <metadata>{{\"sha256\":\"{digest}\",\"mark\":\"{file}\"}}</metadata>\n\
         \x20 <a href=\"{page}\">\n\
         \x20   <rect width=\"320\" height=\"96\" rx=\"8\" fill=\"#ffffff\" stroke=\"#1f3a5f\" stroke-width=\"2\"/>\n\
         \x20   <circle cx=\"38\" cy=\"48\" r=\"24\" fill=\"none\" stroke=\"#1f3a5f\" stroke-width=\"4\"/>\n\
         \x20   <path d=\"M27 48l8 9 15-18\" fill=\"none\" stroke=\"#1f3a5f\" stroke-width=\"4\"/>\n\
         \x20   <g font-family=\"sans-serif\" font-size=\"13\" fill=\"#1f3a5f\">\n{text}\x20   </g>\n\
         \x20 </a>\n</svg>\n",
        label = escape(&format!("{standard}, {level}, {}", claim.scope.system)),
        page = escape(page),
        file = STANDARD.encode(&bytes),
    ))
}

/// At most 32 characters, so that no line leaves the frame.
fn cut(line: &str) -> String {
    const WIDTH: usize = 32;
    if line.chars().count() <= WIDTH {
        return line.to_owned();
    }
    let kept: String = line.chars().take(WIDTH.saturating_sub(1)).collect();
    format!("{kept}\u{2026}")
}

pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}
