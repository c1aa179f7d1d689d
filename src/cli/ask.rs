//! Asking before anything is erased.

use std::io::{IsTerminal, Write, stderr, stdin};

use crate::jobs::ListedDisk;

/// Whether the user types the first word of the disk's name back. Without a terminal: no.
pub fn may_erase(listed: &ListedDisk) -> bool {
    if !stdin().is_terminal() || !stderr().is_terminal() {
        eprintln!(
            "Everything on {} would be erased. Add --yes to say so where nobody can be asked.",
            listed.disk.name()
        );
        return false;
    }
    eprint!("Everything on {} will be erased. Type yes to begin: ", listed.disk.name());
    let mut answer = String::new();
    stderr().flush().is_ok() && stdin().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}
