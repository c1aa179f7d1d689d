//! One running job: the only writer of its view.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use crate::disk::Work;
use crate::domain::estimate::{self, Expected, Rates};
use crate::domain::job::{CardNow, JobEvent, JobState, JobView, Made, StageState, StageView, Warning};
use crate::domain::problem::Problem;
use crate::domain::progress::{Meter, Rate, StopFlag};
use crate::domain::size::Bytes;
use crate::domain::stage::Stage;
use crate::texts::Phrase;

use super::board::Board;
use super::clock;
use super::trouble::Trouble;

/// How often a running stage's meter is looked at.
const SAMPLE: Duration = Duration::from_millis(250);
/// How often the time left is said anew (face §8).
const SAY_LEFT_EVERY: f64 = 5.0;

/// Why a job did not come to its good end. The view says it already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Stopped by the user, or beside another stage that failed.
    Stopped,
    Failed,
}

/// A job from its first stage to its end.
pub struct Run {
    board: Rc<Board>,
    view: RefCell<JobView>,
    /// Set when the job is asked to stop, and when one of two stages side by side failed.
    stop: StopFlag,
    /// The program ends; nobody has asked for the job to be stopped.
    leaving: Cell<bool>,
    begun: Instant,
    expected: Cell<Expected>,
    rates: Cell<Rates>,
    /// When the time left was said, in seconds since the beginning.
    said_left: Cell<f64>,
    /// When the stage that the page speaks of moved its last byte, and how many it had.
    moved: Cell<(Instant, Option<Stage>, u64)>,
    /// The most that a stage moved without counting it.
    uncounted: Cell<u64>,
}

impl Run {
    pub fn new(board: Rc<Board>, view: JobView, rates: Rates) -> Run {
        let begun = Instant::now();
        let run = Run {
            board,
            view: RefCell::new(view),
            stop: StopFlag::new(),
            leaving: Cell::new(false),
            begun,
            expected: Cell::default(),
            rates: Cell::new(rates),
            said_left: Cell::new(0.0),
            moved: Cell::new((begun, None, 0)),
            uncounted: Cell::new(0),
        };
        run.publish(true);
        run
    }

    pub fn view(&self) -> JobView {
        self.view.borrow().clone()
    }

    pub fn stop_flag(&self) -> &StopFlag {
        &self.stop
    }

    pub fn expect(&self, change: impl FnOnce(&mut Expected)) {
        let mut expected = self.expected.get();
        change(&mut expected);
        self.expected.set(expected);
    }

    pub fn expected_backup(&self) -> Bytes {
        Bytes(self.expected.get().backup)
    }

    /// The program ends: a job that nobody asked to stop is *interrupted*, and offered again at the next start (JB-5).
    pub fn leave(&self) {
        self.leaving.set({ self.view.borrow().state } == JobState::Running);
        self.ask_to_stop();
    }

    /// The user, or the end of the program, asks to stop. The state says so until the workers have returned.
    pub fn ask_to_stop(&self) {
        if let Ok(state) = { self.view.borrow().state }.next(JobEvent::Stop) {
            self.view.borrow_mut().state = state;
            self.stop.set();
            self.log("asked to stop");
            self.publish(true);
        }
    }

    /// Runs a stage: shows it, samples its meter, keeps what it ended with.
    pub async fn stage<T>(&self, stage: Stage, work: impl AsyncFnOnce(Work) -> Result<T, Trouble>) -> Result<T, Ended> {
        if self.stop.is_set() {
            self.set_stage(stage, StageState::Stopped);
            return Err(Ended::Stopped);
        }
        self.set_stage(stage, StageState::Running);
        let meter = Meter::new();
        let result = self.watch(stage, &meter, work(Work { meter: meter.clone(), stop: self.stop.clone() })).await;
        match result {
            Ok(value) => {
                self.set_stage(stage, StageState::Done);
                Ok(value)
            }
            Err(trouble) => Err(self.trouble(stage, trouble)),
        }
    }

    /// A stage that has nothing to do.
    pub fn skip(&self, stage: Stage, note: Phrase) {
        self.note(stage, note);
        self.set_stage(stage, StageState::Skipped);
    }

