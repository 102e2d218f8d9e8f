//! `admittance schema`

use std::process::ExitCode;

use crate::output::reference;

pub(super) fn run() -> ExitCode {
    super::print(&reference::schema())
}
