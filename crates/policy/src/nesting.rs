//! A look at rule text before any parser sees it, so that a bomb costs a byte count and nothing more (row 41).

/// The largest rule, in bytes.
pub(crate) const RULE_BYTES_MAX: usize = 4096;
/// The deepest nesting of brackets in a rule.
pub(crate) const DEPTH_MAX: usize = 24;
/// The most operators and conditionals in a rule; each may nest one deeper.
pub(crate) const OPERATORS_MAX: usize = 200;

/// Why a text is too large or too deep to be parsed, if it is.
pub(crate) fn too_much(text: &str) -> Option<&'static str> {
    if text.len() > RULE_BYTES_MAX {
        return Some("is longer than 4096 bytes");
    }
    let (mut depth, mut deepest, mut operators) = (0_usize, 0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth = depth.saturating_add(1),
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'&' | b'|' | b'!' | b'-' | b'+' | b'*' | b'.' => {
                operators = operators.saturating_add(1);
            }
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let conditionals = text.matches("if").count();
    if deepest > DEPTH_MAX || conditionals > DEPTH_MAX {
        return Some("is nested more than 24 deep");
    }
    (operators > OPERATORS_MAX).then_some("has more than 200 operators")
}