    async fn watch<T>(&self, stage: Stage, meter: &Meter, work: impl Future<Output = T>) -> T {
        let (begun, mut rate) = (Instant::now(), Rate::default());
        let mut ticks = interval(SAMPLE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut work = pin!(work);
        loop {
            tokio::select! {
                result = &mut work => {
                    self.sample(stage, meter, begun, &mut rate);
                    return result;
                }
                _ = ticks.tick() => {
                    self.sample(stage, meter, begun, &mut rate);
                    self.publish(false);
                }
            }
        }
    }

    fn sample(&self, stage: Stage, meter: &Meter, begun: Instant, rate: &mut Rate) {
        let (amount, millis) = (meter.amount(), begun.elapsed().as_millis() as u64);
        rate.sample(millis, amount.done);
        self.uncounted.set(meter.uncounted().max(self.uncounted.get()));
        if let Some(view) = self.view.borrow_mut().stages.iter_mut().find(|view| view.stage == stage) {
            (view.amount, view.millis) = (amount, millis);
            view.rate = rate.bytes_per_second().filter(|_| view.state == StageState::Running);
        }
        self.estimate();
    }

    fn estimate(&self) {
        let mut view = self.view.borrow_mut();
        let elapsed = self.begun.elapsed().as_secs_f64();
        let left = estimate::seconds_left(&view.stages, self.expected.get(), self.rates.get());
        view.percent = estimate::percent(view.percent, elapsed, left);
        let since = elapsed - self.said_left.get();
        if view.remaining.is_none() || since >= SAY_LEFT_EVERY {
            let known = Some(left).filter(|_| estimate::is_known(&view.stages, self.expected.get()));
            view.remaining = estimate::shown_left(view.remaining, since, elapsed, view.percent, known);
            self.said_left.set(elapsed);
        }
        view.quiet = self.quiet(&view);
    }

    /// Seconds since the stage that the page speaks of moved a byte, or the download that feeds it, whatever moves beside
    /// them; 0 where none is counted.
    fn quiet(&self, view: &JobView) -> u64 {
        let main = view.main_stage().filter(|main| main.stage.moves_bytes());
        let feeds = view.waits_for().filter(|feeds| main.is_some_and(|main| main.stage != feeds.stage));
        let done = |of: Option<&StageView>| of.map_or(0, |of| of.amount.done);
        let (stage, done) = (main.map(|main| main.stage), done(main) + done(feeds) + self.uncounted.get());
        let (since, last_stage, last_done) = self.moved.get();
        if (last_stage, last_done) != (stage, done) {
            self.moved.set((Instant::now(), stage, done));
            return 0;
        }
        stage.map_or(0, |_| since.elapsed().as_secs())
    }

    fn set_stage(&self, stage: Stage, state: StageState) {
        if let Some(view) = self.view.borrow_mut().stages.iter_mut().find(|view| view.stage == stage) {
            view.state = state;
            if state != StageState::Running {
                view.rate = None;
            }
        }
        self.log(&format!("{}: {}", stage.id(), word(state)));
        self.publish(true);
    }

    /// What a stage does just now: shown while it runs.
    pub fn note(&self, stage: Stage, text: Phrase) {
        if let Some(view) = self.view.borrow_mut().stages.iter_mut().find(|view| view.stage == stage) {
            view.note = Some(text);
        }
    }

    pub fn warn(&self, warning: Warning) {
        if !self.view.borrow().warnings.contains(&warning) {
            self.log(&format!("warning: {}", warning.text));
            self.view.borrow_mut().warnings.push(warning);
            self.publish(true);
        }
    }

    /// Said before the card changes, so that a crash in between errs to the careful side.
    pub fn card_is(&self, now: CardNow) {
        self.view.borrow_mut().card_now = now;
        self.publish(true);
    }

    pub fn made(&self, change: impl FnOnce(&mut Made)) {
        change(&mut self.view.borrow_mut().made);
    }

    fn trouble(&self, stage: Stage, trouble: Trouble) -> Ended {
        if let Some(now) = trouble.now {
            self.view.borrow_mut().card_now = now;
        }
        // The first failure is the cause; what stops beside it only stopped.
        let first = self.view.borrow().problem.is_none();
        match trouble.problem.filter(|_| first) {
            None => {
                self.set_stage(stage, StageState::Stopped);
                Ended::Stopped
            }
            Some(problem) => {
                self.fail(problem, trouble.detail);
                self.set_stage(stage, StageState::Failed);
                Ended::Failed
            }
        }
    }

    fn fail(&self, problem: Problem, detail: String) {
        self.log(&format!("failed: {problem} ({detail})"));
        let mut view = self.view.borrow_mut();
        view.problem = Some(problem);
        view.detail = Some(detail);
        drop(view);
        self.stop.set();
    }

    /// The end: by what the recipe returned.
    pub fn end(&self, result: Result<(), Ended>) {
        let event = match result {
            Ok(()) => JobEvent::Finished,
            Err(_) if self.view.borrow().problem.is_some() => JobEvent::Broke,
            Err(_) if self.leaving.get() => JobEvent::Found,
            Err(_) => JobEvent::Stopped,
        };
        let mut view = self.view.borrow_mut();
        if event == JobEvent::Found {
            view.problem = Some(Problem::Restarted { stage: view.last_stage() });
        }
        if let Ok(state) = view.state.next(event) {
            view.state = state;
        }
        if view.state == JobState::Done {
            (view.percent, view.card_now) = (100, CardNow::Finished);
        }
        view.remaining = None;
        view.quiet = 0;
        view.ended = Some(clock::now());
        let line = format!("{}. {}", view.state.word(), view.card_now.sentence());
        drop(view);
        self.log(&line);
        self.publish(true);
    }

    /// The recipe ended without returning. The card is blank, or untouched: nothing but the end of commit makes it more.
    pub fn end_unexpectedly(&self) {
        let touched = self.view.borrow().card_now != CardNow::Untouched;
        if touched {
            self.view.borrow_mut().card_now = CardNow::Unknown;
        }
        self.fail(Problem::Unexpected { short: Phrase::of("why-work-broke") }, "panic".into());
        self.end(Err(Ended::Failed));
    }

    pub fn log(&self, line: &str) {
        let id = self.view.borrow().id;
        self.board.log(id, line);
    }

    fn publish(&self, keep: bool) {
        let view = self.view.borrow().clone();
        if let Some(why) = self.board.publish(view, keep) {
            let warning = Warning::new("cannot_save", &[("why", &why)]);
            let mut view = self.view.borrow_mut();
            if !view.warnings.iter().any(|known| known.code == warning.code) {
                log::warn!("{}", warning.text);
                view.warnings.push(warning);
            }
        }
    }
}

const fn word(state: StageState) -> &'static str {
    match state {
        StageState::Waiting => "waiting",
        StageState::Running => "begins",
        StageState::Done => "done",
        StageState::Skipped => "nothing to do",
        StageState::Failed => "failed",
        StageState::Stopped => "stopped",
    }
}
