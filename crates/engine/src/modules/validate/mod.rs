//! Modules that judge objects.
