//! What holds for every module of the table.

mod cases;
mod documents;
mod properties;
mod run;
mod secrets;
