//! A stand-in for Home Assistant's command line: a script on the host's PATH that hands its arguments over.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;

use serde_json::{Value, json};

use super::supervisor::Supervisor;

const HELP: &str = "The Home Assistant CLI is a small and simple command line utility.\n\nUsage:\n  ha [command]\n";
const BANNER: &str = "  _  _                        _\n | || |___ _ __  ___   Assistant {2026}\n\n";

/// Puts the script into `bin`, and answers it for as long as the tests run.
pub fn install(bin: &Path, supervisor: &Supervisor) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!(
        "#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/{port} || exit 7\n\
         printf '%s\\n' \"${{SUPERVISOR_TOKEN:-}}\" \"$#\" \"$@\" >&3\n\
         read -r code <&3; read -r said <&3\n[ -z \"$said\" ] || echo \"$said\" >&2\ncat <&3\nexit \"$code\"\n"
    );
    fs::create_dir_all(bin).unwrap();
    let file = bin.join("ha");
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let supervisor = supervisor.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let supervisor = supervisor.clone();
            thread::spawn(move || attend(&stream, &supervisor));
        }
    });
}

fn attend(stream: &TcpStream, supervisor: &Supervisor) -> Option<()> {
    let mut lines = BufReader::new(stream).lines();
    let token = lines.next()?.ok()?;
    let count: usize = lines.next()?.ok()?.parse().ok()?;
    let words: Vec<String> = (0..count).filter_map(|_| lines.next()?.ok()).collect();
    let (code, said, text) = answer(supervisor, !token.is_empty(), &words);
    let mut out = stream;
    // Whoever asked may be gone.
    write!(out, "{code}\n{said}\n{text}").ok()
}

/// Exit code, standard error, standard output.
fn answer(supervisor: &Supervisor, known: bool, words: &[String]) -> (i32, String, String) {
    let (help, banner, silent) = {
        let quirks = supervisor.state().quirks.clone();
        (quirks.help, quirks.banner, quirks.silent)
    };
    if silent {
        std::thread::sleep(std::time::Duration::from_secs(120));
    }
    if help {
        return (0, String::new(), HELP.into());
    }
    let plain: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.starts_with("--")).collect();
    let banner = if banner { BANNER } else { "" };
    if !known {
        return (1, "Error: unexpected server response. Status code: 401".into(), banner.into());
    }
    let logs = match plain.as_slice() {
        ["apps", "logs", slug, ..] => Some(format!("/addons/{slug}/logs")),
        ["supervisor", "logs", ..] => Some("/supervisor/logs".to_string()),
        _ => None,
    };
    if let Some(path) = logs {
        return match supervisor.logs(&path) {
            Some(text) => (0, String::new(), format!("{banner}{text}")),
            None => (1, "Error: unexpected server response. Status code: 404".into(), String::new()),
        };
    }
    let Some((method, path)) = request(&plain) else { return (0, String::new(), HELP.into()) };
    let force = words.iter().any(|word| word == "--force");
    let data = if force { json!({"force": true}) } else { Value::Null };
    let builds = ["install", "update", "rebuild"].iter().any(|what| path.ends_with(what));
    if builds && supervisor.state().quirks.impatient {
        // However it ends: nobody is told.
        let _ = supervisor.call(method, &path, &data);
        supervisor.state().busy = 2;
        return (1, "Error: Post \"http://supervisor/\": context deadline exceeded".into(), String::new());
    }
    // With --raw-json a refusal of the Supervisor is printed, and the exit code is 0.
    let told = match supervisor.call(method, &path, &data) {
        Ok(data) => json!({"result": "ok", "data": data}),
        Err((_, message)) => json!({"result": "error", "message": message}),
    };
    (0, String::new(), format!("{banner}{told}\n"))
}

/// What the command line asks of the Supervisor.
fn request(words: &[&str]) -> Option<(&'static str, String)> {
    Some(match words {
        ["store", "reload"] => ("POST", "/store/reload".into()),
        ["store", "apps"] => ("GET", "/store/addons".into()),
        ["apps", "info", slug] => ("GET", format!("/addons/{slug}/info")),
        ["apps", what @ ("install" | "update" | "rebuild" | "start" | "restart"), slug] => {
            ("POST", format!("/addons/{slug}/{what}"))
        }
        ["jobs", "info"] => ("GET", "/jobs/info".into()),
        ["supervisor", "info"] => ("GET", "/supervisor/info".into()),
        _ => return None,
    })
}
