//! `ws/progress/{id}`: a job's four stages of the first plan over a WebSocket, in that plan's messages.
//!
//! ```text
//! {"stage": "flash", "progress": 12, "status": "in_progress"}     at first each stage, then each that changed
//! {"type": "error", "stage": "flash", "message": "…"}             it failed, was stopped or interrupted; then it is closed
//! {"type": "done"}                                                the card is finished; then it is closed
//! ```
//!
//! Closed with 1000 at the end of the job, with 1001 when the server ends or nobody answered three pings, with 1002 or
//! 1009 after what is no frame or too long a one. What a client sends beside pongs is not listened to. The gate has looked at its `Origin`: no same-origin rule holds for WebSockets.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::UPGRADE;
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, web};
use actix_ws::{CloseCode, Closed, Message, MessageStream, ProtocolError, Session};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::failure::{Failure, no_job, too_many};
use super::jobs::named;
use super::view::{PLAN, PlanStage, Standing, error_of};
use crate::domain::job::{JobId, JobState, JobView, StageState};
use crate::jobs::AllJobs;
use crate::web::Site;

const PING: Duration = Duration::from_secs(15);
/// Who said nothing for so long is gone.
const SILENT: Duration = Duration::from_secs(45);
/// Who takes nothing for so long is gone, too.
const STUCK: Duration = Duration::from_secs(10);
/// Clients have nothing to say to us.
const LONGEST_FRAME: usize = 1024;
/// Bytes that a client may send between two of our pings. A control frame has 131 at most.
const ALLOWANCE: usize = 8 * 1024;

pub async fn get(req: HttpRequest, site: web::Data<Site>, body: web::Payload) -> HttpResponse {
    let is_socket = req.headers().get(UPGRADE).is_some();
    let Some(id) = named(&req).filter(|id| site.jobs.job(*id).is_some()) else { return no_job().answer() };
    let (answer, session, messages) = match frugal(&req, body).await.and_then(|body| actix_ws::handle(&req, body)) {
        Ok(opened) => opened,
        Err(error) => return no_socket(is_socket, &error.to_string()).answer(),
    };
    let Some(stay) = site.door.stream(&req) else { return too_many().answer() };
    let messages = messages.max_frame_size(LONGEST_FRAME);
    let teller = Teller { id, session, told: [None; PLAN.len()] };
    let telling = teller.tell(messages, site.jobs.watch_jobs(), site.closing.clone());
    actix_web::rt::spawn(async move {
        telling.await;
        drop(stay);
    });
    answer
}

/// A body that ends once a client sends more than pongs and pings need. The library looks at the length of a frame once
/// all of it has come, and would keep a frame of a gigabyte in memory until then.
async fn frugal(req: &HttpRequest, body: web::Payload) -> Result<web::Payload, Error> {
    let (mut left, mut since) = (ALLOWANCE, Instant::now());
    let counted = body.map(move |chunk| {
        if since.elapsed() >= PING {
            (left, since) = (ALLOWANCE, Instant::now());
        }
        let chunk = chunk?;
        left = left.checked_sub(chunk.len()).ok_or(PayloadError::Overflow)?;
        Ok(chunk)
    });
    let mut counted: Payload = Payload::Stream { payload: Box::pin(counted) };
    // Taking it out of itself cannot fail.
    web::Payload::from_request(req, &mut counted).await
}

/// `said`: what is wrong with the request, in the words of the WebSocket library.
fn no_socket(is_socket: bool, said: &str) -> Failure {
    if is_socket {
        let hint = "Use version 13 of the WebSocket protocol.";
        let error = format!("The WebSocket could not be opened: {said}.");
        return Failure::new(StatusCode::BAD_REQUEST, "bad_websocket", error, hint)
            .with_header("sec-websocket-version", "13");
    }
    let hint = "Open it as a WebSocket, or poll GET api/jobs/ID.";
    Failure::new(StatusCode::UPGRADE_REQUIRED, "not_websocket", "This URL speaks WebSocket only.", hint)
        .with_header("upgrade", "websocket")
}

/// How it came to its end.
enum End {
    /// The job is over; the client was told.
    Over,
    /// The server ends, or the client is not there any more.
    Away,
    /// The client does not keep to the protocol.
    Wrong(CloseCode),
}

struct Teller {
    id: JobId,
    session: Session,
    told: [Option<Standing>; PLAN.len()],
}

impl Teller {
    async fn tell(
        mut self,
        mut messages: MessageStream,
        mut jobs: watch::Receiver<AllJobs>,
        mut closing: watch::Receiver<bool>,
    ) {
        let pongs = self.session.clone();
        let end = tokio::select! {
            end = self.tell_changes(&mut jobs) => end.unwrap_or(End::Away),
            end = answered(pongs, &mut messages) => end,
            _ = closing.wait_for(|closing| *closing) => End::Away,
        };
        let code = match end {
            End::Over => CloseCode::Normal,
            End::Away => CloseCode::Away,
            End::Wrong(code) => code,
        };
        // Whoever is gone does not hear it.
        let _ = timeout(STUCK, self.session.close(Some(code.into()))).await;
    }

