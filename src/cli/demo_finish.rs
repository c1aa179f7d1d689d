//! `demo --headless --finish`: the cards are swapped and the move is finished, against a stand-in for the new system.

use std::time::Duration;

use crate::demo::core::{CoreStandin, whole_move};
use crate::domain::backup::BackupSlug;
use crate::domain::finish::{About, Limits, Listed, Step};
use crate::domain::secret::Secret;
use crate::finish::{Ended, Face, Finishing, Memory, Place, Timing, finish};

/// So many seconds pass in one.
const SPEED: f64 = 30.0;

/// Plays it from the old system on, and prints what is said, with the times of the move.
pub fn finished(slug: &BackupSlug) -> std::io::Result<Ended> {
    let mut face = TimeLine { said: None, lines: Vec::new() };
    eprintln!("The cards are swapped. Finishing the move, {SPEED} times as fast as it would be:");
    play(slug, SPEED, &mut face)
}

fn play(slug: &BackupSlug, speed: f64, face: &mut TimeLine) -> std::io::Result<Ended> {
    let core = CoreStandin::start(whole_move(slug.as_str()), speed)?;
    let what = Finishing {
        place: Place { host: "127.0.0.1".into(), ports: vec![core.main, core.old] },
        backup: Some(slug.clone()),
        agreed: true,
        key: None,
        limits: Limits::default(),
        timing: Timing { speed, ..Timing::real() },
        memory: Memory::none(),
    };
    Ok(actix_web::rt::System::new().block_on(finish(what, face, super::asked_to_end())))
}

struct TimeLine {
    said: Option<String>,
    lines: Vec<String>,
}

impl Face for TimeLine {
    fn told(&mut self, at: Duration, step: &Step, backup: Option<&BackupSlug>) {
        let words = step.situation.words(About { host: "127.0.0.1", slug: backup });
        // The stages of a restore are told by what happens.
        let said = if step.situation.stage().is_some() { words.happened } else { words.title };
        if self.said.as_ref() == Some(&said) {
            return;
        }
        let line = format!("{:>3}:{:02}  {said}", at.as_secs() / 60, at.as_secs() % 60);
        eprintln!("{line}");
        self.lines.push(line);
        self.said = Some(said);
    }

    async fn agree(&mut self, _: &Listed) -> bool {
        true
    }

    async fn key(&mut self) -> Option<Secret> {
        None
    }

    async fn again(&mut self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::finish::End;

    #[test]
    fn the_whole_move_is_told_in_its_order() {
        let mut face = TimeLine { said: None, lines: Vec::new() };
        let ended = play(&"0a1b2c3d".parse().unwrap(), 150.0, &mut face).unwrap();
        assert!(matches!(ended, Ended::Over { end: End::Done, .. }), "{ended:?}");
        let told = face.lines.join("\n");
        let mut from = 0;
        for words in [
            "Waiting for you to swap",
            "off or starting",
            "preparing itself",
            "is starting on",
            "Restoring",
            "restarts",
            "Done.",
        ] {
            let at = told[from..].find(words).unwrap_or_else(|| panic!("{words:?} after {from} in\n{told}"));
            from += at;
        }
    }
}
