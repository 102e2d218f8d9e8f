//! What holds for every module of the table, whatever it is configured with and whatever it is shown.

mod allocations;
mod properties;
mod run;
mod secrets;
mod together;
