//! A finish on a terminal: words when the situation changes, a line that moves meanwhile; elsewhere plain lines; or JSON.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::domain::backup::BackupSlug;
use crate::domain::finish::{About, Listed, Next, RestoreStage, Situation, Step};
use crate::domain::secret::Secret;
use crate::finish::{Ended, Face};
use crate::host::linux::terminal::Hush;

use super::finish::{ask_line, end_word, leaving_words, link_of};

/// Wrong keys that are asked for again.
const KEYS_MOST: u32 = 5;

pub struct Terminal {
    host: String,
    json: bool,
    can_ask: bool,
    bar: Option<ProgressBar>,
    said: Option<(Situation, &'static str)>,
    keys: u32,
}

impl Terminal {
    pub fn new(host: &str, json: bool, can_ask: bool) -> Terminal {
        let bar = (!json && stderr().is_terminal()).then(bar);
        Terminal { host: host.into(), json, can_ask, bar, said: None, keys: 0 }
    }

    /// The last line.
    pub fn ended(&mut self, ended: &Ended, exit: u8) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let leaving = leaving_words(ended, &self.host);
        if self.json {
            let (end, link) = (end_word(ended), link_of(ended, &self.host));
            println!("{}", json!({ "end": end, "exit": exit, "link": link, "words": leaving }));
            return;
        }
        leaving.iter().for_each(|line| eprintln!("{line}"));
        match ended {
            Ended::KeyNeeded if !self.can_ask => eprintln!("Give the key in a file: --key-file FILE"),
            Ended::Declined if !self.can_ask => {
                eprintln!("Add --yes or --slug to say so where nobody can be asked.");
            }
            _ => {}
        }
    }

    fn line(&self, at: Duration, step: &Step, backup: Option<&BackupSlug>) -> String {
        let words = step.situation.words(About { host: &self.host, slug: backup });
        json!({
            "seconds": at.as_secs(),
            "situation": step.situation.id(),
            "next": next_word(&step.next),
            "stage": step.situation.stage().map(RestoreStage::id),
            "backup": backup,
            "title": words.title,
            "happened": words.happened,
            "todo": words.todo,
        })
        .to_string()
    }

    fn say(&self, step: &Step, backup: Option<&BackupSlug>) {
        let words = step.situation.words(About { host: &self.host, slug: backup });
        let text = format!("{}\n  {}\n  {}", words.title, words.happened, words.todo);
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    /// Asks on a thread of its own, so that Ctrl-C is heard meanwhile.
    async fn asked<T: Send + 'static>(&mut self, ask: impl FnOnce() -> Option<T> + Send + 'static) -> Option<T> {
        if !self.can_ask {
            return None;
        }
        // The line that moves would run over the question.
        let moving = self.bar.take();
        if let Some(bar) = &moving {
            bar.finish_and_clear();
        }
        let (tell, told) = tokio::sync::oneshot::channel();
        let asking = std::thread::Builder::new().name("question".into()).spawn(move || {
            // Nobody waits for the answer any more where the user left.
            let _ = tell.send(ask());
        });
        let answer = if asking.is_ok() { told.await.ok().flatten() } else { None };
        self.bar = moving.map(|before| bar().with_elapsed(before.elapsed()));
        answer
    }
}

impl Face for Terminal {
    fn told(&mut self, at: Duration, step: &Step, backup: Option<&BackupSlug>) {
        if let Some(bar) = &self.bar {
            bar.set_message(step.situation.words(About { host: &self.host, slug: backup }).title);
        }
        // That minutes pass is no change.
        let same = |(before, next): &(Situation, &'static str)| {
            before.id() == step.situation.id()
                && before.stage() == step.situation.stage()
                && (*next == next_word(&step.next) || !self.json)
        };
        if self.said.as_ref().is_some_and(same) {
            return;
        }
        match self.json {
            true => println!("{}", self.line(at, step, backup)),
            false => self.say(step, backup),
        }
        self.said = Some((step.situation.clone(), next_word(&step.next)));
    }

    async fn agree(&mut self, backup: &Listed) -> bool {
        let question = format!("Restore {} of {}, {}? Type yes:", backup.name, day(&backup.date), backup.size);
        self.asked(move || ask_line(&question)).await.is_some_and(|answer| answer == "yes")
    }

    async fn key(&mut self) -> Option<Secret> {
        self.keys += 1;
        if self.keys > KEYS_MOST {
            return None;
        }
        // Held here: should the user leave while it is typed, the terminal is as it was.
        let hush = self.can_ask.then(Hush::begin);
        let key = self.asked(|| ask_line("Key:").map(Secret::new)).await;
        drop(hush);
        // The same words are worth saying again after another wrong key.
        self.said = None;
        key.filter(|key| !key.is_empty())
    }

    async fn again(&mut self) -> bool {
        self.asked(|| ask_line("Try again? Type yes:")).await.is_some_and(|answer| answer == "yes")
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}");
    let bar = ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// `2026-11-20T18:04:11…` → `2026-11-20`
fn day(date: &str) -> String {
    date.split('T').next().unwrap_or_default().to_string()
}

fn next_word(next: &Next) -> &'static str {
    match next {
        Next::Ask(_) => "ask",
        Next::Post(_) => "post",
        Next::NeedKey => "key",
        Next::Confirm(_) => "confirm",
        Next::Offer => "offer",
        Next::End(_) => "end",
    }
}
