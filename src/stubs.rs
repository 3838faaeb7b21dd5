//! The type stub of the Python face, rendered from the op table.

/// NumPy's second names: the alias and the function that it is.
pub const ALIASES: &[(&str, &str)] = &[];

/// The text.
pub fn stubs() -> String {
    String::new()
}