    async fn tell_changes(&mut self, jobs: &mut watch::Receiver<AllJobs>) -> Result<End, Closed> {
        loop {
            let job = jobs.borrow_and_update().iter().find(|job| job.id == self.id).cloned();
            // Forgotten: a hundred jobs came after it.
            let Some(job) = job else { return Ok(End::Away) };
            for (stage, told) in PLAN.iter().zip(&mut self.told) {
                let now = stage.of(&job);
                if told.replace(now) != Some(now) {
                    let message = json!({ "stage": stage.name, "progress": now.progress, "status": now.status });
                    send(&mut self.session, &message).await?;
                }
            }
            if let Some(last) = last_message(&job) {
                send(&mut self.session, &last).await?;
                return Ok(End::Over);
            }
            if jobs.changed().await.is_err() {
                return Ok(End::Away);
            }
        }
    }
}

async fn send(session: &mut Session, message: &Value) -> Result<(), Closed> {
    timeout(STUCK, session.text(message.to_string())).await.unwrap_or(Err(Closed))
}

/// `None` while it runs.
fn last_message(job: &JobView) -> Option<Value> {
    if !job.state.is_over() {
        return None;
    }
    if job.state == JobState::Done {
        return Some(json!({ "type": "done" }));
    }
    // A backup that only stopped beside the stage that failed is not to blame.
    let failed = job.stages.iter().find(|view| view.state == StageState::Failed).map(|view| view.stage);
    let stage = PlanStage::name_of(failed.or_else(|| job.last_stage()));
    Some(json!({ "type": "error", "stage": stage, "message": error_of(job) }))
}

/// Pings, and reads what the client says; returns when it is gone.
async fn answered(mut session: Session, messages: &mut MessageStream) -> End {
    let mut pings = interval(PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        let alive = tokio::select! {
            _ = pings.tick() => heard.elapsed() < SILENT && matches!(timeout(STUCK, session.ping(b"")).await, Ok(Ok(()))),
            message = messages.recv() => {
                heard = Instant::now();
                match message {
                    Some(Ok(Message::Ping(bytes))) => matches!(timeout(STUCK, session.pong(&bytes)).await, Ok(Ok(()))),
                    Some(Ok(Message::Close(_))) | None => false,
                    Some(Ok(_)) => true,
                    Some(Err(error)) => return End::Wrong(code_of(&error)),
                }
            },
        };
        if !alive {
            return End::Away;
        }
    }
}

