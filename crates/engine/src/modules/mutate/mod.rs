//! Modules that change objects.
