//! An error in one line.

use std::error::Error;

/// With its causes: "reading the card at 1.0 MB: Input/output error (os error 5)".
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