fn code_of(error: &ProtocolError) -> CloseCode {
    match error {
        ProtocolError::Overflow => CloseCode::Size,
        // The line broke, or more came than is allowed.
        ProtocolError::Io(_) => CloseCode::Policy,
        _ => CloseCode::Protocol,
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use awc::error::WsProtocolError;
    use awc::ws::Frame;
    use futures_util::{Stream, StreamExt};

    use super::*;
    use crate::domain::stage::Stage;
    use crate::web::api::trial::{is_error, serving};
    use crate::web::trial::*;

    type Socket = Pin<Box<dyn Stream<Item = Result<Frame, WsProtocolError>>>>;

    async fn open(base: &str) -> Socket {
        Box::pin(awc::Client::default().ws(format!("{base}/ws/progress/7")).connect().await.unwrap().1)
    }

    /// The next message; pings are passed over.
    async fn next(socket: &mut Socket) -> Value {
        loop {
            let frame = timeout(Duration::from_secs(10), socket.next()).await.expect("nothing came");
            match frame.expect("it ended").unwrap() {
                Frame::Text(text) => return serde_json::from_slice(&text).unwrap(),
                Frame::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn closed_with(socket: &mut Socket) -> CloseCode {
        loop {
            let frame = timeout(Duration::from_secs(10), socket.next()).await.expect("it stays open");
            match frame.expect("it ended without a word").unwrap() {
                Frame::Close(reason) => return reason.unwrap().code,
                Frame::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn writing(percent: u64) -> JobView {
        let mut job = job(7);
        job.stages[3].amount.done = percent * 62_000_000;
        job
    }

    fn flash(progress: u32, status: &str) -> Value {
        json!({ "stage": "flash", "progress": progress, "status": status })
    }

    async fn first_four(socket: &mut Socket) {
        let want = [
            json!({ "stage": "backup", "progress": 0, "status": "in_progress" }),
            json!({ "stage": "download", "progress": 100, "status": "completed" }),
            flash(20, "in_progress"),
            json!({ "stage": "inject", "progress": 0, "status": "pending" }),
        ];
        for message in want {
            assert_eq!(next(socket).await, message);
        }
    }

    #[actix_web::test]
    async fn a_client_gets_the_first_plans_messages_and_only_news() {
        let trial = Trial::new();
        trial.show(vec![writing(40)]);
        serving(&trial, async |base, _| {
            let mut socket = open(&base).await;
            first_four(&mut socket).await;
            // What the four stages do not show is no news.
            trial.show(vec![JobView { percent: 43, ..writing(40) }]);
            trial.show(vec![writing(50)]);
            assert_eq!(next(&mut socket).await, flash(25, "in_progress"));
            trial.show(vec![ended(7, JobState::Done)]);
            for stage in ["backup", "flash", "inject"] {
                assert_eq!(next(&mut socket).await, json!({ "stage": stage, "progress": 100, "status": "completed" }));
            }
            assert_eq!(next(&mut socket).await, json!({ "type": "done" }));
            assert_eq!(closed_with(&mut socket).await, CloseCode::Normal);
        })
        .await;
    }

    #[actix_web::test]
    async fn a_job_that_fails_says_where_and_why() {
        let trial = Trial::new();
        let mut failed = JobView { problem: Some(crate::domain::problem::Problem::DownloadDamaged), ..job(7) };
        failed.state = JobState::Failed;
        failed.stages[1].state = StageState::Stopped;
        failed.stages[2].state = StageState::Failed;
        trial.show(vec![failed.clone()]);
        serving(&trial, async |base, _| {
            let mut socket = open(&base).await;
            for _ in PLAN {
                next(&mut socket).await;
            }
            let last = next(&mut socket).await;
            assert_eq!((&last["type"], &last["stage"]), (&"error".into(), &"download".into()));
            assert_eq!(last["message"], error_of(&failed).unwrap());
            assert_eq!(closed_with(&mut socket).await, CloseCode::Normal);
        })
        .await;
    }

    #[actix_web::test]
    async fn it_is_closed_when_the_server_ends() {
        let trial = Trial::new();
        trial.show(vec![writing(40)]);
        serving(&trial, async |base, stop| {
            let mut socket = open(&base).await;
            first_four(&mut socket).await;
            stop.send(()).unwrap();
            assert_eq!(closed_with(&mut socket).await, CloseCode::Away);
        })
        .await;
    }

    #[actix_web::test]
    async fn a_page_of_another_site_hears_nothing() {
        let trial = Trial::new();
        trial.show(vec![job(7)]);
        serving(&trial, async |base, _| {
            let foreign = awc::Client::default().ws(format!("{base}/ws/progress/7")).origin("https://evil.example");
            let refused = foreign.connect().await.err().unwrap();
            assert!(format!("{refused:?}").contains("403"), "{refused:?}");
            let own = awc::Client::default().ws(format!("{base}/ws/progress/7")).origin(&base);
            assert_eq!(own.connect().await.unwrap().0.status().as_u16(), 101);
        })
        .await;
    }

    #[actix_web::test]
    async fn what_is_no_websocket_is_refused_with_json() {
        let trial = Trial::new();
        is_error(&trial.ask(trial.get("/ws/progress/7")).await, 404, "no_job");
        trial.show(vec![job(7)]);
        let answer = trial.ask(trial.get("/ws/progress/7")).await;
        is_error(&answer, 426, "not_websocket");
        assert_eq!(answer.header("upgrade"), "websocket");
        let old = trial.get("/ws/progress/7").insert_header(("upgrade", "websocket"));
        let old = old.insert_header(("connection", "upgrade")).insert_header(("sec-websocket-version", "8"));
        is_error(&trial.ask(old).await, 400, "bad_websocket");
        is_error(&trial.ask(trial.post_json("/ws/progress/7", "{}")).await, 405, "wrong_method");
    }

    #[test]
    fn each_end_has_its_last_message() {
        assert_eq!(last_message(&job(7)), None);
        assert_eq!(last_message(&ended(7, JobState::Done)), Some(json!({ "type": "done" })));
        for state in [JobState::Failed, JobState::Cancelled, JobState::Interrupted] {
            let last = last_message(&ended(7, state)).unwrap();
            assert_eq!((&last["type"], &last["stage"]), (&"error".into(), &"flash".into()), "{state:?}");
            assert!(last["message"].as_str().unwrap().ends_with('.'));
        }
        let mut early = JobView { state: JobState::Failed, ..job(7) };
        early.stages.iter_mut().for_each(|view| view.state = StageState::Waiting);
        early.stages[0].state = StageState::Failed;
        assert_eq!(early.stages[0].stage, Stage::Preflight);
        assert_eq!(last_message(&early).unwrap()["stage"], "preflight");
    }
}
