//! What holds for every module of the table.

mod cases;
mod documents;
mod judge;
mod properties;
mod run;
mod secrets;
