//! Values in upstream's messages: as Go's `%v` and `%#v` print them.

use std::fmt;

use crate::json::{Node, View};

/// How long a value in a message may be: upstream has no bound.
const LONGEST: usize = 500;

/// `&{a}`, `&{map[a:1]}`
pub(super) fn plain(value: Node<'_>) -> String {
    let mut text = Bounded(String::new());
    // The bound ends the writing, nothing else does.
    let _ = write(value, false, &mut text);
    format!("&{{{}}}", text.0)
}

/// `&value.valueUnstructured{Value:5}`
pub(super) fn typed(value: Node<'_>) -> String {
    let mut text = Bounded(String::new());
    let _ = write(value, true, &mut text);
    format!("&value.valueUnstructured{{Value:{}}}", text.0)
}

struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LONGEST {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

fn write(value: Node<'_>, is_typed: bool, out: &mut dyn fmt::Write) -> fmt::Result {
    match value.view() {
        View::Null if is_typed => out.write_str("interface {}(nil)"),
        View::Null => out.write_str("<nil>"),
        View::Bool(value) => write!(out, "{value}"),
        View::Int(value) => write!(out, "{value}"),
        View::UInt(value) => write!(out, "{value}"),
        View::Float(value) => write!(out, "{value}"),
        View::String(value) if is_typed => write!(out, "{value:?}"),
        View::String(value) => out.write_str(value),
        View::List(items) => {
            let (open, between, close) = if is_typed { ("[]interface {}{", ", ", "}") } else { ("[", " ", "]") };
            out.write_str(open)?;
            for (position, item) in items.iter().enumerate() {
                out.write_str(if position == 0 { "" } else { between })?;
                write(*item, is_typed, out)?;
            }
            out.write_str(close)
        }
        View::Map(map) => {
            let (open, between, close) =
                if is_typed { ("map[string]interface {}{", ", ", "}") } else { ("map[", " ", "]") };
            let mut entries = map.entries().to_vec();
            entries.sort_by_key(|entry| entry.0);
            out.write_str(open)?;
            for (position, (key, item)) in entries.iter().enumerate() {
                out.write_str(if position == 0 { "" } else { between })?;
                if is_typed {
                    write!(out, "{key:?}:")?;
                } else {
                    write!(out, "{key}:")?;
                }
                write(*item, is_typed, out)?;
            }
            out.write_str(close)
        }
    }
}
