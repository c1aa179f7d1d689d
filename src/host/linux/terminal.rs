//! What is typed is not shown, for keys.

use std::io::stdin;

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

/// While it lives, the terminal of the standard input does not show what is typed.
pub struct Hush {
    /// As it was; `None`: there is no terminal.
    before: Option<Termios>,
}

impl Hush {
    pub fn begin() -> Hush {
        let before = tcgetattr(stdin()).ok();
        if let Some(before) = &before {
            let mut quiet = before.clone();
            quiet.local_flags.remove(LocalFlags::ECHO);
            quiet.local_flags.insert(LocalFlags::ECHONL);
            set(&quiet);
        }
        Hush { before }
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            set(before);
        }
    }
}

fn set(to: &Termios) {
    if let Err(error) = tcsetattr(stdin(), SetArg::TCSANOW, to) {
        log::warn!("setting the terminal: {error}");
    }
}
