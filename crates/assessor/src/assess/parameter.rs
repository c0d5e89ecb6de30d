//! Parameters of controls, as queries see them: durations reach them as seconds too.

use crate::evidence::{NoAnswer, Value};
use crate::standard::catalogue::Fixed;
use crate::standard::measure::{IMMEDIATE, seconds};

/// A parameter as queries see it: `:name`, and for a duration `:name_s` besides. A query compares moments, so that at once is
/// no second after.
pub(super) fn bind(name: &str, fixed: &Fixed) -> Result<Vec<(String, Value)>, NoAnswer> {
    let value = match fixed {
        Fixed::Boolean(yes) => Value::Integer(i64::from(*yes)),
        Fixed::Integer(number) => Value::Integer(*number),
        Fixed::Text(text) => Value::Text(text.clone()),
        Fixed::List(_) | Fixed::Table(_) => {
            Value::Text(serde_json::to_string(fixed).map_err(|e| NoAnswer { why: e.to_string() })?)
        }
    };
    let mut bound = vec![(name.to_owned(), value)];
    let text = if let Fixed::Text(text) = fixed { text.as_str() } else { "" };
    let whole = if text == IMMEDIATE { Some(0) } else { seconds(text) };
    if let Some(seconds) = whole.and_then(|s| i64::try_from(s).ok()) {
        bound.push((format!("{name}_s"), Value::Integer(seconds)));
    }
    Ok(bound)
}
