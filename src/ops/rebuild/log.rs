//! The Supervisor's log about a build.

/// Lines that are shown of it.
const TAIL: usize = 40;

/// The end of the last build's output; the end of the log where none is in it. Empty of an empty log.
pub fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let from = lines.iter().rposition(|line| line.contains("Docker build failed")).unwrap_or(0);
    let part = lines.get(from..).unwrap_or_default();
    let last = part.get(part.len().saturating_sub(TAIL)..).unwrap_or_default();
    last.join("\n")
}

/// How the last build of `slug` ended, as far as the log says.
pub fn ended_well(log: &str, slug: &str) -> Option<bool> {
    log.lines().rev().filter(|line| line.contains(slug)).find_map(|line| {
        let well = ["successfully rebuilt", "successfully updated", "successfully installed"];
        let badly = ["Docker build failed", "Could not build image", "Could not pull image", "Can't pull image"];
        let has = |words: &[&str]| words.iter().any(|word| line.contains(word));
        if has(&well) { Some(true) } else { has(&badly).then_some(false) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_last_build() {
        let steps: String = (0..100).map(|n| format!("#{n} step\n")).collect();
        let log = format!("Docker build failed for a\nold\nINFO x\nDocker build failed for b\n{steps}ERROR: end\n");
        let tail = tail(&log);
        assert_eq!(tail.lines().count(), TAIL);
        assert!(tail.ends_with("ERROR: end") && !tail.contains("old"));
        assert_eq!(super::tail("a\nb\n"), "a\nb");
    }

    #[test]
    fn how_it_ended() {
        let log = "Could not build image for app local_x: y\nApp 'local_x' successfully rebuilt\nother\n";
        assert_eq!(ended_well(log, "local_x"), Some(true));
        assert_eq!(ended_well(&format!("{log}Could not build image for app local_x: z"), "local_x"), Some(false));
        assert_eq!(ended_well(log, "local_y"), None);
    }
}
