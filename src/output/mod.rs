//! What commands print: one file a format.

pub mod coverage;
pub mod doctor;
pub mod explain;
pub mod github;
pub mod promotion;
pub mod evidence;
pub mod export;
pub mod explanations;
pub mod jsonl;
pub mod junit;
pub mod place;
pub mod remark;
pub mod sarif;
pub mod upstream;
pub mod module_page;
pub mod mutants;
pub mod needs;
pub mod reference;
pub mod replay;
pub mod status;
pub mod suites;
pub mod testing;
pub mod text;
pub mod yaml_diff;

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};

/// Whether output is coloured: on terminals, unless NO_COLOR says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// With ANSI codes.
    On,
    /// Plain text.
    Off,
}

/// What a word means: it decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Refused, removed.
    Bad,
    /// Worth a look.
    Caution,
    /// Added, allowed.
    Good,
    /// Changed, explained.
    Note,
    /// A heading.
    Strong,
    /// Beside the matter.
    Faint,
}

impl Colour {
    /// The text in its tone.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        let style: Style = match tone {
            Tone::Bad => AnsiColor::Red.on_default().bold(),
            Tone::Caution => AnsiColor::Yellow.on_default(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Note => AnsiColor::Cyan.on_default(),
            Tone::Strong => Style::new().bold(),
            Tone::Faint => Style::new().dimmed(),
        };
        match self {
            Self::On => format!("{style}{text}{style:#}"),
            Self::Off => text.to_owned(),
        }
    }
}

/// Text of a manifest as a terminal may show it: a name with control characters must not move its cursor.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        Cow::Owned(
            text.chars()
                .map(|char| if char.is_control() { char.escape_default().to_string() } else { char.into() })
                .collect(),
        )
    } else {
        Cow::Borrowed(text)
    }
}
