//! How long to wait for others. One value of its kind for a program, so that tests and the simulator can wait in
//! milliseconds where people wait in minutes.

use std::time::Duration;

/// Waits of everything that talks to the Supervisor or to a release server, and for a disk that others look at. Every wait
/// of the program is bounded by one.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two looks at the Supervisor's jobs.
    pub poll: Duration,
    /// Until an ordinary answer has to be there.
    pub answer: Duration,
    /// First wait before a GET is tried again; doubles each time, up to `retry_most` (see `Backoff`).
    pub retry: Duration,
    pub retry_most: Duration,
    /// Until who was not let in asks again.
    pub denied: Duration,
    /// What has worked for so long is well: its next failure is a first one.
    pub health: Duration,
    /// How often a GET or a download without progress is tried before it counts as failed.
    pub tries: u32,
    /// Without a new stage, child job or byte for so long, a backup counts as hung (Core may never answer).
    pub backup_silence: Duration,
    /// Without a byte for so long, a download's connection counts as dead.
    pub download_silence: Duration,
    /// How long a disk may be busy when it is claimed: udev and the kernel look at one that was just plugged in or closed,
    /// and a slow card makes that seconds.
    pub busy: Duration,
}

impl Pace {
    /// What people get.
    pub const fn real() -> Pace {
        Pace {
            poll: Duration::from_secs(2),
            answer: Duration::from_secs(30),
            retry: Duration::from_secs(1),
            retry_most: Duration::from_secs(30),
            denied: Duration::from_secs(5 * 60),
            health: Duration::from_secs(60),
            tries: 8,
            backup_silence: Duration::from_secs(20 * 60),
            download_silence: Duration::from_secs(60),
            busy: Duration::from_secs(10),
        }
    }

    /// For tests against stand-ins on the same machine.
    pub const fn brisk() -> Pace {
        Pace {
            poll: Duration::from_millis(5),
            answer: Duration::from_millis(1500),
            retry: Duration::from_millis(2),
            retry_most: Duration::from_millis(20),
            denied: Duration::from_millis(100),
            health: Duration::from_millis(100),
            tries: 4,
            backup_silence: Duration::from_millis(1200),
            download_silence: Duration::from_millis(400),
            busy: Duration::from_millis(300),
        }
    }
}
